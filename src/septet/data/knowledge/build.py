"""Building the index: chunks to Parquet, terms to SQLite FTS5, vectors to one array. The same chunks give the same bytes."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from septet.data import edits
from septet.data.knowledge.chunk import chunks
from septet.data.knowledge.terms import terms
from septet.detect.language import language
from septet.inference.embedding import Encoder
from septet.kinds import write_json

COLUMNS = {
    "id": "string",
    "text": "string",
    "title": "string",
    "source": "string",
    "source_digest": "string",
    "start": "int64",
    "end": "int64",
    "page": "int32",
    "language": "string",
    "access": "string",
    "document": "string",
}


def cut(rows: Iterable[dict[str, Any]], size: int) -> list[dict[str, Any]]:
    """Chunks of documents. `start` and `end` are characters of the source's decoded text, whatever was masked since."""
    found = []
    for row in rows:
        changed = edits.decode(row["edits"])
        for chunk in chunks(row["text"], row["title"], size):
            text = row["text"][chunk.start : chunk.end]
            start, end = edits.original(changed, chunk.start, chunk.end)
            key = f"{row['source']}\0{row['page']}\0{chunk.title}\0{text}"
            found.append(
                {
                    "id": hashlib.sha256(key.encode()).hexdigest()[:16],
                    "text": text,
                    "title": chunk.title,
                    "source": row["source"],
                    "source_digest": row["source_digest"],
                    "start": row["start"] + start,
                    "end": row["start"] + end,
                    "page": row["page"],
                    "language": language(text),
                    "access": row["access"],
                    "document": row["id"],
                }
            )
    return _distinct(found)


def _distinct(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same passage twice in one document needs an id of its own."""
    seen: dict[str, int] = {}
    for chunk in found:
        count = seen.get(chunk["id"], 0)
        seen[chunk["id"]] = count + 1
        if count:
            chunk["id"] = hashlib.sha256(f"{chunk['id']}\0{count}".encode()).hexdigest()[:16]
    return found


def write(path: Path, found: Sequence[dict[str, Any]], encoder: Encoder, tell: Callable[[int, int], None]) -> None:
    """Write chunks, vectors and index. `tell(done, total)` is called as vectors are made."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"string": pa.string(), "int64": pa.int64(), "int32": pa.int32()}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    pq.write_table(pa.Table.from_pylist(list(found), schema=schema), path / "chunks.parquet", compression="zstd")

    vectors = np.zeros((len(found), encoder.width), np.float16)
    for start in range(0, len(found), 32):
        batch = found[start : start + 32]
        vectors[start : start + len(batch)] = encoder.encode([searched_text(chunk) for chunk in batch]).astype(
            np.float16
        )
        tell(start + len(batch), len(found))
    np.save(path / "vectors.npy", vectors)

    index = sqlite3.connect(path / "index.sqlite", isolation_level=None)
    index.execute("pragma journal_mode=off")
    index.execute("pragma page_size=4096")
    # The index holds no text of its own: rows are numbers into chunks.parquet.
    index.execute(
        "create virtual table chunks using fts5(title, body, content='', tokenize='unicode61 remove_diacritics 0')"
    )
    index.execute("begin")
    for number, chunk in enumerate(found):
        row = (number, " ".join(terms(chunk["title"])), " ".join(terms(chunk["text"])))
        index.execute("insert into chunks(rowid, title, body) values (?, ?, ?)", row)
    index.execute("insert into chunks(chunks) values ('optimize')")
    index.execute("commit")
    index.execute("vacuum")
    index.close()
    languages: dict[str, int] = {}
    for chunk in found:
        languages[chunk["language"]] = languages.get(chunk["language"], 0) + 1
    write_json(
        path / "meta.json",
        {"encoder": encoder.name, "width": encoder.width, "chunks": len(found), "languages": languages, "version": 1},
    )


def searched_text(chunk: dict[str, Any]) -> str:
    """What of a chunk the encoder reads: its headings and its text."""
    return f"{chunk['title']}\n{chunk['text']}"
