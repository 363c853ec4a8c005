"""Steps that keep a bank of items alive: calibrate, renew, compare over versions."""

from __future__ import annotations

from typing import Literal

from septet.core import Config, Run, field, step
from septet.kinds import Corpus, KnowledgeBase, Model, Report, Suite


class Grow(Config):
    """Make an exam out of fresh documents."""

    name: str = field("exam", "What the exam is called.")
    date: str = field(doc="Its version: the day it is made, YYYY-MM-DD.")
    kinds: tuple[Literal["choice", "cloze"], ...] = field(
        ("choice", "cloze"), "choice: among options; cloze: a gap to be filled."
    )
    per_document: int = field(3, "Items of a document at most.", ge=1)
    per_answer: int = field(3, "Items with the same answer at most.", ge=1)
    count: int = field(0, "Items in all at most, drawn by the seed; 0: all.", ge=0)
    chat: bool = field(False, "Ask writer and solvers through their chat templates.")
    seed: int = field(1, "Decides what is asked and the order of the options.")


@step("evaluate.grow", version=1)
def grow(
    config: Grow,
    knowledge: KnowledgeBase | None = None,
    corpus: Corpus | None = None,
    writer: Model | None = None,
    solvers: tuple[Model, ...] = (),
    contamination: Report | None = None,
    earlier: Suite | None = None,
    *,
    run: Run,
) -> Suite:
    """Questions on what documents say, each with the span that bears it out; what is not worth asking is kept with its reason.

    Without a writer they are made by rule out of sentences with a value. Solvers sort out what a model answers without the
    document, or not with it; `earlier` holds items that must not come again.
    """
    from septet.evaluate.growth.bank import grown

    return grown(config, knowledge, corpus, writer, solvers, contamination, earlier, run)


class Calibrate(Config):
    """Learn from several models' reports how hard each item is, and which should go."""

    name: str = field("calibration", "The report's name; gates refer to it.")
    best: int = field(5, "Leaders that must be told apart for the bank not to be saturated.", ge=2)
    doubt: float = field(
        0.5, "From this score on an item looks bad and is masked in one of the two numbers.", gt=0, le=1
    )
    day: str = field(
        "", "Evidence in a version that had ended by this day (YYYY-MM-DD) is stale; empty: only what is gone is."
    )


@step("evaluate.calibrate", version=1)
def calibrate(
    config: Calibrate,
    suite: Suite,
    reports: tuple[Report, ...],
    anchors: Report | None = None,
    contamination: Report | None = None,
    knowledge: KnowledgeBase | None = None,
    *,
    run: Run,
) -> Report:
    """Difficulty and slope of each item (IRT), saturation, items that look bad, and items to retire with every reason.

    With `anchors`, an earlier calibration, new items are put on its scale; `contamination` names what leaked, and `knowledge`
    what its sources no longer say.
    """
    from septet.evaluate.growth.bank import calibrated

    return calibrated(config, suite, reports, anchors, contamination, knowledge, run)


class Renew(Config):
    """Make the next dated version of a bank."""

    date: str = field(doc="The day of the new version, YYYY-MM-DD.")
    since: str = field("2000-01-01", "The day of the first version, where the bank does not say it.")
    anchors: int = field(100, "Items that stay to hold the scale, spread over easy and hard.", ge=10)
    doubt: float = field(0.5, "From this score on an item looks bad and goes.", gt=0, le=1)
    seed: int = field(1, "Decides which items become anchors.")


@step("evaluate.renew", version=1)
def renew(config: Renew, bank: Suite, calibration: Report, new: Suite | None, run: Run) -> Suite:
    """The bank without what leaked, is superseded, settled, turned or bad, with new items, and with anchors that hold the scale."""
    from septet.evaluate.growth.bank import renewed

    return renewed(config, bank, calibration, new, run)


class Comparable(Config):
    """Say what a model would score on another version."""

    name: str = field("comparable", "The report's name; gates refer to it.")


@step("evaluate.comparable", version=1)
def comparable(config: Comparable, report: Report, bank: Suite, calibration: Report, run: Run) -> Report:
    """The score on another version of a bank of a model that answered one, over the scale that both lie on."""
    from septet.evaluate.growth.bank import compared

    return compared(config, report, bank, calibration, run)
