"""Whether what a document says still holds: later versions of it, and the verdict of a judge."""

from __future__ import annotations

from septet.core import Config, ConfigError, Run, field, step
from septet.kinds import Corpus, Policy


class Freshness(Config):
    """Find documents that a later version has replaced."""

    action: str = field("drop", "What is done with a superseded document.", choices=("drop", "flag"))
    likeness: float = field(
        0.3,
        "Share of their text (Jaccard, 5-token shingles) that two documents of one name must have in common.",
        ge=0,
        le=1,
    )
    as_of: str = field(
        "",
        "A day, as 2026-11-24: a version that comes into force later replaces nothing yet; empty: every version counts.",
    )


@step("data.freshness", version=1)
def freshness(config: Freshness, corpus: Corpus, run: Run) -> Corpus:
    """Leave out documents that a later version of themselves replaces, told by dates, version numbers and drafts in title, file
    name and first lines, with the trust of the source as tie break; report what the versions say differently."""
    from septet.data import freshness as versions
    from septet.detect.versions import dates_of

    if config.as_of and dates_of(config.as_of) != [config.as_of]:
        raise ConfigError(f"Freshness.as_of is '{config.as_of}'", "Write a day as 2026-11-24")
    return versions.check(corpus, config.action, config.likeness, config.as_of, run)


class Judge(Config):
    """Show documents to a judge."""

    detector: str = field(doc="Name of a detector (entry points septet.detectors) whose spans of a kind judge.* count.")
    share: float = field(1.0, "Share of the documents that is shown, drawn by their id.", gt=0, le=1)
    at_least: float = field(0.5, "Score from which a finding counts.", ge=0, le=1)
    action: str = field("review", "What is done with a document found fault with.", choices=("review", "drop"))
    seed: int = field(1, "Seed of the sample.")


@step("data.judge", version=1)
def judge(config: Judge, corpus: Corpus, policy: Policy, run: Run) -> Corpus:
    """Show all documents, or a sample, to a detector that judges what they say, and review or leave out what it finds."""
    from septet.data import judged

    return judged.apply(corpus, policy, config.detector, config.share, config.at_least, config.action, config.seed, run)
