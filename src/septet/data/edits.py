"""From a span of a changed text back to the file it came from.

An edit is `[start, end, length]`: characters start to end of the text as it was read were replaced by `length` others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

Edit = tuple[int, int, int]


def encode(edits: Sequence[Edit]) -> str:
    return json.dumps([list(edit) for edit in sorted(edits)]) if edits else ""


def decode(text: str) -> list[Edit]:
    return [(start, end, length) for start, end, length in json.loads(text)] if text else []


def original(edits: Sequence[Edit], start: int, end: int) -> tuple[int, int]:
    """The span of the text as it was read that became the span `start` to `end` of today's. A span that cuts into a
    replacement is widened to the whole of what was replaced."""
    return _back(edits, start, False), _back(edits, end, True)


def _back(edits: Sequence[Edit], position: int, is_end: bool) -> int:
    shift = 0
    for was_start, was_end, length in sorted(edits):
        new_start = was_start + shift
        new_end = new_start + length
        if position < new_start or (is_end and position == new_start):
            break
        if position < new_end or (is_end and position == new_end):
            return was_end if is_end else was_start
        shift += length - (was_end - was_start)
    return position - shift
