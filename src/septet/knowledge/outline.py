"""What a line of a list or an enumeration hangs from: the lead-in above it, and the items that it is a part of.

A list item or the second half of an article means little without the words it continues: "(2) within ten days" of what?
The lines of a stretch are read once; the marks at their heads (`-`, `1.`, `(a)`, `(ii)`, `（一）`, `①`) say how deep each stands.
A mark of a kind that is open already closes what stands below it; one of a new kind begins a level. Letters and Roman numbers
look alike, and the one that goes on from the item before is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MARK = re.compile(
    r"(?P<bullet>[-*+•·▪])\s"
    r"|[（(]\s?(?P<han>[一二三四五六七八九十百]+)[）)]"
    r"|(?P<open>[（(]?)(?P<value>[0-9]{1,3}|[a-zA-Z]|[ivxlIVXL]{2,6})(?P<close>[.)）．、])(?=\s|[^\x00-\x7f]|$|(?<=[)）]))"
    r"|(?P<circle>[①-⑳])"
    r"|(?P<plain>[一二三四五六七八九十]{1,3})、"
)
_END = re.compile(r"[。！？；!?;：:]|\.(?=\s|$)")
_LONGEST = 160
"""Characters of a lead-in; an item that long says at its beginning what it is about."""
_ROMAN = (
    "",
    "i",
    "ii",
    "iii",
    "iv",
    "v",
    "vi",
    "vii",
    "viii",
    "ix",
    "x",
    "xi",
    "xii",
    "xiii",
    "xiv",
    "xv",
    "xvi",
    "xvii",
    "xviii",
    "xix",
    "xx",
)


class Line(NamedTuple):
    """A line that is not blank: its span without the blanks around it, and the lines that it hangs from, outermost first."""

    start: int
    end: int
    above: tuple[tuple[int, int], ...]
    marked: bool


class _Open(NamedTuple):
    kind: str
    value: str
    span: tuple[int, int]


def lines(text: str, start: int, end: int) -> Iterator[Line]:
    """The lines of a stretch with what they hang from."""
    lead: tuple[int, int] | None = None
    path: list[_Open] = []
    position = start
    for line in text[start:end].splitlines(keepends=True):
        bare = line.strip()
        if bare:
            begin = position + len(line) - len(line.lstrip())
            span = (begin, begin + len(bare))
            kinds = _kinds(bare, (len(line) - len(line.lstrip())) // 2)
            if not kinds:
                # Words without a mark close the list, and lead in the next one.
                path, lead = [], span
                yield Line(*span, (), False)
            else:
                path = _placed(path, kinds, span)
                above = tuple(one.span for one in path[:-1])
                yield Line(*span, (lead, *above) if lead else above, True)
        position += len(line)


def _kinds(bare: str, indent: int) -> list[tuple[str, str]]:
    """What a line's mark may be, as (kind, value)."""
    match = _MARK.match(bare)
    if match is None:
        return []
    if match["bullet"]:
        return [(f"bullet {indent}", "")]
    if match["value"] is None:
        return [(next(name for name in ("han", "circle", "plain") if match[name]), "")]
    value, shape = match["value"], ("()" if match["open"] else match["close"])
    if value.isdigit():
        return [(f"number {shape}", value)]
    case = "small" if value.islower() else "large"
    lower = value.lower()
    found = [(f"roman {case} {shape}", lower)] if lower in _ROMAN else []
    if len(value) == 1:
        found.append((f"letter {case} {shape}", lower))
    return found


def _placed(path: list[_Open], kinds: list[tuple[str, str]], span: tuple[int, int]) -> list[_Open]:
    """The path with this item at its end."""
    for depth in range(len(path) - 1, -1, -1):
        for kind, value in kinds:
            if path[depth].kind == kind and (len(kinds) == 1 or _next(kind, path[depth].value) == value):
                return [*path[:depth], _Open(kind, value, span)]
    # A new level: of two readings the one that begins a count (a, i).
    kind, value = next((one for one in kinds if one[1] in ("a", "i", "1", "")), kinds[-1])
    known = next((depth for depth in range(len(path) - 1, -1, -1) if path[depth].kind == kind), None)
    return [*(path if known is None else path[:known]), _Open(kind, value, span)]


def _next(kind: str, value: str) -> str:
    if kind.startswith("roman"):
        return _ROMAN[min(_ROMAN.index(value) + 1, len(_ROMAN) - 1)]
    return chr(ord(value) + 1)


def lead_in(text: str, start: int, end: int) -> str:
    """The words of a line that what hangs from it continues: the last sentence of one without a mark, the first of an item, cut
    where they are long."""
    line = text[start:end]
    stops = [match.end() for match in _END.finditer(line) if match.end() < len(line)]
    mark = _MARK.match(line)
    if mark:
        # The stop of the mark itself ("1.") ends no sentence.
        stops = [stop for stop in stops if stop > mark.end() + 1]
        said = line[: stops[0]] if stops and len(line) > _LONGEST else line
    else:
        said = line[stops[-1] :] if stops and len(line) > _LONGEST else line
    said = said.strip()
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1].rstrip() + "…"
