"""How much of each text is written in which script, and a text parted by the scripts of its lines, in compiled passes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit

from septet.kernels.characters import HAN, HANGUL, KANA, LATIN, OTHER_SCRIPT, character_at, characters, kind_of
from septet.kernels.words import U

COUNTS = ("han", "kana", "hangul", "other", "words", "letters", "english", "ascii_words")
# Words of English that other languages in Latin script do not have, or seldom.
_ENGLISH = (
    "the of and to in a is that for it as with be on by this are or an at from not have was which you your can if will all has "
    "but we they what how do does did i my me when who why where there would should could any no more may its their our"
)


@cache
def _english() -> Any:
    """Words of up to eight letters, each packed in one number, in an open table."""
    keys = np.zeros(512, np.uint64)
    for word in _ENGLISH.split():
        key = int.from_bytes(word.encode(), "big")
        place = (key * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 55
        while keys[place]:
            place = (place + 1) & 511
        keys[place] = key
    return keys


def script_counts(data: Any, offsets: Any) -> Any:
    """The counts of `COUNTS` for each text: int64 (texts, 8). Characters by script; words, letters and English function words
    of Latin script."""
    out = np.zeros((offsets.size - 1, len(COUNTS)), np.int64)
    _count(data, offsets, characters().kinds, _english(), out)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count(data, offsets, kinds, english, out):  # type: ignore[no-untyped-def]
    for row in range(offsets.size - 1):
        i, end = offsets[row], offsets[row + 1]
        han = kana = hangul = other = words = letters = found = ascii_words = 0
        packed, size, plain = U(0), 0, True
        while i <= end:
            byte = np.int64(data[i]) if i < end else 32
            if byte < 0x80:
                i += 1
                small = byte | 32
                if 97 <= small <= 122:
                    packed = packed << U(8) | U(small)
                    size += 1
                    continue
            else:
                code, width = character_at(data, i, end)
                i += width
                kind = kind_of(code, kinds)
                if kind & LATIN:
                    plain = False
                    size += 1
                    continue
                han += kind & HAN != 0
                kana += kind & KANA != 0
                hangul += kind & HANGUL != 0
                other += kind & OTHER_SCRIPT != 0
            if size:
                words += 1
                letters += size
                ascii_words += plain
                if plain and size <= 8:
                    place = np.int64((packed * U(0x9E3779B97F4A7C15)) >> U(55))
                    while english[place] != U(0):
                        if english[place] == packed:
                            found += 1
                            break
                        place = (place + 1) & 511
                packed, size, plain = U(0), 0, True
        o = out[row]
        o[0], o[1], o[2], o[3] = han, kana, hangul, other
        o[4], o[5], o[6], o[7] = words, letters, found, ascii_words


def part_by_script(data: Any, offsets: Any) -> tuple[Any, Any]:
    """Each text as two: its Chinese lines and its other lines, as bytes and offsets (2n + 1) in the order zh, en, zh, en...

    A line counts as Chinese where it holds as many Chinese characters as half its Latin words: a Chinese sentence full of
    English terms stays Chinese. A line of neither goes with the line before it.
    """
    size = int(offsets[-1] - offsets[0])
    rows = offsets.size - 1
    out, ends = np.empty(size + 2 * rows, np.uint8), np.zeros(2 * rows + 1, np.int64)
    _part(data, offsets, characters().kinds, out, ends)
    return out[: ends[-1]], ends


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _part(data, offsets, kinds, out, ends):  # type: ignore[no-untyped-def]
    at = 0
    for row in range(offsets.size - 1):
        for chosen in range(2):
            start = offsets[row]
            side = 0
            leading = chosen == 0  # lines before the first of either side go with the Chinese part
            while start < offsets[row + 1]:
                end = start
                han = words = 0
                inside = False
                while end < offsets[row + 1] and data[end] != 10:
                    code, width = character_at(data, end, offsets[row + 1])
                    kind = kind_of(code, kinds)
                    latin = kind & LATIN != 0
                    words += latin and not inside
                    inside = latin
                    han += kind & HAN != 0
                    end += width
                if han or words:
                    side = 0 if 2 * han >= words else 1
                    leading = False
                if side == chosen or leading:
                    for k in range(start, end):
                        out[at] = data[k]
                        at += 1
                    if end < offsets[row + 1]:
                        out[at] = 10
                        at += 1
                start = end + 1
            ends[2 * row + 1 + chosen] = at
