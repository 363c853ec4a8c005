"""Word and PowerPoint files (ECMA-376). Macros are never run; a file that holds some is read as its plain counterpart.

A document is one row, a presentation one row a slide. Bounded against archives that unpack without end.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from septet.core import MissingExtra
from septet.data.readers.file import File
from septet.data.readers.row import Item, Reject, Row, Unreadable, as_meta, cleaned, parsing

# A file that unpacks to more than this is a bomb or no document (bytes).
MAX_UNPACKED = 512 << 20
_PLAIN = (
    (b"application/vnd.ms-word.document.macroEnabled.main+xml", "wordprocessingml.document"),
    (b"application/vnd.ms-word.template.macroEnabledTemplate.main+xml", "wordprocessingml.document"),
    (b"application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml", "wordprocessingml.document"),
    (b"application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml", "presentationml.presentation"),
    (b"application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml", "presentationml.presentation"),
    (b"application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml", "presentationml.presentation"),
    (b"application/vnd.openxmlformats-officedocument.presentationml.template.main+xml", "presentationml.presentation"),
)


def checked(file: File, what: str) -> tuple[bytes, dict[str, str]]:
    """The bytes of an Office file and what its meta says of macros. Raises Unreadable for a bomb or a broken archive."""
    data = file.data()
    with parsing(what), zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > MAX_UNPACKED:
            said = f"unpacks to {unpacked >> 20} MiB, more than the bound of {MAX_UNPACKED >> 20} MiB"
            raise Unreadable(said, "too large")
        if any(entry.flag_bits & 1 for entry in entries):
            raise Unreadable("is protected by a password", "encrypted")
        macros = any(entry.filename.lower().endswith("vbaproject.bin") for entry in entries)
    return data, {"macros": "present, not run"} if macros else {}


def plain(data: bytes) -> bytes:
    """The file with the content type of a plain document, where it is a template or may hold macros."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        types = archive.read("[Content_Types].xml")
        changed = types
        for old, new in _PLAIN:
            changed = changed.replace(old, f"application/vnd.openxmlformats-officedocument.{new}.main+xml".encode())
        if changed == types:
            return data
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as copy:
            for entry in archive.infolist():
                content = changed if entry.filename == "[Content_Types].xml" else archive.read(entry)
                copy.writestr(entry.filename, content)
        return out.getvalue()


def read_docx(file: File) -> Iterator[Item]:
    """Paragraphs and tables in their order, headings as Markdown headings, footnotes are left out."""
    try:
        import docx
        from docx.table import Table
    except ImportError:
        raise MissingExtra("python-docx", "data") from None
    data, meta = checked(file, "DOCX file")
    with parsing("DOCX file"):
        document = docx.Document(io.BytesIO(plain(data)))
        lines: list[str] = []
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                lines += [*table_lines([_row_texts(row) for row in block.rows]), ""]
            else:
                drawn = _paragraph(block)
                if drawn and drawn[0].startswith("- ") and len(lines) > 1 and lines[-2].startswith("- "):
                    lines.pop()
                lines += drawn
        properties = document.core_properties
        heading = next((line.lstrip("# ") for line in lines if line.startswith("#")), "")
        title = (properties.title or "").strip() or heading or file.stem
        text = cleaned(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n")
    yield Row(text, title[:300], meta=as_meta(meta))


def _paragraph(block: Any) -> list[str]:
    text = block.text.strip()
    if not text:
        return []
    style = (block.style.name or "") if block.style is not None else ""
    heading = re.fullmatch(r"(?:[Hh]eading|标题) ?([1-6])", style)
    mark = "#" * int(heading.group(1)) + " " if heading else "# " if style == "Title" else ""
    listed = style.startswith("List") or _numbered(block)
    return ["- " + text if listed and not mark else mark + text, ""]


def _numbered(block: Any) -> bool:
    properties = block._p.pPr
    return properties is not None and properties.numPr is not None


def _row_texts(row: Any) -> list[str]:
    """The cells of a row; one that spans several columns once."""
    found: list[str] = []
    last: Any = None
    for cell in row.cells:
        if cell._tc is not last:
            found.append(" ".join(cell.text.split()))
        last = cell._tc
    return found


def table_lines(rows: list[list[str]]) -> list[str]:
    """A table in Markdown. Rows without text are left out; a table of one cell is a paragraph."""
    rows = [row for row in rows if any(row)]
    width = max(map(len, rows), default=0)
    if width == 1:
        return [row[0] for row in rows]
    lines = []
    for number, row in enumerate(rows):
        cells = [cell.replace("|", "\\|") for cell in row] + [""] * (width - len(row))
        lines.append("| " + " | ".join(cells) + " |")
        if number == 0:
            lines.append("|" + " --- |" * width)
    return lines


def read_pptx(file: File) -> Iterator[Item]:
    """One row or reject a slide: its texts and tables in reading order, and the speaker's notes."""
    try:
        import pptx
    except ImportError:
        raise MissingExtra("python-pptx", "data") from None
    data, meta = checked(file, "PPTX file")
    with parsing("PPTX file"):
        slides = list(pptx.Presentation(io.BytesIO(plain(data))).slides)
    if not slides:
        raise Unreadable("holds no slides", "empty")
    for number, slide in enumerate(slides, 1):
        where = f"slide {number}"
        try:
            with parsing("slide"):
                text, title = _slide(slide)
        except Unreadable as error:
            yield Reject(where, str(error), error.rule)
            continue
        yield Row(text, title or file.stem, where, 0, number, as_meta(meta))


def _slide(slide: Any) -> tuple[str, str]:
    head = slide.shapes.title
    title = " ".join(head.text_frame.text.split()) if head is not None and head.has_text_frame else ""
    parts = [f"# {title}"] if title else []
    shapes = [shape for shape in _shapes(slide.shapes) if head is None or shape.shape_id != head.shape_id]
    for shape in sorted(shapes, key=lambda shape: ((shape.top or 0) // 300_000, shape.left or 0)):
        if getattr(shape, "has_table", False) and shape.has_table:
            rows = [[" ".join(cell.text.split()) for cell in row.cells] for row in shape.table.rows]
            parts.append("\n".join(table_lines(rows)))
        elif shape.has_text_frame:
            lines = [_lined(paragraph) for paragraph in shape.text_frame.paragraphs]
            parts.append("\n".join(line for line in lines if line.strip("- ")))
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text.strip()
        if notes:
            parts.append(f"Notes: {notes}")
    return cleaned("\n\n".join(part for part in parts if part.strip()).replace("\v", "\n")), title


def _lined(paragraph: Any) -> str:
    text = str(paragraph.text).strip()
    return "  " * max(0, paragraph.level - 1) + "- " + text if paragraph.level and text else text


def _shapes(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        else:
            yield shape
