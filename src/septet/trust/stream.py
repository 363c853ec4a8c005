"""The guard on an answer while it is written.

Text is let go in pieces that end where no finding is likely to straddle: at the end of a sentence, at a clause once a piece
is long, at a hard limit. Where a piece ends depends only on the text before it and one character after it, never on how the
tokens were cut, so a streamed answer and a whole one are treated alike. Each piece is looked at together with the two
before it: a cue or the first half of a word may stand there.
"""

import re
from typing import TYPE_CHECKING

from septet.detect.actions import apply
from septet.detect.span import Span

if TYPE_CHECKING:
    from septet.trust.guard import Guard, Verdict

_SENTENCE = re.compile(r"[。！？；!?;…\n]+[\"'”’」』)）\]]*|(?<![0-9A-Z])\.[\"'”’)\]]*(?=\s)")
_CLAUSE = re.compile(r"[，、：,:](?=[^0-9])|(?<![0-9A-Za-z])\s|(?<=[^\W\d_])\s(?=[^\W\d_])")
_CLAUSE_FROM = 60  # characters from which on a clause ends a piece: bounds the delay of long sentences
_LIMIT = 320  # characters at which a piece ends wherever it is
_LOOKAHEAD = 2


class AnswerStream:
    """Feed tokens, show what comes back. After a block nothing more comes: stop the model and show `verdict.message`."""

    def __init__(self, guard: "Guard"):
        self._guard = guard
        self._text = ""
        self._starts = [0]  # where the pieces begin; the last one is open
        self._spans: list[Span] = []
        self._shown: list[str] = []
        self._reasons: tuple[str, ...] = ()
        self._category = ""

    @property
    def blocked(self) -> bool:
        return bool(self._reasons)

    @property
    def verdict(self) -> "Verdict":
        """The verdict on what was looked at so far; final after `flush`."""
        shown = "".join(self._shown)
        if self.blocked:
            return self._guard.blocked(self._text, self._spans, self._category, self._reasons, shown)
        return self._guard.passed(self._spans, shown)

    def feed(self, token: str) -> str:
        """The text that may be shown now; empty while it is held back, and after a block."""
        if self.blocked:
            return ""
        self._text += token
        out = ""
        while not self.blocked and (end := _piece_end(self._text, self._starts[-1])) is not None:
            out += self._release(end)
        return out

    def flush(self) -> str:
        """The rest, once the model has finished."""
        if self.blocked or self._starts[-1] == len(self._text):
            return ""
        return self._release(len(self._text))

    def _release(self, end: int) -> str:
        start = self._starts[-1]
        context = self._starts[max(0, len(self._starts) - 3)]
        found = self._guard.find_in_answer(self._text[context:end])
        moved = [
            Span(s.start + context, s.end + context, s.kind, s.score, s.rule) for s in found if s.end + context > start
        ]
        self._spans += moved
        self._category, self._reasons = self._guard.block_reason(self._spans)
        if self.blocked:
            return ""
        shown = self._treat(start, end, moved)
        self._shown.append(shown)
        self._starts.append(end)
        return shown

    def _treat(self, start: int, end: int, spans: list[Span]) -> str:
        """A finding that began in an earlier piece is blacked out: its first half has been shown."""
        inside = [Span(s.start - start, s.end - start, s.kind, s.score, s.rule) for s in spans if s.start >= start]
        cut = [s for s in self._guard.to_mask(spans) if s.start < start]
        skip = max((s.end - start for s in cut), default=0)
        rest = [Span(max(0, s.start - skip), s.end - skip, s.kind, s.score, s.rule) for s in inside if s.end > skip]
        piece = self._text[start:end]
        return (apply(piece[:skip], [Span(0, skip, "cut")], {"cut": "redact"}) if skip else "") + self._guard.treat(
            piece[skip:], rest
        )


def _piece_end(text: str, start: int) -> int | None:
    """Where the piece that begins at `start` ends, or None while more text is needed to tell."""
    known = len(text) - _LOOKAHEAD
    ends = [start + _LIMIT]
    for pattern, begin in ((_SENTENCE, start), (_CLAUSE, start + _CLAUSE_FROM)):
        for match in pattern.finditer(text, begin):
            if not _joined(text, match.start(), match.end()):
                ends.append(match.end())
                break
    return min(ends) if min(ends) <= known else None


def _joined(text: str, start: int, end: int) -> bool:
    """Whether digits stand on both sides: a number may go on over a line end."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return before.isdigit() and after.isdigit()
