"""The two languages of the interface: one table of words each, and the choice between them.

Data (titles, questions, reasons, names) is shown as it is and never translated.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request

LANGUAGES = {"zh": "zh-CN", "en": "en"}
"""Each language with its name in HTML."""
COOKIE = "septet-language"
_WORDS = Path(__file__).parent / "words"

Words = Mapping[str, str]


def load(language: str) -> Words:
    """The words of a language: dotted keys to texts, with {0}, {1} where values go."""
    tables: Mapping[str, Any] = tomllib.loads((_WORDS / f"{language}.toml").read_text("utf-8"))
    return {f"{table}.{key}": text for table, texts in tables.items() for key, text in texts.items()}


def speaker(words: Words) -> Callable[..., str]:
    """A function from a key and values to a text. An unknown key is a bug and raises KeyError."""

    def say(key: str, *values: object) -> str:
        return words[key].format(*values)

    return say


def known_or(words: Words, table: str, text: str) -> str:
    """The word for a value that comes from data, where the table has one; else the value itself."""
    return words.get(f"{table}.{text.replace(' ', '_').replace(',', '')}", text)


def choose(request: Request) -> str:
    """What the address says, else what was chosen before, else what the browser prefers, else English."""
    for given in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if given in LANGUAGES:
            return given
    wishes = []
    for place, part in enumerate(request.headers.get("accept-language", "").split(",")):
        name, _, weight = part.strip().partition(";q=")
        try:
            wishes.append((-float(weight or 1), place, name.lower().partition("-")[0]))
        except ValueError:
            continue
    return next((name for weight, _, name in sorted(wishes) if weight < 0 and name in LANGUAGES), "en")
