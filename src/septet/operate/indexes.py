"""Indexes of knowledge bases, as they were sealed or as they live on: which rows are of a subject, and those rows taken out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.inference.embedding import load_encoder
from septet.kinds import KnowledgeBase
from septet.knowledge.build import searched_words, with_vectors
from septet.knowledge.revisions import folder_of, index_of
from septet.knowledge.table import Table
from septet.operate.holdings import Found, fits, joined
from septet.operate.subject import Subject, blot

_READ = ("id", "text", "title", "context", "dataset", "source", "source_digest", "document")


def places(workspace: Workspace) -> list[tuple[Record, Path]]:
    """Every index of this workspace, with the knowledge base that it was made of."""
    found = []
    for record in workspace.store.records():
        if record.kind == "KnowledgeBase":
            for folder in (index_of(workspace, record, follow=False), folder_of(workspace, record.fingerprint)):
                if Table.exists(folder):
                    found.append((record, folder))
    return found


def look_into(folder: Path, subject: Subject, reached: Iterable[Found]) -> Found:
    """The rows of an index that are of a subject, or of documents that it reached."""
    ids = joined(list(reached))
    found = Found(kind="index")
    for batch in Table(folder).batches(_READ):
        hit = _fits(batch, subject, ids)
        found.chunks.update(batch["id"].filter(hit).to_pylist())
        found.texts += batch["text"].filter(hit).to_pylist()
        found.rows += int(pc.sum(hit).as_py() or 0)
    found.asked = ids
    return found


def redact_index(folder: Path, knowledge: KnowledgeBase, subject: Subject, found: Found) -> None:
    """Write an index anew without the rows of a subject, or with a value covered in them, and nothing of it left behind."""
    encoder = load_encoder(str(knowledge.meta["encoder"])) if subject.sort == "value" else None

    def transform(batch: Any) -> Any:
        hit = _fits(batch, subject, found.asked)
        if encoder is None:
            return batch.filter(pc.invert(hit))
        held = hit.to_pylist()
        if not any(held):
            return batch
        rows = batch.to_pylist()
        covered = [
            {name: blot(value, subject) if isinstance(value, str) else value for name, value in row.items()}
            for row, is_hit in zip(rows, held, strict=True)
            if is_hit
        ]
        again = iter(with_vectors([{**row, "terms": searched_words(row)} for row in covered], encoder))
        return pa.RecordBatch.from_pylist(
            [next(again) if is_hit else row for row, is_hit in zip(rows, held, strict=True)], batch.schema
        )

    Table(folder).rewrite(transform)


def _fits(batch: Any, subject: Subject, ids: Any) -> Any:
    hit = fits(batch.drop_columns(["id"]), subject, None)
    if ids is not None and subject.sort != "value":
        hit = pc.or_(hit, pc.is_in(batch["document"], value_set=ids))
    return hit
