"""The access classes of what a model learned from: it may say what its rows say, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from septet.core.lineage import beside
from septet.core.store import Record
from septet.files import read_lines
from septet.kinds import Conversations, Corpus, KnowledgeBase, Model, Preferences
from septet.operate.subject import MEDIA

_ROWS = (Conversations.kind(), Preferences.kind())
_JUDGES = ("Policy", "Report", "Release")
"""Kinds that decide about what is made and bring nothing into it."""


def learned_classes(folder: Path) -> tuple[str, ...]:
    """The classes of all rows from which a model in a store learned, in order of their names; of a knowledge base, those from
    which its reranker learned: what it holds itself, each reader is shown by his own classes.

    Rows of training name their own; of tokens they are those of the documents packed. A model from elsewhere has none.
    """
    found = beside(folder)[0]
    if not found:
        return ()
    records = {record.fingerprint: (record, place) for record, place in found}
    first = found[0][0]
    from_here = _of_reranker if first.kind == KnowledgeBase.kind() else _classes
    return tuple(sorted(set(from_here(first, records, set()))))


def _classes(record: Record, records: Mapping[str, tuple[Record, Path]], seen: set[str]) -> Iterator[str]:
    if record.fingerprint in seen or record.kind in _JUDGES:
        return
    seen.add(record.fingerprint)
    folder = records[record.fingerprint][1]
    if record.kind in _ROWS:
        own = [row["access"] for row in read_lines(folder / "rows.jsonl") if "access" in row]
        if own:
            for classes in own:
                yield from [classes] if isinstance(classes, str) else classes
            return
    if record.kind in ("Corpus", *MEDIA):
        yield from _of_corpus(Corpus(folder))
        return
    if record.kind == "KnowledgeBase":
        yield from KnowledgeBase(folder).meta["access"]
        yield from _of_reranker(record, records, seen)
        return
    for parent in record.parents():
        if parent in records:
            yield from _classes(records[parent][0], records, seen)


def _of_reranker(record: Record, records: Mapping[str, tuple[Record, Path]], seen: set[str]) -> Iterator[str]:
    for parent in record.parents():
        if parent in records and records[parent][0].kind == Model.kind():
            yield from _classes(records[parent][0], records, seen)


def _of_corpus(corpus: Corpus) -> set[str]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: set[str] = set()
    for part in corpus.parts:
        for batch in pq.ParquetFile(part).iter_batches(columns=["access"]):
            found.update(pc.unique(batch["access"]).to_pylist())
    return found
