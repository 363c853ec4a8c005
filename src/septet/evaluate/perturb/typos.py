"""Slips of an English typist: a neighbouring key, two letters swapped, one left out, one struck twice.

One word in eight, at least one; a slip lies inside a word of four letters or more, so that the word can be made out. Words that
turn a sentence (not, never, except) are spared.
"""

from __future__ import annotations

import re
from random import Random

from septet.evaluate.perturb import hidden

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_EVERY = 8
_TURNING = frozenset(
    """never none neither nothing nobody nowhere cannot except without unless least most more less fewer only both either false
    true correct incorrect right wrong before after above below always sometimes over under increase decrease""".split()
)
_WORD = re.compile(r"(?<![\w'’])[A-Za-z]{4,}(?![\w'’])")


def typos(text: str, language: str, draw: Random) -> str:
    """The text with slips in some of its English words. `language` is not looked at."""
    del language
    text, taken = hidden.fixed(text)
    # Words in capitals inside are names of things: one letter makes them others.
    places = [
        match.span()
        for match in _WORD.finditer(text)
        if match[0][1:].islower()
        and match[0].lower() not in _TURNING
        and not match[0].lower().startswith(("un", "non"))
    ]
    if places:
        chosen = sorted(draw.sample(places, max(1, len(places) // _EVERY)))
        pieces, at = [], 0
        for start, end in chosen:
            pieces += [text[at:start], _slipped(text[start:end], draw)]
            at = end
        text = "".join([*pieces, text[at:]])
    return hidden.shown(text, taken)


def _slipped(word: str, draw: Random) -> str:
    """A slip that is seen: letters that are equal are not swapped. The first letter stays."""
    at = draw.randrange(1, len(word) - 1)
    way = draw.choice(("neighbour", "swap", "drop", "twice"))
    if way == "swap" and word[at] != word[at + 1]:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if way == "drop":
        return word[:at] + word[at + 1 :]
    if way == "twice":
        return word[:at] + word[at] + word[at:]
    return word[:at] + draw.choice(_beside(word[at])) + word[at + 1 :]


def _beside(letter: str) -> str:
    """The letters on the keys beside this one."""
    for number, row in enumerate(_ROWS):
        at = row.find(letter)
        if at >= 0:
            below = _ROWS[number + 1][max(0, at - 1) : at + 1] if number < 2 else ""
            above = _ROWS[number - 1][at : at + 2] if number else ""
            return row[max(0, at - 1) : at] + row[at + 1 : at + 2] + above + below
    return letter
