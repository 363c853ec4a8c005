"""Copies of a text with something done to it: words edited at a rate, decodings gone wrong, sentences repeated, words made noise.

What the self-test plants beside personal data. All is drawn from a seeded source, and every text can be spoiled.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_TOKEN = re.compile(r"[A-Za-z0-9]+|[\u3400-\u9fff]|\s+|.", re.S)
_END = re.compile(r"[。！？；]|[.!?](?=\s)|\n")
EDIT_RATES = (0.002, 0.01, 0.03, 0.1, 0.3)
"""Shares of the words that are edited: from a corrected typing error to another text."""


def is_word(token: str) -> bool:
    return token[0].isalnum()


def tokens(text: str) -> list[str]:
    """Latin words and Chinese characters, blanks and marks, which together are the text."""
    return _TOKEN.findall(text)


def edited(text: str, rate: float, draw: random.Random) -> str:
    """The text with a share of its words replaced by others of its words, left out, or doubled: a third each; at least one."""
    found = tokens(text)
    words = [place for place, token in enumerate(found) if is_word(token)]
    if not words:
        return text + "."
    chosen = set(draw.sample(words, min(len(words), max(1, round(rate * len(words))))))
    made = []
    for place, token in enumerate(found):
        if place not in chosen:
            made.append(token)
            continue
        how = draw.randrange(3)
        other = found[draw.choice(words)]
        if how == 0:
            made.append(other)
        elif how == 1:
            made += [token, " ", other] if token.isascii() else [token, other]
    return "".join(made)


def inserted(text: str, sentence: str, draw: random.Random) -> tuple[str, int]:
    """The text with a sentence after one of its sentences, and where it begins."""
    places = [match.end() for match in _END.finditer(text)]
    if not places:
        text, places = text.rstrip() + "\n", [len(text.rstrip()) + 1]
    place = draw.choice(places)
    before = "" if place and text[place - 1] in "\n。！？；" else " "
    after = "\n" if place == len(text) else "" if text[place : place + 1].isspace() else " "
    return text[:place] + before + sentence + after + text[place:], place + len(before)


def garbled(text: str, draw: random.Random) -> str:
    """UTF-8 read as another encoding, as mails and old systems do."""
    data = text.encode()
    if draw.random() < 0.5 or text.isascii():
        return _western(data) if not text.isascii() else _western("“”—é…".join(text.split(". ")).encode())
    return data.decode("gb18030", "replace")


def _western(data: bytes) -> str:
    return data.decode("cp1252", "replace")


def repeated(text: str, draw: random.Random) -> str:
    """One of its sentences over and over."""
    parts = [part for part in re.split(r"(?<=[。！？.!?\n])", text) if len(part.strip()) > 10] or [text[:80] + "."]
    part = draw.choice(parts).strip()[:200]
    return "\n".join([part] * 40)


def symbols(text: str, draw: random.Random) -> str:
    """Most words made marks."""
    noise = "#$%^&*{}|<>~=+…"
    return "".join(
        "".join(draw.choices(noise, k=max(2, len(token)))) if is_word(token) and draw.random() < 0.8 else token
        for token in tokens(text)
    )


def salad(text: str, draw: random.Random) -> str:
    """Words of random letters, or characters that make no words."""
    return "".join(
        token
        if not is_word(token)
        else "".join(draw.choices("bcdfghjklmnpqrstvwxz", k=draw.randint(2, 14)))
        if token.isascii()
        else chr(draw.randint(0x4E00, 0x9FA5))
        for token in tokens(text)
    )


def links(text: str, draw: random.Random) -> str:
    """A list of addresses."""
    words = [token.lower() for token in tokens(text) if token.isascii() and is_word(token)][:60] or ["page", "item"]
    return "\n".join(
        f"https://www.{draw.choice(words)}.example/{draw.choice(words)}/{draw.randint(1, 9999)}.html" for _ in range(40)
    )


def stub(text: str, draw: random.Random) -> str:  # noqa: ARG001 - one of SPOILERS
    """Its first words only."""
    found = [token for token in tokens(text) if is_word(token)]
    return (" " if found and found[0].isascii() else "").join(found[:4])


SPOILERS: dict[str, Callable[[str, random.Random], str]] = {
    "garbled": garbled,
    "links": links,
    "repeated": repeated,
    "salad": salad,
    "stub": stub,
    "symbols": symbols,
}
