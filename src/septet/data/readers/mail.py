"""Mail: messages (RFC 5322, MIME), mailboxes (mbox, RFC 4155) and Outlook's .msg. One row a message, attachments beside it.

Headers are kept in the meta as they are; who masks the text masks them too.
"""

from __future__ import annotations

import email
import email.errors
import email.header
import re
from collections.abc import Iterator
from email.message import Message
from typing import Any, BinaryIO

from septet.core import MissingExtra
from septet.data.readers.encoding import decode
from septet.data.readers.file import File, Rows, named_once, shown
from septet.data.readers.html import draw
from septet.data.readers.row import Item, Reject, Row, Unreadable, as_meta, cleaned, parsing

_HEADERS = ("From", "To", "Cc", "Date", "Subject", "Message-ID", "Reply-To", "List-Id")
# A message past this is no letter (bytes).
MAX_MESSAGE = 128 << 20
_FROM = re.compile(rb"From \S.*\d{4}\s*$|From \S+ ")
_HEADER_LINE = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:")


def read_eml(file: File, rows: Rows) -> Iterator[Item]:
    """One message."""
    yield from _message(file.data(), "", file, rows)


def read_mbox(file: File, rows: Rows) -> Iterator[Item]:
    """Each message of a mailbox, one after the other in bounded memory."""
    number = 0
    with file.stream() as stream:
        for number, (data, whole) in enumerate(_split(stream), 1):
            where = f"message {number}"
            if not whole:
                yield Reject(where, f"is larger than the bound of {MAX_MESSAGE >> 20} MiB for a message", "too large")
                continue
            yield from _message(data, where, file, rows)
    if not number:
        raise Unreadable("holds no messages", "empty")


def _split(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    lines: list[bytes] = []
    size, blank, begun = 0, True, False
    for line in stream:
        if blank and line.startswith(b"From ") and _FROM.match(line):
            if begun:
                yield b"".join(lines), size <= MAX_MESSAGE
            lines, size, begun, blank = [], 0, True, False
            continue
        blank = not line.strip()
        size += len(line)
        if size <= MAX_MESSAGE:
            lines.append(line[1:] if re.match(rb">+From ", line) else line)
    if begun or any(map(bytes.strip, lines)):
        yield b"".join(lines), size <= MAX_MESSAGE


def looks_like(head: bytes) -> str:
    """`mbox` or `eml` where the first lines of a file can be nothing else, or an empty text."""
    lines = head[:8192].lstrip(b"\xef\xbb\xbf").split(b"\n")
    if len(lines) > 1 and lines[0].startswith(b"From ") and _FROM.match(lines[0]) and _HEADER_LINE.match(lines[1]):
        return "mbox"
    names = set()
    for line in lines:
        if not line.strip():
            break
        if line[:1] in b" \t":
            continue
        if not _HEADER_LINE.match(line):
            return ""
        names.add(line.partition(b":")[0].lower())
    telling = {b"from", b"to", b"subject", b"date", b"message-id", b"received", b"return-path", b"mime-version"}
    return "eml" if len(names & telling) >= 3 else ""


def _message(data: bytes, where: str, file: File, rows: Rows) -> Iterator[Item]:
    try:
        with parsing("mail message"):
            message = email.message_from_bytes(data)
            meta = {name.lower(): _header(message, name) for name in _HEADERS}
            bodies: list[str] = []
            attached: list[tuple[str, str, bytes]] = []
            faults: list[str] = []
            _parts(message, bodies, attached, faults)
    except Unreadable as error:
        yield Reject(where, str(error), error.rule)
        return
    text = "\n\n".join(bodies).strip()
    title = meta["subject"][:300] or file.stem
    if text:
        yield Row(text + "\n", title, where, meta=as_meta(meta))
    else:
        yield Reject(where, faults.pop(0) if faults else "holds no text", "empty")
    for fault in faults:
        yield Reject(where, fault, "encoding")
    places = named_once([f"attachment {shown(name)}" for name, _, _ in attached])
    for place, (name, kind, content) in zip(places, attached, strict=True):
        place = f"{where} > {place}" if where else place
        try:
            yield from file.of_bytes(name, content, kind).nested(place, rows)
        except Unreadable as error:
            yield Reject(place, str(error), error.rule)


def _parts(message: Message, bodies: list[str], attached: list[tuple[str, str, bytes]], faults: list[str]) -> None:
    kind = message.get_content_type()
    name = message.get_filename()
    if kind == "message/rfc822" and message.is_multipart():
        inners: list[Any] = list(message.get_payload())
        for inner in inners:
            attached.append((name or "message.eml", "message/rfc822", inner.as_bytes()))
        return
    if message.is_multipart():
        parts: list[Any] = list(message.get_payload())
        if kind == "multipart/alternative":
            # The same content several times, the plainest first; an empty plain part says nothing.
            found: list[str] = []
            for part in sorted(parts, key=lambda part: part.get_content_type() != "text/plain"):
                if not found or part.get_content_maintype() not in ("text", "multipart"):
                    _parts(part, found, attached, faults)
            bodies += found
            return
        for part in parts:
            _parts(part, bodies, attached, faults)
        return
    data = message.get_payload(decode=True)
    data = data if isinstance(data, bytes) else b""
    if (
        message.get_content_disposition() == "attachment"
        or message.get_content_maintype() != "text"
        or (name and message.get_content_disposition() != "inline")
    ):
        if data:
            attached.append((_decoded(name) if name else f"unnamed.{kind.rpartition('/')[2]}", kind, data))
        return
    try:
        charset = str(message.get_content_charset() or "")
        text = draw(data, charset).text if kind == "text/html" else decode(data, charset)
    except Unreadable as error:
        faults.append(f"a part of it {error}")
        return
    if text.strip():
        bodies.append(text.strip())


def _header(message: Message, name: str) -> str:
    values = message.get_all(name) or []
    return "; ".join(_decoded(value) for value in values)[:2000]


def _decoded(value: Any) -> str:
    """A header's words in their character sets (RFC 2047)."""
    try:
        text = str(email.header.make_header(email.header.decode_header(str(value))))
    except (email.errors.HeaderParseError, LookupError, ValueError):
        text = str(value)
    if "\udc80" <= max(text, default="") <= "\udcff" or "\ufffd" in text:
        raw = str(value).encode("ascii", "surrogateescape") if str(value).isascii() else b""
        try:
            text = decode(text.encode("utf-8", "surrogateescape"))
        except (Unreadable, UnicodeEncodeError):
            text = raw.decode("latin-1") or text
    return " ".join(cleaned(text).split())


def read_msg(file: File, rows: Rows) -> Iterator[Item]:
    """A message that Outlook saved (MS-OXMSG): its text, else its HTML; attachments beside it."""
    try:
        import olefile
    except ImportError:
        raise MissingExtra("olefile", "data") from None
    with parsing("Outlook message"), file.seekable() as stream, olefile.OleFileIO(stream) as ole:

        def text(tag: str, storage: str = "") -> str:
            for kind, encoding in (("001F", "utf-16-le"), ("001E", "")):
                name = f"{storage}__substg1.0_{tag}{kind}"
                if ole.exists(name):
                    data = ole.openstream(name).read()
                    return cleaned(data.decode(encoding, "ignore")) if encoding else decode(data)
            return ""

        def binary(name: str) -> bytes:
            return ole.openstream(name).read() if ole.exists(name) else b""

        meta = {"from": text("0C1A"), "to": text("0E04"), "cc": text("0E03"), "subject": text("0037")}
        address = text("5D01") or text("0C1F")
        if "@" in address and address not in meta["from"]:
            meta["from"] = f"{meta['from']} <{address}>".strip()
        sent = re.search(r"^Date: (.+)$", text("007D"), re.MULTILINE)
        meta["date"] = sent.group(1).strip() if sent else ""
        body = text("1000").strip()
        if not body and binary("__substg1.0_10130102"):
            body = draw(binary("__substg1.0_10130102")).text.strip()
        storages = sorted({entry[0] for entry in ole.listdir() if entry[0].startswith("__attach_version1.0_")})
        attached = [
            (text("3707", f"{one}/") or text("3704", f"{one}/") or "unnamed", binary(f"{one}/__substg1.0_37010102"))
            for one in storages
        ]
    title = meta["subject"] or file.stem
    yield Row(body + "\n", title, meta=as_meta(meta)) if body else Reject("", "holds no text", "empty")
    places = named_once([f"attachment {shown(name)}" for name, _ in attached])
    for place, (name, content) in zip(places, attached, strict=True):
        if not content:
            yield Reject(place, "is a message or an object that cannot be taken out", "unreadable")
            continue
        try:
            yield from file.of_bytes(name, content).nested(place, rows)
        except Unreadable as error:
            yield Reject(place, str(error), error.rule)
