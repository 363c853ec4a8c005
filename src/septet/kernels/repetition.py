"""Repeated n-grams of tokens: what share of a text its commonest n-gram takes up, and what stands in n-grams seen before.

The two measures of Rae et al. (2021, arXiv:2112.11446, table A1), characters of overlapping n-grams counted once. An n-gram can
only stand twice where its first n - 1 tokens do, so each order looks at what the order below left over: on ordinary text the
orders from 4 up are next to free, and a text of one repeated line costs no more than a full pass an order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from septet.kernels.words import PRIME, U, mix

STRETCH = 1 << 20
"""Tokens that are looked at together: memory stays below 60 MB, whatever the length of a text. The sums of the stretches of a
longer text are added up."""
ORDERS = 11


class Room(NamedTuple):
    """Working arrays for texts of up to so many tokens, used again for each text."""

    hashes: Any
    lengths: Any
    gaps: Any
    keys: Any
    counts: Any
    places: Any
    slots: Any


def room(tokens: int) -> Room:
    """Arrays for stretches of `tokens` tokens, at most `STRETCH`."""
    tokens = max(16, min(tokens, STRETCH))
    size = 1 << (2 * tokens).bit_length()
    return Room(
        np.zeros(tokens + 1, np.uint64),
        np.zeros(tokens + 1, np.int32),
        np.zeros(tokens + 1, np.int32),
        np.zeros(size, np.uint64),
        np.zeros(size, np.int32),
        np.zeros(tokens + 1, np.int32),
        np.zeros(tokens + 1, np.int32),
    )


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def add(keys, counts, mask, key):  # type: ignore[no-untyped-def]
    """Count a key (not 0) in an open hash table, and return its place."""
    place = np.int64(key >> U(20)) & mask
    while keys[place] != U(0) and keys[place] != key:
        place = (place + 1) & mask
    keys[place] = key
    counts[place] += 1
    return place


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def shares(hashes, lengths, gaps, tokens, keys, counts, places, slots, out):  # type: ignore[no-untyped-def]
    """Add to out[n] the characters of the commonest n-gram (n = 2 to 4) or of repeated n-grams (n = 5 to 10).

    `hashes`, `lengths` and `gaps` are running values: hashes[k] of the first k tokens as a polynomial, their characters, and
    the blanks before each. A commonest n-gram is counted with its blanks and only where it stands twice; the longest of equally
    common ones counts.
    """
    left = max(0, tokens - 1)
    for k in range(left):
        places[k] = k
    power = PRIME
    for n in range(2, ORDERS):
        power *= PRIME
        while left and places[left - 1] + n > tokens:
            left -= 1
        if left < 2:
            return
        size = 16
        while size < 2 * left:
            size <<= 1
        keys[:size] = U(0)
        counts[:size] = 0
        mask = size - 1
        most, longest = 1, 0
        for k in range(left):
            p = places[k]
            key = mix(hashes[p + n] - hashes[p] * power) | U(1)
            slot = add(keys, counts, mask, key)
            slots[k] = slot
            if n <= 4 and counts[slot] >= most and counts[slot] > 1:
                length = lengths[p + n] - lengths[p] + gaps[p + n] - gaps[p + 1]
                if counts[slot] > most or length > longest:
                    longest = length
                most = counts[slot]
        if n <= 4 and most > 1:
            out[n] += most * longest
        kept, free = 0, 0
        for k in range(left):
            p, slot = places[k], slots[k]
            count = counts[slot]
            if count == 1:
                continue
            if n > 4 and p >= free:
                if count < 0:
                    out[n] += lengths[p + n] - lengths[p]
                    free = p + n
                else:
                    counts[slot] = -count
            places[kept] = p
            kept += 1
        left = kept
