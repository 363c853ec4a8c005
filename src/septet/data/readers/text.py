"""Plain text and Markdown. A file is one row; a very large one is cut at line ends into rows that name their bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from septet.data.readers.encoding import decode, sniff
from septet.data.readers.file import File
from septet.data.readers.row import Item, Row, Unreadable

# A text past this is read in pieces, so that it is never held as a whole (bytes).
MAX_ROW = 64 << 20
_PIECE = 8 << 20


def read_text(file: File) -> Iterator[Item]:
    """A text; its title is its first line, where that is short."""
    for text, where in _texts(file):
        first = next((line.strip() for line in text[:2000].splitlines() if line.strip()), file.stem)
        yield Row(text, first if len(first) <= 80 and not where else file.stem, where)


def read_markdown(file: File) -> Iterator[Item]:
    """Markdown as it stands; its title is its first heading."""
    for text, where in _texts(file):
        heading = re.search(r"^#{1,3}\s+(.+?)\s*#*$", text, re.MULTILINE)
        yield Row(text, heading.group(1) if heading else file.stem, where)


def _texts(file: File) -> Iterator[tuple[str, str]]:
    if 0 <= file.size <= MAX_ROW:
        yield decode(file.data(), file.charset), ""
        return
    encoding = sniff(file.head, whole=False)
    if encoding.startswith(("utf-16", "utf-32")):
        raise Unreadable(f"is {encoding.upper()} text larger than {MAX_ROW >> 20} MiB: save it as UTF-8", "too large")
    with file.stream() as stream:
        start = 0
        while data := stream.read(_PIECE):
            data += stream.readline(_PIECE)
            yield (
                decode(data, encoding),
                "" if start == 0 and len(data) < _PIECE else f"bytes {start}-{start + len(data)}",
            )
            start += len(data)
