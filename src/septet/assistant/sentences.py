"""An answer sentence by sentence as it is written: each is held back until it is checked, then shown with its citation.

What no passage bears out is marked or removed, as the policy says. A sentence that says nothing of its own ("Yes.") waits for the
next one and shares its lot. Citation numbers that the model wrote itself are taken out: nobody checked them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from septet.assistant.answer import Citation, Sentence
from septet.detect import grounding
from septet.model.template import abstains

MARK, REMOVE = "mark", "remove"
_WRITTEN = re.compile(r"\s*(?:\[\d{1,3}\]|【\d{1,3}】)")
_BARE = re.compile(
    r"\W*(?:yes|no|right|correct|sure|of course|not quite|是|是的|不是|不是的|对|不对|可以|不可以|能|不能|会|不会|有|"
    r"没有|需要|不需要|好的)\W*",
    re.I,
)
_WIDE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef][\"'”’」』]*$")


class Sentences:
    """Feed text that is safe to show, show what comes back. `chunks` are what the model was given, best first."""

    def __init__(self, chunks: Sequence[dict[str, Any]], settings: grounding.Settings, action: str, mark: str) -> None:
        self._chunks = chunks
        self._evidence = grounding.Evidence(
            [chunk["text"] for chunk in chunks], settings, [grounding.head(one) for one in chunks]
        )
        self._action = action
        self._mark = mark
        self._pending = ""
        self._bare = ""
        self._shown = 0
        self.citations: list[Citation] = []
        self.sentences: list[Sentence] = []

    @property
    def supported(self) -> bool:
        """Whether something was said, and every sentence of it is borne out."""
        said = [one for one in self.sentences if one.action != "none"]
        return bool(said) and all(one.supported for one in said)

    @property
    def removed(self) -> int:
        """How many sentences were removed."""
        return sum(one.action == "removed" for one in self.sentences)

    def feed(self, text: str) -> str:
        """The sentences that are complete now, checked; the last one is held back, since it may go on."""
        self._pending += text
        bounds = grounding.sentences(self._pending)
        if len(bounds) < 2:
            return ""
        cut = bounds[-2][1]
        whole, self._pending = self._pending[:cut], self._pending[cut:]
        return self._released(whole)

    def flush(self) -> str:
        """The rest, once the model has finished."""
        whole, self._pending = self._pending, ""
        out = self._released(whole)
        if self._bare:
            rest, self._bare = self._bare, ""
            out += self._decided(rest, None)
        return out

    def _released(self, text: str) -> str:
        out, at = "", 0
        for _, end in grounding.sentences(text):
            # The white space before a sentence comes and goes with it.
            piece, at = _WRITTEN.sub("", text[at:end]), end
            check = next(iter(self._evidence.check(piece.strip())), None)
            if abstains(piece.strip()):
                out += self._said(self._bare + piece, Sentence(text=piece.strip(), action="none"))
                self._bare = ""
            elif check is None or check.reasons == grounding.EMPTY or _BARE.fullmatch(piece):
                self._bare += piece
            else:
                piece, self._bare = self._bare + piece, ""
                out += self._decided(piece, check)
        return out

    def _decided(self, piece: str, check: grounding.SentenceCheck | None) -> str:
        bare = piece.strip()
        if check is not None and check.supported and check.citation is not None:
            number = self._cited(self._chunks[check.citation], check)
            shown = piece.rstrip()
            shown += f"[{number}]" if _WIDE.search(shown) else f" [{number}]"
            return self._said(
                shown, Sentence(text=bare, action="shown", supported=True, citation=number, score=check.score)
            )
        reasons = check.reasons if check is not None else grounding.EMPTY
        score = check.score if check is not None else 0.0
        if self._action == REMOVE:
            self.sentences.append(Sentence(text=bare, action="removed", score=score, reasons=reasons))
            return ""
        shown = piece.rstrip()
        mark = self._mark if _WIDE.search(shown) or self._mark[:1].isspace() else f" {self._mark}".rstrip()
        return self._said(shown + mark, Sentence(text=bare, action="marked", score=score, reasons=reasons))

    def _said(self, shown: str, sentence: Sentence) -> str:
        shown = shown if self._shown else shown.lstrip()
        self._shown += len(shown)
        self.sentences.append(sentence)
        return shown

    def _cited(self, chunk: dict[str, Any], check: grounding.SentenceCheck) -> int:
        """The number of a passage's words: the same words keep theirs."""
        made = cite(len(self.citations) + 1, chunk, check.quote_start, check.quote_end)
        for one in self.citations:
            if (one.chunk, one.quote, one.start) == (made.chunk, made.quote, made.start):
                return one.number
        self.citations.append(made)
        return made.number


def cite(number: int, chunk: dict[str, Any], start: int, end: int) -> Citation:
    """A citation of characters `start` to `end` of a chunk's text.

    Its place in the file is that of the quote, where the chunk's text is the file's own; where something was masked in it, that
    of the chunk.
    """
    own = chunk["end"] - chunk["start"] == len(chunk["text"])
    return Citation(
        number=number,
        chunk=chunk["id"],
        title=chunk["title"],
        source=chunk["source"],
        start=chunk["start"] + start if own else chunk["start"],
        end=chunk["start"] + end if own else chunk["end"],
        page=chunk["page"],
        quote=chunk["text"][start:end],
        version=str(chunk.get("version") or ""),
        valid_from=str(chunk.get("valid_from") or ""),
        valid_to=str(chunk.get("valid_to") or ""),
        digest=str(chunk.get("source_digest") or ""),
    )
