"""Which texts may hold a word of a list, however it is disguised: one pass over letters and digits alone.

A text's skeleton is what is left when everything that can stand between the letters of a word is taken out and digits that are
read as letters are taken for these. A word that any reading of the text holds is in its skeleton too, so a text whose skeleton has
no word needs no closer look.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from septet.kernels.symbols import LIMIT, decode

GAP, MARK, UNKNOWN, REFERENCE, SPELLED, INVISIBLE = 0, 0x7FFF, 0xFFFF, 0xFFFE, 0xFFFD, 0xFFFC
"""Entries of the table: what parts letters; what may stand inside a disguised Latin word (`bo*mb`); not met yet; the start of a
character reference; several characters at once; and what nobody sees."""
LATIN = 0x8000
"""Set for the letters and digits of Latin script: a word may not go on in them."""
LEET = 0x4000
"""Set for marks that are read as letters: `@ $ ! |`."""
START, END, PLAIN = 1, 2, 4
"""Of a word: no Latin letter may stand right before it, or right behind it; it is of Latin letters alone."""
_RING = 64


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def candidates(data, offsets, table, go, out_from, out_length, out_edges, marked, unknown):  # type: ignore[no-untyped-def]
    """Set `marked` for texts whose skeleton holds a word, or that hold a reference; returns the number of unknown characters.

    `table` (uint16, by code point) gives a symbol, `go` the next state, `out_from` where the words that end in a state begin, with
    their lengths and edges. A word in one piece counts only where its edges are free; one in pieces always.
    """
    strange = 0
    ring = np.zeros(
        (_RING, 2), np.uint8
    )  # of the last letters: 1 for Latin, 2 for marks read so; and what parted them from the one before
    for row in range(offsets.size - 1):
        i, end, state = offsets[row], offsets[row + 1], 0
        marked[row] = 0
        count, gap = 0, 2  # letters so far; what stands since the last one: 0 nothing, 1 marks, 2 anything else
        while i < end and not marked[row]:
            code, size = decode(data, i)
            symbol = table[code] if code < LIMIT else np.uint16(0)
            i += size
            if symbol == GAP:
                gap = 2
                continue
            if symbol == MARK:
                gap = max(gap, 1)
                continue
            if symbol >= INVISIBLE:
                if symbol == UNKNOWN:
                    if strange < unknown.size:
                        unknown[strange] = code
                        strange += 1
                elif symbol == SPELLED or (symbol == REFERENCE and i < end and _digit_or_letter(data[i])):
                    marked[row] = 1
                elif symbol == REFERENCE:
                    gap = 2
                continue
            if symbol & LEET:
                latin_before = gap == 0 and count > 0 and ring[(count - 1) % _RING, 0] > 0
                latin_after = _latin_follows(data, i, end, table, True)
                alone = latin_before and (
                    count == 1 or ring[(count - 1) % _RING, 1] > 0 or ring[(count - 2) % _RING, 0] == 2
                )
                if (code == 124 or code == 0xFF5C) and (latin_before or latin_after):
                    marked[row] = 1  # a bar is a letter or a mark: both readings are tried
                elif alone and latin_after:
                    marked[row] = 1  # k@i@l@l, @k@i@l@l
                if (gap == 0 and count > 0 and not latin_before) or not (latin_before or latin_after):
                    gap = 2
                    continue
            ring[count % _RING, 0] = 1 if symbol >= LATIN else 2 if symbol & LEET else 0
            ring[count % _RING, 1] = gap
            count, gap = count + 1, 0
            state = go[state, symbol & 0x3FFF]
            for at in range(out_from[state], out_from[state + 1]):
                if _holds(ring, count, out_length[at], out_edges[at], data, i, end, table):
                    marked[row] = 1
                    break
    return strange


@njit(cache=True)  # type: ignore[untyped-decorator]
def _holds(ring, count, length, edges, data, i, end, table):  # type: ignore[no-untyped-def]
    """Whether a word that ends at the last letter may be one of some reading of the text."""
    if length >= _RING:
        return True
    whole, parted, marks = True, True, False
    for k in range(1, length):
        gap = ring[(count - k) % _RING, 1]
        whole = whole and gap == 0
        parted = parted and gap > 0
        marks = marks or gap == 2
    first = ring[(count - length) % _RING, 1]
    if whole:
        if edges & START and first == 0 and count > length and ring[(count - 1 - length) % _RING, 0] == 1:
            return False
        return not (edges & END and _latin_follows(data, i, end, table, False))
    # Letters of a Latin word that blanks or stops part stand each alone, and there are three of them at least.
    if edges & PLAIN and marks:
        return parted and not (length == 2 and edges & START and edges & END)
    return True


@njit(cache=True)  # type: ignore[untyped-decorator]
def _latin_follows(data, i, end, table, marks):  # type: ignore[no-untyped-def]
    while i < end:
        code, size = decode(data, i)
        symbol = table[code] if code < LIMIT else np.uint16(0)
        if symbol != INVISIBLE:
            if LATIN <= symbol < INVISIBLE:
                return True
            return marks and symbol != MARK and symbol < LATIN and symbol & LEET != 0
        i += size
    return False


@njit(cache=True)  # type: ignore[untyped-decorator]
def _digit_or_letter(byte):  # type: ignore[no-untyped-def]
    """What may stand behind the first character of a reference: `&#`, `&n`, `%4`, `\\x`."""
    return 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte == 35
