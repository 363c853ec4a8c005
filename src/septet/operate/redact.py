"""What erasure leaves of an artifact: the same folder without the subject's rows, or with a person's value covered in place.

A source or a document goes with its rows. Of a value each character becomes a blot, so that spans stay what they were and the rest
of a document is kept; a chunk that held it gets a new vector. Tokens of a document become padding. Kinds that learned from rows
(models, adapters, tokenizers, classifiers) cannot be rewritten: they are not touched here, nor is the reranker that a knowledge
base carries, which goes where its model goes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core.artifact import RECORD
from septet.files import read_json, read_lines, write_json, write_lines
from septet.inference.embedding import load_encoder
from septet.kinds import KnowledgeBase, Recordings, Tokens
from septet.knowledge.build import CHUNKS, RERANKER, with_vectors
from septet.operate.holdings import Found, chunks_of, fits, item_of, pattern_in, strings_in
from septet.operate.subject import MEDIA, Subject, blot

LEARNED = ("Model", "Adapter", "Tokenizer", "Scorer")
"""Kinds that hold what they were taught in no rows."""
_WRITTEN = (".json", ".jsonl", ".txt", ".md", ".html", ".toml", ".csv", ".jinja")
_ROWS = ("items.jsonl", "rows.jsonl")
_SAYING = (
    "question",
    "answers",
    "answer",
    "choices",
    "options",
    "text",
    "quote",
    "content",
    "output",
    "messages",
    "evidence",
)
"""Fields of a line that say something, where the others name or number it."""
_QUOTED = 10
"""Bytes from which a text that stands in an erased passage is taken for a quotation of it (an option of another's choice)."""


def redact(kind: str, folder: Path, draft: Path, subject: Subject, found: Found) -> int:
    """Write into `draft` what may stay of an artifact. Returns how many rows, spans or lines were taken out or covered."""
    changed = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name == RECORD:
            continue
        target = draft / name
        target.parent.mkdir(parents=True, exist_ok=True)
        taught = kind == "KnowledgeBase" and name.startswith(f"{RERANKER}/")
        count = 0 if taught else _file(kind, name, path, target, subject, found)
        if count == 0:
            target.unlink(missing_ok=True)
            _link(path, target)
        changed += count
    if kind == "KnowledgeBase" and changed:
        _recount(draft)
    if kind == "Vectors" and changed:
        _vectors(folder, draft)
    if kind == "Recordings" and changed:
        _sounds(draft)
    if kind == "Tokens":
        changed += _tokens(folder, draft, subject, found)
    return changed


def _file(kind: str, name: str, path: Path, target: Path, subject: Subject, found: Found) -> int:
    if path.suffix == ".parquet":
        if kind == "Tokens":
            return 0
        if subject.sort == "value" and kind not in MEDIA:  # a voice says what its text says, and cannot be blotted
            return _blotted_table(path, target, subject, _again(path) if name == CHUNKS else None)
        return _without_rows(path, target, subject, found, name == CHUNKS)
    if path.suffix == ".jsonl":
        return _lines(path, target, subject, found)
    if path.suffix in _WRITTEN and subject.sort == "value":
        return _blotted_text(path, target, subject)
    return 0


def _without_rows(path: Path, target: Path, subject: Subject, found: Found, is_chunks: bool) -> int:
    file = pq.ParquetFile(path)
    if "id" not in file.schema_arrow.names and "source" not in file.schema_arrow.names:
        return 0
    gone = 0
    with pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches():
            leaves = pc.is_in(batch["id"], value_set=pa.array(sorted(found.chunks), pa.string())) if is_chunks else None
            leaves = fits(batch, subject, found.asked) if leaves is None else leaves
            kept = batch.filter(pc.invert(leaves))
            gone += batch.num_rows - kept.num_rows
            if kept.num_rows:
                writer.write_batch(kept)
    return gone


def _blotted_table(
    path: Path, target: Path, subject: Subject, again: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None
) -> int:
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    count = 0
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in file.iter_batches():
            holds = fits(batch, subject, None).to_pylist()
            count += sum(holds)
            if any(holds):
                rows = batch.to_pylist()
                blotted = [_blotted(row, subject) for row, held in zip(rows, holds, strict=True) if held]
                waiting = iter(again(blotted) if again is not None else blotted)
                rows = [next(waiting) if held else row for row, held in zip(rows, holds, strict=True)]
                batch = pa.RecordBatch.from_pylist(rows, schema)
            writer.write_batch(batch)
    return count


def _again(path: Path) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    """Chunks with vectors of what they read now."""
    encoder = load_encoder(str(KnowledgeBase(path.parent).meta["encoder"]))
    return lambda rows: with_vectors(rows, encoder)


def _lines(path: Path, target: Path, subject: Subject, found: Found) -> int:
    """JSON lines without the items of the subject, without those that stand on a passage of it, or with a value blotted out."""
    pattern = pattern_in(subject)
    kept, gone = [], 0
    said = "\0".join(dict.fromkeys(found.texts))
    named = {subject.value, *subject.names} if subject.sort == "source" else set()
    for row in read_lines(path):
        if pattern is not None:
            blotted = _blotted(row, subject)
            gone += blotted != row
            kept.append(blotted)
        elif (
            item_of(row) in found.items
            or not found.chunks.isdisjoint(chunks_of(row))
            or not named.isdisjoint(_sources(row))
            or _quotes(row, found.texts, said)
        ):
            gone += 1
        else:
            kept.append(row)
    if gone:
        write_lines(target, kept)
        about = path.with_name("suite.json")
        if path.name in _ROWS and about.exists() and pattern is None:
            write_json(target.with_name("suite.json"), {**read_json(about), "items": len(kept)})
    return gone


def _blotted_text(path: Path, target: Path, subject: Subject) -> int:
    text = path.read_text("utf-8", errors="replace")
    if path.suffix == ".json":
        try:
            held = json.loads(text)
        except ValueError:
            held = None
        if held is not None:
            blotted = _blotted(held, subject)
            if blotted != held:
                write_json(target, blotted)
                return 1
            return 0
    new = blot(text, subject)
    if new == text:
        return 0
    target.write_text(new, "utf-8")
    return sum(one != other for one, other in zip(text.split("\n"), new.split("\n"), strict=True))


def _blotted(value: Any, subject: Subject) -> Any:
    if isinstance(value, str):
        return blot(value, subject)
    if isinstance(value, dict):
        return {blot(key, subject): _blotted(one, subject) for key, one in value.items()}
    if isinstance(value, list):
        return [_blotted(one, subject) for one in value]
    return value


def _quotes(row: Mapping[str, Any], texts: Sequence[str], said: str) -> bool:
    """Whether a line says what an erased passage says, as a whole or in part."""
    for text in strings_in([row[name] for name in _SAYING if name in row]):
        if len(text.encode()) >= _QUOTED and (text in said or any(one in text for one in texts)):
            return True
    return False


def _sources(row: Mapping[str, Any]) -> set[str]:
    """The sources that a line names, of its own or of its evidence."""
    held = [row, row.get("evidence"), *(row.get("contexts") or ())]
    return {str(one["source"]) for one in held if isinstance(one, Mapping) and "source" in one}


def _sounds(draft: Path) -> None:
    """Leave the sounds alone that a row still names."""
    named = {row["sound"] for row in Recordings(draft).rows()}
    for sound in (draft / "sounds").iterdir():
        if f"sounds/{sound.name}" not in named:
            sound.unlink()


def _recount(draft: Path) -> None:
    meta = read_json(draft / "meta.json")
    languages: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    for chunk in KnowledgeBase(draft).chunks():
        languages[chunk["language"]] += 1
        classes[chunk["access"]] += 1
    (draft / "meta.json").unlink()
    counts = {"chunks": languages.total(), "languages": dict(languages), "access": dict(classes)}
    write_json(draft / "meta.json", {**meta, **counts})


def _vectors(folder: Path, draft: Path) -> None:
    """The vectors of the documents that are left in the table of ids."""
    ids = pq.read_table(folder / "ids.parquet", columns=["id"])["id"]
    left = pq.read_table(draft / "ids.parquet", columns=["id"])["id"]
    kept = pc.is_in(ids, value_set=left.combine_chunks()).to_numpy(zero_copy_only=False)
    (draft / "vectors.npy").unlink()
    np.save(draft / "vectors.npy", np.load(folder / "vectors.npy", mmap_mode="r")[kept])


def _tokens(folder: Path, draft: Path, subject: Subject, found: Found) -> int:
    """Blank the stretches of the subject's documents: their tokens become padding, and their names are gone."""
    table = pq.read_table(folder / "documents.parquet")
    ids = found.asked if found.asked is not None else pa.array([], pa.string())
    hit = pc.is_in(table["document"], value_set=ids)
    if subject.sort == "document":
        hit = pc.or_(hit, pc.equal(table["document"], subject.value))
    rows = table.filter(hit)
    if not rows.num_rows:
        return 0
    meta = read_json(folder / "meta.json")
    sequence, first = meta["sequence"], 0
    kind = np.dtype(meta["dtype"]).newbyteorder("<")
    shards = []
    for shard in meta["shards"]:
        place = draft / shard["file"]
        place.unlink()
        block = np.fromfile(folder / shard["file"], kind)
        for row, start, end in zip(*(rows[name].to_pylist() for name in ("row", "start", "end")), strict=True):
            if first <= row < first + shard["rows"]:
                at = (row - first) * sequence
                block[at + start : at + end] = meta["pad"]
        block.tofile(place)
        shards.append({**shard, "sha256": sha256(block.tobytes()).hexdigest()})
        first += shard["rows"]
    (draft / "meta.json").unlink()
    write_json(draft / "meta.json", {**meta, "shards": shards})
    names = pc.if_else(hit, pa.scalar(Tokens.ERASED), table["document"])
    (draft / "documents.parquet").unlink()
    place = table.schema.get_field_index("document")
    pq.write_table(
        table.set_column(place, table.schema.field(place), names), draft / "documents.parquet", compression="zstd"
    )
    return int(rows.num_rows)


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
