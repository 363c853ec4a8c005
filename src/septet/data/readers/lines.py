"""JSON lines and JSON. A line is a record; so is each element of an array, or of the one array that an object holds.

JSON lines are read line by line, in bounded memory. A JSON array has to be read as a whole and is bounded in size. Standards:
RFC 8259 and jsonlines.org.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from septet.data.readers.encoding import decode, sniff_lines
from septet.data.readers.file import File
from septet.data.readers.records import Maker, maker
from septet.data.readers.row import Item, Reject, Row, Unreadable, cleaned

# A line past this is no record of a text (bytes).
MAX_LINE = 64 << 20
_DECODE = msgspec.json.Decoder().decode
_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_jsonl(file: File) -> Iterator[Item]:
    """One row or reject for each line that is not blank."""
    encoding = sniff_lines(file.head)
    make = maker(file.told, file.stem)
    if encoding.startswith(("utf-16", "utf-32")):
        if file.span is not None:
            if file.span[0] == 0:
                raise Unreadable(f"is {encoding.upper()} too large to be held: save it as UTF-8", "too large")
            return
        text = decode(file.data())
        for number, one in enumerate(text.split("\n"), 1):
            if one.strip():
                yield _record(one, f"line {number}", make)
        return
    utf8 = encoding.startswith("utf-8")
    with file.stream() as stream:
        for number, start, line in _lines(stream, file.span):
            where = f"line {number}" if file.span is None else f"bytes {start}-{start + len(line)}"
            if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                line = line[3:]
            if line.isspace():
                continue
            if len(line) > MAX_LINE:
                yield Reject(where, f"is longer than the bound of {MAX_LINE >> 20} MiB for a line", "too large")
            elif utf8:
                try:
                    record = _DECODE(line)
                except _ERRORS as error:
                    yield Reject(where, f"is not valid JSON: {error}", "broken record")
                    continue
                # JSON can hold control characters only as escapes: where there are none, the text is not looked through.
                yield _made(record, where, make, b"\\u00" in line or b"\\r" in line)
            else:
                try:
                    decoded = line.decode(encoding)
                except UnicodeDecodeError as error:
                    yield Reject(where, f"is not {encoding.upper()} text (byte {error.start})", "encoding")
                else:
                    yield _record(decoded, where, make)


def _lines(stream: BinaryIO, span: tuple[int, int] | None) -> Iterator[tuple[int, int, bytes]]:
    """Number, first byte and content of each line that begins within the span."""
    position, end = span or (0, -1)
    if position:
        stream.seek(position - 1)
        position = position - 1 + _skip(stream)
    number = 0
    bound = MAX_LINE + 1
    read = stream.readline
    while (end < 0 or position < end) and (line := read(bound)):
        number += 1
        start = position
        position += len(line)
        if len(line) >= bound and not line.endswith(b"\n"):
            position += _skip(stream)
        yield number, start, line


def _skip(stream: BinaryIO) -> int:
    """Go to the end of the line; the number of bytes passed."""
    passed = 0
    while part := stream.readline(1 << 20):
        passed += len(part)
        if part.endswith(b"\n"):
            break
    return passed


def _record(line: str, where: str, make: Maker) -> Item:
    try:
        record = _DECODE(line)
    except _ERRORS as error:
        return Reject(where, f"is not valid JSON: {error}", "broken record")
    return _made(record, where, make)


def _made(record: Any, where: str, make: Maker, escaped: bool = True) -> Item:
    if type(record) is dict:
        row = make(record, where)
    elif isinstance(record, str):
        row = Row(record, where=where) if record.strip() else Reject(where, "holds no text", "empty")
    else:
        return Reject(where, f"is a JSON {_kind(record)}, not an object", "broken record")
    if escaped and isinstance(row, Row):
        return row._replace(text=cleaned(row.text), title=cleaned(row.title))
    return row


def _kind(value: Any) -> str:
    return {type(None): "null", bool: "true or false", list: "array", int: "number", float: "number"}[type(value)]


def read_json(file: File) -> Iterator[Item]:
    """An array of records, an object that holds one, a single object, or JSON lines under the wrong name."""
    if _is_lines(file.head):
        yield from read_jsonl(file)
        return
    text = decode(file.data())
    try:
        value = _DECODE(text)
    except _ERRORS as error:
        raise Unreadable(f"is not valid JSON: {error}", "broken record") from None
    make = maker(file.told, file.stem)
    at = ""
    if isinstance(value, dict):
        lists = [key for key, one in value.items() if _records(one)]
        if len(lists) == 1:
            at, value = f"{lists[0]}, ", value[lists[0]]
    if isinstance(value, list):
        if not value:
            raise Unreadable("holds no records", "empty")
        for number, record in enumerate(value, 1):
            yield _made(record, f"{at}record {number}", make)
    else:
        yield _made(value, "", make)


def _records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _is_lines(head: bytes) -> bool:
    """Whether the first line is an object of its own and another one follows it."""
    lines = [line for line in head.split(b"\n") if line.strip()]
    if len(lines) < 2 or not lines[1].lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(_DECODE(lines[0].removeprefix(b"\xef\xbb\xbf")), dict)
    except _ERRORS:
        return False
