"""Training from scratch, or on, on packed tokens."""

from __future__ import annotations

from septet.core import Config, Cost, Run, field, step
from septet.kinds import Model, Tokens
from septet.train.steps.words import PRECISION, PRECISIONS, RATE, SCHEDULE, SCHEDULES


class Pretrain(Config):
    """Train all weights on packed rows of tokens: a decoder on the next token, an encoder on hidden tokens, an
    encoder-decoder on hidden spans."""

    steps: int = field(200, "Number of optimiser steps.", ge=1)
    batch: int = field(4, "Rows a step.", ge=1)
    accumulate: int = field(1, "Parts of a step that are computed one after the other; divides batch.", ge=1)
    learning_rate: float = field(2e-3, RATE, gt=0)
    warmup: float = field(0.05, "Share of the steps in which the rate climbs.", ge=0, le=1)
    schedule: str = field("cosine", SCHEDULE, choices=SCHEDULES)
    weight_decay: float = field(0.1, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    clip: float = field(1.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    average: float = field(
        0.0, "Share of the old in a running mean of the weights, which is kept; 0: none.", ge=0, lt=1
    )
    hidden: float = field(0.15, "Share of the tokens that is hidden from an encoder or encoder-decoder.", gt=0, lt=1)
    span: float = field(3.0, "Mean length of the spans hidden from an encoder-decoder, in tokens.", ge=1)
    held_out: float = field(0.05, "Share of the rows kept for the validation loss.", ge=0, lt=1)
    look_every: int = field(0, "Steps from one look at validation loss and a sample to the next; 0: none.", ge=0)
    spike: float = field(4.0, "Stop when the loss stays above so many times its median; 0: never.", ge=0)
    checkpointing: bool = field(
        False, "Compute the layers again for the gradient, which saves memory and costs a third."
    )
    compile: bool = field(
        False, "Let torch's compiler make the layers; for accelerators, and for layers not known here."
    )
    precision: str = field("auto", PRECISION, choices=PRECISIONS)
    seed: int = field(0, "Seed of the order of the rows and of what is hidden.", ge=0)


def _cost(config: Pretrain, model: Model, tokens: Tokens) -> Cost:
    from septet.train import cost

    return cost.of_pretraining(config, model, tokens)


@step("train.pretrain", version=3, cost=_cost)
def pretrain(config: Pretrain, model: Model, tokens: Tokens, run: Run) -> Model:
    """Train a model on packed tokens. Resumes after a kill in the same bits."""
    from septet.train import pretraining

    pretraining.pretrain(config, model, tokens, run)
    return Model(run.out)
