"""What an assistant is asked with, and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from septet.detect.grounding import SentenceCheck


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to generate. `max_tokens` 0: as the release says. A temperature of 0 is greedy."""

    max_tokens: int = 0
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()


class Piece(msgspec.Struct, frozen=True):
    """A stretch of an answer that is safe to show, in the order in which it comes."""

    text: str


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """A number in an answer and what it points to: characters `start` to `end` of a file's text, and the words quoted."""

    number: int
    chunk: str
    title: str
    source: str
    start: int
    end: int
    page: int
    quote: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer with its evidence.

    `finish` is stop, length or content_filter; `supported` says that every sentence stands in a context; `guard` holds
    action and reasons for prompt and answer.
    """

    id: str
    text: str
    question: str
    language: str
    citations: tuple[Citation, ...]
    contexts: tuple[dict[str, Any], ...]
    finish: str
    prompt_tokens: int
    completion_tokens: int
    guard: dict[str, Any]
    supported: bool
    abstained: bool
    release: str
    seconds: float
    left_out: dict[str, int] = {}
    """What did not reach the model, by what it was: earlier messages, passages that read like orders, contexts cut short."""


def cite(
    checks: Sequence[SentenceCheck], contexts: Sequence[dict[str, Any]], chunks: Sequence[dict[str, Any]]
) -> list[Citation]:
    """One citation for each context that bears a sentence, numbered by first use. The quote is the context's own words."""
    found: dict[int, Citation] = {}
    for sentence in checks:
        place = sentence.citation
        if place is None or place in found:
            continue
        chunk = chunks[place]
        found[place] = Citation(
            number=len(found) + 1,
            chunk=contexts[place]["chunk"],
            title=chunk["title"],
            source=chunk["source"],
            start=chunk["start"],
            end=chunk["end"],
            page=chunk["page"],
            quote=chunk["text"][sentence.quote_start : sentence.quote_end],
        )
    return list(found.values())


def marks(checks: Sequence[SentenceCheck], citations: Sequence[Citation], contexts: Sequence[dict[str, Any]]) -> str:
    """The citation numbers that an answer ends with, such as ` [1][2]`."""
    numbers = {one.chunk: one.number for one in citations}
    used = [numbers[contexts[s.citation]["chunk"]] for s in checks if s.citation is not None]
    return "".join(f"[{number}]" for number in dict.fromkeys(used))
