"""Electronic books (EPUB 2 and 3): one row a chapter, in the order of the book's spine."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from septet.data.readers.file import File, shown
from septet.data.readers.html import draw
from septet.data.readers.office import checked
from septet.data.readers.row import Item, Reject, Row, Unreadable, as_meta, parsing
from septet.data.readers.xml import parse_xml


def read_epub(file: File) -> Iterator[Item]:
    """Chapters by the spine; the book's own licence, author and language stay in the meta."""
    checked(file, "EPUB file")
    with file.seekable() as stream, parsing("EPUB file"):
        archive = zipfile.ZipFile(stream)
        names = set(archive.namelist())
        container = parse_xml(archive.read("META-INF/container.xml"))
        package = _all(container, "rootfile")[0].get("full-path")
        root = parse_xml(archive.read(package))
        folder = posixpath.dirname(package)
        places = {one.get("id"): unquote(one.get("href", "")) for one in _all(root, "item")}
        spine = [places.get(one.get("idref"), "") for one in _all(root, "itemref")]
        about = {key: _text(root, key) for key in ("title", "creator", "language", "rights", "date", "identifier")}
        if not spine:
            raise Unreadable("names no chapters", "empty")
        items: list[Item] = []
        for number, place in enumerate(spine, 1):
            name = posixpath.normpath(posixpath.join(folder, place))
            where = f"chapter {number} ({shown(place)})"
            if name not in names:
                items.append(Reject(where, "is named by the book and missing", "missing"))
                continue
            try:
                with parsing("chapter"):
                    page = draw(archive.read(name), "utf-8")
            except Unreadable as error:
                items.append(Reject(where, str(error), error.rule))
                continue
            book = about["title"] or file.stem
            title = f"{book}: {page.title}" if page.title and page.title != book else book
            items.append(Row(page.text, title, where, 0, 0, as_meta(about)))
    yield from items


def _all(root: Any, name: str) -> list[Any]:
    return [node for node in root.iter() if isinstance(node.tag, str) and node.tag.rpartition("}")[2] == name]


def _text(root: Any, name: str) -> str:
    return "; ".join(" ".join((node.text or "").split()) for node in _all(root, name)[:5])
