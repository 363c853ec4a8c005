"""What a corpus is, said to people: the data card."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Corpus, DataCard, Policy, Report, Signals


class Card(Config):
    """Describe a corpus for those who decide whether it may be used."""

    name: str = field(doc="What the corpus is called.")
    purpose: str = field("", "What it is meant for.")
    limits: str = field("", "What it must not be used for, and what is known to be wrong with it.")
    contact: str = field("", "Who answers for it.")
    examples: int = field(20, "So many examples of rows left out are shown at most, personal data hidden.", ge=0)
    shown: tuple[str, ...] = field(
        ("public", "commercial"),
        "Origins whose texts may stand in examples: no detector finds every name. Of other rows the place is said, no text.",
    )
    listed: int = field(20, "So many values of a table, such as sources, are listed; the rest is summed up.", ge=1)


@step("data.card", version=1)
def card(
    config: Card,
    corpus: Corpus,
    policy: Policy | None = None,
    signals: Signals | None = None,
    reports: tuple[Report, ...] = (),
    *,
    run: Run,
) -> DataCard:
    """Write the data card of a corpus as JSON and as a page in English and in Chinese: composition, terms, consent, quality,
    safety, every step that it went through, and what was left out by which rule."""
    from septet.data import card as work

    return work.write(config, corpus, policy, signals, reports, run)
