"""Which documents a corpus is made of: fewer, further, in other shares; and which of them look planted."""

from __future__ import annotations

from pathlib import Path

import msgspec

from septet.core import Config, ConfigError, External, Run, field, step
from septet.kinds import Corpus, Model, Report, Signals, Vectors


class Features(Config):
    """Make a vector of few numbers for each document."""

    method: str = field(
        "pca",
        "Principal components or a random projection (gaussian, sparse) of an encoder's vectors, or n-grams without an encoder "
        "(hashed).",
        choices=("pca", "gaussian", "sparse", "hashed"),
    )
    width: int = field(64, "Numbers a document.", ge=1, le=4096)
    encoder: str = field("universal-sentence-encoder", "Which encoder makes the vectors that are reduced.")
    centre: bool = field(False, "Take the mean off before principal components; cosines are then about the mean.")
    sample: int = field(20_000, "Documents that directions are learned from and distortion is measured on.", ge=16)
    seed: int = field(1, "Seed of the sample and of random directions.", ge=0)


@step("data.features", version=1)
def features(config: Features, corpus: Corpus, fitted: Vectors | None = None, *, run: Run) -> Vectors:
    """Reduce the vectors of documents, and measure what that costs: variance kept, distances and cosines bent. With `fitted`, a
    later delivery is projected as an earlier one was."""
    from septet.data.features import write

    return write(
        corpus, fitted, config.method, config.width, config.encoder, config.centre, config.sample, config.seed, run
    )


class Reduce(Config):
    """Keep fewer documents."""

    method: str = field(
        doc="What goes: what means the same as another (semantic), what others cover (diverse), what is unlike a target "
        "(important), or what a draw by groups leaves (stratified).",
        choices=("semantic", "diverse", "important", "stratified"),
    )
    budget: int = field(0, "Documents to keep; not with semantic.", ge=0)
    share: float = field(0.0, "Share of the documents to keep, instead of a budget.", ge=0, le=1)
    encoder: str = field(
        "universal-sentence-encoder", "Which encoder makes the vectors for semantic and diverse, where none are tied."
    )
    similarity: float = field(0.95, "Cosine from which two documents mean the same (semantic).", gt=0, le=1)
    keep: str = field(
        "longest",
        "Which of several that mean the same stays; equals go by length, then by place.",
        choices=("longest", "first", "newest", "trusted"),
    )
    numbers: bool = field(True, "Documents whose numbers differ do not mean the same (semantic).")
    spread: str = field(
        "farthest",
        "How a diverse choice is spread: farthest first, which passes over all for each one kept, or evenly over cells, which "
        "is quick.",
        choices=("farthest", "cells"),
    )
    per_token: bool = field(False, "Weigh by the mean over a document's tokens, not by the sum, as the paper does.")
    by: tuple[str, ...] = field((), "What forms groups (stratified): dataset, language, source or meta.<name>.")
    allocation: str = field(
        "proportional",
        "How the budget is shared out over groups: by size, equally, or by the root of the size.",
        choices=("proportional", "equal", "root"),
    )
    weight: str = field("", "By what a document is drawn within its group: a signal or meta.<name>; empty: all alike.")
    seed: int = field(1, "Seed of cells and draws.", ge=0)


@step("data.reduce", version=1)
def reduce(
    config: Reduce,
    corpus: Corpus,
    vectors: Vectors | None = None,
    target: Corpus | None = None,
    signals: Signals | None = None,
    *,
    run: Run,
) -> Corpus:
    """Leave out documents by meaning, by coverage, by importance to a target corpus, or by a draw over groups. Each one left out
    says by how much, and what stands for it."""
    from septet.data import reduce as work

    c = config
    if c.method == "semantic":
        if c.budget or c.share:
            raise ConfigError("Reduce with the method semantic takes no budget", "Set `similarity` instead")
        return work.semantic(corpus, vectors, c.encoder, c.similarity, c.keep, c.numbers, c.seed, run)
    if c.method == "diverse":
        return work.diverse(corpus, vectors, c.encoder, c.budget, c.share, c.spread, c.seed, run)
    if c.method == "important":
        if target is None:
            raise ConfigError(
                "Reduce with the method important needs a target", "Tie the corpus that others should be like"
            )
        return work.important(corpus, target, c.budget, c.share, c.per_token, c.seed, run)
    return work.stratified(corpus, c.by, c.allocation, c.weight, signals, c.budget, c.share, c.seed, run)


class Augment(Config):
    """Make further rows of those there are."""

    method: str = field(
        doc="How: words exchanged for synonyms, swapped, deleted or inserted; said again by a model, through another language "
        "(back_translation) or not (paraphrase); or a template filled in.",
        choices=("synonym", "swap", "delete", "insert", "back_translation", "paraphrase", "template"),
    )
    copies: float = field(1.0, "Rows to make of each row; 0.3 makes one of three in ten rows.", ge=0, le=100)
    by: str = field("", "By what rows are classed, as meta.<name>, dataset or language, for copies_of; empty: not.")
    copies_of: dict[str, float] = field(
        msgspec.field(default_factory=dict), "Class to the rows that are made of each of its rows, instead of copies."
    )
    strength: float = field(0.1, "Share of the words that is changed, at least one.", gt=0, le=1)
    synonyms: External = field(
        External(""), "A file of synonyms: TOML with a table [synonyms], or JSON lines of word and synonyms."
    )
    neighbours: bool = field(
        False, "Take words that the encoder holds near for synonyms, where no file is named; some will be opposites."
    )
    near: float = field(0.8, "Cosine from which a word counts as near.", gt=0, le=1)
    vocabulary: int = field(5000, "So many of the commonest words have neighbours.", ge=2, le=50_000)
    templates: tuple[str, ...] = field(
        (), "Texts with {entries} of meta, {title}, {dataset}, {language}, {source} or {text}."
    )
    pivot: str = field("", "The language to translate through; empty: English for Chinese, Chinese for all else.")
    endpoint: str = field(
        "", "Address of an OpenAI-compatible endpoint, as http://localhost:8000/v1, instead of a model."
    )
    served_as: str = field("", "The name under which the endpoint serves the model.")
    engine: str = field("auto", "What runs a tied model.")
    temperature: float = field(0.7, "Temperature of the model.", ge=0, le=2)
    encoder: str = field("universal-sentence-encoder", "Which encoder measures meaning.")
    most_like: float = field(
        0.98, "A made row whose wording is as like its origin (tokens in order) is refused.", gt=0, le=1
    )
    least_like: float = field(
        0.6, "A made row whose meaning is less like its origin (cosine) is refused; 0: not measured.", ge=0, le=1
    )
    seed: int = field(1, "Seed of all that is drawn.", ge=0)


@step("data.augment", version=1)
def augment(config: Augment, corpus: Corpus, model: Model | None = None, *, run: Run) -> Corpus:
    """Add rows made of others, each marked with its parent and method. What is too like its parent, too unlike, or has other
    numbers is refused and kept beside."""
    from septet.data import augment as work
    from septet.data import synonyms

    table = {}
    if config.synonyms:
        table = synonyms.from_file(Path(config.synonyms))
    elif config.neighbours and config.method in ("synonym", "insert"):
        table = synonyms.from_corpus(corpus, config.encoder, config.near, config.vocabulary, run)
    return work.apply(corpus, msgspec.structs.asdict(config), table, model, run)


class Balance(Config):
    """Bring classes to like shares."""

    by: str = field("meta.label", "What the classes are: meta.<name>, dataset, language or source.")
    method: str = field(
        "both",
        "Leave out rows of large classes (under), repeat rows of small ones (over), or both.",
        choices=("under", "over", "both"),
    )
    ratio: float = field(1.0, "The largest class may be so many times the smallest.", ge=1)
    most_repeats: int = field(10, "A row is repeated at most so often.", ge=0, le=1000)
    seed: int = field(1, "Seed of which rows go or come again.", ge=0)


@step("data.balance", version=1)
def balance(config: Balance, corpus: Corpus, run: Run) -> Corpus:
    """Balance classes by leaving out and repeating rows. What goes is kept beside; what comes again is marked."""
    from septet.data.balance import apply

    return apply(corpus, config.by, config.method, config.ratio, config.most_repeats, config.seed, run)


class Poisoning(Config):
    """Look for planted rows."""

    label: str = field("", "What labels rows, as meta.label; empty: rows have no labels.")
    source: str = field("dataset", "What a source is: dataset, source, owner or meta.<name>.")
    least: int = field(5, "Documents that an n-gram must stand in.", ge=2)
    false_discoveries: float = field(0.01, "Share of the listed n-grams that may be there by chance.", gt=0, lt=1)
    times: float = field(8.0, "Odds against the reference, as a ratio, from which an n-gram is listed.", gt=1)
    purity: float = field(0.9, "Share of a trigger's documents that must have one label.", gt=0.5, le=1)
    contradicted: float = field(
        0.7,
        "How often a trigger's documents must read like another label without it: 0 as often as honest ones do, 1 as often as "
        "documents of other labels would.",
        gt=0,
        le=1,
    )
    neighbours: int = field(10, "Neighbours that a label is compared with; 0: not compared.", ge=0, le=200)
    agreement: float = field(0.8, "Share of the neighbours that must agree on another label.", gt=0.5, le=1)
    encoder: str = field("universal-sentence-encoder", "Which encoder finds neighbours, where no vectors are tied.")
    burst: int = field(5, "Near-identical rows of one source that make a burst; 0: not looked for.", ge=0)
    similarity: float = field(0.8, "Jaccard similarity of shingles from which rows are near-identical.", gt=0, le=1)
    sample_mb: int = field(16, "Text that n-grams are counted in, in MiB; more is sampled.", ge=1)
    seed: int = field(1, "Seed of the sample.", ge=0)


@step("data.poisoning", version=1)
def poisoning(
    config: Poisoning, corpus: Corpus, reference: Corpus | None = None, vectors: Vectors | None = None, *, run: Run
) -> Report:
    """List rows that look planted, with reasons: n-grams that clean text lacks, triggers of a label, labels that neighbours
    contradict, bursts of copies; and how each source stands. What is listed is suspected, not proved."""
    from septet.data.poison import scan

    return scan(corpus, reference, vectors, msgspec.structs.asdict(config), run)


class DropSuspects(Config):
    """Leave out the rows that a scan suspects."""

    rules: tuple[str, ...] = field((), "Reasons that count, by name; empty: all.")
    least: int = field(1, "So many different reasons a row must have.", ge=1, le=5)


@step("data.drop_suspects", version=1)
def drop_suspects(config: DropSuspects, corpus: Corpus, report: Report, run: Run) -> Corpus:
    """Leave out the rows that a poisoning scan lists; they are kept beside with the reason."""
    from septet.data.poison import drop

    return drop(corpus, report, config.rules, config.least, run)
