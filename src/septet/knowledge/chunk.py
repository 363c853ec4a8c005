"""Cutting a document along its structure: no chunk runs across a heading, a table keeps its head row, code stays whole.

A chunk is a span of the document's text, exactly as it stands there; its title is the path of headings above it, among them the
parts, chapters and sections of a Chinese law that are plain lines. Its context is what a reader needs beside that, and what stands
outside the span: the lead-in of a list's later items and the items above them, the head row of a table, the article that is
continued. Sizes are counted in units of reading: a Chinese character counts 7/3 of another one, since 300 Chinese characters carry
about as much as 700 English ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from septet.knowledge.outline import Line, lead_in, lines

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_ARTICLE = re.compile(r"^第[一二三四五六七八九十百千零〇0-9]+条(?:之[一二三四五六七八九十]+)?")
# A line of its own that names a part of a law. Text that merely begins with these words is longer, or ends in a stop.
_PART = re.compile(r"^第[一二三四五六七八九十百千零〇0-9]+(分编|编|章|节)(?=[\s　]|$)[^。；：，,;:]{0,30}$")
_PARTS = {"编": 10, "分编": 11, "章": 12, "节": 13}
"""Levels below those of Markdown."""
_SENTENCE = re.compile(r"[^。！？；!?;.\n]*(?:[。！？；!?;]+[”’」』）)]*|\.(?=\s|$)|\n|$)")
_WIDE = 7 / 3


class Chunk(NamedTuple):
    """A span of a document's text, with the headings it stands under."""

    start: int
    end: int
    title: str
    context: str = ""


class _Block(NamedTuple):
    start: int
    end: int
    kind: str
    """text, list, table or code"""


def chunks(text: str, title: str, size: int) -> list[Chunk]:
    """Cut a text into chunks of at most about `size` units (see the module). Blank stretches belong to no chunk."""
    found: list[Chunk] = []
    for section in _sections(text, title):
        first = len(found)
        pending: list[_Block] = []
        for block in _blocks(text, section.start, section.end):
            for part in _split(text, block, size):
                if pending and _weight(text[pending[0].start : part.end]) > size:
                    found.append(_joined(pending, section.title))
                    pending = []
                pending.append(part)
        if pending:
            # A short tail reads better with what stands before it than alone.
            joined = _joined(pending, section.title)
            before = found[-1] if found else None
            if (
                before is not None
                and before.start >= section.start
                and _weight(text[joined.start : joined.end]) < size / 5
                and _weight(text[before.start : joined.end]) <= size * 1.25
            ):
                found[-1] = Chunk(before.start, joined.end, before.title)
            else:
                found.append(joined)
        found[first:] = _with_context(text, section, found[first:])
    return found


def _with_context(text: str, section: Chunk, pieces: list[Chunk]) -> list[Chunk]:
    """The pieces of a section with their contexts. Each line is looked at once."""
    if len(pieces) < 2:
        return pieces
    article = _ARTICLE.match(text[section.start : section.end].lstrip())
    name = article.group() if article else ""
    places = list(lines(text, section.start, section.end))
    made, at, head = [], 0, ""
    for piece in pieces:
        while at + 1 < len(places) and places[at + 1].start <= piece.start:
            at += 1
        line = places[at]
        shown = [lead_in(text, *span) for span in line.above if span[0] < piece.start]
        if line.start < piece.start and line.marked:
            # The piece begins inside an item.
            shown.append(lead_in(text, line.start, line.end))
        if text.startswith("|", line.start):
            head = _head_row(text, places, at)
            shown += [head] if head and not text.startswith(head, piece.start) else []
        if name and piece.start > section.start and not any(one.startswith(name) for one in shown):
            shown.insert(0, name)
        made.append(piece._replace(context="\n".join(dict.fromkeys(shown))))
    return made


def _head_row(text: str, places: list[Line], at: int) -> str:
    """The first row of the table that a line stands in."""
    while at and text.startswith("|", places[at - 1].start) and not _parted(text, places[at - 1], places[at]):
        at -= 1
    return text[places[at].start : places[at].end]


def _parted(text: str, before: Line, after: Line) -> bool:
    return text.count("\n", before.end, after.start) > 1


def _joined(blocks: list[_Block], title: str) -> Chunk:
    return Chunk(blocks[0].start, blocks[-1].end, title)


def _sections(text: str, title: str) -> Iterator[Chunk]:
    """Stretches between headings, each with the path of headings that it stands under. Code fences hide headings."""
    path: list[tuple[int, str]] = []
    start, position, fenced = 0, 0, False
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        if bare.startswith(("```", "~~~")):
            fenced = not fenced
        match = None if fenced else _HEADING.match(line.rstrip("\n"))
        part = None if fenced or match else _PART.match(bare)
        article = None if fenced or match or part else _ARTICLE.match(bare)
        if match or part or article:
            if text[start:position].strip():
                yield Chunk(start, position, _path(title, path))
            if match:
                path = _below(path, len(match.group(1)), _plain(match.group(2)))
            elif part:
                path = _below(path, _PARTS[part.group(1)], bare)
            # The text of an article begins on the line that names it; a heading's line is in the title.
            start = position if article else position + len(line)
        position += len(line)
    if text[start:].strip():
        yield Chunk(start, len(text), _path(title, path))


def _below(path: list[tuple[int, str]], level: int, name: str) -> list[tuple[int, str]]:
    """The path with a heading of this level at its end."""
    return [one for one in path if one[0] < level] + [(level, name)]


def _path(title: str, path: list[tuple[int, str]]) -> str:
    names = [name for _, name in path if name]
    # A document's first heading often says its title in full: once is enough.
    if title and (not names or title not in names[0]):
        names.insert(0, title)
    return " > ".join(names)


def _plain(heading: str) -> str:
    return re.sub(r"[*_`]|\[([^\]]*)\]\([^)]*\)", lambda m: m.group(1) or "", heading).strip()


def _blocks(text: str, start: int, end: int) -> Iterator[_Block]:
    """Paragraphs, lists, tables and code of a stretch, trimmed of blanks at both ends."""
    position, begin, kind, fenced = start, start, "text", False
    for line in text[start:end].splitlines(keepends=True):
        bare = line.strip()
        fence = bare.startswith(("```", "~~~"))
        if fence and not fenced:
            yield from _trimmed(text, begin, position, kind)
            begin, kind, fenced = position, "code", True
        elif fence:
            fenced = False
            yield from _trimmed(text, begin, position + len(line), kind)
            begin, kind = position + len(line), "text"
        elif not fenced and not bare:
            yield from _trimmed(text, begin, position, kind)
            begin, kind = position, "text"
        elif not fenced and bare.startswith("|"):
            kind = "table"
        elif (
            not fenced
            and re.match(r"[-*+•]\s|\d+[.)、]\s?", bare)
            and kind == "text"
            and not text[begin:position].strip()
        ):
            kind = "list"
        position += len(line)
    yield from _trimmed(text, begin, end, kind)


def _trimmed(text: str, start: int, end: int, kind: str) -> Iterator[_Block]:
    piece = text[start:end]
    if piece.strip():
        yield _Block(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()), kind)


def _split(text: str, block: _Block, size: int) -> Iterator[_Block]:
    """A block that is too long, cut at sentences or lines, and inside a sentence only where that alone is too long."""
    if _weight(text[block.start : block.end]) <= size:
        yield block
        return
    pieces: Iterator[tuple[int, int]]
    if block.kind == "text":
        pieces = ((m.start(), m.end()) for m in _SENTENCE.finditer(text, block.start, block.end) if m.end() > m.start())
    else:
        pieces = _line_spans(text, block.start, block.end)
    start = block.start
    last = start
    for piece_start, piece_end in pieces:
        if piece_start > start and _weight(text[start:piece_end]) > size:
            yield from _trimmed(text, start, last, block.kind)
            start = piece_start
        while _weight(text[start:piece_end]) > size * 2:
            cut = start + max(1, int(len(text[start:piece_end]) * size / _weight(text[start:piece_end])))
            yield from _trimmed(text, start, cut, block.kind)
            start = cut
        last = piece_end
    yield from _trimmed(text, start, block.end, block.kind)


def _line_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    position = start
    for line in text[start:end].splitlines(keepends=True):
        yield position, position + len(line)
        position += len(line)


def _weight(text: str) -> float:
    wide = sum(1 for character in text if character >= "\u2e80")
    return len(text) - wide + wide * _WIDE
