"""What is there already: documents, passages, other corpora."""

from __future__ import annotations

from septet.core import Config, ConfigError, Run, field, step
from septet.kinds import Corpus, Report, Sketches


class Sketch(Config):
    """Sketch documents, so that later deliveries are compared without reading these again."""


@step("data.sketch", version=1)
def sketch(config: Sketch, corpus: Corpus, run: Run) -> Sketches:  # noqa: ARG001 - there is nothing to choose
    """Make the similarity sketch of each document."""
    from septet.data import sketches

    return sketches.write(corpus, run)


class Deduplicate(Config):
    """Leave out documents that are there already."""

    similarity: float = field(
        0.8, "Jaccard similarity of 5-token shingles from which two documents count as one.", gt=0, le=1
    )
    keep: str = field(
        "longest",
        "Which of several like documents stays; equals go by length, then by place.",
        choices=("longest", "first", "newest", "trusted"),
    )
    chains: bool = field(
        False, "Also leave out what is like a document that was itself left out, as far as the chain goes."
    )


@step("data.deduplicate", version=2)
def deduplicate(
    config: Deduplicate,
    corpus: Corpus,
    sketches: Sketches | None = None,
    known: tuple[Corpus, ...] = (),
    known_sketches: tuple[Sketches, ...] = (),
    *,
    run: Run,
) -> Corpus:
    """Leave out exact and near duplicates within the corpus and of known corpora. Each pair is verified before anything goes."""
    from septet.data import duplicates
    from septet.data.sketches import parts

    if known_sketches and len(known_sketches) != len(known):
        raise ConfigError(
            f"{len(known_sketches)} sketches for {len(known)} known corpora", "Tie one for each, in the same order"
        )
    sides = [
        duplicates.Side(one, parts(one, run, known_sketches[number] if known_sketches else None, f"known-{number}"))
        for number, one in enumerate(known)
    ]
    new = duplicates.Side(corpus, parts(corpus, run, sketches))
    return duplicates.apply(new, sides, config.similarity, config.keep, config.chains, run)


class DeduplicatePassages(Config):
    """Take out passages that stand elsewhere already."""

    unit: str = field("line", "What is compared.", choices=("line", "sentence", "paragraph"))
    span: int = field(1, "So many neighbouring ones count as one passage.", ge=1, le=20)
    least_bytes: int = field(24, "Passages of fewer bytes that are no blanks are left alone.", ge=1)
    least_count: int = field(2, "A passage goes when it stands so often.", ge=2)
    keep: str = field("first", "Whether the first one stays, or none.", choices=("first", "none"))
    least_left: int = field(40, "A document of which fewer characters are left is left out.", ge=0)


@step("data.deduplicate_passages", version=1)
def deduplicate_passages(
    config: DeduplicatePassages, corpus: Corpus, known: tuple[Corpus, ...] = (), *, run: Run
) -> Corpus:
    """Take lines, sentences or paragraphs out that stand elsewhere already, or in a known corpus; what went is kept as edits."""
    from msgspec.structs import asdict

    from septet.data.passages import apply

    return apply(corpus, known, asdict(config), run)


class Overlap(Config):
    """Compare corpora and the data sets in them."""

    similarity: float = field(0.8, "Jaccard similarity from which two documents count as one.", gt=0, le=1)


@step("data.overlap", version=1)
def overlap(config: Overlap, corpora: tuple[Corpus, ...], sketches: tuple[Sketches, ...] = (), *, run: Run) -> Report:
    """For each two data sets, the share of the one's documents that the other holds too."""
    from septet.data.duplicates import Side
    from septet.data.overlap import report
    from septet.data.sketches import parts

    if sketches and len(sketches) != len(corpora):
        raise ConfigError(f"{len(sketches)} sketches for {len(corpora)} corpora", "Tie one for each, in the same order")
    sides = [
        Side(one, parts(one, run, sketches[number] if sketches else None, f"sketches-{number}"))
        for number, one in enumerate(corpora)
    ]
    return report(sides, config.similarity, run)
