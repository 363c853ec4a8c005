"""HTML: the visible main text as Markdown-like lines. Menus and lists of links are left out, tables and definitions stay.

What is left out is told by the element (`nav`, `aside`, ARIA roles), and by text and link density: a block most of whose
text are links, several of them, none of it a sentence, is a way to other pages. After Kohlschütter, Fankhauser and Nejdl,
"Boilerplate detection using shallow text features", WSDM 2010. No script is run and nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from septet.core import MissingExtra
from septet.data.readers.encoding import decode
from septet.data.readers.file import File
from septet.data.readers.row import Item, Row, Unreadable, parsing

_NEVER = "script, style, noscript, template, nav, aside, form, svg, iframe, object, embed, button, select, head"
_NEVER += (
    ", [role=navigation], [role=banner], [role=contentinfo], [role=search], [role=menu], [aria-hidden=true], [hidden]"
)
_EDGES = "body > header, body > footer, body > div > header, body > div > footer, footer"
_CHARSET = re.compile(rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
_BLOCKS = frozenset(
    "address article blockquote body br center dd details div dl dt fieldset figcaption figure footer header hr li main ol "
    "p pre section summary table tbody td tfoot th thead tr ul html".split()
)
# Blocks that are judged by their links. A block goes when so much of its text is linked and it holds so many links whose
# texts are on average shorter than a sentence (chosen 2026-11 on crawled Chinese and English pages).
_JUDGED = frozenset("div ul ol table section p dl center header tr td".split())
_LINKED, _LINKS, _LINK_LENGTH = 0.65, 3, 60
_SEPARATORS = re.compile(r"[\s|·•/\\>»›«‹,，、。:：\-–—_()（）\[\]【】]+")


class Page(NamedTuple):
    """A page as drawn: its title and its text."""

    title: str
    text: str


def read_html(file: File) -> Iterator[Item]:
    """One row. The title is that of the page. Raises Unreadable where there is no body."""
    page = draw(file.data(), file.charset)
    yield Row(page.text, page.title or file.stem)


def draw(data: bytes | str, charset: str = "") -> Page:
    """The main text of a page. `charset` is what its container (HTTP, mail) declared; the page's own word comes next."""
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError:
        raise MissingExtra("selectolax", "data") from None
    if isinstance(data, bytes):
        said = _CHARSET.search(data[:4096])
        data = decode(data, charset or (said.group(1).decode("ascii") if said else ""))
    with parsing("HTML page"):
        tree = LexborHTMLParser(data)
        title_node = tree.css_first("title")
        title = " ".join(title_node.text().split())[:300] if title_node else ""
        for node in tree.css(_NEVER):
            if node.tag not in ("body", "html"):
                node.decompose()
        for node in tree.css(_EDGES):
            node.decompose()
        body = tree.body
        if body is None:
            raise Unreadable("holds no HTML body", "empty")
        ways: list[Any] = []
        _measure(body, ways)
        lines: list[str] = []
        _lines(body, lines, {node.mem_id for node in ways})
        if not any(re.search(r"\w", line) for line in lines) and ways:
            # Nothing but links: the page is a table of contents, and that is what it says.
            lines = []
            _lines(body, lines, frozenset())
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip()
    return Page(title, text + "\n" if text else "")


class _Links(NamedTuple):
    """Of a block: characters of text, characters in links, links, and whether it holds a heading or code."""

    text: int
    linked: int
    links: int
    kept: bool


def _measure(node: Any, ways: list[Any], inside: bool = False) -> _Links:
    text = linked = links = 0
    kept = False
    for child in node.iter(include_text=True):
        tag = child.tag
        if tag == "-text":
            size = len(_SEPARATORS.sub("", child.text_content or ""))
            text += size
            linked += size if inside else 0
            continue
        found = _measure(child, ways, inside or tag == "a")
        if tag == "a" and found.text and child.attributes.get("href"):
            links += 1
        elif tag == "a" and not inside:
            found = found._replace(linked=0)
        if _is_way(tag, found):
            ways.append(child)
            continue
        text, linked, links = text + found.text, linked + found.linked, links + found.links
        kept = kept or found.kept or tag == "pre" or tag == "h1"
    return _Links(text, linked, links, kept)


def _is_way(tag: str, block: _Links) -> bool:
    return (
        tag in _JUDGED
        and not block.kept
        and block.links >= _LINKS
        and block.linked >= _LINKED * block.text
        and block.linked <= _LINK_LENGTH * block.links
    )


def _lines(node: Any, lines: list[str], ways: Any) -> None:
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
        elif child.mem_id in ways:
            break_line()
        elif len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            break_line()
            heading = " ".join(child.text().split())
            if heading:
                lines += ["", "#" * int(tag[1]) + " " + heading, "", ""]
        elif tag == "tr" and not child.css_first("table, p, div, ul, h1, h2, h3"):
            break_line()
            cells = [" ".join(cell.text().split()) for cell in child.css("td, th")]
            if any(cells):
                lines += ["| " + " | ".join(cells) + " |" if len(cells) > 1 else cells[0], ""]
        elif tag == "tr":
            _row(child, lines, ways, break_line)
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
            _lines(child, lines, ways)
            if tag in _BLOCKS:
                if lines and lines[-1] == "- ":
                    lines.pop()
                break_line()
                if tag not in ("li", "br", "dt"):
                    lines.append("")


def _row(row: Any, lines: list[str], ways: Any, break_line: Any) -> None:
    """A row with blocks in its cells: of a table when each cell is a short text, else a frame that holds a layout."""
    cells = [cell for cell in row.iter() if cell.tag in ("td", "th")]
    texts = [" ".join(cell.text(separator=" ").split()) for cell in cells]
    layout = len(cells) < 2 or row.css_first("table, ul, h1, h2, h3") or max(map(len, texts)) > 600
    break_line()
    if layout:
        for cell in cells:
            break_line()
            lines.append("")
            _lines(cell, lines, ways)
    elif any(texts):
        lines += ["| " + " | ".join(texts) + " |", ""]
