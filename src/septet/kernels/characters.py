"""What kind of character a code point is, as one table that compiled passes look up, and UTF-8 read one character at a time.

The kinds are those of the Unicode character database that Python carries (`str.isalpha`, `str.isspace` and so on), for the
basic plane. Above it: the ideographs of planes 2 and 3 and the mathematical letters are letters, all else is a symbol.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

LETTER, DIGIT, SPACE, HAN, KANA, HANGUL, BROKEN, MARK = 1, 2, 4, 8, 16, 32, 64, 128
LATIN, OTHER_SCRIPT, NUMERIC, TERMINAL, HIDDEN, BULLET, UPPER, BREAK = 256, 512, 1024, 2048, 4096, 8192, 16384, 32768
CJK = HAN | KANA | HANGUL
WORD = LETTER | DIGIT | NUMERIC
# What ends a sentence (the Unicode property Sentence_Terminal, its common members): no quotes, colons or brackets.
_TERMINAL = ".!?。！？．｡‼⁇⁈⁉؟۔।॥။።፧។៕᠃᠉꓿﹒﹖﹗"
_BULLETS = "•‣▪●○■□◦◆◇▸►➢·*-–"
# What `str.splitlines` ends a line at.
_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


class Characters(NamedTuple):
    """For each code point below 65,536: its kinds (bits, uint16) and what it is folded to (uint16)."""

    kinds: Any
    folded: Any


@cache
def characters() -> Characters:
    """The table, made once a process (about 50 ms)."""
    kinds = np.zeros(65536, np.uint16)
    folded = np.arange(65536, dtype=np.uint16)
    for code in range(65536):
        if 0xD800 <= code <= 0xDFFF:
            continue
        character = chr(code)
        category = unicodedata.category(character)
        kind = LETTER * character.isalpha() | DIGIT * character.isdigit() | SPACE * character.isspace()
        kind |= NUMERIC * character.isnumeric() | UPPER * character.isupper()
        kind |= MARK * (category[0] in "PS") | HIDDEN * (category == "Cf")
        kind |= TERMINAL * (character in _TERMINAL) | BULLET * (character in _BULLETS) | BREAK * (character in _BREAKS)
        broken = code == 0xFFFD or category == "Co" or (category == "Cc" and character not in "\t\n\r\f\x85")
        kinds[code] = kind | BROKEN * broken | _script(code)
        plain = unicodedata.normalize("NFKC", character) if 0xFF00 <= code <= 0xFFEF or code == 0x3000 else character
        small = plain.lower()
        if len(small) == 1 and ord(small) < 65536:
            folded[code] = ord(small)
    return Characters(kinds, folded)


def _script(code: int) -> int:
    if 0x3400 <= code <= 0x4DBF or 0x4E00 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF:
        return HAN
    if 0x3041 <= code <= 0x30FF and code != 0x30FB:
        return KANA
    if 0xAC00 <= code <= 0xD7A3 or 0x1100 <= code <= 0x11FF:
        return HANGUL
    if 65 <= code <= 90 or 97 <= code <= 122 or 0xC0 <= code <= 0x24F:
        return LATIN
    return OTHER_SCRIPT if 0x370 <= code <= 0x1FFF else 0


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def character_at(data, i, end):  # type: ignore[no-untyped-def]
    """The code point that begins at byte i and the number of its bytes. A byte that begins none counts as U+FFFD."""
    byte = np.int64(data[i])
    if byte < 0x80:
        return byte, 1
    if 0xE0 <= byte < 0xF0 and i + 2 < end:
        return (byte & 15) << 12 | (np.int64(data[i + 1]) & 63) << 6 | np.int64(data[i + 2]) & 63, 3
    if 0xC0 <= byte < 0xE0 and i + 1 < end:
        return (byte & 31) << 6 | np.int64(data[i + 1]) & 63, 2
    if byte >= 0xF0 and i + 3 < end:
        code = (byte & 7) << 18 | (np.int64(data[i + 1]) & 63) << 12 | (np.int64(data[i + 2]) & 63) << 6
        return code | np.int64(data[i + 3]) & 63, 4
    return np.int64(0xFFFD), 1


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def kind_of(code, kinds):  # type: ignore[no-untyped-def]
    """The kinds of a code point, those above the basic plane included."""
    if code < 65536:
        return np.int64(kinds[code])
    if 0x20000 <= code < 0x32000:
        return np.int64(LETTER | HAN)
    if 0x1D400 <= code < 0x1D800 or 0x10000 <= code < 0x1D000:
        return np.int64(LETTER)
    if code >= 0xF0000:
        return np.int64(BROKEN)
    return np.int64(MARK)
