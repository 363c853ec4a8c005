"""What of a subject an artifact holds: rows by their ids, chunks by their documents, items by their chunks, text by a pattern.

One artifact at a time, part by part; what stays in memory are the ids that were hit, which the artifacts made of it are asked for.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core.artifact import RECORD
from septet.core.store import Record
from septet.files import read_lines
from septet.knowledge.build import RERANKER
from septet.operate.subject import MEDIA, Subject, pattern_of, source_fits

_WRITTEN = (".json", ".jsonl", ".txt", ".md", ".html", ".toml", ".csv", ".jinja")
_FIGURES = ("Scorer", "Policy", "Report", "Signals", "Sketches", "Vectors", "Vault")
"""Kinds that decide about rows and bring none: a corpus that was filtered by one does not hold what it was made of."""
_OWN = {"dataset": "dataset", "document": "id"}
_TWINS = ("-without",)
"""Endings that a training row's id has beside that of the item it was made of."""


class Found(msgspec.Struct, kw_only=True):
    """What was found in one artifact, and the ids by which the artifacts made of it are asked.

    `parts`: its files with an id a row, to tell a child without the subject's rows from one whose rows cannot be followed.
    `asked`: the ids of its inputs' hit rows. `texts`: what hit chunks say.
    """

    kind: str = ""
    how: str = "holds"
    rows: int = 0
    left_out: int = 0
    files: dict[str, int] = msgspec.field(default_factory=dict)
    documents: Any = None
    chunks: set[str] = msgspec.field(default_factory=set)
    items: set[str] = msgspec.field(default_factory=set)
    parts: list[Path] = msgspec.field(default_factory=list)
    asked: Any = None
    texts: list[str] = msgspec.field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return not (self.rows or self.left_out or self.files)

    @property
    def leads_on(self) -> bool:
        """Whether what is made of it may hold the subject: not where every row of it was left out."""
        return bool(self.rows) or self.how == "descends" or self.kind not in _BY_ROWS


def look(record: Record, folder: Path, subject: Subject, parents: Sequence[Found]) -> Found | None:
    """What an artifact holds of a subject; None where nothing does and nothing leads to it. `parents`: its inputs' own."""
    whole = subject.sort == "artifact" and record.fingerprint == subject.value
    rows = _BY_ROWS.get(record.kind)
    brought = [one for one in parents if one.kind not in _FIGURES]
    found = rows(folder, subject, brought, whole) if rows is not None else None
    if subject.sort == "value":
        files = _written(folder, subject, record.kind)
        if files:
            found = found or Found()
            found.files, found.how = files, "holds"
    if found is None and (whole or (parents and rows is None)):
        found = Found(how="descends")
    if found is not None:
        found.kind, found.asked = record.kind, joined(brought)
        found.how = "holds" if whole else found.how
    return found


def _corpus(folder: Path, subject: Subject, parents: Sequence[Found], whole: bool) -> Found | None:
    ids = joined(parents)
    parts = sorted(folder.glob("part-*.parquet"))
    found = Found(parts=parts)
    held, told = 0, []
    for part in parts:
        for batch in _batches(part, subject):
            holds = _holds(batch, subject) if not whole else pa.array([True] * batch.num_rows)
            held += _count(holds)
            told.append(batch["id"].filter(pc.or_(holds, _of(batch, ids))))
    found.documents = pa.concat_arrays(told) if told else pa.array([], pa.string())
    found.rows = len(found.documents)
    for part in sorted((folder / "dropped").glob("part-*.parquet")):
        for batch in _batches(part, subject):
            holds = _holds(batch, subject) if not whole else pa.array([True] * batch.num_rows)
            held += _count(holds)
            found.left_out += _count(pc.or_(holds, _of(batch, ids)))
    found.how = "holds" if held else "rows"
    return found if not found.is_nothing else _untracked(parts, "id", parents)


def _knowledge(folder: Path, subject: Subject, parents: Sequence[Found], whole: bool) -> Found | None:
    ids = joined(parents)
    found = Found()
    held = 0
    file = folder / "chunks.parquet"
    for batch in pq.ParquetFile(file).iter_batches():
        holds = _holds(batch, subject) if not whole else pa.array([True] * batch.num_rows)
        fits = pc.or_(holds, _is_in(batch, "document", ids))
        held += _count(holds)
        found.chunks.update(batch["id"].filter(fits).to_pylist())
        found.texts += batch["text"].filter(fits).to_pylist()
        found.rows += _count(fits)
    found.how = "holds" if held else "rows"
    return found if not found.is_nothing else _untracked([file], "document", parents)


def _tokens(folder: Path, subject: Subject, parents: Sequence[Found], whole: bool) -> Found | None:
    """Rows of tokens, not documents: what a model was shown at once."""
    ids = joined(parents)
    file = folder / "documents.parquet"
    rows: set[int] = set()
    for batch in pq.ParquetFile(file).iter_batches(columns=["row", "document"]):
        fits = _is_in(batch, "document", ids)
        if subject.sort == "document":
            fits = pc.or_(fits, pc.fill_null(pc.equal(batch["document"], subject.value), False))
        if whole:
            fits = pa.array([True] * batch.num_rows)
        rows.update(batch["row"].filter(fits).to_pylist())
    found = Found(how="rows", rows=len(rows))
    return found if rows else _untracked([file], "document", parents)


def _items(folder: Path, subject: Subject, parents: Sequence[Found], whole: bool) -> Found | None:
    """Items and training rows: by the chunks that they stand on, by the item that they were made of, by their text."""
    chunks = {chunk for one in parents for chunk in one.chunks}
    items = {item for one in parents for item in one.items}
    pattern = pattern_in(subject)
    found = Found(how="rows")
    tracked = False
    for file in ("items.jsonl", "rows.jsonl"):
        for row in read_lines(folder / file):
            identity = item_of(row)
            stands_on = set(chunks_of(row))
            tracked = tracked or bool(stands_on)
            holds = _is_of(row, subject) or (pattern is not None and any(map(pattern.search, strings_in(row))))
            if whole or holds or not chunks.isdisjoint(stands_on) or identity in items:
                found.items.add(identity)
                found.rows += 1
                found.how = "holds" if holds or found.how == "holds" else "rows"
    if not found.is_nothing:
        return found
    return Found(how="descends") if any(one.how == "descends" for one in parents) or (chunks and not tracked) else None


def _is_of(row: Mapping[str, Any], subject: Subject) -> bool:
    """Whether a row that was read as it is (`data.conversations`) names the subject as its own origin."""
    if subject.sort == "source":
        return row.get("source") in {subject.value, Path(subject.value).name, *subject.names}
    return subject.sort in ("dataset", "document") and subject.value == row.get(_OWN[subject.sort])


def _beside(folder: Path, _: Subject, parents: Sequence[Found], whole: bool) -> Found | None:
    """A table beside a corpus, row for row: figures, no text."""
    ids = joined(parents)
    parts = sorted(folder.glob("*.parquet"))
    if whole:
        return Found(how="holds", rows=sum(pq.ParquetFile(part).metadata.num_rows for part in parts))
    named = [part for part in parts if "id" in pq.ParquetFile(part).schema_arrow.names]
    rows = sum(
        _count(_is_in(batch, "id", ids))
        for part in named
        for batch in pq.ParquetFile(part).iter_batches(columns=["id"])
    )
    if rows or not parents:
        return Found(how="rows", rows=rows) if rows else None
    if named:
        return _untracked(named, "id", parents)
    # Without ids the rows are those of the corpus, in its order.
    return Found(how="rows", rows=max(one.rows for one in parents)) if any(one.rows for one in parents) else None


def _untracked(parts: Sequence[Path], column: str, parents: Sequence[Found]) -> Found | None:
    """No row was hit: is that so, or did the step give ids of its own? Where none of its ids is one of an input, all that can be
    said is that it descends."""
    if any(one.how == "descends" for one in parents):
        return Found(how="descends")
    known = [part for one in parents for part in one.parts]
    if not parents or not known:
        return Found(how="descends") if parents else None
    theirs = pa.concat_arrays(
        [batch["id"] for part in known for batch in pq.ParquetFile(part).iter_batches(columns=["id"])]
    )
    empty = True
    for part in parts:
        columns = [name for name in (column, "parent") if name in pq.ParquetFile(part).schema_arrow.names]
        for batch in pq.ParquetFile(part).iter_batches(columns=columns):
            empty = empty and not batch.num_rows
            if any(_count(_is_in(batch, name, theirs)) for name in columns):
                return None
    return None if empty else Found(how="descends")


def _batches(part: Path, subject: Subject) -> Iterator[Any]:
    """Batches of a part with the columns that a subject is told by."""
    there = pq.ParquetFile(part).schema_arrow
    wanted = {"id", "parent", *{"source": ("source", "source_digest"), "dataset": ("dataset",)}.get(subject.sort, ())}
    if subject.sort == "value":
        wanted |= {field.name for field in there if pa.types.is_string(field.type)}
    yield from pq.ParquetFile(part).iter_batches(columns=[name for name in there.names if name in wanted])


def _holds(batch: Any, subject: Subject) -> Any:
    """Which rows of a table are of the subject, or hold it in any of their texts."""
    nothing = pa.array([False] * batch.num_rows)
    names = batch.schema.names
    if subject.sort == "document":
        held = [
            pc.fill_null(pc.equal(batch[n], subject.value), False) for n in ("id", "parent", "document") if n in names
        ]
        return functools.reduce(pc.or_, held, nothing)
    if subject.sort == "dataset":
        return pc.fill_null(pc.equal(batch["dataset"], subject.value), False) if "dataset" in names else nothing
    if subject.sort == "source" and "source" in names:
        digests = batch["source_digest"] if "source_digest" in names else None
        return source_fits(batch["source"], digests, subject)
    if subject.sort == "value":
        for field in batch.schema:
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
                hit = pc.match_substring_regex(batch[field.name], pattern_of(subject.value))
                nothing = pc.or_(nothing, pc.fill_null(hit, False))
    return nothing


def fits(batch: Any, subject: Subject, ids: Any) -> Any:
    """Which rows of a table are of the subject, or were made of rows with these ids."""
    return pc.or_(_holds(batch, subject), _of(batch, ids))


def _of(batch: Any, ids: Any) -> Any:
    """Which rows are those of the inputs, or were made of one of them."""
    return pc.or_(_is_in(batch, "id", ids), _is_in(batch, "parent", ids))


def _is_in(batch: Any, name: str, ids: Any) -> Any:
    if ids is None or not len(ids) or name not in batch.schema.names:
        return pa.array([False] * batch.num_rows)
    return pc.is_in(batch[name], value_set=ids)


def joined(parents: Sequence[Found]) -> Any:
    """The ids of all documents that were hit, or None."""
    arrays = [one.documents for one in parents if one.documents is not None and len(one.documents)]
    return pc.unique(pa.concat_arrays(arrays)) if arrays else None


def _count(mask: Any) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _written(folder: Path, subject: Subject, kind: str) -> dict[str, int]:
    """Lines of text files, and rows of further tables, that hold a value: what was set aside, reports, cards, templates."""
    pattern = pattern_in(subject)
    assert pattern is not None
    own = {"Suite": ("items.jsonl",), "Conversations": ("rows.jsonl",), "Preferences": ("rows.jsonl",)}.get(kind, ())
    found: dict[str, int] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        count = 0
        if not path.is_file() or name == RECORD or name in own:
            continue
        if kind == "KnowledgeBase" and name.startswith(f"{RERANKER}/"):  # it is looked into where it was made
            continue
        if path.suffix in _WRITTEN:
            with path.open(encoding="utf-8", errors="replace") as file:
                count = sum(1 for line in file if pattern.search(_unescaped(line, path.suffix)))
        elif path.suffix == ".parquet" and kind not in ("Corpus", "KnowledgeBase", *MEDIA):
            count = sum(_count(_holds(batch, subject)) for batch in pq.ParquetFile(path).iter_batches())
        if count:
            found[name] = count
    return found


def _unescaped(line: str, suffix: str) -> str:
    r"""A line of JSON with its \u escapes as the characters they stand for."""
    if suffix not in (".json", ".jsonl") or "\\u" not in line:
        return line
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), line)


def chunks_of(row: Mapping[str, Any]) -> Iterator[str]:
    """The passages on which a row of a suite, of training data or of a report stands."""
    for name in ("chunks", "evidence", "contexts"):
        held = row.get(name)
        for one in held if isinstance(held, list) else ():
            if isinstance(one, str):
                yield one
            elif isinstance(one, Mapping) and "chunk" in one:
                yield str(one["chunk"])


def strings_in(value: Any) -> Iterator[str]:
    """Every string of a value of JSON, its keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from strings_in(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from strings_in(one)


def item_of(row: Mapping[str, Any]) -> str:
    """The id of the item that a row of a suite, of training data or of a report is of."""
    identity = str(row.get("id", ""))
    return next((identity.removesuffix(ending) for ending in _TWINS if identity.endswith(ending)), identity)


@functools.cache
def _compiled(value: str) -> re.Pattern[str]:
    return re.compile(pattern_of(value))


def pattern_in(subject: Subject) -> re.Pattern[str] | None:
    return _compiled(subject.value) if subject.sort == "value" else None


_BY_ROWS: Mapping[str, Callable[[Path, Subject, Sequence[Found], bool], Found | None]] = {
    "Corpus": _corpus,
    "Recordings": _corpus,
    "Pictures": _corpus,
    "KnowledgeBase": _knowledge,
    "Tokens": _tokens,
    "Suite": _items,
    "Conversations": _items,
    "Preferences": _items,
    "Signals": _beside,
    "Sketches": _beside,
    "Vectors": _beside,
}
"""Kinds whose rows can be followed."""
