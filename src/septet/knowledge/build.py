"""From documents to chunks, and from chunks to an artifact in Parquet. The same documents give the same bytes.

What makes search quick (`septet.knowledge.table`) is made from the artifact where it is searched, and can be thrown away.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import msgspec

from septet.core.artifact import RECORD
from septet.detect import edits
from septet.detect.grounding import head
from septet.detect.language import language
from septet.files import write_json
from septet.inference.embedding import Encoder
from septet.kinds import KnowledgeBase, Model
from septet.knowledge import validity
from septet.knowledge.chunk import chunks
from septet.knowledge.table import CURRENT, Table, text_schema
from septet.knowledge.terms import terms

COLUMNS = {
    "id": "string",
    "text": "string",
    "title": "string",
    "context": "string",
    "dataset": "string",
    "source": "string",
    "source_digest": "string",
    "start": "int64",
    "end": "int64",
    "page": "int32",
    "language": "string",
    "access": "string",
    "owner": "string",
    "document": "string",
    "family": "string",
    "version": "string",
    "valid_from": "string",
    "valid_to": "string",
}
CHUNKS = "chunks.parquet"
RERANKER = "reranker"
"""The folder of the model that looks again at what was found, where a knowledge base carries one."""
VERSION = 3
"""Of the artifact's layout."""
_ROWS = 1024
COMPARED = 20_000
"""Characters of a document whose words tell whether two of one name are versions of each other."""


def key_of(row: Mapping[str, Any]) -> validity.Key:
    """What a row's document goes by."""
    return row["dataset"], row["source"]


def survey(rows: Iterable[dict[str, Any]]) -> dict[validity.Key, validity.Held]:
    """What each source says of its version and validity. Rows of one source follow each other."""
    found: dict[validity.Key, validity.Held] = {}
    for key, group in groupby(rows, key=key_of):
        held = list(group)
        first = held[0]
        if key not in found:
            text = "\n".join(row["text"] for row in held)
            found[key] = validity.held(key, first["title"], text, first["meta"], terms(text[:COMPARED]))
    return found


def cut(
    rows: Iterable[dict[str, Any]],
    size: int,
    documents: Mapping[validity.Key, validity.Held],
    ended: Mapping[validity.Key, str],
) -> Iterator[dict[str, Any]]:
    """Chunks of documents: each with its span of the source's decoded text, whatever was masked since, and its days.

    `documents` are those of `survey`; `ended` names those that later versions replaced, with the day.
    """
    seen: Counter[str] = Counter()
    for row in rows:
        known = documents[key_of(row)]
        begins, ends = validity.declared(row["meta"])
        until = min(filter(None, (ends or known.valid_to, ended.get(known.key, ""))), default="")
        changed = edits.decode(row["edits"])
        for chunk in chunks(row["text"], row["title"], size):
            text = row["text"][chunk.start : chunk.end]
            start, end = edits.original(changed, chunk.start, chunk.end)
            identity = _hash(
                f"{row['dataset']}\0{row['source']}\0{row['page']}\0{chunk.title}\0{chunk.context}\0{text}"
            )
            # The same passage twice in one document needs an id of its own.
            seen[identity] += 1
            if seen[identity] > 1:
                identity = _hash(f"{identity}\0{seen[identity] - 1}")
            yield {
                "id": identity,
                "text": text,
                "title": chunk.title,
                "context": chunk.context,
                **{name: row[name] for name in ("dataset", "source", "source_digest", "page", "access", "owner")},
                "start": row["start"] + start,
                "end": row["start"] + end,
                "language": language(text),
                "document": row["id"],
                "family": known.family,
                "version": known.label,
                "valid_from": begins or known.valid_from,
                "valid_to": until,
            }


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """How a knowledge base is searched, beside its encoder: kept with it, so that every search of it is the same."""

    dictionary: bool = False
    reranker: str = ""


def carry(model: Model, path: Path) -> None:
    """Lay a model into the folder of a knowledge base as its reranker. Its files are shared where the disk allows."""
    for file in sorted(one for one in model.path.rglob("*") if one.is_file() and one.name != RECORD):
        target = path / RERANKER / file.relative_to(model.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(file)
        except OSError:  # another disk
            shutil.copyfile(file, target)


def write(
    path: Path, found: Iterable[dict[str, Any]], encoder: Encoder, ways: Ways, tell: Callable[[int], None]
) -> KnowledgeBase:
    """Write chunks with their vectors. `tell(done)` is called as vectors are made."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = chunk_schema(encoder.width)
    languages: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    with pq.ParquetWriter(path / CHUNKS, schema, compression="zstd") as writer:
        for some in batched(found, _ROWS):
            writer.write_batch(pa.RecordBatch.from_pylist(with_vectors(some, encoder), schema))
            languages.update(chunk["language"] for chunk in some)
            classes.update(chunk["access"] for chunk in some)
            tell(sum(languages.values()))
    write_json(
        path / "meta.json",
        {
            **msgspec.to_builtins(ways),
            "encoder": encoder.name,
            "width": encoder.width,
            "chunks": sum(languages.values()),
            "languages": dict(sorted(languages.items())),
            "access": dict(sorted(classes.items())),
            "version": VERSION,
        },
    )
    return KnowledgeBase(path)


def with_vectors(found: Sequence[dict[str, Any]], encoder: Encoder) -> list[dict[str, Any]]:
    """The chunks with `vector`, float16, of what the encoder reads: headings, lead-in and text."""
    import numpy as np

    vectors = encoder.encode([searched_text(chunk) for chunk in found]).astype(np.float16)
    return [{**chunk, "vector": vector} for chunk, vector in zip(found, vectors, strict=True)]


def searched_text(chunk: Mapping[str, Any]) -> str:
    """What the encoder reads of a chunk."""
    return "\n".join(filter(None, (head(chunk), chunk["text"])))


def searched_words(chunk: Mapping[str, Any]) -> str:
    """What full text finds a chunk by. Its headings count twice."""
    title = terms(chunk["title"])
    return " ".join([*title, *title, *terms(chunk["context"]), *terms(chunk["text"])])


def chunk_schema(width: int) -> Any:
    """The Arrow schema of the artifact's chunks."""
    import pyarrow as pa

    types = {"string": pa.string(), "int64": pa.int64(), "int32": pa.int32()}
    fields = [pa.field(name, types[kind]) for name, kind in COLUMNS.items()]
    return pa.schema([*fields, pa.field("vector", pa.list_(pa.float16(), width))])


def index(knowledge: KnowledgeBase, folder: Path) -> Table:
    """The index of an artifact, made where there is none yet."""
    schema = text_schema(COLUMNS, int(knowledge.meta["width"]))
    return Table.create(folder, schema, (_as_rows(batch, schema) for batch in _batches(knowledge)))


def _as_rows(batch: Any, schema: Any) -> Any:
    """A batch of an artifact as rows of an index. Vectors pass as they are: Python numbers would cost more than the rest."""
    import pyarrow as pa

    texts = batch.select(["title", "context", "text"]).to_pylist()
    made = {
        "key": [f"{identity}.0" for identity in batch["id"].to_pylist()],
        "state": [CURRENT] * len(texts),
        "revision": [0] * len(texts),
        "ended": [0] * len(texts),
        "terms": [searched_words(chunk) for chunk in texts],
    }
    columns = [
        pa.array(made[field.name], field.type) if field.name in made else batch[field.name].cast(field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def as_table(rows: Sequence[Mapping[str, Any]], schema: Any) -> Any:
    """Rows of an index in Arrow."""
    import pyarrow as pa

    return pa.Table.from_pylist(list(rows), schema)


def as_row(chunk: Mapping[str, Any], revision: int) -> dict[str, Any]:
    """A chunk with its vector as a row of an index, first seen in a revision."""
    return {
        **chunk,
        "key": f"{chunk['id']}.{revision}",
        "state": CURRENT,
        "revision": revision,
        "ended": 0,
        "terms": searched_words(chunk),
    }


def batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of at most `size` items."""
    waiting = iter(items)
    while some := list(islice(waiting, size)):
        yield some


def _batches(knowledge: KnowledgeBase) -> Iterator[Any]:
    import pyarrow.parquet as pq

    yield from pq.ParquetFile(knowledge.path / CHUNKS).iter_batches(_ROWS)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
