"""Steps that compare two reports item by item."""

from __future__ import annotations

from typing import Literal

from septet.core import Config, Run, field, step
from septet.kinds import Report


class Upgrade(Config):
    """Decide whether a new system may replace an old one."""

    name: str = field("upgrade", "The report's name; gates refer to it.")
    by: Literal["task", "group", "language", "category"] = field("task", "What counts as a capability.")
    margin: float = field(0.02, "By how much a capability may be worse, as a share.", gt=0, lt=1)
    margins: tuple[str, ...] = field((), "Other margins by name, such as mmlu/*=0.03; the first that fits counts.")


@step("evaluate.upgrade", version=1)
def upgrade(config: Upgrade, before: Report, after: Report, run: Run) -> Report:
    """Old against new on the same items: gains with intervals, a margin for each capability, regressed items, one verdict."""
    from septet.evaluate.upgrade import compare

    return compare(config, before, after, run)


class Parity(Config):
    """Explain where two ways of asking disagree."""

    name: str = field("parity", "The report's name; gates refer to it.")
    margin: float = field(0.1, "Two options closer together than this, in nats, are a close call.", ge=0)


@step("evaluate.parity", version=1)
def parity(config: Parity, one: Report, other: Report, run: Run) -> Report:
    """Agreement of one model's answers under two ways of asking (letters, texts, generation), each disagreement with its cause."""
    from septet.evaluate.parity import explain

    return explain(config, one, other, run)
