"""Which reader reads what: by the first bytes where they are certain, else by the media type or suffix that names the file.

`rows` is the one door: whatever a reader does, each file yields at least a row or a reject, no empty text passes, and the
fault of one file ends with it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator

from septet.core import MissingExtra
from septet.data.readers import archive, mail, web
from septet.data.readers.epub import read_epub
from septet.data.readers.file import File, Rows
from septet.data.readers.html import read_html
from septet.data.readers.lines import read_json, read_jsonl
from septet.data.readers.ocr import read_image
from septet.data.readers.office import read_docx, read_pptx
from septet.data.readers.pdf import read_pdf
from septet.data.readers.row import Item, Reject, Row, Unreadable
from septet.data.readers.sheets import read_xls, read_xlsx
from septet.data.readers.tables import read_arrow, read_csv, read_parquet
from septet.data.readers.text import read_markdown, read_text
from septet.data.readers.xml import read_xml

READERS: dict[str, Callable[[File], Iterator[Item]]] = {
    "text": read_text,
    "markdown": read_markdown,
    "html": read_html,
    "xml": read_xml,
    "pdf": read_pdf,
    "image": read_image,
    "docx": read_docx,
    "pptx": read_pptx,
    "xlsx": read_xlsx,
    "xls": read_xls,
    "csv": read_csv,
    "parquet": read_parquet,
    "arrow": read_arrow,
    "jsonl": read_jsonl,
    "json": read_json,
    "epub": read_epub,
}
CONTAINERS: dict[str, Callable[[File, Rows], Iterator[Item]]] = {
    "eml": mail.read_eml,
    "mbox": mail.read_mbox,
    "msg": mail.read_msg,
    "warc": web.read_warc,
    "arc": web.read_arc,
    "zip": archive.read_zip,
    "tar": archive.read_tar,
    "packed": archive.read_packed,
}
_SUFFIXES = {
    "text": ".txt .text .rst .adoc .org .log .tex .srt .vtt .po .asc .yaml .yml .toml .ini",
    "markdown": ".md .markdown",
    "html": ".html .htm .xhtml .shtml",
    "xml": ".xml .rss .atom .dita .docbook .xbrl",
    "pdf": ".pdf",
    "image": ".png .jpg .jpeg .tif .tiff .webp .bmp",
    "docx": ".docx .docm .dotx .dotm",
    "pptx": ".pptx .pptm .ppsx .ppsm .potx .potm",
    "xlsx": ".xlsx .xlsm .xltx .xltm",
    "xls": ".xls",
    "csv": ".csv .tsv .tab",
    "parquet": ".parquet .pq",
    "arrow": ".arrow .feather .ipc",
    "jsonl": ".jsonl .ndjson .jsonlines",
    "json": ".json",
    "epub": ".epub",
    "eml": ".eml .mht .mhtml",
    "mbox": ".mbox",
    "msg": ".msg",
    "warc": ".warc .wet .wat",
    "arc": ".arc",
    "zip": ".zip",
    "tar": ".tar",
}
SUFFIXES = {suffix: name for name, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_KINDS = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/csv": "csv",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/xml": "xml",
    "text/xml": "xml",
    "message/rfc822": "eml",
    "image/png": "image",
    "image/jpeg": "image",
    "image/tiff": "image",
}
_MARKS = (
    (b"%PDF-", "pdf"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"WARC/", "warc"),
    (b"filedesc://", "arc"),
    (b"\x89PNG\r\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
)
# Known by their first bytes, and not read: what to do about them.
_REFUSED = (
    (b"SQLite format 3\x00", "is an SQLite database: name it by url_variable and say which rows by query"),
    (b"Rar!\x1a\x07", "is a RAR archive: pack it as zip or tar"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive: pack it as zip or tar"),
    (b"{\\rtf", "is an RTF file: save it as DOCX"),
    (b"\x7fELF", "is a program"),
    (b"MZ\x90\x00", "is a program"),
)
_ZIPPED = (("word/document.xml", "docx"), ("ppt/presentation.xml", "pptx"), ("xl/workbook", "xlsx"))
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.I | re.S
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def rows(file: File) -> Iterator[Item]:
    """What a file holds: rows and rejects, at least one of them. Raises only what the user has to put right (extras)."""
    seen = False
    try:
        format_ = format_of(file)
        found = CONTAINERS[format_](file, rows) if format_ in CONTAINERS else READERS[format_](file)
        for item in found:
            seen = True
            if isinstance(item, Row) and (not item.text or item.text.isspace()):
                yield Reject(item.where, "holds no text", "empty")
            else:
                yield item
    except Unreadable as reason:
        yield Reject("", f"the rest {reason}" if seen else str(reason), reason.rule)
        return
    # A stretch of a large file may lie within one line; the file as a whole may not hold nothing.
    if not seen and (file.span is None or file.span[0] == 0):
        yield Reject("", "holds no text", "empty")


def format_of(file: File) -> str:
    """The name of a format in READERS or CONTAINERS. Raises Unreadable for what nothing reads."""
    head, suffix = file.head, file.suffix
    if not head:
        raise Unreadable("holds no text", "empty")
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    for mark, reason in _REFUSED:
        if head.startswith(mark):
            raise Unreadable(reason, "no reader")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(file)
    if head.startswith(_OLE):
        return _compound(file)
    if archive.packing_of(head):
        inside = archive.peek(head)
        first = {b"WARC/": "warc", b"filed": "arc"}.get(inside[:5])
        return first if first and head.startswith(b"\x1f\x8b") else "packed"
    if archive.is_tar(head):
        return "tar"
    if b"%PDF-" in head[:1024] and suffix in (".pdf", ""):
        return "pdf"
    if _HTML.match(head) and suffix not in (".eml", ".mbox", ".md", ".jsonl", ".csv"):
        return "html"
    if (suffix in (".txt", ".text", ".eml", ".mbox") or suffix not in SUFFIXES) and (letter := mail.looks_like(head)):
        return letter
    if suffix == ".eml" and head.startswith(b"From "):
        return "mbox"
    found = _KINDS.get(file.kind) if file.kind and file.kind != "application/octet-stream" else ""
    found = found or SUFFIXES.get(suffix)
    if found:
        return found
    if file.kind.startswith("text/") and file.kind not in ("text/css", "text/javascript"):
        return "text"
    if not suffix and not file.kind and _is_text(head):
        return "text"
    named = f"'{file.kind}'" if file.kind and not suffix else f"'{suffix or 'none'}'"
    raise Unreadable(f"no reader for files of type {named}", "no reader")


def _is_text(head: bytes) -> bool:
    """Whether the first bytes of a file without a suffix are UTF-8 that can be printed, and so can be little else."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return all(one.isprintable() or one in "\n\r\t\f\ufeff" for one in text)


def _zipped(file: File) -> str:
    wanted = SUFFIXES.get(file.suffix, "")
    try:
        with file.seekable() as stream, zipfile.ZipFile(stream) as opened:
            names = opened.namelist()
            if "mimetype" in names and names.index("mimetype") == 0:
                kind = opened.read("mimetype")[:80]
                if kind.startswith(b"application/epub+zip"):
                    return "epub"
                if kind.startswith(b"application/vnd.oasis.opendocument"):
                    raise Unreadable("is an OpenDocument file: save it as DOCX, XLSX or PDF", "no reader")
    # A broken archive goes to the reader of its suffix, or to that of archives, which rejects it with what is wrong.
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        return wanted if wanted in ("docx", "pptx", "xlsx", "epub") else "zip"
    for part, name in _ZIPPED:
        if any(one.startswith(part) for one in names):
            if name == "xlsx" and "xl/workbook.bin" in names:
                raise Unreadable("is a binary workbook (.xlsb): save it as .xlsx", "no reader")
            return name
    return wanted if wanted in ("docx", "pptx", "xlsx", "epub") else "zip"


def _compound(file: File) -> str:
    """OLE compound files: old Office, Outlook messages, and new Office files under a password."""
    try:
        import olefile
    except ImportError:
        raise MissingExtra("olefile", "data") from None
    try:
        with file.seekable() as stream, olefile.OleFileIO(stream) as ole:
            streams = {"/".join(entry).lower() for entry in ole.listdir()}
    except (OSError, ValueError, IndexError, AttributeError) as error:
        raise Unreadable(f"is a broken compound file: {error}") from None
    if "encryptedpackage" in streams:
        raise Unreadable("is protected by a password", "encrypted")
    if "workbook" in streams or "book" in streams:
        return "xls"
    if "__properties_version1.0" in streams:
        return "msg"
    if "worddocument" in streams:
        raise Unreadable("is an old Word file: save it as DOCX", "no reader")
    if "powerpoint document" in streams:
        raise Unreadable("is an old PowerPoint file: save it as PPTX", "no reader")
    raise Unreadable(f"no reader for files of type '{file.suffix or 'compound file'}'", "no reader")
