"""Reading files into documents. What cannot be read is rejected with its reason; it never stops the rest.

A reader returns the text with its title and, where the format has pages, one piece a page. Spans count characters of the
decoded text (line ends as `\\n`); for HTML, DOCX and PDF, of the text that the reader drew out. Macros and scripts are
never run, and archives are not unpacked beyond a bound.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from septet.core import MissingExtra
from septet.core.fingerprint import digest, files_below

# A DOCX is a zip archive: one that unpacks to more than this is a bomb or no document (bytes).
MAX_UNPACKED = 512 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Piece(NamedTuple):
    """A stretch of a file's text: the whole of it, or one page."""

    text: str
    start: int
    end: int
    page: int


class Parsed(NamedTuple):
    """A file as read: its title, its pieces, and what of it could not be read (where, reason)."""

    title: str
    pieces: list[Piece]
    rejected: list[tuple[str, str]]


class Unreadable(Exception):
    """A file that cannot be read. The text is the reason, as it goes into the reject list."""


def documents(paths: tuple[str, ...]) -> Iterator[tuple[str, str, Parsed | None, str]]:
    """Each file below the paths: name, digest of its bytes, what was read or None, and the reason when None.

    Names are relative to the given folder, or the file's own name. Hidden files are not part of a source.
    """
    for given in paths:
        root = Path(given)
        files = list(files_below(root)) if root.is_dir() else [(root.name, root)]
        for name, path in files:
            if any(part.startswith(".") for part in name.split("/")):
                continue
            data = path.read_bytes()
            mark = digest(data)
            reader = READERS.get(path.suffix.lower())
            if reader is None:
                yield name, mark, None, f"no reader for files of type '{path.suffix or 'none'}'"
                continue
            try:
                parsed = reader(data, path.stem)
            except Unreadable as reason:
                yield name, mark, None, str(reason)
                continue
            if not any(piece.text.strip() for piece in parsed.pieces) and not parsed.rejected:
                yield name, mark, None, "holds no text"
                continue
            yield name, mark, parsed, ""


def row_id(source: str, start: int, end: int, mark: str) -> str:
    """The id of a document: of where it is from and what was there, so that the same content keeps its id."""
    return hashlib.sha256(f"{source}\0{start}\0{end}\0{mark}".encode()).hexdigest()[:32]


def decode_text(data: bytes) -> str:
    """Bytes to text by byte order mark, UTF-8, then the Chinese encodings. Line ends become `\\n`.

    Raises Unreadable for what is no text in any of them. GB18030 and Big5 share byte ranges: the one whose characters
    are the commoner ones is taken.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return _lines(data.decode("utf-16"))
        except UnicodeDecodeError:
            raise Unreadable("begins as UTF-16 and is not") from None
    try:
        return _lines(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        place = error.start
    if b"\x00" in data[:4096]:
        raise Unreadable("is binary, not text")
    best, best_score = "", -1.0
    for encoding in ("gb18030", "big5"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        score = _commonness(text)
        if score > best_score:
            best, best_score = text, score
    if best_score < 0.5:
        raise Unreadable(f"is neither UTF-8 (wrong at byte {place}) nor GB18030 nor Big5 text")
    return _lines(best)


def _commonness(text: str) -> float:
    """Share of the characters outside ASCII that the first level of GB2312 or common punctuation holds."""
    outside = [character for character in text if ord(character) > 127]
    if not outside:
        return 1.0
    common = 0
    for character in outside:
        simplified = character.encode("gb2312", "ignore")
        traditional = character.encode("big5", "ignore")
        if simplified:
            common += 0xB0 <= simplified[0] <= 0xD7 or simplified[0] in (0xA1, 0xA3)
        elif traditional:
            common += 0xA4 <= traditional[0] <= 0xC6
    return common / len(outside)


def _lines(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _whole(text: str, title: str) -> Parsed:
    return Parsed(title, [Piece(text, 0, len(text), 0)], [])


def read_text(data: bytes, stem: str) -> Parsed:
    text = decode_text(data)
    first = next((line.strip() for line in text.splitlines() if line.strip()), stem)
    return _whole(text, first if len(first) <= 80 else stem)


def read_markdown(data: bytes, stem: str) -> Parsed:
    text = decode_text(data)
    heading = re.search(r"^#{1,3}\s+(.+?)\s*#*$", text, re.MULTILINE)
    return _whole(text, heading.group(1) if heading else stem)


def read_html(data: bytes, stem: str) -> Parsed:
    """Visible text, headings as Markdown headings. Navigation, scripts, styles and forms are left out."""
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError:
        raise MissingExtra("selectolax", "data") from None
    declared = re.search(rb"""charset=["']?([\w-]+)""", data[:2048], re.IGNORECASE)
    text = ""
    if declared:
        try:
            text = data.decode(declared.group(1).decode())
        except (LookupError, UnicodeDecodeError):
            text = ""
    tree = LexborHTMLParser(text or decode_text(data))
    title_node = tree.css_first("title")
    title = " ".join(title_node.text().split()) if title_node else stem
    for node in tree.css("script, style, noscript, template, nav, header, footer, aside, form, svg, iframe"):
        node.decompose()
    body = tree.body
    if body is None:
        raise Unreadable("holds no HTML body")
    lines: list[str] = []
    _html_lines(body, lines)
    drawn = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
    return _whole(drawn, title or stem)


_BLOCKS = {
    "p",
    "div",
    "section",
    "article",
    "main",
    "li",
    "ul",
    "ol",
    "table",
    "pre",
    "blockquote",
    "dd",
    "dt",
    "dl",
    "br",
}


def _html_lines(node: Any, lines: list[str]) -> None:
    def break_line() -> None:
        if lines and lines[-1]:
            lines.append("")

    for child in node.iter(include_text=True):
        tag = child.tag
        if tag == "-text":
            text = re.sub(r"\s+", " ", child.text_content or "")
            if text.strip():
                if not lines:
                    lines.append("")
                lines[-1] = (lines[-1] + text).lstrip()
            elif lines and lines[-1] and not lines[-1].endswith(" "):
                lines[-1] += " "
        elif re.fullmatch(r"h[1-6]", tag):
            break_line()
            lines += ["", "#" * int(tag[1]) + " " + " ".join(child.text().split()), "", ""]
        elif tag == "tr":
            break_line()
            cells = [" ".join(cell.text().split()) for cell in child.css("td, th")]
            lines += ["| " + " | ".join(cells) + " |", ""]
        elif tag == "pre":
            break_line()
            lines += ["```", *child.text().strip("\n").split("\n"), "```", ""]
        else:
            if tag == "li":
                break_line()
                lines.append("- ")
            elif tag in _BLOCKS:
                break_line()
                lines.append("")
            _html_lines(child, lines)
            if tag in _BLOCKS:
                break_line()
                if tag not in ("li", "br"):
                    lines.append("")


def read_docx(data: bytes, stem: str) -> Parsed:
    """Paragraphs and tables in their order, headings as Markdown headings."""
    try:
        import docx
        from docx.opc.exceptions import OpcError
        from docx.table import Table
    except ImportError:
        raise MissingExtra("python-docx", "data") from None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED:
            raise Unreadable(f"unpacks to {unpacked >> 20} MiB, more than the bound of {MAX_UNPACKED >> 20} MiB")
        document = docx.Document(io.BytesIO(data))
    except (zipfile.BadZipFile, KeyError, ValueError, OpcError) as error:
        raise Unreadable(f"is not a readable DOCX file: {error}") from None
    lines = []
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            for number, row in enumerate(block.rows):
                cells = [" ".join(cell.text.split()) for cell in row.cells]
                lines.append("| " + " | ".join(cells) + " |")
                if number == 0:
                    lines.append("|" + " --- |" * len(cells))
            lines.append("")
            continue
        text = block.text.strip()
        style = (block.style.name or "") if block.style is not None else ""
        heading = re.fullmatch(r"(?:Heading|标题) ?([1-6])", style)
        if text:
            mark = "#" * int(heading.group(1)) + " " if heading else "# " if style == "Title" else ""
            lines += ["- " + text if style.startswith("List") else mark + text, ""]
    text = _lines("\n".join(lines).strip() + "\n")
    title = document.core_properties.title or next((line.lstrip("# ") for line in lines if line.startswith("#")), stem)
    return _whole(text, title)


def read_pdf(data: bytes, stem: str) -> Parsed:
    """One piece a page. A page without a text layer (a scan) is rejected by name: it needs OCR."""
    try:
        import pypdfium2
    except ImportError:
        raise MissingExtra("pypdfium2", "data") from None
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise Unreadable(f"is not a readable PDF file: {error}") from None
    pieces, rejected, start = [], [], 0
    try:
        title = (document.get_metadata_value("Title") or "").strip()
        if not title or re.fullmatch(r"\(?(?:anonymous|untitled|unknown)\)?|Microsoft \w+ - .*", title, re.IGNORECASE):
            title = stem
        for number in range(len(document)):
            try:
                page = document[number]
                drawn = page.get_textpage().get_text_range()
            except pypdfium2.PdfiumError as error:
                rejected.append((f"page {number + 1}", f"cannot be read: {error}"))
                continue
            text = _lines(drawn).replace("\ufffe", "").strip()
            if not text:
                rejected.append((f"page {number + 1}", "has no text layer: it is empty or a scan, which needs OCR"))
                continue
            text += "\n"
            pieces.append(Piece(text, start, start + len(text), number + 1))
            start += len(text)
    finally:
        document.close()
    if not pieces and not rejected:
        raise Unreadable("has no pages")
    return Parsed(title, pieces, rejected)


READERS: dict[str, Callable[[bytes, str], Parsed]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
    ".text": read_text,
    ".rst": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".docx": read_docx,
    ".pdf": read_pdf,
}
