"""XML: prose as paragraphs, data as `name: value` lines. Entities are not resolved and nothing is fetched."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from septet.core import MissingExtra
from septet.data.readers.file import File
from septet.data.readers.row import Item, Row, cleaned, parsing

_HEADINGS = frozenset("title head heading header subject 标题".split())
_PROSE = _HEADINGS | frozenset("p para paragraph text li line quote note summary description abstract td th".split())
# A leaf that is no prose by its name and holds no more characters than this is a datum, and is named.
_DATUM = 80
_TITLES = ("title", "invention-title", "name", "heading", "subject", "标题")


def read_xml(file: File) -> Iterator[Item]:
    """An element with mixed content is one paragraph; one with elements alone is a frame. Raises Unreadable when broken."""
    with parsing("XML file"):
        root = parse_xml(file.data())
        lines: list[str] = []
        _draw(root, lines)
        text = cleaned("\n".join(lines)).strip() + "\n"
        title = next((_flat(node) for node in _elements(root) if _local(node) in _TITLES and _flat(node)), file.stem)
    yield Row(text, title[:200])


def parse_xml(data: bytes) -> Any:
    """The root of a document, parsed without entities, DTD or network. Raises lxml's errors and MissingExtra."""
    try:
        from lxml import etree
    except ImportError:
        raise MissingExtra("lxml", "data") from None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    return etree.parse(io.BytesIO(data), parser).getroot()


def _elements(root: Any) -> Iterator[Any]:
    return (node for node in root.iter() if isinstance(node.tag, str))


def _local(node: Any) -> str:
    return str(node.tag).rpartition("}")[2].lower()


def _flat(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())


def _draw(root: Any, lines: list[str]) -> None:
    # A stack of its own: depth is the file's to choose, not ours to recurse into.
    pending: list[Any] = [root]
    while pending:
        node = pending.pop()
        if not isinstance(node.tag, str):
            continue
        children = list(node)
        own = [node.text or "", *(child.tail or "" for child in children)]
        if children and not any(part.strip() for part in own):
            if lines and lines[-1]:
                lines.append("")
            pending += reversed(children)
            continue
        flat = _flat(node)
        if not flat:
            continue
        name = _local(node)
        if children or name in _PROSE or len(flat) > _DATUM:
            lines += [f"# {flat}" if name in _HEADINGS else flat, ""]
        else:
            lines.append(f"{str(node.tag).rpartition('}')[2]}: {flat}")
