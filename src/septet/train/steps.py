"""Training: a decoder from scratch on packed tokens, and adapters on conversations."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Adapter, Conversations, Model, Tokens
from septet.train.preference_steps import Dpo, Kto, Reward, dpo, kto, reward  # noqa: F401 - steps are found here

_PRECISIONS = ("auto", "bfloat16", "float32")
_PRECISION = "Precision of weights and products; auto: bfloat16 where the processor multiplies it."


class Pretrain(Config):
    """Train all weights on packed rows of tokens."""

    steps: int = field(200, "Number of optimiser steps.", ge=1)
    batch: int = field(4, "Rows a step.", ge=1)
    learning_rate: float = field(2e-3, "Peak of the learning rate.", gt=0)
    warmup: float = field(0.05, "Share of the steps in which the rate climbs.", ge=0, le=1)
    weight_decay: float = field(0.1, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    clip: float = field(1.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    held_out: float = field(0.05, "Share of the rows kept for the validation loss.", ge=0, lt=1)
    spike: float = field(4.0, "Stop when the loss stays above so many times its median; 0: never.", ge=0)
    precision: str = field("auto", _PRECISION, choices=_PRECISIONS)
    seed: int = field(0, "Seed of the order of the rows.", ge=0)


class Lora(Config):
    """Fine-tune low-rank adapters on conversations; the loss is taken on what the assistant says."""

    rank: int = field(16, "Rank of the adapters.", ge=1)
    alpha: int = field(32, "Scale of the adapters, as a multiple of 1/rank.", ge=1)
    dropout: float = field(0.0, "Share of an adapter's inputs left out at random.", ge=0, lt=1)
    epochs: float = field(1.0, "Passes over the rows.", gt=0)
    batch: int = field(4, "Conversations a step.", ge=1)
    learning_rate: float = field(5e-4, "Peak of the learning rate.", gt=0)
    warmup: float = field(0.03, "Share of the steps in which the rate climbs.", ge=0, le=1)
    weight_decay: float = field(0.0, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    clip: float = field(1.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    max_tokens: int = field(1024, "Longest conversation; longer ones are dropped and counted.", ge=8)
    spike: float = field(6.0, "Stop when the loss stays above so many times its median; 0: never.", ge=0)
    precision: str = field("auto", _PRECISION, choices=_PRECISIONS)
    seed: int = field(0, "Seed of the adapters and of the order of the rows.", ge=0)


@step("train.pretrain", version=2)
def pretrain(config: Pretrain, model: Model, tokens: Tokens, run: Run) -> Model:
    """Train a model on packed tokens. Resumes after a kill in the same bits."""
    from septet.train import pretraining

    pretraining.pretrain(config, model, tokens, run)
    return Model(run.out)


@step("train.lora", version=2)
def lora(config: Lora, model: Model, rows: Conversations, run: Run) -> Adapter:
    """Fine-tune adapters on conversations. Resumes after a kill in the same bits."""
    from septet.train import tuning

    tuning.lora(config, model, rows, run)
    return Adapter(run.out)
