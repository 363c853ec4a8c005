"""Steps that keep a bank of items alive: calibrate, renew, compare over versions."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import KnowledgeBase, Report, Suite


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
