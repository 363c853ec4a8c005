"""Repeated n-grams of tokens: what share of a text its commonest n-gram takes up, and what stands in n-grams seen before.

The two measures of Rae et al. (2021, arXiv:2112.11446, table A1), characters of overlapping n-grams counted once. An n-gram can
only stand twice where its first n - 1 tokens do, so each order looks at what the order below left over: on ordinary text the
orders from 4 up are next to free, and a text of one repeated line costs no more than a full pass an order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from septet.kernels.characters import LETTER, MARK, character_at, kind_of
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
    """Add to out[n] the characters of the commonest n-gram (n = 2 to 4) or of repeated n-grams (n = 5 to 10), to out[0] the
    number of 10-grams, and to out[1] that of 10-grams that stand more than once.

    `hashes`, `lengths` and `gaps` are running values: hashes[k] of the first k tokens as a polynomial, their characters, and
    the blanks before each. A commonest n-gram is counted with its blanks and only where it stands twice; the longest of equally
    common ones counts.
    """
    out[0] += max(0, tokens - ORDERS + 2)
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
            if n == ORDERS - 1:
                kept += 1
                continue
            places[kept] = p
            kept += 1
        left = kept
    out[1] += left


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def of_words(data, word_offsets, row_words, texts, newlines, kinds, stops, tables, out):  # type: ignore[no-untyped-def]
    """The shares of texts that a segmenter has cut into words, marks included, as datatrove measures them: float64 (texts, 14).

    `row_words` are the first words of each text, `texts` its characters, `newlines` its line ends, `stops` the sorted hashes of
    stop words. Columns: words, mean length, share with a letter, different stop words, line ends a word, commonest 2- to
    4-grams, repeated 5- to 10-grams.
    """
    hashes, lengths, gaps, keys, counts, places, slots = tables
    grams = np.zeros(ORDERS, np.int64)
    for row in range(row_words.size - 1):
        grams[:] = 0
        tokens = words = size = letters = every = 0
        total = U(0)
        hit = np.zeros(stops.size, np.bool_)
        for w in range(row_words[row], row_words[row + 1]):
            i, end = word_offsets[w], word_offsets[w + 1]
            value, length = U(0), 0
            letter = written = False
            while i < end:
                code, width = character_at(data, i, end)
                kind = kind_of(code, kinds)
                letter |= kind & LETTER != 0
                written |= kind & MARK == 0
                value = (value ^ U(code)) * PRIME
                value ^= value >> U(29)
                length += 1
                i += width
            every += 1
            letters += letter
            if written:
                words += 1
                size += length
            place = np.searchsorted(stops, value)
            if place < stops.size and stops[place] == value:
                hit[place] = True
            if tokens == hashes.size - 1:
                shares(hashes, lengths, gaps, tokens, keys, counts, places, slots, grams)
                tokens, total = 0, U(0)
            total = total * PRIME + value
            tokens += 1
            hashes[tokens] = total
            lengths[tokens] = lengths[tokens - 1] + length
            gaps[tokens] = gaps[tokens - 1] + 1
        shares(hashes, lengths, gaps, tokens, keys, counts, places, slots, grams)
        if not every:
            continue
        out[row, 0] = words
        out[row, 1] = size / max(1, words)
        out[row, 2] = letters / every
        out[row, 3] = hit.sum()
        out[row, 4] = newlines[row] / every
        for n in range(2, ORDERS):
            out[row, 3 + n] = min(1.0, grams[n] / max(1, texts[row]))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def of_characters(data, offsets, tables, out):  # type: ignore[no-untyped-def]
    """The share of 10-grams of characters that are among the commonest ones, as data-juicer measures it: the commonest
    square root of the number of different ones, as far as they stand more than once."""
    hashes, _, _, keys, counts, _, _ = tables
    power = U(1)
    for _ in range(10):
        power *= PRIME
    for row in range(offsets.size - 1):
        i, end = offsets[row], offsets[row + 1]
        grams = common = 0
        while i < end:
            size, total = 0, U(0)
            while i < end and size < hashes.size - 1:
                code, width = character_at(data, i, end)
                i += width
                total = total * PRIME + mix(U(code))
                size += 1
                hashes[size] = total
            places = 16
            while places < 2 * size:
                places <<= 1
            keys[:places] = U(0)
            counts[:places] = 0
            different = 0
            for k in range(10, size + 1):
                slot = add(keys, counts, places - 1, mix(hashes[k] - hashes[k - 10] * power) | U(1))
                different += counts[slot] == 1
            often = np.sort(counts[:places][counts[:places] > 1])
            grams += max(0, size - 9)
            for k in range(min(int(np.sqrt(different)), often.size)):
                common += often[often.size - 1 - k]
        out[row] = common / max(1, grams)
