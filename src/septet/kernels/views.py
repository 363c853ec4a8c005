"""The stretches of text round anchors as a reader sees them, laid end to end, each character with its way back.

A pattern needs plain text, and making it costs far more than scanning: so it is made only where an anchor stands. Stretches
that touch become one; a line break parts them, so that no pattern sees two.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from septet.kernels.symbols import LIMIT, before, decode

DROPPED = -1
"""In the table of plain characters: this one disappears. Below that, -2 - n: the n-th expansion."""
LONGEST = 8192
"""Bytes that a key or token may go on beyond the usual reach."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def windows(data, offsets, anchors, left, right, found, of_anchor):  # type: ignore[no-untyped-def]
    """Stretches (row, start byte, end byte, start character) round anchors sorted by place; returns their number.

    `left` and `right` are characters by class of anchor; a stretch never ends inside a run of the letters, digits and marks that
    keys are made of.
    """
    number = 0
    for k in range(anchors.shape[0]):
        row, kind, low, char = anchors[k, 0], anchors[k, 1], anchors[k, 2], anchors[k, 4]
        start, end = offsets[row], offsets[row + 1]
        high = max(low, anchors[k, 3])
        for _ in range(left[kind]):
            if low <= start:
                break
            low = before(data, low)
            char -= 1
        for _ in range(right[kind]):
            if high >= end:
                break
            _code, size = decode(data, high)
            high += size
        for _ in range(LONGEST):
            if high >= end:
                break
            byte = data[high]
            if not (48 <= byte <= 57 or 64 <= byte <= 90 or 97 <= byte <= 122 or byte in (45, 95, 46, 47, 43, 61, 126)):
                break
            high += 1
        if number and found[number - 1, 0] == row and low <= found[number - 1, 2]:
            found[number - 1, 2] = max(high, found[number - 1, 2])
            if low < found[number - 1, 1]:
                found[number - 1, 1], found[number - 1, 3] = low, char
        else:
            found[number, 0], found[number, 1], found[number, 2], found[number, 3] = row, low, high, char
            number += 1
        of_anchor[k] = number - 1
    return number


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def write(data, found, number, anchors, of_anchor, plain, pool, pool_from, out, origin, bounds, position):  # type: ignore[no-untyped-def]
    """Write the plain characters of each stretch to `out` (code points), and for each its character in the text to `origin`.

    `bounds` receives start and end of each stretch in `out`, `position` the place of each anchor. Returns the number of
    characters.
    """
    at = k = 0
    for w in range(number):
        i, end, char = found[w, 1], found[w, 2], found[w, 3]
        bounds[w, 0] = at
        while i < end:
            while k < anchors.shape[0] and of_anchor[k] == w and anchors[k, 2] <= i:
                position[k] = at
                k += 1
            code, size = decode(data, i)
            new = plain[code] if code < LIMIT else np.int32(code)
            if new >= 0:
                out[at], origin[at] = new, char
                at += 1
            elif new < DROPPED:
                for place in range(pool_from[-2 - new], pool_from[-1 - new]):
                    out[at], origin[at] = pool[place], char
                    at += 1
            i += size
            char += 1
        while k < anchors.shape[0] and of_anchor[k] == w:
            position[k] = at
            k += 1
        bounds[w, 1] = at
        out[at], origin[at] = 10, char
        at += 1
    return at
