"""One reading of one benchmark: finds its files, yields rows with their places, keeps what cannot be read with the reason.

Rows come out of CSV (quoted newlines, a byte order mark, any order of columns), JSON lines, JSON and Parquet, also gzipped.
Column names are folded to lower case. Nothing here knows a benchmark.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from septet.core import ConfigError
from septet.evaluate.form import Benchmark, Task
from septet.evaluate.readers.finish import copies, distinct, settled
from septet.files import read_parquet

DATA = (
    ".csv",
    ".tsv",
    ".json",
    ".jsonl",
    ".ndjson",
    ".txt",
    ".lst",
    ".parquet",
    ".gz",
    ".xlsx",
    ".xls",
    ".arrow",
    ".yaml",
    ".yml",
)
_LISTS = ("examples", "data", "questions", "rows", "instances")
"""Where a JSON object holds its rows."""
_DELIMITERS = (",", "\t", ";", "|")
UNLABELLED = "unlabelled"
"""The split of items whose right answer is not published."""


class Row(NamedTuple):
    """A row with the file (relative to the folder) and the place in it."""

    source: str
    where: str
    number: int
    """Counts the rows of the file from 0, those that cannot be read too: an id made of it does not move."""
    values: dict[str, Any]


class Unreadable(ValueError):
    """A row that cannot be read; the message is the reason."""


class Reading:
    """What has been read so far. One reader owns it and ends with `benchmark()`."""

    def __init__(self, folder: Path, fallback: str = "cp1252") -> None:
        """`fallback` is the encoding of files that are not UTF-8. Raises ConfigError where the folder is not there."""
        if not folder.exists():
            raise ConfigError(f"{folder} does not exist", "Name the folder that holds the benchmark's files")
        self.root = folder if folder.is_dir() else folder.parent
        self.fallback = fallback
        self.tasks: dict[str, Task] = {}
        self.items: list[dict[str, Any]] = []
        self.rejected: list[dict[str, str]] = []
        self._looked: list[str] = []
        self._used: set[Path] = set()
        self._encodings: dict[str, str] = {}
        found = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
        # Archives made on a Mac hold a shadow `._name` of each file.
        self._there = [path for path in found if path.is_file() and not _hidden(path.relative_to(self.root))]

    def files(self, *patterns: str, without: Sequence[str] = ()) -> list[Path]:
        """The files whose path in the folder fits one of the patterns (`*` also crosses folders), whatever the case.

        Of a file that is there both packed and unpacked, the unpacked one is taken.
        """
        self._looked += [pattern for pattern in patterns if pattern not in self._looked]
        fits = [path for path in self._there if self._fits(path, patterns) and not self._fits(path, without)]
        plain = {str(path) for path in fits}
        chosen = [path for path in fits if not (path.suffix == ".gz" and str(path)[:-3] in plain)]
        self._used.update(fits)
        return chosen

    def nearest(self, *patterns: str, without: Sequence[str] = ()) -> list[Path]:
        """Of the files that fit, those that lie least deep: older versions and excerpts stand in folders below."""
        found = self.files(*patterns, without=without)
        least = min((len(path.parts) for path in found), default=0)
        self._used.difference_update(path for path in found if len(path.parts) > least)
        return [path for path in found if len(path.parts) == least]

    def _fits(self, path: Path, patterns: Iterable[str]) -> bool:
        name = path.relative_to(self.root).as_posix().lower()
        return any(fnmatch(name, pattern.lower()) or fnmatch("/" + name, pattern.lower()) for pattern in patterns)

    def text(self, path: Path) -> str:
        """The text of a file. Bytes of neither UTF-8 nor the fallback stay as lone surrogates; their rows are rejected."""
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", self.fallback):
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            if encoding != "utf-8-sig":
                self._encodings[self._source(path)] = encoding
            return text
        return data.decode("utf-8-sig", "surrogateescape")

    def rows(self, path: Path, header: Sequence[str] | None = None, delimiter: str = "") -> Iterator[Row]:
        """The rows of a file by its ending. `header` names the columns of a CSV that has none. Broken rows are rejected."""
        name = path.name.lower().removesuffix(".gz")
        try:
            if name.endswith(".parquet"):
                yield from self._parquet(path)
            elif name.endswith((".jsonl", ".ndjson")):
                yield from self._lines(path)
            elif name.endswith(".json"):
                yield from self._json(path)
            else:
                yield from self._csv(path, header, delimiter or ("\t" if name.endswith(".tsv") else ""))
        except (OSError, EOFError, zlib.error) as error:
            self.reject(self._source(path), "", f"cannot be read: {error}")

    def _parquet(self, path: Path) -> Iterator[Row]:
        import pyarrow as pa

        try:
            for number, values in enumerate(read_parquet([path])):
                yield Row(self._source(path), f"row {number + 1}", number, _folded(values))
        except pa.ArrowInvalid as error:
            self.reject(self._source(path), "", f"not Parquet: {error}")

    def _lines(self, path: Path) -> Iterator[Row]:
        # Not splitlines: that also breaks at characters that stand inside JSON strings.
        lines = [(place, line) for place, line in enumerate(self.text(path).split("\n"), 1) if line.strip()]
        for number, (place, line) in enumerate(lines):
            row = self._decoded(path, f"line {place}", line)
            if row is not None:
                yield Row(self._source(path), f"line {place}", number, row)

    def _decoded(self, path: Path, where: str, text: str) -> dict[str, Any] | None:
        try:
            value = msgspec.json.decode(text.encode("utf-8"))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            self.reject(self._source(path), where, f"not valid JSON: {error}")
            return None
        if not isinstance(value, dict):
            self.reject(self._source(path), where, "not a JSON object")
            return None
        return _folded(value)

    def _json(self, path: Path) -> Iterator[Row]:
        before = len(self.rejected)
        value = self.value(path)
        if isinstance(value, dict):
            lists = [value[name] for name in _LISTS if isinstance(value.get(name), list)]
            value = [one for some in lists for one in some] if lists else [value]
        elif not isinstance(value, list) and len(self.rejected) == before:
            self.reject(self._source(path), "", "is neither a list nor an object")
        for number, one in enumerate(value if isinstance(value, list) else []):
            where = f"item {number + 1}"
            if isinstance(one, dict):
                yield Row(self._source(path), where, number, _folded(one))
            else:
                self.reject(self._source(path), where, "not a JSON object")

    def value(self, path: Path) -> Any:
        """The value of a JSON file, or None where it is broken, which is then among the rejected."""
        try:
            return msgspec.json.decode(self.text(path).encode("utf-8"))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            self.reject(self._source(path), "", f"not valid JSON: {error}")
            return None

    def _csv(self, path: Path, header: Sequence[str] | None, delimiter: str) -> Iterator[Row]:
        text = self.text(path)
        if not delimiter:
            # Spreadsheets of many countries write semicolons under the name of CSV: a header that has no comma tells.
            first = text.partition("\n")[0]
            delimiter = "," if header else next((one for one in _DELIMITERS if one in first), ",")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        names = None if header is None else [name.lower() for name in header]
        number, start = 0, 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self.reject(self._source(path), f"line {start}", f"not CSV: {error}")
                number, start = number + 1, reader.line_num + 1
                continue
            where = f"line {start}" if reader.line_num <= start else f"lines {start}-{reader.line_num}"
            start = reader.line_num + 1
            if not cells:
                continue
            if names is None:
                names = [name.strip().lstrip("\ufeff").strip('"').strip().lower() for name in cells]
                twice = next((name for name in names if name and names.count(name) > 1), "")
                if twice:
                    self.reject(self._source(path), where, f"the column '{twice}' stands twice: which counts?")
                    return
                continue
            while len(cells) > len(names) and not cells[-1].strip():
                cells.pop()
            if len(cells) != len(names):
                self.reject(self._source(path), where, f"{len(cells)} cells where {len(names)} belong")
            elif any("\udc80" <= letter <= "\udcff" for cell in cells for letter in cell):
                self.reject(self._source(path), where, f"bytes that are neither UTF-8 nor {self.fallback}")
            else:
                yield Row(self._source(path), where, number, dict(zip(names, cells, strict=True)))
            number += 1

    def _source(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def reject(self, source: str, where: str, reason: str) -> None:
        self.rejected.append({"source": source, "where": where, "reason": reason})

    @contextmanager
    def kept(self, row: Row) -> Iterator[dict[str, Any]]:
        """The values of a row; what is wrong with it inside the block rejects that row."""
        try:
            yield row.values
        except Unreadable as error:
            self.reject(row.source, row.where, str(error))
        except KeyError as error:
            self.reject(row.source, row.where, f"lacks '{error.args[0]}'")
        except ConfigError as error:
            self.reject(row.source, row.where, error.message)
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            # A text where a list belongs, a number where a text does: the row is not of the published form.
            self.reject(row.source, row.where, f"is not of the published form: {error}")

    def task(self, task: Task) -> Task:
        """The task of that name, entered where it is new."""
        return self.tasks.setdefault(task.name, task)

    def add(self, item: dict[str, Any]) -> None:
        self.items.append(item)

    def benchmark(self, about: Mapping[str, str]) -> Benchmark:
        """All that was read, with ids that stand once, copies named, chances and shots as the items allow.

        Raises ConfigError that names the files that were looked for where nothing could be read.
        """
        if not self.items:
            first = f" ({self.rejected[0]['source']}: {self.rejected[0]['reason']})" if self.rejected else ""
            raise ConfigError(
                f"{self.root} holds nothing of {about['name']} that can be read{first}",
                f"Looked for {', '.join(self._looked)}: name the folder that holds them",
            )
        distinct(self.items)
        # Files that are asked in two ways are read twice; what is broken in them is said once.
        rejected = [dict(one) for one in dict.fromkeys(tuple(sorted(row.items())) for row in self.rejected)]
        count = copies(self.items)
        short: list[str] = []
        tasks = settled(self.tasks.values(), self.items, short)
        used = {item["task"] for item in self.items}
        left = [self._source(path) for path in self._there if path not in self._used and _is_data(path)]
        facts = {
            "duplicates": str(count) if count else "",
            "encodings": ", ".join(f"{name}: {encoding}" for name, encoding in sorted(self._encodings.items())),
            "fewer_shots": "; ".join(short),
            "unread_files": ", ".join(left[:20]) + (f" and {len(left) - 20} more" if len(left) > 20 else ""),
        }
        told = {**about, **{name: fact for name, fact in facts.items() if fact}}
        return Benchmark(told, tuple(task for task in tasks if task.name in used), self.items, rejected)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _is_data(path: Path) -> bool:
    return path.suffix.lower() in DATA


def _folded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name.strip().lstrip("\ufeff").lower(): value for name, value in values.items()}
