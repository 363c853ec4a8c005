"""Reinforcement: training a model on the rewards of what it says."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Conversations, Model
from septet.train.steps.words import ALPHA, PRECISION, PRECISIONS, RANK, RATE

_REWARDS = "Rewards, each NAME or NAME:SETTING: number, exact, contains, choice, length:LOW-HIGH, format:EXPRESSION."
_WEIGHTS = "A weight for each reward; empty: 1 for each."


class Grpo(Config):
    """Train on rewards relative to those of other answers to the same prompt."""

    rewards: tuple[str, ...] = field((), _REWARDS)
    weights: tuple[float, ...] = field((), _WEIGHTS)
    iterations: int = field(50, "How often answers are sampled and learnt from.", ge=1)
    prompts: int = field(8, "Prompts an iteration.", ge=1)
    group: int = field(8, "Answers to each prompt.", ge=2)
    passes: int = field(1, "How often the answers of an iteration are gone through.", ge=1)
    steps: int = field(1, "Optimiser steps in which a pass is taken.", ge=1)
    read: int = field(16, "Answers read at once; what is learnt does not depend on it but for rounding.", ge=1)
    max_prompt: int = field(512, "Longest prompt; rows with longer ones are dropped and counted.", ge=1)
    max_new_tokens: int = field(128, "Longest answer.", ge=1)
    temperature: float = field(1.0, "Temperature at which answers are sampled.", gt=0)
    deviation: bool = field(default=True, doc="Divide by the standard deviation of a prompt's rewards.")
    shares: str = field(
        "answer",
        "What counts alike: each answer, each token, or each token whatever the lengths are (constant).",
        choices=("answer", "token", "constant"),
    )
    clip_low: float = field(0.2, "How far below 1 a ratio of likelihoods counts.", gt=0, le=1)
    clip_high: float = field(0.2, "How far above 1 a ratio of likelihoods counts.", gt=0)
    kl: float = field(0.02, "Weight of the divergence from the model as it was; 0: it is not read.", ge=0)
    rank: int = field(16, RANK, ge=0)
    alpha: int = field(32, ALPHA, ge=1)
    learning_rate: float = field(1e-4, RATE, gt=0)
    warmup: float = field(0.05, "Share of the steps in which the rate climbs.", ge=0, le=1)
    schedule: str = field("constant", "How the rate falls after that.", choices=("constant", "linear", "cosine"))
    weight_decay: float = field(0.0, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    clip: float = field(1.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    held_out: float = field(0.1, "Share of the prompts on which it is measured and not trained.", ge=0, lt=1)
    precision: str = field("auto", PRECISION, choices=PRECISIONS)
    seed: int = field(0, "Seed of samples, adapters, held-out prompts and their order.", ge=0)


class Ppo(Config):
    """Train on rewards by proximal policy optimisation, with a head that foresees them."""

    rewards: tuple[str, ...] = field((), _REWARDS)
    weights: tuple[float, ...] = field((), _WEIGHTS)
    iterations: int = field(50, "How often answers are sampled and learnt from.", ge=1)
    prompts: int = field(64, "Prompts an iteration, each answered once.", ge=2)
    passes: int = field(2, "How often the answers of an iteration are gone through.", ge=1)
    steps: int = field(2, "Optimiser steps in which a pass is taken.", ge=1)
    read: int = field(16, "Answers read at once; what is learnt does not depend on it but for rounding.", ge=1)
    max_prompt: int = field(512, "Longest prompt; rows with longer ones are dropped and counted.", ge=1)
    max_new_tokens: int = field(128, "Longest answer.", ge=1)
    temperature: float = field(1.0, "Temperature at which answers are sampled.", gt=0)
    discount: float = field(1.0, "What a reward one token later is worth.", gt=0, le=1)
    trace: float = field(0.95, "How far an advantage looks ahead (lambda); 1: to the end.", ge=0, le=1)
    clip_low: float = field(0.2, "How far below 1 a ratio of likelihoods counts.", gt=0, le=1)
    clip_high: float = field(0.2, "How far above 1 a ratio of likelihoods counts.", gt=0)
    clip_value: float = field(0.2, "How far a foreseen value may move in an iteration and still gain.", gt=0)
    value_weight: float = field(0.5, "Weight of the error of foreseen values.", ge=0)
    kl: float = field(0.02, "What a nat of divergence from the model as it was costs.", ge=0)
    target_kl: float = field(0.0, "Divergence of an answer, in nats, that the cost is adapted to; 0: it stays.", ge=0)
    rank: int = field(16, RANK, ge=0)
    alpha: int = field(32, ALPHA, ge=1)
    learning_rate: float = field(1e-4, RATE, gt=0)
    warmup: float = field(0.05, "Share of the steps in which the rate climbs.", ge=0, le=1)
    schedule: str = field("constant", "How the rate falls after that.", choices=("constant", "linear", "cosine"))
    weight_decay: float = field(0.0, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    clip: float = field(1.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    held_out: float = field(0.1, "Share of the prompts on which it is measured and not trained.", ge=0, lt=1)
    precision: str = field("auto", PRECISION, choices=PRECISIONS)
    seed: int = field(0, "Seed of samples, adapters, held-out prompts and their order.", ge=0)


@step("train.grpo", version=2)
def grpo(config: Grpo, model: Model, rows: Conversations, judge: Model | None, run: Run) -> Model:
    """Train on rewards of sampled answers. Resumes after a kill in the same bits."""
    from septet.train.reinforcement import fit as reinforce
    from septet.train.reinforcement import questions

    score = questions.scorer(config.rewards, config.weights, judge, config.precision)
    reinforce.fit(config, model, rows, score, run)
    return Model(run.out)


@step("train.ppo", version=2)
def ppo(config: Ppo, model: Model, rows: Conversations, judge: Model | None, run: Run) -> Model:
    """Train on rewards of sampled answers. Resumes after a kill in the same bits."""
    from septet.train.reinforcement import fit as reinforce
    from septet.train.reinforcement import questions

    score = questions.scorer(config.rewards, config.weights, judge, config.precision)
    reinforce.fit(config, model, rows, score, run)
    return Model(run.out)
