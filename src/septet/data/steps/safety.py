"""What may not stay in a text: personal data and abuse; and what of it stays known: the vault, anonymity, fairness."""

from __future__ import annotations

from pathlib import Path

from septet.core import Config, External, Run, field, step
from septet.kinds import Corpus, Policy, Report, Scorer, Vault


class Mask(Config):
    """Take personal data out of the text."""

    key_file: External = field(
        External(""), "A file with the key for keyed actions (hash, pseudonym); empty: none is used."
    )


@step("data.mask", version=2)
def mask(config: Mask, corpus: Corpus, policy: Policy, run: Run) -> Corpus:
    """Replace personal data as the policy says for each kind. Counts are reported, values never."""
    from septet.data.privacy import apply

    return apply(corpus, policy, Path(config.key_file) if config.key_file else None, run, {})


class Pseudonymise(Config):
    """Take personal data out of the text, with pseudonyms that a vault can lead back."""

    key_file: External = field(doc="The file with the key that the vault was made with.")


@step("data.pseudonymise", version=1)
def pseudonymise(config: Pseudonymise, corpus: Corpus, policy: Policy, vault: Vault, run: Run) -> Corpus:
    """As data.mask, but no two values share a pseudonym: the vault knows which were drawn again."""
    from septet.data.privacy import apply
    from septet.data.vault import draws

    return apply(corpus, policy, Path(config.key_file), run, draws(vault))


class KeepVault(Config):
    """Keep what pseudonyms stand for, encrypted."""

    key_file: External = field(doc="The file with the key that the corpus is masked with.")


@step("data.vault", version=1)
def vault(config: KeepVault, corpus: Corpus, policy: Policy, run: Run) -> Vault:
    """Pseudonym to value for the kinds that the policy pseudonymises, from the corpus before it is masked."""
    from septet.data.vault import build

    return build(corpus, policy, Path(config.key_file), run)


class Anonymity(Config):
    """How well the people in a table are hidden among each other."""

    quasi_identifiers: tuple[str, ...] = field(doc="Columns that together may single a person out.")
    sensitive: tuple[str, ...] = field((), "Columns that nobody may learn of a person.")
    path: External = field(
        External(""), "A CSV or Parquet file to measure; empty: the columns in `meta` of the corpus."
    )
    k: int = field(5, "A class of equal quasi-identifiers should have at least so many rows.", ge=2)
    l: int = field(2, "A class should have at least so many different sensitive values.", ge=1)  # noqa: E741 - its name
    t: float = field(0.3, "A class's sensitive values may be at most so far from those of the table.", ge=0, le=1)


@step("data.anonymity", version=1)
def anonymity(config: Anonymity, corpus: Corpus | None = None, *, run: Run) -> Report:
    """k-anonymity, l-diversity and t-closeness of a table, and which generalisation would reach k. Counts only."""
    from septet.data.anonymity import report

    return report(config, corpus, run)


class ToxicityClassifier(Config):
    """Learn what a team calls toxic from rows that it has labelled."""

    label: str = field("label", "The entry of `meta` with the label of a row.")
    group: str = field("group", "The entry of `meta` with the group that a row speaks of; empty: none.")
    classes: dict[str, str] = field(
        doc="Value of the label to the category it stands for, as {'1': 'abuse'}; a value that is not named is benign.",
    )
    by_group: tuple[str, ...] = field(
        (), "Categories that are split by group, so that rows of group `race` in `hate` become `hate.race`."
    )
    seed: int = field(0, "Seed of the folds.")


@step("data.toxicity_classifier", version=1)
def toxicity_classifier(config: ToxicityClassifier, corpus: Corpus, run: Run) -> Scorer:
    """Train a classifier of toxic categories on labelled rows, with held-out AUC and F1 by category and group."""
    from septet.data.toxic import train

    return train(config, corpus, run)


class Detoxify(Config):
    """Take abuse and hate out of the text, or set it aside for review."""

    detectors: tuple[str, ...] = field(("lexicon",), "Detectors whose findings count beside the scorers.")
    examples: int = field(1000, "At most so many rows are written to review.jsonl.", ge=0)


@step("data.detoxify", version=1)
def detoxify(config: Detoxify, corpus: Corpus, policy: Policy, scorers: tuple[Scorer, ...] = (), *, run: Run) -> Corpus:
    """Drop, rewrite or set aside rows by category, as the policy says; count which groups are spoken of, and how."""
    from septet.data.detox import apply

    return apply(config, corpus, policy, scorers, run)


class FilterFairness(Config):
    """Does the filter hit rows that speak of one group more often than others?"""

    label: str = field("label", "The entry of `meta` with the label of a row.")
    benign: tuple[str, ...] = field(("0",), "Values of the label that say a row is benign.")
    detectors: tuple[str, ...] = field(("lexicon",), "Detectors whose findings count beside the scorers.")


@step("data.filter_fairness", version=1)
def filter_fairness(
    config: FilterFairness, corpus: Corpus, policy: Policy, scorers: tuple[Scorer, ...] = (), *, run: Run
) -> Report:
    """False alarms of the toxicity filter on benign rows, by the group that a row mentions."""
    from septet.data.detox import fairness

    return fairness(config, corpus, policy, scorers, run)
