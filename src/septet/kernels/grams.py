"""Which windows of tokens of a set of items stand in which texts: windows of several lengths in one pass over the bytes.

A window is looked for by its last tokens, as many as the shortest window has: one rolling hash, which a few bits in a gate
refuse nearly everywhere. Only where such a tail is known are the windows that end there worked out and compared.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from septet.kernels.arrow import Texts
from septet.kernels.words import FOLD, PRIME, U

# Bits of the gate a tail: of other windows it lets one in fifty pass, and half a million tails fit a cache of 1 MiB.
_GATE_BITS = 12
_BASE = U(129)  # above all bytes that a word is made of; a word of up to nine letters is its own number


class Table(NamedTuple):
    """Windows of items, to be looked up: the `sizes` of windows (int64, rising); the `gate` (uint64); an open table of tails
    (uint64) with the sizes of the windows that end so (`ends`, a bit a size); an open table of the hashes of windows (`keys`)
    with their numbers (`grams`, int32); and how many different windows there are."""

    sizes: Any
    gate: Any
    tails: Any
    ends: Any
    keys: Any
    grams: Any
    count: int


def grams_of(texts: Texts, sizes: Any, least: int) -> tuple[Any, Any, Any, Any]:
    """The different windows of each text, each text having a size of its own: hashes, the hashes of their last `least` tokens,
    n + 1 offsets, and tokens a text.

    A text of fewer tokens than its size has windows of `least`; one of fewer than those has none.
    """
    return _grams_of(texts.data, texts.offsets, np.asarray(sizes, np.int64), least, FOLD)  # type: ignore[no-any-return]


def table(hashes: Any, tails: Any, windows: Any, sizes: tuple[int, ...]) -> tuple[Table, Any]:
    """A table of windows of some sizes, given by hash, hash of the tail and size each; and the number of the window at each place
    of `hashes`."""
    different, number = np.unique(hashes, return_inverse=True)
    room = 1024
    while room < 2 * different.size:
        room *= 2
    words = 64
    # Windows that differ only in size share tails. (Of hashes, numpy.unique without an inverse takes ten times as long.)
    while 64 * words < _GATE_BITS * (1 + np.count_nonzero(np.diff(np.sort(tails)))):
        words *= 2
    gate, open_tails, ends = np.zeros(words, np.uint64), np.zeros(room, np.uint64), np.zeros(room, np.uint8)
    keys, grams = np.zeros(room, np.uint64), np.full(room, -1, np.int32)
    _fill_tails(tails, np.searchsorted(sizes, windows), gate, open_tails, ends)
    _fill(different, keys, grams)
    known = Table(np.array(sizes, np.int64), gate, open_tails, ends, keys, grams, int(different.size))
    return known, number.astype(np.int32)


def look_up(texts: Texts, known: Table) -> tuple[Any, Any]:
    """Each window of the table that stands in a text: number of the text and of the window, as often as it stands there."""
    longest = int(np.diff(texts.offsets).max(initial=0))
    tokens = np.zeros(longest + known.sizes[0] + 2, np.uint64)
    # What is not used of this room is never touched.
    out_text = np.empty(max(1 << 20, 3 * (longest + 1)), np.int64)
    out_gram = np.empty(out_text.size, np.int32)
    found_texts, found_grams = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
    first = 0
    while first < len(texts):
        first, count = _look_up(texts.data, texts.offsets, first, *known[:6], FOLD, tokens, out_text, out_gram)
        found_texts.append(out_text[:count].copy())
        found_grams.append(out_gram[:count].copy())
    return np.concatenate(found_texts), np.concatenate(found_grams)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _tokens(data, i, end, fold, out, count):  # type: ignore[no-untyped-def]
    """Write the mixed tokens of a text (see `kernels.words`) from place `count` on, and return where they end.

    A word is written at each byte and stays only where it ends: a jump at every word would be guessed wrong too often.
    """
    word = U(0)
    while i < end:
        byte = data[i]
        if byte < 0x80:
            folded = fold[byte]
            out[count] = word
            count += (folded == 0) & (word != 0)
            word = word * _BASE + U(folded) if folded else U(0)
            i += 1
        elif 0xE3 <= byte <= 0xED and i + 2 < end:
            out[count] = word
            count += word != 0
            code = (U(byte) & U(15)) << U(12) | (U(data[i + 1]) & U(63)) << U(6) | U(data[i + 2]) & U(63)
            out[count] = code * PRIME + U(7)
            count += code >= U(0x3040)
            word = U(0)
            i += 3
        elif byte == 0xEF or byte == 0xE2 or byte == 0xC2:  # full-width forms, punctuation, signs of Latin-1 part words
            out[count] = word
            count += word != 0
            word = U(0)
            i += 2 if byte == 0xC2 else 3
        else:
            word = word * _BASE + U(byte)
            i += 1
    out[count] = word
    return count + (word != 0)


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _mixed(total):  # type: ignore[no-untyped-def]
    """One to one; the high bits are good."""
    return total * U(0xD6E8FEB86659FD93)


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _key(total, size):  # type: ignore[no-untyped-def]
    """One to one for each size; a window of one length is not taken for one of another."""
    return _mixed(total ^ (U(size) * PRIME))


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _bits(key):  # type: ignore[no-untyped-def]
    """The two bits that a tail sets in its word of the gate."""
    return U(1) << (key >> U(20) & U(63)) | U(1) << (key >> U(26) & U(63))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _power(size):  # type: ignore[no-untyped-def]
    power = U(1)
    for _ in range(size):
        power *= PRIME
    return power


@njit(cache=True)  # type: ignore[untyped-decorator]
def _shift(size):  # type: ignore[no-untyped-def]
    """By how much a key is shifted to be a place in a table of `size`, a power of two."""
    shift = U(64)
    while size > 1:
        size //= 2
        shift -= U(1)
    return shift


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _total(tokens, start, end):  # type: ignore[no-untyped-def]
    """The polynomial of tokens[start:end]."""
    total = U(0)
    for k in range(start, end):
        total = total * PRIME + tokens[k]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _grams_of(data, offsets, sizes, least, fold):  # type: ignore[no-untyped-def]
    n = offsets.size - 1
    room = offsets[n] - offsets[0] + 2 * n + 2
    out, tails = np.empty(room, np.uint64), np.empty(room, np.uint64)
    ends = np.zeros(n + 1, np.int64)
    counts = np.zeros(n, np.int64)
    written = 0
    for text in range(n):
        tokens = np.empty(offsets[text + 1] - offsets[text] + 2, np.uint64)
        count = counts[text] = _tokens(data, offsets[text], offsets[text + 1], fold, tokens, 0)
        size = sizes[text] if count >= sizes[text] else least
        windows = max(0, count - size + 1)
        found = np.empty(windows, np.uint64)
        for k in range(windows):
            found[k] = _key(_total(tokens, k, k + size), size)
        order = np.argsort(found)
        for k in range(windows):
            if k == 0 or found[order[k]] != found[order[k - 1]]:
                out[written] = found[order[k]]
                tails[written] = _mixed(_total(tokens, order[k] + size - least, order[k] + size))
                written += 1
        ends[text + 1] = written
    return out[:written].copy(), tails[:written].copy(), ends, counts


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill(different, keys, grams):  # type: ignore[no-untyped-def]
    mask, shift = U(keys.size - 1), _shift(keys.size)
    for number in range(different.size):
        at = different[number] >> shift
        while grams[at] >= 0:
            at = (at + U(1)) & mask
        keys[at], grams[at] = different[number], number


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill_tails(given, which, gate, tails, ends):  # type: ignore[no-untyped-def]
    mask, shift, gate_shift = U(tails.size - 1), _shift(tails.size), _shift(gate.size)
    for k in range(given.size):
        tail = given[k]
        gate[tail >> gate_shift] |= _bits(tail)
        at = tail >> shift
        while ends[at] and tails[at] != tail:
            at = (at + U(1)) & mask
        tails[at] = tail
        ends[at] |= np.uint8(1) << np.uint8(which[k])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _look_up(data, offsets, first, sizes, gate, tails, ends, keys, grams, fold, tokens, out_text, out_gram):  # type: ignore[no-untyped-def]
    least = sizes[0]
    power = _power(least)
    mask, shift, gate_shift = U(tails.size - 1), _shift(tails.size), _shift(gate.size)
    count = 0
    for text in range(first, offsets.size - 1):
        if count + sizes.size * (offsets[text + 1] - offsets[text] + 1) > out_text.size:
            return text, count
        # As many empty tokens stand before the text as a tail has.
        end = _tokens(data, offsets[text], offsets[text + 1], fold, tokens, least)
        total = U(0)
        for k in range(least, end):
            total = total * PRIME + tokens[k] - tokens[k - least] * power
            tail = _mixed(total)
            bits = _bits(tail)
            if gate[tail >> gate_shift] & bits != bits:
                continue
            at = tail >> shift
            while ends[at] and tails[at] != tail:
                at = (at + U(1)) & mask
            for which in range(sizes.size):
                size = sizes[which]
                if not ends[at] >> which & 1 or k + 1 - size < least:
                    continue
                key = _key(_total(tokens, k + 1 - size, k + 1), size)
                place = key >> shift
                while grams[place] >= 0:
                    if keys[place] == key:
                        out_text[count], out_gram[count] = text, grams[place]
                        count += 1
                        break
                    place = (place + U(1)) & mask
    return offsets.size - 1, count
