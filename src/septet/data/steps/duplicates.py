"""What is there already: documents, passages, other corpora."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Corpus


class Deduplicate(Config):
    """Leave out documents that are there already."""

    similarity: float = field(
        0.8, "Jaccard similarity of 5-token shingles from which two documents count as one.", gt=0, le=1
    )
    keep: str = field("longest", "Which of several like documents stays.", choices=("longest", "first", "newest"))


@step("data.deduplicate", version=1)
def deduplicate(config: Deduplicate, corpus: Corpus, run: Run) -> Corpus:
    """Leave out exact and near duplicates. Each candidate pair is verified before anything is left out."""
    from septet.data.dedup import apply

    return apply(corpus, config.similarity, config.keep, run)
