"""Steps that ask a model the items of a suite and judge what comes back."""

from __future__ import annotations

from typing import Literal

from septet.core import Config, Run, field, step
from septet.kinds import Model, Policy, Report, Scorer, Suite


class Score(Config):
    """Ask a model the items of a suite, by likelihood or by generation."""

    name: str = field("score", "The report's name; gates refer to it.")
    tasks: tuple[str, ...] = field(("*",), "Tasks to ask, by name; `*` stands for any characters.")
    mode: Literal["task", "letter", "text", "generate"] = field(
        "task",
        "How to ask: as each task says, by the letters' likelihood, by the options' whole texts, or by generation.",
    )
    shots: int = field(-1, "Solved examples before each item; -1: as each task says.", ge=-1, le=64)
    chat: bool = field(False, "Ask through the model's chat template, as a user would.")
    normalise: Literal["characters", "bytes", "none"] = field(
        "characters", "By what the log-probability of an option's text is divided, so that long options may win."
    )
    within: float = field(
        0.0,
        "Stop when the score is known to within so many points (1 = 0.01) at 95 %; 0: ask all. Items are drawn by how hard "
        "they were in the reports tied to `earlier`.",
        ge=0,
        le=50,
    )
    limit: int = field(0, "Items asked of each task at most, drawn by the seed; 0: all.", ge=0)
    max_tokens: int = field(0, "Longest output in tokens; 0: as each task says.", ge=0, le=32768)
    samples: int = field(
        1, "Outputs for each item, drawn at a temperature above 0; the score is their mean.", ge=1, le=200
    )
    temperature: float = field(0.0, "0 is greedy.", ge=0, le=2)
    seed: int = field(1, "Decides which items are drawn, and what a temperature draws.")
    context: int = field(
        0, "Tokens that prompt and output may have; examples are left out to fit, and counted. 0: the model's.", ge=0
    )
    batch: int = field(8, "Items that are generated for at a time.", ge=1, le=256)
    engine: str = field(
        "auto",
        "What runs the model: torch, torch-float32, llamacpp, endpoint (any OpenAI-compatible server, vLLM too).",
    )


@step("evaluate.score", version=2)
def score(
    config: Score,
    model: Model,
    suite: Suite,
    contamination: Report | None = None,
    earlier: tuple[Report, ...] = (),
    *,
    run: Run,
) -> Report:
    """The share of right answers by task, mode and language with intervals, and every item with what came back for it.

    With a report of data.contamination, each number is given on the clean items beside all items. With `within`, items are drawn
    by their difficulty in `earlier` reports on the same suite, until the number is known well enough.
    """
    from septet.evaluate.score import evaluate

    return evaluate(config, model, suite, contamination, earlier, run)


class Perturb(Config):
    """Add twins of each item, written otherwise."""

    kinds: tuple[str, ...] = field(
        ("typos", "homophones", "width", "filler", "option_order"),
        "How twins differ: typos, case, contractions, homophones, traditional, simplified, width, spacing, filler, option_order, "
        "circular; for fairness dialect_names, gender.",
    )
    limit: int = field(0, "Items of each task that get twins at most; 0: all.", ge=0)
    seed: int = field(1, "Decides what is changed.")


@step("evaluate.perturb", version=1)
def perturb(config: Perturb, suite: Suite, run: Run) -> Suite:
    """The suite with a twin of each item for each kind, so that one run asks both; what a kind does not change has no twin."""
    from septet.evaluate.perturb import suite as made

    return made(suite, config.kinds, config.seed, config.limit, run)


class Holistic(Config):
    """Compute the seven measures of HELM."""

    name: str = field("holistic", "The report's name; gates refer to it.")


@step("evaluate.holistic", version=1)
def holistic(
    config: Holistic, report: Report, policy: Policy | None = None, scorers: tuple[Scorer, ...] = (), *, run: Run
) -> Report:
    """Accuracy, calibration, robustness, fairness, bias, toxicity and efficiency of a score, from its items alone.

    Toxicity goes by the policy's terms and by trained scorers, where they are given. What cannot be measured is named.
    """
    from septet.evaluate.holistic import holistic as made

    return made(config.name, report, run, policy, scorers)


class Rejudge(Config):
    """Judge outputs again."""

    name: str = field("score", "The report's name; gates refer to it.")


@step("evaluate.rejudge", version=1)
def rejudge(config: Rejudge, report: Report, suite: Suite, run: Run) -> Report:
    """The report that the kept outputs make under the verdicts as they are now; no model is asked."""
    from septet.evaluate.score import again

    return again(report, suite, config.name, run)
