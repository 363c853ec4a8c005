"""PDF (ISO 32000): one row or reject a page. A page without a text layer is a scan; it is read by OCR where that is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from septet.core import MissingExtra
from septet.data.readers import ocr
from septet.data.readers.file import File
from septet.data.readers.row import Item, Reject, Row, Unreadable, cleaned, parsing

# Dots an inch at which a scanned page is drawn for OCR (PP-OCR reads body text at 200).
_DPI = 200
_NO_TITLE = re.compile(
    r"\(?(?:anonymous|untitled|unknown)\)?|Microsoft \w+ - .*|.*\.(?:docx?|pptx?|indd|tex|qxd)", re.I
)


def read_pdf(file: File) -> Iterator[Item]:
    """Pages in their order. Raises Unreadable for a file that is broken as a whole or protected by a password."""
    try:
        import pypdfium2
    except ImportError:
        raise MissingExtra("pypdfium2", "data") from None
    try:
        document = pypdfium2.PdfDocument(str(file.path) if file.path is not None else file.data())
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise Unreadable("is not a readable PDF file: it is protected by a password", "encrypted") from None
        raise Unreadable(f"is not a readable PDF file: {error}") from None
    try:
        title = _title(document, file.stem)
        if not len(document):
            raise Unreadable("has no pages", "empty")
        for number in range(1, len(document) + 1):
            try:
                with parsing("page"):
                    yield _page(document[number - 1], number, title, file)
            except Unreadable as error:
                yield Reject(f"page {number}", str(error), error.rule)
    finally:
        document.close()


def _title(document: Any, stem: str) -> str:
    with parsing("PDF file"):
        title = " ".join((document.get_metadata_value("Title") or "").split())
    return stem if not title or _NO_TITLE.fullmatch(title) else title[:300]


def _page(page: Any, number: int, title: str, file: File) -> Item:
    where = f"page {number}"
    drawn = page.get_textpage()
    text = tidy(drawn.get_text_range())
    if text:
        return Row(text + "\n", title, where, 0, number)
    if not file.told.ocr:
        return Reject(where, "has no text layer: it is empty or a scan, which needs OCR", "needs OCR")
    image = page.render(scale=_DPI / 72).to_numpy()
    return ocr.row(image, file.told, title, where, number)


def tidy(text: str) -> str:
    """Text of a page: words that were broken at a line end joined, invisible marks out, blank lines once."""
    # PDFium marks a hyphen that breaks a word as U+FFFE, or as U+0002.
    text = re.sub(r"[\ufffe\x02]\r?\n?", "", text)
    text = cleaned(text).replace("\u00ad\n", "").replace("\u00ad", "")
    # The dots that lead from a heading to its page in a table of contents.
    text = re.sub(r"(?:[.·…] ?){5,}", " … ", text)
    text = re.sub(r"[ \t\u00a0]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
