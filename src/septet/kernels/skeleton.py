"""Which texts may hold a word of a list, however it is disguised: one pass over letters and digits alone.

A text's skeleton is what is left when everything that can stand between the letters of a word is taken out and digits that are
read as letters are taken for these. A word that any reading of the text holds is in its skeleton too, so a text whose skeleton has
no word needs no closer look.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from septet.kernels.symbols import LIMIT, decode

NOTHING, UNKNOWN, REFERENCE, SPELLED = 0, 0xFFFF, 0xFFFE, 0xFFFD
"""Entries of the table: left out, not met yet, the start of a character reference, several characters at once."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def candidates(data, offsets, table, go, ends, marked, unknown):  # type: ignore[no-untyped-def]
    """Set `marked` for texts whose skeleton holds a word, or that hold a reference; returns the number of unknown characters.

    `table` (uint16, by code point) gives a symbol, `go` the next state, `ends` whether a word ends there.
    """
    strange = 0
    for row in range(offsets.size - 1):
        i, end, state = offsets[row], offsets[row + 1], 0
        marked[row] = 0
        while i < end:
            code, size = decode(data, i)
            symbol = table[code] if code < LIMIT else np.uint16(0)
            i += size
            if symbol == 0:
                continue
            if symbol >= SPELLED:
                if symbol == UNKNOWN:
                    if strange < unknown.size:
                        unknown[strange] = code
                        strange += 1
                    continue
                if symbol == SPELLED or i >= end or not _digit_or_letter(data[i]):
                    if symbol == SPELLED:
                        marked[row] = 1
                        break
                    continue
                marked[row] = 1
                break
            state = go[state, symbol]
            if ends[state]:
                marked[row] = 1
                break
    return strange


@njit(cache=True)  # type: ignore[untyped-decorator]
def _digit_or_letter(byte):  # type: ignore[no-untyped-def]
    return 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte == 35
