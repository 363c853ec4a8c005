"""Tables: CSV and TSV with the dialect told from the file, Parquet and Arrow column by column.

A record that is broken (an open quote, too many fields, bytes of another encoding) costs that record alone. RFC 4180.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from septet.core import MissingExtra
from septet.data.readers.encoding import BROKEN, sniff_lines
from septet.data.readers.file import File
from septet.data.readers.records import maker
from septet.data.readers.row import Item, Reject, Unreadable, cleaned, parsing

_DELIMITERS = (",", "\t", ";", "|")
# A quoted field may run over so many lines and characters; past it the quote is taken for an open one.
MAX_RECORD_LINES, MAX_RECORD = 2000, 4 << 20
# A year may well name a column; another number is a value.
_NUMBER = re.compile(r"(?!(?:19|20)\d\d$)[-+]?[\d.,]+%?")


def read_csv(file: File) -> Iterator[Item]:
    """One row or reject a record. The first record names the columns, unless one of its fields is a number."""
    encoding = sniff_lines(file.head)
    delimiter = delimiter_of(file.head.decode(encoding, "ignore"), file.suffix)
    make = maker(file.told, file.stem)
    names: list[str] = []
    with file.stream() as stream:
        text = io.TextIOWrapper(stream, encoding, errors="septet-broken", newline="")
        for record in records(text, delimiter, names):
            if not names and record.fields:
                first = [cleaned(one).strip().strip("\ufeff") for one in record.fields]
                numbers = any(_NUMBER.fullmatch(one) for one in first)
                names += unique([""] * len(first) if numbers else first)
                if not numbers:
                    continue
            where = f"line {record.line}"
            fields = record.fields
            if record.broken:
                yield Reject(where, record.broken, "broken record")
                continue
            while len(fields) > len(names) and not fields[-1].strip():
                fields.pop()
            if len(fields) != len(names):
                yield Reject(where, f"has {len(fields)} fields where {len(names)} are named", "broken record")
                continue
            item = make(dict(zip(names, map(_plain, fields), strict=True)), where)
            yield item
    if not names:
        raise Unreadable("holds no records", "empty")


def _plain(field: str) -> str:
    return field if field.isprintable() else cleaned(field)


def unique(names: list[str]) -> list[str]:
    """Column names, each once: empty ones are numbered, repeated ones too."""
    seen: Counter[str] = Counter()
    found = []
    for number, name in enumerate(names, 1):
        name = " ".join(name.split()) or f"column {number}"
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return found


class Record(NamedTuple):
    """The fields of a record and the line it begins with, or why it is broken."""

    line: int
    fields: list[str]
    broken: str = ""


def records(lines: Iterator[str] | io.TextIOWrapper, delimiter: str, names: Sequence[str] = ()) -> Iterator[Record]:
    """Records of delimited text. Quoted line ends are part of a field; an open quote costs its own line only.

    Once `names` holds the columns, lines that a quote joins to another number of fields are taken apart again.
    """
    source = _Again(lines)
    while (line := source.next()) is not None:
        number = source.number
        bare = line.rstrip("\r\n")
        if not bare.strip(delimiter + " \t"):
            if bare.strip():
                yield Record(number, [], "holds no text")
            continue
        if BROKEN in bare:
            yield Record(number, [], "holds bytes that are not of the file's encoding")
            continue
        if '"' not in bare:
            yield Record(number, bare.split(delimiter))
            continue
        taken = [line]
        size = len(line)
        open_ = _open(bare, delimiter)
        while open_ and len(taken) < MAX_RECORD_LINES and size < MAX_RECORD and (more := source.next()) is not None:
            taken.append(more)
            size += len(more)
            if '"' in more:
                open_ = _open("".join(taken), delimiter) if more.count('"') % 2 or _ends(more, delimiter) else open_
        if open_:
            source.back(taken[1:])
            yield Record(number, [], "has a quote that is not closed")
            continue
        try:
            fields = next(csv.reader(taken, delimiter=delimiter, strict=True))
        except (csv.Error, StopIteration) as error:
            source.back(taken[1:])
            yield Record(number, [], f"is broken: {error}")
            continue
        if any(BROKEN in field for field in fields):
            source.back(taken[1:])
            yield Record(number, [], "holds bytes that are not of the file's encoding")
            continue
        if len(taken) > 1 and names and len(fields) != len(names):
            source.back(taken[1:])
            yield Record(number, [], f"has a quote that joins it to {len(fields)} fields where {len(names)} are named")
            continue
        yield Record(number, fields)


class _Again:
    """Lines, of which some may be given back to be read once more. `number` is that of the last line given."""

    def __init__(self, lines: Iterator[str] | io.TextIOWrapper) -> None:
        self._lines = iter(lines)
        self._back: list[str] = []
        self.number = 0

    def next(self) -> str | None:
        line = self._back.pop() if self._back else next(self._lines, None)
        self.number += line is not None
        return line

    def back(self, lines: list[str]) -> None:
        self._back += reversed(lines)
        self.number -= len(lines)


def _ends(line: str, delimiter: str) -> bool:
    return '"' + delimiter in line or line.rstrip("\r\n").endswith('"')


def _open(text: str, delimiter: str) -> bool:
    """Whether a quoted field that begins in the text does not end in it."""
    position, size = 0, len(text)
    while position < size:
        if text[position] == '"':
            position += 1
            while True:
                position = text.find('"', position)
                if position < 0:
                    return True
                if text[position : position + 2] != '""':
                    break
                position += 2
        position = text.find(delimiter, position)
        if position < 0:
            return False
        position += 1
    return False


def delimiter_of(sample: str, suffix: str) -> str:
    """The delimiter that cuts most records of a sample into the same number of fields, more than one."""
    if suffix == ".tsv":
        return "\t"
    lines = sample.splitlines(keepends=True)[:200]
    lines = lines[:-1] or lines
    best, found = 0.0, ","
    for delimiter in _DELIMITERS:
        counts = Counter(len(one.fields) for one in records(iter(lines), delimiter) if one.fields)
        if not counts:
            continue
        width, agreeing = max(counts.items(), key=lambda item: (item[1] if item[0] > 1 else 0, item[0]))
        score = agreeing / sum(counts.values()) + min(width, 20) / 1000
        if width > 1 and score > best:
            best, found = score, delimiter
    return found


def read_parquet(file: File) -> Iterator[Item]:
    """One row or reject a row of the table. Only the file's footer and a batch are held."""
    pq = _pyarrow("pyarrow.parquet")
    with file.seekable() as stream:
        with parsing("Parquet file"):
            table = pq.ParquetFile(stream)
        row = 0
        for group in range(table.num_row_groups):
            rows = table.metadata.row_group(group).num_rows
            batches = table.iter_batches(1024, row_groups=[group])
            done = 0
            while done < rows:
                try:
                    with parsing("row group"):
                        batch = next(batches)
                except Unreadable as error:
                    where = f"rows {row + done + 1}-{row + rows}"
                    yield Reject(where, str(error), "broken record", rows - done)
                    break
                yield from arrow_rows(batch, file, row + done)
                done += batch.num_rows
            row += rows
        if not row:
            raise Unreadable("holds no records", "empty")


def read_arrow(file: File) -> Iterator[Item]:
    """An Arrow file or stream, as Hugging Face data sets are saved in."""
    ipc = _pyarrow("pyarrow.ipc")
    with file.seekable() as stream:
        with parsing("Arrow file"):
            if file.head.startswith(b"ARROW1"):
                opened = ipc.open_file(stream)
                batches = (opened.get_batch(number) for number in range(opened.num_record_batches))
            else:
                batches = iter(ipc.open_stream(stream))
        row = 0
        while True:
            with parsing("Arrow file"):
                batch = next(batches, None)
            if batch is None:
                break
            yield from arrow_rows(batch, file, row)
            row += batch.num_rows
        if not row:
            raise Unreadable("holds no records", "empty")


def arrow_rows(batch: Any, file: File, first: int) -> Iterator[Item]:
    """Rows of a batch. A binary column counts as text where it is UTF-8; pictures and sounds are named by their size."""
    make = maker(file.told, file.stem)
    names = batch.schema.names
    columns = [_column(batch.column(place)) for place in range(batch.num_columns)]
    for number, values in enumerate(zip(*columns, strict=True), first + 1):
        item = make(dict(zip(names, values, strict=True)), f"row {number}")
        yield item if isinstance(item, Reject) or "\x00" not in item.text else item._replace(text=cleaned(item.text))


def _column(column: Any) -> list[Any]:
    try:
        return list(column.to_pylist())
    except (UnicodeDecodeError, ValueError, OverflowError):
        # A value that is no UTF-8, or a time out of range: value by value, so that the others stay.
        found: list[Any] = []
        for value in column:
            try:
                found.append(value.as_py())
            except (UnicodeDecodeError, ValueError, OverflowError):
                found.append(None)
        return found


def _pyarrow(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtra("pyarrow", "data") from None
