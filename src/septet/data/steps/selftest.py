"""The stage tested on a team's own documents."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Corpus, Policy, Report, Scorer, Suite


class SelfTest(Config):
    """Plant what the stage must find in copies of a team's own documents, and see whether it does."""

    documents: int = field(200, "Documents that copies are made of.", ge=1, le=20_000)
    plants: int = field(20, "Plants of each kind of personal data and each category of words, for each language.", ge=1)
    items: int = field(100, "Evaluation items that are planted.", ge=0)
    similarity: float = field(0.8, "Jaccard similarity from which two documents count as one.", gt=0, le=1)
    covered: float = field(0.5, "An evaluation item counts from this share of its windows on.", gt=0, le=1)
    detectors: tuple[str, ...] = field(("lexicon",), "Detectors of toxic text whose findings count beside the scorers.")
    label: str = field("label", "The entry of `meta` with the label of a labelled row.")
    toxic: tuple[str, ...] = field(("1",), "Values of the label that say a row is toxic; all others are benign.")
    seed: int = field(1, "Seed of the sample and of the plants.")


@step("data.self_test", version=1)
def self_test(
    config: SelfTest,
    corpus: Corpus,
    policy: Policy,
    suites: tuple[Suite, ...] = (),
    labelled: Corpus | None = None,
    scorers: tuple[Scorer, ...] = (),
    *,
    run: Run,
) -> Report:
    """Report recall and precision of duplicates, personal data, toxic text, evaluation items and quality on own documents with
    planted truth, with intervals, and the misses by kind."""
    from septet.data.selftest import report

    return report(config, corpus, policy, suites, labelled, scorers, run)
