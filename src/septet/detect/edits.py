"""From a span of a changed text back to the file it came from.

An edit is `[start, end, length]`: characters start to end of the text as it was read were replaced by `length` others.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

Edit = tuple[int, int, int]


def encode(edits: Sequence[Edit]) -> str:
    return msgspec.json.encode(sorted(edits)).decode() if edits else ""


def encode_cuts(starts: Sequence[int], ends: Sequence[int], bounds: Sequence[int]) -> list[str]:
    """What `encode` gives for each of many texts that only lost spans, disjoint and in order: those of text n are
    `bounds[n]` to `bounds[n + 1]`. Written out, since a call of an encoder for a span or two costs more than its digits."""
    spans = [f"[{start},{end},0]" for start, end in zip(starts, ends, strict=True)]
    return [f"[{','.join(spans[first:last])}]" if last > first else "" for first, last in itertools.pairwise(bounds)]


def decode(text: str) -> list[Edit]:
    return [(start, end, length) for start, end, length in msgspec.json.decode(text)] if text else []


def original(edits: Sequence[Edit], start: int, end: int) -> tuple[int, int]:
    """The span of the text as it was read that became the span `start` to `end` of today's. A span that cuts into a
    replacement is widened to the whole of what was replaced."""
    return _back(edits, start, False), _back(edits, end, True)


def compose(first: Sequence[Edit], second: Sequence[Edit]) -> list[Edit]:
    """The edits that lead to the same text as `first`, and then `second` of the text that `first` made."""
    if not first:
        return sorted(second)
    # Start and end in the text between, growth, start and end in the text as it was read.
    regions: list[tuple[int, int, int, int, int]] = []
    shift = 0
    for start, end, length in sorted(first):
        regions.append((start + shift, start + shift + length, 0, start, end))
        shift += length - (end - start)
    for start, end, length in second:
        was_start, was_end = original(first, start, end)
        regions.append((start, end, length - (end - start), was_start, was_end))
    made: list[Edit] = []
    group: list[tuple[int, int, int, int, int]] = []
    for region in [*sorted(regions), None]:
        if region is not None and (not group or region[0] <= max(one[1] for one in group)):
            group.append(region)
            continue
        low, high = min(one[0] for one in group) if group else 0, max((one[1] for one in group), default=0)
        if group:
            length = high - low + sum(one[2] for one in group)
            made.append((min(one[3] for one in group), max(one[4] for one in group), length))
        group = [] if region is None else [region]
    return made


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
