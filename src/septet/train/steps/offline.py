"""Learning what a choice is worth: tokens from answers that lie ready, and templates or answers by trying them."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Conversations, Model, Preferences
from septet.train.steps.words import PRECISIONS, RATE

_PRECISION = "Precision in which the model is read; auto: bfloat16 where the processor multiplies it. Heads: float32."


class Ilql(Config):
    """Learn what each next token is worth from answers with rewards, without sampling; the model itself stays as it is."""

    beta: float = field(4.0, "How far decoding leans to better tokens, for the divergence that is reported.", ge=0)
    discount: float = field(0.99, "What a reward one token later is worth.", gt=0, le=1)
    expectile: float = field(0.8, "Which expectile of what the data did is the value of a state.", ge=0.5, lt=1)
    conservative: float = field(
        0.0, "Weight of a term that keeps tokens down which were not taken; beside small rewards it drowns them.", ge=0
    )
    polyak: float = field(0.02, "Share of the way that a target goes in a step.", gt=0, le=1)
    epochs: float = field(4.0, "Passes over the answers.", gt=0)
    batch: int = field(16, "Answers a step.", ge=1)
    learning_rate: float = field(1e-3, RATE, gt=0)
    warmup: float = field(0.05, "Share of the steps in which the rate climbs.", ge=0, le=1)
    clip: float = field(1.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    max_tokens: int = field(1024, "Longest prompt with its answer; longer rows are dropped and counted.", ge=8)
    held_out: float = field(0.1, "Share of the prompts on which it is measured and not trained.", ge=0, lt=1)
    precision: str = field("auto", _PRECISION, choices=PRECISIONS)
    seed: int = field(0, "Seed of the heads, of the held-out prompts and of the order of the answers.", ge=0)


class Dqn(Config):
    """Learn which of some actions answers a question best: a template around the question, or an answer of its own."""

    actions: tuple[str, ...] = field(
        doc="What there is to choose from. One with {} is a template; any other is an answer."
    )
    rewards: tuple[str, ...] = field((), "Rewards, each NAME or NAME:SETTING, as train.grpo takes them.")
    weights: tuple[float, ...] = field((), "A weight for each reward; empty: 1 for each.")
    iterations: int = field(400, "How often some questions are tried and a step is taken.", ge=1)
    tries: int = field(8, "Questions tried an iteration.", ge=1)
    batch: int = field(64, "Tries remembered that a step learns from.", ge=1)
    memory: int = field(10_000, "Tries that are remembered; older ones are overwritten.", ge=1)
    explore: float = field(0.05, "Share of the tries whose action is drawn by chance, once it has fallen.", ge=0, le=1)
    exploring: float = field(0.5, "Share of the iterations in which it falls, from all.", gt=0, le=1)
    target_every: int = field(20, "Iterations after which the target is the network again.", ge=1)
    learning_rate: float = field(1e-3, RATE, gt=0)
    clip: float = field(10.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    max_prompt: int = field(512, "Longest prompt; rows with longer ones are dropped and counted.", ge=1)
    max_new_tokens: int = field(128, "Longest answer behind a template; it is the likeliest one.", ge=1)
    held_out: float = field(0.2, "Share of the prompts on which it is measured and not trained.", ge=0, lt=1)
    precision: str = field("auto", _PRECISION, choices=PRECISIONS)
    seed: int = field(0, "Seed of the head, of what is tried and of the held-out prompts.", ge=0)


@step("train.ilql", version=2)
def ilql(config: Ilql, model: Model, rows: Preferences, run: Run) -> Model:
    """Train heads on chosen answers (1, or their reward) and rejected ones (0). Resumes after a kill in the same bits."""
    from septet.train.reinforcement import implicit_q

    implicit_q.fit(config, model, rows, run)
    return Model(run.out)


@step("train.dqn", version=1)
def dqn(config: Dqn, model: Model, rows: Conversations, judge: Model | None, run: Run) -> Model:
    """Train a head that chooses for each question. Resumes after a kill in the same bits."""
    from septet.train.reinforcement import chooser, questions

    score = questions.scorer(config.rewards, config.weights, judge, config.precision)
    chooser.fit(config, model, rows, score, run)
    return Model(run.out)
