"""What a reader yields: rows, and rejects for what could not be read. What goes in comes out as one or the other.

A reader knows nothing of licences, ids or Parquet; it says what a place of a file holds. The texts of rejects end up in
`rejected.jsonl`, their `rule` is the class that is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from septet.core import SeptetError

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff\udc80-\udcff]")


class Row(NamedTuple):
    """A text with its place. `start` is the character of the text at `where` with which it begins; `meta` is a JSON object."""

    text: str
    title: str = ""
    where: str = ""
    start: int = 0
    page: int = 0
    meta: str = ""
    transform: str = ""
    source: str = ""
    licence: str = ""


class Reject(NamedTuple):
    """What could not be read, why, the class of the reason, and how many records it speaks for."""

    where: str
    reason: str
    rule: str = "unreadable"
    records: int = 1


Item = Row | Reject


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the user says of how to read. Plain values: it goes to worker processes as JSON."""

    text_columns: tuple[str, ...] = ()
    id_column: str = ""
    licence_column: str = ""
    source_column: str = ""
    ocr: bool = False
    ocr_confidence: float = 0.7


class Unreadable(Exception):
    """A file or the rest of it cannot be read. The text is the reason; `rule` is its class."""

    def __init__(self, reason: str, rule: str = "unreadable") -> None:
        super().__init__(reason)
        self.rule = rule


@contextmanager
def parsing(what: str) -> Iterator[None]:
    """Turns whatever a parser throws at a broken file into Unreadable, so that one file never stops the rest."""
    try:
        yield
    except (Unreadable, SeptetError):
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise Unreadable(f"is not a readable {what}: {said}") from error


def cleaned(text: str) -> str:
    """Line ends as `\\n`, without control characters, non-characters and halves of broken pairs."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", text)


def as_meta(facts: dict[str, Any]) -> str:
    """Facts as the JSON object of a row, without those that say nothing."""
    held = {str(key): value for key, value in facts.items() if value not in (None, "", [], {})}
    return msgspec.json.encode(held, enc_hook=str).decode() if held else ""
