"""Which documents a corpus is made of: fewer, further, in other shares; and which of them look planted."""

from __future__ import annotations

from septet.core import Config, ConfigError, Run, field, step
from septet.kinds import Corpus, Signals, Vectors


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
