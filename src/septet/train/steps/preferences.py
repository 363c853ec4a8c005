"""Training on preferences: a reward model, and the two ways to move a model without one."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Model, Preferences
from septet.train.steps.words import ALPHA, PRECISION, PRECISIONS, RANK, RATE

_LONGEST = "Longest prompt with its answer; rows with longer ones are dropped and counted."


class Reward(Config):
    """Train a model that gives an answer a number, from which of two answers was preferred."""

    rank: int = field(0, RANK, ge=0)
    alpha: int = field(32, ALPHA, ge=1)
    epochs: float = field(1.0, "Passes over the rows.", gt=0)
    batch: int = field(8, "Pairs a step.", ge=1)
    accumulate: int = field(1, "Parts in which a step's pairs are read.", ge=1)
    learning_rate: float = field(1e-4, RATE, gt=0)
    warmup: float = field(0.1, "Share of the steps in which the rate climbs.", ge=0, le=1)
    weight_decay: float = field(0.0, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    clip: float = field(1.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    max_tokens: int = field(1024, _LONGEST, ge=8)
    held_out: float = field(0.1, "Share of the prompts on which it is measured and not trained.", ge=0, lt=1)
    spike: float = field(0.0, "Stop when the loss stays above so many times its median; 0: never.", ge=0)
    precision: str = field("auto", PRECISION, choices=PRECISIONS)
    seed: int = field(0, "Seed of the held-out rows, of new weights and of the order of the rows.", ge=0)


class Dpo(Config):
    """Make a model prefer the chosen answers to the rejected ones, without a reward model."""

    beta: float = field(0.1, "How closely the model is held to what it was: larger is closer.", gt=0)
    smoothing: float = field(0.0, "Share of pairs thought to be labelled the wrong way round.", ge=0, lt=0.5)
    supervised: float = field(0.0, "Weight of the chosen answers' own loss beside that of the preference.", ge=0)
    rank: int = field(16, RANK, ge=0)
    alpha: int = field(32, ALPHA, ge=1)
    epochs: float = field(1.0, "Passes over the rows.", gt=0)
    batch: int = field(8, "Pairs a step.", ge=1)
    accumulate: int = field(1, "Parts in which a step's pairs are read.", ge=1)
    learning_rate: float = field(1e-4, RATE, gt=0)
    warmup: float = field(0.1, "Share of the steps in which the rate climbs.", ge=0, le=1)
    weight_decay: float = field(0.0, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    clip: float = field(1.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    max_tokens: int = field(1024, _LONGEST, ge=8)
    held_out: float = field(0.1, "Share of the prompts on which it is measured and not trained.", ge=0, lt=1)
    spike: float = field(0.0, "Stop when the loss stays above so many times its median; 0: never.", ge=0)
    precision: str = field("auto", PRECISION, choices=PRECISIONS)
    seed: int = field(0, "Seed of the held-out rows, of the adapters and of the order of the rows.", ge=0)


class Kto(Config):
    """Move a model towards answers that were liked and away from those that were not, one by one: pairs are not needed."""

    beta: float = field(0.1, "How closely the model is held to what it was: larger is closer.", gt=0)
    desirable_weight: float = field(1.0, "Weight of answers that were liked.", gt=0)
    undesirable_weight: float = field(1.0, "Weight of answers that were not.", gt=0)
    rank: int = field(16, RANK, ge=0)
    alpha: int = field(32, ALPHA, ge=1)
    epochs: float = field(1.0, "Passes over the answers.", gt=0)
    batch: int = field(16, "Answers a step.", ge=2)
    accumulate: int = field(
        1, "Parts in which a step's answers are read; each estimates the divergence for itself.", ge=1
    )
    learning_rate: float = field(1e-4, RATE, gt=0)
    warmup: float = field(0.1, "Share of the steps in which the rate climbs.", ge=0, le=1)
    weight_decay: float = field(0.0, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    clip: float = field(1.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    max_tokens: int = field(1024, _LONGEST, ge=8)
    held_out: float = field(0.1, "Share of the prompts on which it is measured and not trained.", ge=0, lt=1)
    spike: float = field(0.0, "Stop when the loss stays above so many times its median; 0: never.", ge=0)
    precision: str = field("auto", PRECISION, choices=PRECISIONS)
    seed: int = field(0, "Seed of the held-out rows, of the adapters and of the order of the answers.", ge=0)


@step("train.reward", version=1)
def reward(config: Reward, model: Model, rows: Preferences, run: Run) -> Model:
    """Train a reward model: the decoder, and the head that reads a number off the end of an answer."""
    from septet.train.preferences import reward_model

    reward_model.fit(config, model, rows, run)
    return Model(run.out)


@step("train.dpo", version=1)
def dpo(config: Dpo, model: Model, rows: Preferences, run: Run) -> Model:
    """Train on pairs by direct preference optimisation. Resumes after a kill in the same bits."""
    from septet.train.preferences import fit as preferences

    preferences.dpo(config, model, rows, run)
    return Model(run.out)


@step("train.kto", version=1)
def kto(config: Kto, model: Model, rows: Preferences, run: Run) -> Model:
    """Train on liked and disliked answers by Kahneman-Tversky optimisation. Resumes after a kill in the same bits."""
    from septet.train.preferences import fit as preferences

    preferences.kto(config, model, rows, run)
    return Model(run.out)
