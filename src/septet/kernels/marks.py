"""What in a text may need mending, told in one compiled pass: most texts need nothing, and are not looked at further.

A mark is a superset: a text without the mark of hidden characters holds none; a text with the mark of a wrong decoding may be
sound. Lines that hold one of some phrases are listed by their number.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from septet.kernels.characters import character_at
from septet.kernels.phrases import Phrases

HIDDEN, RETURN, COMPOSE, WESTERN, GBK, LOST, BLANKS, FOREIGN = 1, 2, 4, 8, 16, 32, 64, 128
LONGEST = 200
"""Lines of more characters are not listed."""


class Marks(NamedTuple):
    """`flags` (uint8) of each text; `rows` and `lines` (int64) of the lines that hold a phrase."""

    flags: Any
    rows: Any
    lines: Any


@cache
def _table(hidden: str, signs: str) -> Any:
    table = np.zeros(65536, np.uint8)
    for code in range(128, 65536):
        if 0xD800 <= code <= 0xDFFF or 0xAC00 <= code <= 0xD7A3 or 0x4E00 <= code <= 0x9FFF:
            continue
        character = chr(code)
        if not unicodedata.is_normalized("NFC", character) or unicodedata.category(character)[0] == "M":
            table[code] |= COMPOSE
        if 0x1160 <= code <= 0x11FF:
            table[code] |= COMPOSE
        # What Western encodings hold above ASCII: two of them in a row are what a wrong decoding looks like.
        if (
            code < 0x250
            or (0x2010 <= code <= 0x203A)
            or code in (0x20AC, 0x2122, 0x02C6, 0x02DC)
            or 0x370 <= code < 0x530
        ):
            table[code] |= WESTERN
    for character in hidden:
        table[ord(character)] |= HIDDEN
    for character in signs:
        table[ord(character)] |= GBK
    return table


def scan(data: Any, offsets: Any, phrases: Phrases, hidden: str, signs: str) -> Marks:
    """The marks of each text. `hidden` and `signs` are characters of the basic plane: those that cannot be seen, and those
    of which two make GBK the suspect."""
    rows = offsets.size - 1
    flags = np.zeros(rows, np.uint8)
    found_rows, found_lines = _scan(data, offsets, phrases.step, phrases.found, _table(hidden, signs), flags)
    return Marks(flags, found_rows, found_lines)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _scan(data, offsets, step, found, table, flags):  # type: ignore[no-untyped-def]
    rows, lines = np.empty(1024, np.int64), np.empty(1024, np.int64)
    count = 0
    for row in range(offsets.size - 1):
        i, end = offsets[row], offsets[row + 1]
        flag, signs, breaks, lost = 0, 0, 0, 0
        number = length = 0
        hit = western = False
        state = np.int64(0)
        while i <= end:
            byte = np.int64(data[i]) if i < end else np.int64(10)
            if byte < 0x80:
                code, width = byte, 1
                if byte == 13:
                    flag |= RETURN
                elif (byte < 32 and byte != 9 and byte != 10) or byte == 127:
                    flag |= HIDDEN
            else:
                code, width = character_at(data, i, end)
                flag |= FOREIGN
            if i < end:
                for k in range(i, i + width):
                    state = np.int64(step[(state << 8) | np.int64(data[k])])
                    hit |= found[state] != 0
            i += width
            length += 1
            if code >= 0x80:
                kind = (
                    np.int64(table[code])
                    if code < 65536
                    else np.int64(HIDDEN if 0xE0000 <= code < 0xE0080 else COMPOSE)
                )
                flag |= kind & (HIDDEN | COMPOSE)
                signs += kind & GBK != 0
                if kind & WESTERN:
                    if western:
                        flag |= WESTERN
                    western = True
                else:
                    western = False
                if code == 0xFFFD or code == 0x951F or code == 0x70EB or code == 0x5C6F:
                    lost += 1
                else:
                    lost = 0
                if lost > 1 or code == 0x951F:
                    flag |= LOST
            else:
                western = False
            if code != 10:
                if code != 32 and code != 9 and code != 13:
                    breaks = 0
                continue
            breaks += 1
            if breaks > 2:
                flag |= BLANKS
            if hit and length <= LONGEST + 1:
                if count == rows.size:
                    more_rows, more_lines = np.empty(2 * count, np.int64), np.empty(2 * count, np.int64)
                    more_rows[:count], more_lines[:count] = rows, lines
                    rows, lines = more_rows, more_lines
                rows[count], lines[count] = row, number
                count += 1
            number += 1
            length = 0
            hit = False
            state = np.int64(0)
        if signs >= 2:
            flag |= GBK
        flags[row] = flag
    return rows[:count].copy(), lines[:count].copy()
