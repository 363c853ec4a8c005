"""Steps that ask a model the items of a suite and judge what comes back."""

from __future__ import annotations

from typing import Literal

from septet.core import Config, Run, field, step
from septet.kinds import Model, Report, Suite


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


@step("evaluate.score", version=1)
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


class Rejudge(Config):
    """Judge outputs again."""

    name: str = field("score", "The report's name; gates refer to it.")


@step("evaluate.rejudge", version=1)
def rejudge(config: Rejudge, report: Report, suite: Suite, run: Run) -> Report:
    """The report that the kept outputs make under the verdicts as they are now; no model is asked."""
    from septet.evaluate.score import again

    return again(report, suite, config.name, run)
