"""A finding: where in the original text, of what kind, how sure, and which rule fired.

Offsets are characters of the original text, end exclusive, whatever view of the text the detector looked at.
Knows nothing about what is done with a finding.
"""

from collections.abc import Callable, Iterable

import msgspec


class Span(msgspec.Struct, frozen=True, gc=False):
    """One finding. `score` is between 0 and 1; `rule` names the pattern, word list or check that fired."""

    start: int
    end: int
    kind: str
    score: float = 1.0
    rule: str = ""

    def of(self, text: str) -> str:
        return text[self.start : self.end]


Detector = Callable[[str], list[Span]]


def merge(spans: Iterable[Span]) -> list[Span]:
    """Disjoint spans in reading order that together cover everything the given spans cover.

    Where spans overlap, the surest wins, then the longest, and the winner is stretched over the loser: a masked text must
    not show the tail of the loser.
    """
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end, s.kind, s.rule)):
        if span.start >= span.end:
            continue
        if merged and span.start < merged[-1].end:
            merged[-1] = _join(merged[-1], span)
        else:
            merged.append(span)
    return merged


def _join(first: Span, second: Span) -> Span:
    winner = max((first, second), key=lambda s: (s.score, s.end - s.start, -s.start))
    return Span(first.start, max(first.end, second.end), winner.kind, winner.score, winner.rule)
