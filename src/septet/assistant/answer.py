"""What an assistant is asked with, and what it gives back."""

from __future__ import annotations

from typing import Any

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to answer. `max_tokens` 0: as the release says. A temperature of 0 is greedy. `as_of` is the day on which what is cited
    must hold (ISO; "": today)."""

    max_tokens: int = 0
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    as_of: str = ""


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
    version: str = ""
    """Which version of the document it is, as the document says."""
    valid_from: str = ""
    valid_to: str = ""
    """The days between which that version holds; empty where nothing says so."""
    digest: str = ""
    """The digest of the file as it was read."""


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of an answer and what became of it.

    `action` is shown, marked, removed, or none for one that asserts nothing (an abstention). `citation` is the number that
    stands behind it; `reasons` say what speaks against it.
    """

    text: str
    action: str
    supported: bool = False
    citation: int = 0
    score: float = 0.0
    reasons: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer with its evidence.

    `finish` is stop, length or content_filter; `supported` says that every sentence stands in a context; `guard` holds
    action and reasons for prompt and answer. `abstained` says that the documents do not answer, and `because` who found that:
    `nothing near` (before the model was asked), `model`, or `nothing stands` (no sentence of the model's was borne out).
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
    because: str = ""
    sentences: tuple[Sentence, ...] = ()
    as_of: str = ""
    """The day on which what is cited holds; empty: the day of the answer."""
    revision: int = 0
    """The revision of the knowledge base that was searched; 0 is that which was tested."""
    left_out: dict[str, int] = {}
    """What did not reach the model, by what it was: earlier messages, passages that read like orders, contexts cut short."""
