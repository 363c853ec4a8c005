"""Which windows of tokens of a set of items stand in which texts: three lengths of window in one pass over the bytes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from septet.kernels.arrow import Texts
from septet.kernels.words import FOLD, U, rolled

_GATE_BITS = 24


class Table(NamedTuple):
    """Windows of items, to be looked up: `sizes` of windows (int64, 3, rising), `keys` (uint64) and `grams` (int32) of an open
    table, `gate` bits that tell most other windows apart at once, and how many different windows there are."""

    sizes: Any
    keys: Any
    grams: Any
    gate: Any
    count: int


def grams_of(texts: Texts, sizes: Any) -> tuple[Any, Any, Any]:
    """The different windows of each text, each text having a size of its own: hashes, n + 1 offsets, and tokens a text.

    A text of fewer tokens than its size has none.
    """
    return _grams_of(texts.data, texts.offsets, np.asarray(sizes, np.int64), FOLD)  # type: ignore[no-any-return]


def table(hashes: Any, sizes: tuple[int, int, int]) -> tuple[Table, Any]:
    """A table of windows, and the number of the window at each place of `hashes`."""
    different, number = np.unique(hashes, return_inverse=True)
    size = 1024
    while size < 4 * different.size:
        size *= 2
    keys, grams = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
    gate = np.zeros((1 << _GATE_BITS) // 8, np.uint8)
    _fill(different, keys, grams, gate)
    return Table(np.array(sizes, np.int64), keys, grams, gate, int(different.size)), number.astype(np.int32)


def look_up(texts: Texts, known: Table) -> tuple[Any, Any]:
    """Each window of the table that stands in a text: number of the text and of the window, as often as it stands there."""
    longest = int(np.diff(texts.offsets).max(initial=0))
    # What is not used of this room is never touched.
    out_text = np.empty(max(1 << 20, 3 * (longest + 1)), np.int64)
    out_gram = np.empty(out_text.size, np.int32)
    found_texts, found_grams = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
    first = 0
    while first < len(texts):
        first, count = _look_up(
            texts.data,
            texts.offsets,
            first,
            known.sizes,
            known.keys,
            known.grams,
            known.gate,
            FOLD,
            out_text,
            out_gram,
        )
        found_texts.append(out_text[:count].copy())
        found_grams.append(out_gram[:count].copy())
    return np.concatenate(found_texts), np.concatenate(found_grams)


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _key(total, size):  # type: ignore[no-untyped-def]
    """One to one for each size; a window of one length is not taken for one of another. The high bits are the good ones."""
    return (total ^ (size * U(0x9E3779B97F4A7C15))) * U(0xD6E8FEB86659FD93)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _grams_of(data, offsets, sizes, fold):  # type: ignore[no-untyped-def]
    n = offsets.size - 1
    out = np.empty(offsets[n] - offsets[0] + 2 * n + 2, np.uint64)
    ends = np.zeros(n + 1, np.int64)
    tokens = np.zeros(n, np.int64)
    written = 0
    for text in range(n):
        start, end = offsets[text], offsets[text + 1]
        found = np.empty(end - start + 2, np.uint64)
        tokens[text] = rolled(data, start, end, 1, found, fold)
        if tokens[text] >= sizes[text]:
            count = rolled(data, start, end, sizes[text], found, fold)
            different = np.unique(found[:count])
            for k in range(different.size):
                out[written + k] = _key(different[k], U(sizes[text]))
            written += different.size
        ends[text + 1] = written
    return out[:written].copy(), ends, tokens


@njit(cache=True)  # type: ignore[untyped-decorator]
def _shift(size):  # type: ignore[no-untyped-def]
    """By how much a key is shifted to be a place in a table of `size`, a power of two."""
    shift = U(64)
    while size > 1:
        size //= 2
        shift -= U(1)
    return shift


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill(different, keys, grams, gate):  # type: ignore[no-untyped-def]
    mask, shift = U(keys.size - 1), _shift(keys.size)
    for number in range(different.size):
        key = different[number]
        bit = key >> U(40)
        gate[bit >> U(3)] |= np.uint8(1) << np.uint8(bit & U(7))
        at = key >> shift
        while grams[at] >= 0:
            at = (at + U(1)) & mask
        keys[at], grams[at] = key, number


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _look_up(data, offsets, first, sizes, keys, grams, gate, fold, out_text, out_gram):  # type: ignore[no-untyped-def]
    prime = U(0x9E3779B97F4A7C15)
    powers = np.ones(3, np.uint64)
    for which in range(3):
        for _ in range(sizes[which]):
            powers[which] *= prime
    power0, power1, power2 = powers
    size0, size1, size2 = sizes
    mask, shift = U(keys.size - 1), _shift(keys.size)
    ring = np.zeros(64, np.uint64)
    count = 0
    for text in range(first, offsets.size - 1):
        i, end = offsets[text], offsets[text + 1]
        if count + 3 * (end - i + 1) > out_text.size:
            return text, count
        ring[:] = U(0)
        tokens = 0
        total0, total1, total2, word = U(0), U(0), U(0), U(0)
        while i <= end:
            # The tokens of `words.rolled`, written out: one shared step costs a third of the speed (measured 2026-11), since
            # numba hands an array over by counting references. tests/data/test_contamination.py holds the two to each other.
            token = U(0)
            byte = data[i] if i < end else 0
            step = 1
            if byte < 0x80:
                folded = fold[byte]
                if folded:
                    word = (word ^ U(folded)) * U(0x100000001B3) + U(1)
                else:
                    token, word = word, U(0)
            elif 0xE3 <= byte <= 0xED and i + 2 < end:
                code = (U(byte) & U(15)) << U(12) | (U(data[i + 1]) & U(63)) << U(6) | U(data[i + 2]) & U(63)
                if word:
                    token, word, step = word, U(0), 0
                else:
                    token = U(0) if code < U(0x3040) else code * prime + U(7)
                    step = 3
            elif byte == 0xEF or byte == 0xE2:
                token, word, step = word, U(0), 3
            elif byte == 0xC2:
                token, word, step = word, U(0), 2
            else:
                word = (word ^ U(byte)) * U(0x100000001B3) + U(1)
            i += step
            if not token:
                continue
            total0 = total0 * prime + token - ring[(tokens - size0) & 63] * power0
            total1 = total1 * prime + token - ring[(tokens - size1) & 63] * power1
            total2 = total2 * prime + token - ring[(tokens - size2) & 63] * power2
            ring[tokens & 63] = token
            tokens += 1
            for which in range(3):
                if which == 0:
                    if tokens < size0:
                        break
                    key = _key(total0, U(size0))
                elif which == 1:
                    if tokens < size1:
                        break
                    key = _key(total1, U(size1))
                else:
                    if tokens < size2:
                        break
                    key = _key(total2, U(size2))
                bit = key >> U(40)
                if not (gate[bit >> U(3)] >> np.uint8(bit & U(7))) & np.uint8(1):
                    continue
                at = key >> shift
                while grams[at] >= 0:
                    if keys[at] == key:
                        out_text[count], out_gram[count] = text, grams[at]
                        count += 1
                        break
                    at = (at + U(1)) & mask
    return offsets.size - 1, count
