"""PDF (ISO 32000): one row or reject a page. A page without a text layer is a scan; it is read by OCR where that is asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from septet.core import MissingExtra
from septet.data.readers import ocr
from septet.data.readers.file import File
from septet.data.readers.row import Item, Reject, Row, Unreadable, as_meta, cleaned, parsing

# Dots an inch at which a scanned page is drawn for OCR (PP-OCR reads body text at 200).
_DPI = 200
_HEAD_ONLY = "holds no text beside its running lines"
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
        drawn = [_drawn(document, number) for number in range(len(document))]
        heads = running(text for text in drawn if isinstance(text, str))
        for number, text in enumerate(drawn, 1):
            where = f"page {number}"
            if isinstance(text, Reject):
                yield text
            elif text:
                text, taken = without(text, heads)
                meta = as_meta({"running_lines": taken})
                yield Row(text + "\n", title, where, 0, number, meta) if text else Reject(where, _HEAD_ONLY, "empty")
            elif not file.told.ocr:
                yield Reject(where, "has no text layer: it is empty or a scan, which needs OCR", "needs OCR")
            else:
                yield _scanned(document, number, title, file)
    finally:
        document.close()


def _title(document: Any, stem: str) -> str:
    with parsing("PDF file"):
        title = " ".join((document.get_metadata_value("Title") or "").split())
    return stem if not title or _NO_TITLE.fullmatch(title) else title[:300]


def _drawn(document: Any, place: int) -> str | Reject:
    try:
        with parsing("page"):
            return tidy(document[place].get_textpage().get_text_range())
    except Unreadable as error:
        return Reject(f"page {place + 1}", str(error), error.rule)


def _scanned(document: Any, number: int, title: str, file: File) -> Item:
    where = f"page {number}"
    try:
        with parsing("page"):
            image = document[number - 1].render(scale=_DPI / 72).to_numpy()[:, :, :3]
            return ocr.row(image, file.told, title, where, number)
    except Unreadable as error:
        return Reject(where, str(error), error.rule)


def running(pages: Iterable[str]) -> frozenset[str]:
    """First and last lines that most pages share but for their numbers: heads and feet, which cut sentences apart."""
    counts: Counter[str] = Counter()
    number = 0
    for page in pages:
        lines = page.split("\n")
        number += 1
        counts.update({_folded(lines[0]), _folded(lines[-1])} if len(lines) > 2 else ())
    return frozenset(line for line, count in counts.items() if number >= 4 and count >= 0.4 * number and line)


def without(page: str, heads: frozenset[str]) -> tuple[str, list[str]]:
    """A page without its running lines, and these."""
    lines = page.split("\n")
    taken = []
    if heads and len(lines) > 2:
        for place in (0, -1):
            if _folded(lines[place]) in heads:
                taken.append(lines.pop(place))
    return "\n".join(lines).strip(), taken


def _folded(line: str) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.strip()) if len(line) <= 150 else ""


def tidy(text: str) -> str:
    """Text of a page: words that were broken at a line end joined, invisible marks out, blank lines once."""
    # PDFium marks a hyphen that breaks a word as U+FFFE, or as U+0002.
    text = re.sub(r"[\ufffe\x02]\r?\n?", "", text)
    text = cleaned(text).replace("\u00ad\n", "").replace("\u00ad", "")
    # The dots that lead from a heading to its page in a table of contents.
    text = re.sub(r" ?(?:[.·…] ?){5,}", " … ", text)
    text = re.sub(r"[ \t\u00a0]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
