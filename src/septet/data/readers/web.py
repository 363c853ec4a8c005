"""Crawled pages: WARC (ISO 28500) with WET and WAT, and its forerunner ARC. One row or reject a record.

Requests, crawl logs and the like hold no document: they are counted together. After a broken record, reading goes on with
the next one that can be found.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import msgspec

from septet.core import MissingExtra
from septet.data.readers.archive import packing_of
from septet.data.readers.file import File, Rows
from septet.data.readers.row import Item, Reject, Row, Unreadable, as_meta, parsing

# A page past this is a download, not a page (bytes).
MAX_PAGE = 64 << 20
_DOCUMENTS = ("response", "resource", "conversion")
_ARC_HEAD = re.compile(
    rb"(?P<url>\S.*?) (?P<ip>[\d.:a-fA-F]+) (?P<date>\d{12,18}) (?P<kind>\S+) (?:.* )?(?P<size>\S+)\s*$"
)


def read_warc(file: File, rows: Rows) -> Iterator[Item]:
    """The documents of a WARC file: pages, texts, PDFs; each record is told by its number in the file."""
    beside: Counter[str] = Counter()
    number = 0
    with file.seekable() if file.path is not None or file.size >= 0 else file.stream() as stream:
        for number, record in enumerate(_records(stream, packing_of(file.head) == "gz"), 1):
            where = f"record {number}"
            if isinstance(record, str):
                yield Reject(where, record, "broken record")
                continue
            kind = str(record.record_type).rpartition(".")[2]
            if kind not in _DOCUMENTS:
                beside[kind] += 1
                continue
            try:
                with parsing("record"):
                    member, meta = _page(record, kind, file)
            except Unreadable as error:
                yield Reject(where, str(error), error.rule)
                continue
            yield from _documents(member, meta, where, rows)
    for kind, count in sorted(beside.items()):
        yield Reject("", f"{kind} records hold no document", f"{kind} records", count)
    if not number:
        raise Unreadable("holds no records", "empty")


def _records(stream: BinaryIO, packed: bool) -> Iterator[Any]:
    """Records, and a reason as text for each stretch that is broken."""
    try:
        from fastwarc.warc import ArchiveIterator
    except ImportError:
        raise MissingExtra("fastwarc", "data") from None
    start = last = 0
    while True:
        if start:
            stream.seek(start)
        archive = iter(ArchiveIterator(stream, parse_http=False))
        while True:
            try:
                record = next(archive, None)
            except (OSError, ValueError, RuntimeError, EOFError, UnicodeError) as error:
                yield f"is broken: {error}"
                break
            if record is None:
                return
            last = record.stream_pos
            yield record
        found = _next(stream, last + 1, packed) if stream.seekable() else -1
        if found < 0:
            return
        start = last = found


def _next(stream: BinaryIO, position: int, packed: bool) -> int:
    """Where the next record begins after a position, or -1. A gzip member counts if it unpacks to the head of a record."""
    mark = b"\x1f\x8b\x08" if packed else b"WARC/1."
    stream.seek(position)
    kept = b""
    while block := stream.read(1 << 20):
        block = kept + block
        at = -1
        while (at := block.find(mark, at + 1)) >= 0:
            if packed:
                try:
                    head = zlib.decompressobj(31).decompress(block[at : at + 4096], 16)
                except zlib.error:
                    continue
                if not head.startswith(b"WARC/"):
                    continue
            elif at and block[at - 1 : at] != b"\n":
                continue
            return position - len(kept) + at
        position += len(block) - len(kept)
        kept = block[-8:]
    return -1


def _page(record: Any, type_: str, file: File) -> tuple[File, dict[str, Any]]:
    headers = record.headers
    url = (headers.get("WARC-Target-URI") or "").strip("<>")
    meta = {"url": url, "date": headers.get("WARC-Date") or ""}
    kind = headers.get("Content-Type") or ""
    charset = ""
    if kind.startswith("application/http") or (type_ == "response" and url.startswith("http")):
        record.parse_http(auto_decode="all")
        http = record.http_headers
        if http is None:
            raise Unreadable("holds no HTTP answer", "broken record")
        status = http.status_code
        if status is not None and status != 200:
            raise Unreadable(f"is an HTTP answer with status {status}", "HTTP status")
        kind = record.http_content_type or ""
        charset = record.http_charset or ""
    content = record.reader.read(MAX_PAGE + 1)
    return _member(file, url, kind, charset, content), meta


def _member(file: File, url: str, kind: str, charset: str, content: bytes) -> File:
    if len(content) > MAX_PAGE:
        raise Unreadable(f"is larger than the bound of {MAX_PAGE >> 20} MiB for a page", "too large")
    kind = kind.partition(";")[0].strip().lower()
    try:
        name = unquote(urlsplit(url).path).rpartition("/")[2]
    except ValueError:
        name = ""
    # Pages are many and honest archives few: a crawl's records do not count as members of an archive.
    member = File(
        name or "index", file.told, stream=io.BytesIO(content), size=len(content), depth=file.depth + 1, kind=kind
    )
    member.charset = charset
    return member


def _documents(member: File, meta: dict[str, Any], where: str, rows: Rows) -> Iterator[Item]:
    for item in member.nested(where, rows):
        if isinstance(item, Row):
            title = item.title if item.title != member.stem else meta["url"] or item.title
            inner = msgspec.json.decode(item.meta) if item.meta else {}
            yield item._replace(meta=as_meta({**inner, **meta}), title=title)
        else:
            yield item._replace(reason=f"{item.reason} ({member.kind})" if member.kind else item.reason)


def read_arc(file: File, rows: Rows) -> Iterator[Item]:
    """An ARC file, version 1 or 2: a line about each record, then its HTTP answer."""
    number = 0
    with file.stream() as raw:
        stream = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if packing_of(file.head) == "gz" else raw
        with parsing("ARC file"):
            records = _arc_records(stream)
        while True:
            with parsing("ARC file"):
                found = next(records, None)
            if found is None:
                break
            number += 1
            where = f"record {number}"
            head, content = found
            if head is None:
                yield Reject(where, "has no readable header line", "broken record")
                continue
            if not head["size"].isdigit():
                yield Reject(where, f"has no readable length: {head['size'].decode('latin-1')}", "broken record")
                continue
            url = head["url"].decode("utf-8", "replace")
            if url.startswith("filedesc:"):
                yield Reject(where, "filedesc records hold no document", "filedesc records")
                continue
            if len(content) < int(head["size"]):
                yield Reject(where, "is cut off", "broken record")
                continue
            meta = {"url": url, "date": head["date"].decode()}
            try:
                with parsing("record"):
                    member = _arc_page(file, url, head["kind"].decode("latin-1"), content)
            except Unreadable as error:
                yield Reject(where, str(error), error.rule)
                continue
            yield from _documents(member, meta, where, rows)
    if not number:
        raise Unreadable("holds no records", "empty")


def _arc_records(stream: BinaryIO) -> Iterator[tuple[re.Match[bytes] | None, bytes]]:
    lost = False
    while line := stream.readline(1 << 16):
        if not line.strip():
            continue
        head = _ARC_HEAD.match(line)
        if head is None:
            if not lost:
                yield None, b""
            lost = True  # go on with the next line that reads like a header
            continue
        lost = not head["size"].isdigit()  # what follows belongs to this record, up to the next header
        yield head, b"" if lost else stream.read(min(int(head["size"]), MAX_PAGE + 1))


def _arc_page(file: File, url: str, kind: str, content: bytes) -> File:
    charset = ""
    if content.startswith(b"HTTP/"):
        from fastwarc.warc import WarcRecord, WarcRecordType

        record = WarcRecord()
        record.init_headers(record_type=WarcRecordType.response)
        record.is_http = True
        record.set_bytes_content(content)
        record.parse_http(auto_decode="all")
        status = record.http_headers.status_code
        if status is not None and status != 200:
            raise Unreadable(f"is an HTTP answer with status {status}", "HTTP status")
        kind = record.http_content_type or kind
        charset = record.http_charset or ""
        content = record.reader.read(MAX_PAGE + 1)
    return _member(file, url, kind, charset, content)
