"""What is there already: documents, passages, other corpora."""

from __future__ import annotations

from septet.core import Config, ConfigError, Run, field, step
from septet.kinds import Corpus, Sketches


class Sketch(Config):
    """Sketch documents, so that later deliveries are compared without reading these again."""


@step("data.sketch", version=1)
def sketch(config: Sketch, corpus: Corpus, run: Run) -> Sketches:
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
