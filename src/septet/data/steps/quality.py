"""Whether a document is good enough: signals measured once, limits applied after; scorers trained on one's own text."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Corpus, Policy, Scorer, Signals


class Measure(Config):
    """Measure documents, so that limits may change without reading the text again."""

    segmented: bool = field(False, "Also measure on the words of a Chinese segmenter, as FineWeb-2 does.")
    characters: bool = field(False, "Also measure repeated runs of characters, as data-juicer does.")


@step("data.measure", version=1)
def measure(config: Measure, corpus: Corpus, scorers: tuple[Scorer, ...] = (), *, run: Run) -> Signals:
    """Measure every quality signal of each document, and the value of each scorer, into a table beside the corpus."""
    from septet.data import signals

    groups = [name for name in ("segmented", "characters") if getattr(config, name)]
    return signals.write(corpus, groups, [str(one.path) for one in scorers], run)


class Score(Config):
    """The range of a scorer's value: ends as values, or as shares of the documents."""

    score: str = field(doc="Name of the value: perplexity.<name>, quality.<name> or <name>.<class>.")
    language: str = field("", "Language that it holds for; empty: all.")
    at_least: float | None = field(None, "Lowest value kept.")
    at_most: float | None = field(None, "Highest value kept.")
    drop_lowest: float = field(0.0, "Share of the documents with the lowest values that is left out.", ge=0, lt=1)
    drop_highest: float = field(0.0, "Share of the documents with the highest values that is left out.", ge=0, lt=1)


class Filter(Config):
    """Leave out documents of too little quality."""

    rules: tuple[str, ...] = field((), "Rules to apply, by name; empty: all that a limit is set for.")
    sets: tuple[str, ...] = field(
        (),
        "Published rule sets beside the policy's limits: gopher, gopher-repetition, c4, c4-paragraphs, fineweb, fineweb2-zh, "
        "nemo, data-juicer, data-juicer-zh.",
    )
    policy_limits: bool = field(True, "Whether the policy's limits under [quality] count.")
    scores: tuple[Score, ...] = field((), "Ranges of scorers' values.")


@step("data.filter", version=2)
def filter_(
    config: Filter,
    corpus: Corpus,
    policy: Policy,
    signals: Signals | None = None,
    scorers: tuple[Scorer, ...] = (),
    *,
    run: Run,
) -> Corpus:
    """Leave out what the limits for its language refuse: the policy's, those of published sets, and ranges of scores. With
    signals no text is read. A mixed document is judged by its Chinese and by its other lines, each under their own limits."""
    from septet.data import filters

    scores = [
        filters.ScoreLimit(one.score, one.language, one.at_least, one.at_most, one.drop_lowest, one.drop_highest)
        for one in config.scores
    ]
    return filters.apply(corpus, policy, signals, scorers, config.policy_limits, config.sets, config.rules, scores, run)


class PerplexityModel(Config):
    """Train a language model of n-grams on good text."""

    name: str = field("good", "Name of the model: its values are called perplexity.<name>.")
    language: str = field("", "Language of the documents to learn from; empty: all.")
    order: int = field(4, "Length of the longest n-grams, in words.", ge=1, le=5)
    sample_mb: int = field(64, "Text to learn from at most, in MiB; more is sampled.", ge=1)
    seed: int = field(1, "Seed of the sample.")


@step("data.perplexity_model", version=1)
def perplexity_model(config: PerplexityModel, corpus: Corpus, run: Run) -> Scorer:
    """Train an interpolated Kneser-Ney model on a corpus of good text: what it finds surprising may be left out."""
    from septet.data import scorers

    return scorers.perplexity_model(
        corpus, config.name, config.language, config.order, config.sample_mb << 20, config.seed, run
    )


class QualityClassifier(Config):
    """Train a classifier that tells good text from poor."""

    name: str = field("good", "Name of the classifier: its values are called quality.<name>.")
    language: str = field("", "Language of the documents to learn from; empty: all.")
    sample_mb: int = field(64, "Text to learn from at most, in MiB; more is sampled.", ge=1)
    seed: int = field(1, "Seed of the sample and of the order of training.")


@step("data.quality_classifier", version=1)
def quality_classifier(config: QualityClassifier, good: Corpus, poor: Corpus, run: Run) -> Scorer:
    """Train a linear classifier on a corpus of good and one of poor text; its held-out AUC is in scorer.json."""
    from septet.data import scorers

    return scorers.quality_classifier(
        good, poor, config.name, config.language, config.sample_mb << 20, config.seed, run
    )


class Clean(Config):
    """Mend the text of documents and take out lines that are no text."""

    mojibake: str = field("repair", "What is done about wrong decodings.", choices=("repair", "flag", "keep"))
    hidden: bool = field(True, "Take out control and zero-width characters.")
    nfc: bool = field(True, "Compose characters (Unicode NFC).")
    simplified: bool = field(False, "Write traditional Chinese in simplified characters.")
    pages: int = field(
        3,
        "On how many pages of a source a line must stand in the same place to be a header or footer; 0: keep them.",
        ge=0,
    )
    boilerplate: bool = field(True, "Take out lines of consent banners, logins, rights, sharing links and navigation.")
    phrases: tuple[str, ...] = field((), "Further phrases; a line that holds one is taken out.")
    c4_lines: bool = field(False, "Keep only lines that C4 would: a final mark, three words, no scripts or policies.")
    blank_lines: bool = field(True, "Leave one blank line where there are several.")


@step("data.clean", version=1)
def clean(config: Clean, corpus: Corpus, run: Run) -> Corpus:
    """Mend wrong decodings, take out invisible characters, headers, footers and boilerplate lines. Every change is an edit that
    leads back to the file; what is taken out is counted by rule, with examples in removed.jsonl."""
    import msgspec

    from septet.data import clean as cleaning

    return cleaning.apply(corpus, cleaning.Cleaning(**msgspec.structs.asdict(config)), run)
