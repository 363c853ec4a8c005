"""Training small scorers on one's own corpora: an n-gram model of good text, a classifier of good against poor text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow.parquet as pq

from septet.core import Run, StepFailed
from septet.detect import linear, ngram
from septet.kinds import Corpus, Scorer

# Of one document so much is learnt from, so that a few long ones do not stand for a corpus.
_DOCUMENT = 1 << 16


def perplexity_model(
    corpus: Corpus, name: str, language: str, order: int, max_bytes: int, seed: int, run: Run
) -> Scorer:
    """An n-gram model of the corpus's documents in a language ("": all). The numbers of it are observed."""
    texts = sample(corpus, language, max_bytes, seed)
    model = ngram.train(texts, order, seed, max_bytes)
    model.save(run.out, {"name": name, "language": language, "trained_on": _sources(corpus)})
    run.note(f"{model.about['tokens']} words of {len(texts)} documents; {model.about['ngrams']} n-grams kept")
    return Scorer(run.out)


def quality_classifier(
    good: Corpus, poor: Corpus, name: str, language: str, max_bytes: int, seed: int, run: Run
) -> Scorer:
    """A classifier of one class, `good`: the documents of the first corpus against those of the second."""
    sides = {side: sample(one, language, max_bytes // 2, seed) for side, one in (("good", good), ("poor", poor))}
    texts = [text for side in sides.values() for text in side]
    labels = [{"good"} if side == "good" else set() for side, found in sides.items() for _ in found]
    scorer = linear.train(texts, labels, ["good"], seed, max_bytes)
    about = {"name": name, "language": language, "trained_on": {"good": _sources(good), "poor": _sources(poor)}}
    scorer.save(run.out, about)
    held_out = scorer.about["held_out"]["good"]
    run.note(
        f"held-out AUC {held_out['auc']:.4f} ({held_out['auc_low']:.4f} to {held_out['auc_high']:.4f}) "
        f"on {scorer.about['texts']} documents"
    )
    return Scorer(run.out)


def sample(corpus: Corpus, language: str, max_bytes: int, seed: int) -> list[str]:
    """Texts of a language, each at most 64 KiB of characters, about `max_bytes` in all: a document is taken by the hash of its
    id, so a corpus that grows keeps most of its sample. Raises StepFailed where there is none."""
    size = 0
    for part in corpus.parts:
        metadata = pq.ParquetFile(part).metadata
        for group in range(metadata.num_row_groups):
            row_group = metadata.row_group(group)
            place = row_group.column(metadata.schema.names.index("text"))
            size += int(place.total_uncompressed_size)
    share = min(1.0, max_bytes / max(1, size))
    chosen = []
    for part in corpus.parts:
        for batch in pq.ParquetFile(part).iter_batches(columns=["id", "text", "language"]):
            for row in batch.to_pylist():
                if language and row["language"] != language:
                    continue
                if share < 1 and _draw(row["id"], seed) >= share:
                    continue
                if row["text"]:
                    chosen.append(row["text"][:_DOCUMENT])
    if not chosen:
        named = f" in the language '{language}'" if language else ""
        raise StepFailed(
            f"the corpus holds no document{named} to learn from", "Tie another corpus, or another language"
        )
    return chosen


def _draw(identity: str, seed: int) -> float:
    return int.from_bytes(hashlib.sha256(f"{seed}\n{identity}".encode()).digest()[:6], "big") / float(1 << 48)


def _sources(corpus: Corpus) -> dict[str, int]:
    """Documents by declared source, so that a scorer says what it has learnt from."""
    found: dict[str, int] = {}
    for part in corpus.parts:
        for name in _names(pq.read_table(part, columns=["dataset"])["dataset"].to_pylist()):
            found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items()))


def _names(values: Sequence[str | None]) -> list[str]:
    return [value or "" for value in values]
