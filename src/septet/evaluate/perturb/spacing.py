"""Blanks where a careful writer has none, or has one.

English: blanks twice or three times between some words, and one before some marks. Chinese: a blank, at times a wide one, between
some characters, and at the borders to Latin letters. Lines stay lines.
"""

from __future__ import annotations

import re
from random import Random

from septet.evaluate.perturb import hidden

_EVERY = 6
_BETWEEN = re.compile(r"(?<=[^\s])[ ](?=[^\s])")
_BEFORE_MARK = re.compile(r"(?<=[a-z])(?=[,;:!?])")
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_CHARACTERS = re.compile(f"(?<=[{_HAN}])(?=[{_HAN}A-Za-z])|(?<=[A-Za-z])(?=[{_HAN}])")


def spacing(text: str, language: str, draw: Random) -> str:
    """The text with blanks put in at one place in six, at least one."""
    chinese = language == "zh"
    text, taken = hidden.fixed(text)
    patterns = (_CHARACTERS,) if chinese else (_BETWEEN, _BEFORE_MARK)
    places = sorted({match.end() for pattern in patterns for match in pattern.finditer(text)})
    if places:
        for at in sorted(draw.sample(places, max(1, len(places) // _EVERY)), reverse=True):
            blank = draw.choice((" ", " ", "\u3000")) if chinese else draw.choice((" ", "  "))
            text = text[:at] + blank + text[at:]
    return hidden.shown(text, taken)
