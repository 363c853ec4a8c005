"""Reading sources into documents: files are listed, put into groups by size, and each group is read to Parquet by itself.

A group is done in bounded memory, side by side with others, and one that is done survives a kill. What is written depends on
the files alone. Each record comes out as a row or as a reject with its reason, never as neither.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from septet.core import ConfigError, Run, StepFailed
from septet.core.config import has_scheme
from septet.core.fingerprint import digest, digest_file, visible_files
from septet.data.readers import address, registry, sql
from septet.data.readers.file import File
from septet.data.readers.hub import read_hub
from septet.data.readers.row import Item, Reject, Row, Told
from septet.data.stream import PART_BYTES, PART_ROWS, SCHEMA, Writer
from septet.detect.language import language_all

# A group ends with the file that brings it to so much work; formats that take long to read weigh more (chosen: a group is
# some seconds of work, and what a kill costs).
GROUP_BYTES, GROUP_FILES = 64 << 20, 2000
_SLOW = {".pdf": 16, ".docx": 16, ".pptx": 16, ".xlsx": 16, ".xls": 16, ".png": 64, ".jpg": 64, ".tif": 64, ".gz": 4}
# JSON lines past this are read in pieces, side by side (bytes).
SPLIT_BYTES = 256 << 20
# Rows are handed to Parquet so many, or so many characters, at a time.
_BATCH_ROWS, _BATCH_CHARACTERS = 2048, 4 << 20
_REJECTED = "rejected.jsonl"
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_READ = ["data.read"]
_NO_FILE = "is a link to nothing, a pipe or a device, not a file"
_NO_NAME = "has a name with characters that no one can see or write: rename it"


class Listed(NamedTuple):
    """A file of a source, or a stretch of a large one: its name there, where it lies, and which of that name it is."""

    dataset: str
    name: str
    path: str
    size: int
    again: int
    span: tuple[int, int] | None
    reason: str


def listed(paths: tuple[str, ...], dataset: str, only: Collection[str] = ()) -> Iterator[Listed]:
    """Each file below the paths in the order of the names, or those that `only` names. Hidden files are not part of a source."""
    seen: Counter[str] = Counter()
    for given in paths:
        root = Path(given)
        files = list(visible_files(root))
        saved = {
            name.rpartition("/")[0] for name, _ in files if name.endswith(("dataset_info.json", "dataset_dict.json"))
        }
        for name, path in files:
            if only and name not in only:
                continue
            unwritable = _UNWRITABLE.search(name) is not None
            if unwritable or not path.is_file():
                shown = name.encode("utf-8", "backslashreplace").decode()
                yield Listed(dataset or root.name, shown, "", 0, 0, None, _NO_NAME if unwritable else _NO_FILE)
                continue
            folder, _, last = name.rpartition("/")
            about = last in ("dataset_info.json", "state.json", "dataset_dict.json") and folder in saved
            reason = "describes a data set and holds no document" if about else ""
            size = path.stat().st_size
            spans: list[tuple[int, int] | None] = [None]
            if size > SPLIT_BYTES and not reason and _is_jsonl(path):
                spans = [(at, min(size, at + GROUP_BYTES)) for at in range(0, size, GROUP_BYTES)]
            for span in spans:
                held = size if span is None else span[1] - span[0]
                yield Listed(dataset or root.name, name, str(path), held, seen[name], span, reason)
            seen[name] += 1


def _is_jsonl(path: Path) -> bool:
    """Whether a file is JSON lines by its name and its first byte, so that nothing else is read in pieces."""
    if registry.SUFFIXES.get(path.suffix.lower()) != "jsonl":
        return False
    with path.open("rb") as opened:
        return opened.read(3).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"")


def grouped(files: Iterator[Listed]) -> list[list[Listed]]:
    """Files in groups of about the same work, in their order."""
    groups: list[list[Listed]] = [[]]
    work = 0
    for one in files:
        weight = one.size * _SLOW.get(Path(one.name).suffix.lower(), 1)
        if groups[-1] and (work + weight > GROUP_BYTES or len(groups[-1]) >= GROUP_FILES):
            groups.append([])
            work = 0
        groups[-1].append(one)
        work += weight
    return groups if groups[0] else []


def read(
    paths: tuple[str, ...],
    run: Run,
    told: Told,
    columns: Mapping[str, Any],
    query: str = "",
    url_variable: str = "",
    only: Collection[str] = (),
) -> int:
    """Read sources into `run.out` and return the number of documents. `columns` holds what is declared of all rows.

    Raises StepFailed when nothing could be read; the message names the first reasons.
    """
    local = tuple(path for path in paths if not has_scheme(path))
    groups = grouped(listed(local, str(columns["dataset"]), frozenset(only)))
    whole = {one.path for group in groups for one in group if one.span is not None}
    marks = {path: digest_file(Path(path)) for path in sorted(whole)}
    common = {"told": msgspec.to_builtins(told), "columns": dict(columns)}
    pieces: list[dict[str, Any]] = [
        {
            **common,
            "files": [one._asdict() for one in group],
            "marks": {p: marks[p] for p in marks if p in _paths(group)},
        }
        for group in groups
    ]
    for path in paths:
        if address.is_address(path):
            pieces.append({**common, "address": path})
        elif has_scheme(path):
            pieces.append({**common, "hub": path.partition(":")[2]})
    if query:
        pieces.append({**common, "query": query, "url_variable": url_variable})
    for number, piece in enumerate(pieces):
        piece["out"] = str(run.scratch / f"group-{number:05d}")
    sizes = [sum(one.size for one in group) for group in groups] + [0] * (len(pieces) - len(groups))
    rules: Counter[str] = Counter()
    rows = parts = done = 0
    first: list[dict[str, Any]] = []
    with (run.out / _REJECTED).open("wb") as rejected:
        for number, result in enumerate(run.map(read_group, pieces)):
            folder = Path(pieces[number]["out"])
            for place in sorted(folder.glob("part-*.parquet")):
                _link(place, run.out / f"part-{parts:05d}.parquet")
                parts += 1
            with (folder / _REJECTED).open("rb") as found:
                shutil.copyfileobj(found, rejected)
            rows += result["rows"]
            rules.update(result["rules"])
            first += result["first"][: 3 - len(first)]
            done += sizes[number]
            run.progress(done, sum(sizes), "bytes")
    if not rules:
        (run.out / _REJECTED).unlink()
    for rule, count in sorted(rules.items()):
        run.drop(rule, count, _REJECTED)
    if not rows:
        named = "; ".join(f"{one['source']}: {one['reason']}" for one in first) or "there are no files"
        raise StepFailed(
            f"no document could be read from {', '.join(paths) or 'the query'} ({named})",
            "Name files or folders that hold text; septet do data.read --help lists the formats",
        )
    return rows


def _paths(group: list[Listed]) -> set[str]:
    return {one.path for one in group}


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def read_group(piece: dict[str, Any]) -> dict[str, Any]:
    """One group, in this process. What is done already is not done again."""
    out = Path(piece["out"])
    done = out / "done.json"
    if done.exists():
        return dict(json.loads(done.read_bytes()))
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    told = msgspec.convert(piece["told"], Told)
    with _Collector(out, piece["columns"]) as collector:
        for one in piece.get("files", ()):
            _file(msgspec.convert(tuple(one.values()), Listed), told, piece["marks"], collector)
        if "hub" in piece:
            collector.dataset = collector.dataset or piece["hub"].partition("@")[0]
            collector.take(piece["hub"], "", 0, read_hub(piece["hub"], told))
        if "address" in piece:
            page = address.fetch(piece["address"])
            collector.dataset = collector.dataset or page.host
            items = (
                registry.rows(page.file(told)) if page.data is not None else iter([Reject("", page.reason, "network")])
            )
            collector.take(piece["address"], page.digest, 0, items)
        if "query" in piece:
            url = os.environ.get(piece["url_variable"], "")
            if not url:
                said = f"the environment variable {piece['url_variable']} is empty"
                raise ConfigError(said, "Set it to the address of the database, as postgresql://user:secret@host/name")
            collector.dataset = collector.dataset or sql.source_of(url)
            collector.take(sql.source_of(url), "", 0, sql.read_sql(url, piece["query"], told))
    result = {"rows": collector.rows, "rules": dict(collector.rules), "first": collector.first}
    partial = out / "done.partial"
    partial.write_bytes(msgspec.json.encode(result))
    partial.rename(done)
    return result


def _file(one: Listed, told: Told, marks: Mapping[str, str], collector: _Collector) -> None:
    if one.reason:
        collector.take(one.name, "", 0, iter([Reject("", one.reason, "no document" if one.path else "not a file")]))
        return
    try:
        mark = marks.get(one.path) or digest_file(Path(one.path))
        file = File(one.name, told, path=Path(one.path), span=one.span)
    except OSError as error:
        collector.take(one.name, "", 0, iter([Reject("", f"cannot be opened: {error.strerror}")]))
        return
    collector.dataset = one.dataset
    collector.take(one.name, mark, one.again, registry.rows(file))


def row_id(source: str, where: str, start: int, end: int, mark: str) -> str:
    """The id of a document: of where it is from and what was there, so that the same content keeps its id."""
    return hashlib.sha256(f"{source}\0{where}\0{start}\0{end}\0{mark}".encode()).hexdigest()[:32]


class _Collector:
    """Takes items, writes rows to parts that end by their rows and bytes, and rejects beside them."""

    def __init__(self, out: Path, columns: Mapping[str, Any]) -> None:
        self.rows = 0
        self.rules: Counter[str] = Counter()
        self.first: list[dict[str, Any]] = []
        self.dataset = str(columns["dataset"])
        self._out = out
        self._columns = columns
        self._rejected = (out / _REJECTED).open("wb")
        self._writer: Writer | None = None
        self._part = self._part_rows = self._part_bytes = 0

    def __enter__(self) -> _Collector:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._rejected.close()
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)

    def take(self, source: str, mark: str, again: int, items: Iterator[Item]) -> None:
        """All that one source holds. `again` tells a second file of the same name from the first."""
        batch: list[Row] = []
        characters = 0
        for item in items:
            if isinstance(item, Reject):
                self._reject(source, item)
                continue
            batch.append(item)
            characters += len(item.text)
            if len(batch) >= _BATCH_ROWS or characters >= _BATCH_CHARACTERS:
                self._write(source, mark, again, batch)
                batch, characters = [], 0
        if batch:
            self._write(source, mark, again, batch)

    def _reject(self, source: str, item: Reject) -> None:
        self.rules[item.rule] += item.records
        line = {"source": source, "where": item.where, "reason": item.reason, "rule": item.rule}
        if item.records > 1:
            line["count"] = item.records  # type: ignore[assignment]
        if len(self.first) < 3:
            self.first.append(line)
        self._rejected.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    def _write(self, source: str, mark: str, again: int, batch: list[Row]) -> None:
        try:
            texts = pa.array([row.text for row in batch], pa.string())
            titles = pa.array([row.title for row in batch], pa.string())
            metas = pa.array([row.meta for row in batch], pa.string())
        except UnicodeEncodeError:
            good = [row for row in batch if _encodes(row)]
            for row in batch:
                if not _encodes(row):
                    self._reject(source, Reject(row.where, "holds halves of characters", "encoding"))
            if good:
                self._write(source, mark, again, good)
            return
        named = f"{source}\0{again}" if again else source
        size = len(batch)
        marks = [mark] * size if mark else [digest(f"{row.text}\0{row.meta}".encode()) for row in batch]
        starts = [row.start for row in batch]
        ends = [row.start + len(row.text) for row in batch]
        places = zip((row.where for row in batch), starts, ends, marks, strict=True)
        own = any(row.source or row.licence or row.transform for row in batch)
        said = self._columns

        def each(value: Any, of: Callable[[Row], Any]) -> Any:
            """A column that is one value, but where rows bring their own."""
            return [of(row) for row in batch] if own else pa.repeat(pa.scalar(value), size)

        declared = {
            name: pa.repeat(pa.scalar(said[name]), size)
            for name in ("origin", "obtained", "owner", "access", "retrieved", "consent", "trust")
        }
        table = pa.table(
            {
                **declared,
                "id": [row_id(named, *place) for place in places],
                "text": texts,
                "title": titles,
                "dataset": pa.repeat(pa.scalar(self.dataset), size),
                "source": each(source, lambda row: row.source or source),
                "source_digest": marks if not mark else pa.repeat(pa.scalar(mark), size),
                "where": [f"{source}, {row.where}" if row.source else row.where for row in batch],
                "start": starts,
                "end": ends,
                "page": pa.array([row.page for row in batch], pa.int32()),
                "language": language_all(texts),
                "licence": each(said["licence"], lambda row: row.licence or said["licence"]),
                "parent": pa.repeat(pa.scalar(""), size),
                "meta": metas,
                "transforms": pa.array([["data.read", row.transform] if row.transform else _READ for row in batch]),
                "edits": pa.repeat(pa.scalar(""), size),
            }
        )
        self._add(table)

    def _add(self, table: pa.Table) -> None:
        """Parts end at a batch: batches depend on the rows alone."""
        if self._writer is None:
            self._writer = Writer(self._out / f"part-{self._part:05d}.parquet", SCHEMA)
            self._part_rows = self._part_bytes = 0
        self._writer.add(table)
        self.rows += table.num_rows
        self._part_rows += table.num_rows
        self._part_bytes += table["text"].nbytes
        if self._part_rows >= PART_ROWS or self._part_bytes >= PART_BYTES:
            self._writer.__exit__(None, None, None)
            self._writer = None
            self._part += 1


def _encodes(row: Row) -> bool:
    try:
        f"{row.text}{row.title}{row.meta}".encode()
    except UnicodeEncodeError:
        return False
    return True
