"""Steps in which a model judges what another wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from septet.core import Config, Externals, Run, field, step
from septet.kinds import Model, Report

if TYPE_CHECKING:
    from septet.evaluate.judge.ask import Way
    from septet.evaluate.judge.rubric import Kind, Rubric


class Judge(Config):
    """Let a model grade generated answers by a rubric."""

    name: str = field("judged", "The report's name; gates refer to it.")
    kind: Literal["scale", "reference"] = field(
        "reference",
        "scale: a grade by words for each level; reference: right, wrong or not attempted, by the reference answers.",
    )
    language: Literal["zh", "en"] = field("zh", "The language in which the judge is asked.")
    rubric: Externals = field((), "A TOML file with a rubric of your own, in place of the one that is here.")
    labels: Externals = field((), "JSON lines with people's verdicts (id, label) on a random draw of the items.")
    by: Literal["generation", "likelihood"] = field(
        "generation",
        "generation: the judge writes; likelihood: its likeliest verdict, which is cheaper and always one.",
    )
    chat: bool = field(True, "Ask through the judge's chat template.")
    max_tokens: int = field(512, "Longest verdict with its reasons, in tokens.", ge=1)
    batch: int = field(8, "Answers judged at a time.", ge=1, le=256)
    engine: str = field("auto", "What runs the judge: torch, llamacpp, endpoint.")


@step("evaluate.judge", version=2)
def judge(config: Judge, report: Report, model: Model, run: Run) -> Report:
    """The report with the judge's grades; with people's labels its agreement with them, and shares corrected by its errors."""
    from pathlib import Path

    from septet.evaluate.judge.agreement import of_labels
    from septet.evaluate.judge.report import judged
    from septet.files import read_lines

    labels = of_labels([row for path in config.labels for row in read_lines(Path(path))])
    way = _way(config.by, config.chat, config.max_tokens, config.batch)
    rubric = _rubric(config.rubric, config.kind, config.language)
    return judged(config.name, model, report, rubric, labels, way, config.engine, run)


class Duel(Config):
    """Let a model choose between two models' answers."""

    name: str = field("duel", "The report's name; gates refer to it.")
    language: Literal["zh", "en"] = field("zh", "The language in which the judge is asked.")
    rubric: Externals = field((), "A TOML file with a rubric of your own, in place of the one that is here.")
    by: Literal["generation", "likelihood"] = field(
        "generation", "Whether the judge writes, or its likeliest verdict counts."
    )
    chat: bool = field(True, "Ask through the judge's chat template.")
    max_tokens: int = field(512, "Longest verdict with its reasons, in tokens.", ge=1)
    batch: int = field(8, "Pairs judged at a time.", ge=1, le=256)
    engine: str = field("auto", "What runs the judge: torch, llamacpp, endpoint.")


@step("evaluate.duel", version=1)
def duel(config: Duel, first: Report, second: Report, model: Model, run: Run) -> Report:
    """The first one's win rate, each pair shown in both orders; also at one length, since judges like long answers."""
    from septet.evaluate.judge.duel import duel as fought

    way = _way(config.by, config.chat, config.max_tokens, config.batch)
    return fought(
        config.name, model, first, second, _rubric(config.rubric, "pair", config.language), way, config.engine, run
    )


def _way(by: Literal["generation", "likelihood"], chat: bool, max_tokens: int, batch: int) -> Way:
    from septet.evaluate.judge.ask import Way

    return Way(by, chat, max_tokens, batch)


def _rubric(paths: tuple[str, ...], kind: Kind, language: str) -> Rubric:
    from pathlib import Path

    from septet.core import ConfigError
    from septet.evaluate.judge import rubric

    if len(paths) > 1:
        raise ConfigError("`rubric` names more than one file", "Name one")
    return rubric.read(Path(paths[0])) if paths else rubric.own(kind, language)
