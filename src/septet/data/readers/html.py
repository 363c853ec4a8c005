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
from septet.data.readers.office import table_lines
from septet.data.readers.row import Item, Row, Unreadable, parsing

_NEVER = ", ".join(
    (
        *"script style noscript template nav aside svg iframe object embed button select textarea head".split(),
        *(f"[role={role}]" for role in ("navigation", "banner", "contentinfo", "search", "menu")),
        *("[aria-hidden=true]", "[hidden]", "[style*='display:none']", "[style*='display: none']"),
    )
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
# So many links one after the other, with nothing between them, are a menu wherever they stand.
_RUN = 5
# Words in a class or an id that say what a block is, where its links say so too.
_NAMED = re.compile(
    r"(?:^|[\s_-])(?:(?:doc|top|main|site|sub)?nav(?:bar|igation)?|menu|breadcrumbs?|pag(?:er|ination)|sidebar|footer)"
    r"(?:$|[\s_-])"
)
# A cell with a longer text than this belongs to a layout (characters).
_CELL = 1000
_BEFORE, _AFTER = frozenset("$ € £ ¥ ￥".split()), frozenset("% ) )% pts".split())
# More columns than this are no cell's width.
_SPAN = 100
_BLANKS = re.compile(r"\s+")
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
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(_line(line) for line in lines)).strip()
    return Page(title, text + "\n" if text else "")


def _line(line: str) -> str:
    """A line without blanks at its end; a bullet or a table row without any text is none."""
    line = line.rstrip()
    return line if line.strip("-|*• ") or line.startswith(("---", "| ---")) else ""


class _Links(NamedTuple):
    """Of a block: characters of text, characters in links, links, and whether it holds a heading or code."""

    text: int
    linked: int
    links: int
    kept: bool


def _measure(node: Any, ways: list[Any], inside: bool = False, data: bool = False) -> _Links:
    text = linked = links = 0
    kept = False
    run: list[tuple[Any, _Links]] = []

    def end_run() -> None:
        if sum(one.links for _, one in run) >= _RUN and not data:
            ways.extend(one for one, _ in run)
        run.clear()

    for child in node.iter(include_text=True):
        tag = child.tag
        if tag == "-text":
            held = child.text_content or ""
            if not held or held.isspace():
                continue
            size = len(_SEPARATORS.sub("", held))
            text += size
            linked += size if inside else 0
            if run and size and not inside:
                end_run()
            continue
        # The cells of a table with names for its columns are data, however many links stand in them.
        table = tag == "table" and _is_data(child)
        found = _measure(child, ways, inside or tag == "a", data or table)
        if tag == "a" and found.text and child.attributes.get("href"):
            found = found._replace(links=found.links + 1)
        elif tag == "a" and not inside:
            found = found._replace(linked=0)
        if not data and not table and _is_way(child, tag, found):
            ways.append(child)
            continue
        if not inside and found.links and not found.kept and found.linked >= 0.9 * found.text:
            run.append((child, found))
        elif run and found.text:
            end_run()
        text, linked, links = text + found.text, linked + found.linked, links + found.links
        kept = kept or found.kept or table or tag == "pre" or tag == "h1"
    if run:
        end_run()
    return _Links(text, linked, links, kept)


def _is_data(table: Any) -> bool:
    """Whether a table names its columns and does not nest others, and its cells are no lists of links."""
    if not table.css_first("th, caption, thead") or table.css_first("td table, th table"):
        return False
    return len(table.css("td a[href]")) <= 2 * len(table.css("td"))


def _is_way(node: Any, tag: str, block: _Links) -> bool:
    if tag not in _JUDGED or block.kept or not block.links:
        return False
    named = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}".lower()
    if _NAMED.search(named) and block.linked >= 0.4 * block.text and block.text < 1000:
        return True
    return block.links >= _LINKS and block.linked >= _LINKED * block.text and block.linked <= _LINK_LENGTH * block.links


def _lines(node: Any, lines: list[str], ways: Any) -> None:
    def break_line() -> None:
        if lines and lines[-1] and lines[-1] != "- ":
            lines.append("")

    for child in node.iter(include_text=True):
        tag = child.tag
        if tag == "-text":
            text = _BLANKS.sub(" ", child.text_content or "")
            if text and text != " ":
                if not lines:
                    lines.append("")
                lines[-1] = lines[-1] + text.lstrip() if lines[-1] == "- " else (lines[-1] + text).lstrip()
            elif lines and lines[-1] and not lines[-1].endswith(" "):
                lines[-1] += " "
        elif child.mem_id in ways:
            break_line()
        elif len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            break_line()
            heading = " ".join(child.text().split())
            if heading:
                lines += ["", "#" * int(tag[1]) + " " + heading, "", ""]
        elif tag == "table" and (rows := _cells(child, ways)):
            break_line()
            caption = child.css_first("caption")
            lines += [" ".join(caption.text().split()), ""] if caption else []
            lines += [*table_lines(rows), "", ""]
        elif tag == "pre":
            break_line()
            lines += ["```", *child.text().strip("\n").split("\n"), "```", ""]
        else:
            if tag == "li":
                break_line()
                while len(lines) > 1 and not lines[-1] and not lines[-2]:
                    lines.pop()
                if len(lines) > 1 and not lines[-1] and lines[-2].startswith("- "):
                    lines[-1] = "- "
                else:
                    lines.append("- ")
            elif tag in _BLOCKS and not (lines and lines[-1] == "- "):
                break_line()
                lines.append("")
            _lines(child, lines, ways)
            if tag in _BLOCKS:
                if lines and lines[-1] == "- ":
                    lines.pop()
                break_line()
                if tag not in ("li", "br", "dt"):
                    lines.append("")


def _cells(table: Any, ways: Any) -> list[list[str]]:
    """The texts of a table's cells, without columns that are empty; nothing for a table that holds a layout."""
    if table.css_first("td table, th table, td h1, td h2, td h3, td pre"):
        return []
    rows = []
    below: dict[int, int] = {}
    for row in table.css("tr"):
        cells: list[str] = []
        for cell in row.iter():
            if cell.tag in ("td", "th"):
                while below.get(len(cells), 0) > 0:  # a cell of a row above reaches down to here
                    below[len(cells)] -= 1
                    cells.append("")
                rowspan = cell.attributes.get("rowspan") or ""
                below[len(cells)] = min(int(rowspan), _SPAN) - 1 if rowspan.isdecimal() else 0
                drawn: list[str] = []
                _lines(cell, drawn, ways)
                cells.append(" ".join(" ".join(drawn).split()))
                span = cell.attributes.get("colspan") or ""
                cells += [""] * (min(int(span), _SPAN) - 1 if span.isdecimal() else 0)
        if any(cells):
            rows.append(_joined(cells))
    width = max(map(len, rows), default=0)
    longest = max((len(cell) for row in rows for cell in row), default=0)
    if width < 2 or longest > (_CELL if len(rows) > 1 else _CELL / 10):
        return []
    columns = [[row[place] if place < len(row) else "" for row in rows] for place in range(width)]
    return [list(row) for row in zip(*(column for column in columns if any(column)), strict=True)]


def _joined(row: list[str]) -> list[str]:
    """A row whose currency signs, percent signs and closing brackets stand with the number, not in cells of their own."""
    for place, cell in enumerate(row):
        if cell in _BEFORE and place + 1 < len(row) and row[place + 1]:
            row[place], row[place + 1] = cell + row[place + 1], ""
        elif cell in _AFTER and place:
            at = place - 1 if row[place - 1] or place < 2 else place - 2
            if row[at]:
                row[at], row[place] = row[at] + cell, ""
    return row
