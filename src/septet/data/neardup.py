"""Near-duplicates on UTF-8 bytes, in one compiled pass a document, and verified before anything is removed.

Tokens are folded Latin words and single Chinese, Japanese and Korean characters, so that one method serves mixed text;
shingles are five tokens. Signatures are made by fast similarity sketching (Dahlgaard, Knudsen, Thorup, FOCS 2017):
unbiased for short texts, one hash a shingle. 16 bands of 6 bins propose pairs (0.99 of those at Jaccard 0.8); each pair's
exact Jaccard similarity decides. Only verified pairs are joined, so that a boilerplate band cannot chain documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit

BINS, BANDS, ROWS, SHINGLE = 96, 16, 6, 5
_HEADS = 64
U = np.uint64


class Duplicate(NamedTuple):
    """Document `copy` is like document `kept`, with this Jaccard similarity of shingles (1.0: the same text)."""

    copy: int
    kept: int
    similarity: float


def near_duplicates(texts: Sequence[str], similarity: float, preference: Sequence[int]) -> list[Duplicate]:
    """Documents that are like one kept before them. `preference` orders the documents: what comes first is kept.

    A document is compared with kept ones only, so a chain of small changes does not remove what differs from all kept.
    """
    order = [int(index) for index in preference]
    encoded = [texts[index].encode() for index in order]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(one) for one in encoded], out=offsets[1:])
    data = np.frombuffer(b"".join(encoded), np.uint8)
    keys, counts = _sketch_all(data, offsets, _FOLD)
    found = []
    seen: list[dict[int, list[int]]] = [{} for _ in range(BANDS)]
    for place in range(len(order)):
        if counts[place] == 0:
            continue
        bands = [int(keys[band, place]) for band in range(BANDS)]
        candidates = sorted({other for band, key in enumerate(bands) for other in seen[band].get(key, ())})
        best, best_similarity = -1, 0.0
        for other in candidates:
            low, high = sorted((counts[place], counts[other]))
            if low < similarity * high * 0.98:
                continue
            measured = float(
                _jaccard(data, offsets[place], offsets[place + 1], offsets[other], offsets[other + 1], _FOLD)
            )
            if measured > best_similarity:
                best, best_similarity = other, measured
        if best >= 0 and best_similarity >= similarity:
            found.append(Duplicate(order[place], order[best], best_similarity))
            continue
        for band, key in enumerate(bands):
            heads = seen[band].setdefault(key, [])
            if len(heads) < _HEADS:
                heads.append(place)
    return found


def _fold_table() -> Any:
    table = np.zeros(256, np.uint8)
    for byte in b"0123456789abcdefghijklmnopqrstuvwxyz":
        table[byte] = byte
    for byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        table[byte] = byte + 32
    return table


_FOLD = _fold_table()


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _mix(x):  # type: ignore[no-untyped-def]
    x ^= x >> U(32)
    x *= U(0xD6E8FEB86659FD93)
    x ^= x >> U(32)
    x *= U(0xD6E8FEB86659FD93)
    return x ^ (x >> U(32))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _shingles(data, start, end, out, fold):  # type: ignore[no-untyped-def]
    """Write the hashes of the shingles of data[start:end] to `out`, and return their number."""
    prime = U(0x9E3779B97F4A7C15)
    prime5 = prime * prime * prime * prime * prime
    ring = np.zeros(SHINGLE, np.uint64)
    tokens, count = 0, 0
    total, word = U(0), U(0)
    i = start
    while i <= end:
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
            if word:  # close a Latin word first, and look at this character again
                token, word, step = word, U(0), 0
            else:
                token = U(0) if code < U(0x3040) else code * prime + U(7)
                step = 3
        elif byte == 0xEF or byte == 0xE2:  # full-width forms and general punctuation part words
            token, word, step = word, U(0), 3
        else:
            word = (word ^ U(byte)) * U(0x100000001B3) + U(1)
        if token:
            slot = tokens % SHINGLE
            total = total * prime + token - ring[slot] * prime5
            ring[slot] = token
            tokens += 1
            if tokens >= SHINGLE:
                out[count] = _mix(total)
                count += 1
        i += step
    if 0 < tokens < SHINGLE:
        out[0] = _mix(total)
        count = 1
    return count


@njit(cache=True)  # type: ignore[untyped-decorator]
def _sketch_all(data, offsets, fold):  # type: ignore[no-untyped-def]
    """Band keys (BANDS x documents) and numbers of shingles."""
    documents = offsets.size - 1
    keys = np.empty((BANDS, documents), np.uint64)
    counts = np.empty(documents, np.int64)
    empty_bin = U(0xFFFFFFFFFFFFFFFF)
    bins = np.empty(BINS, np.uint64)
    for document in range(documents):
        start, end = offsets[document], offsets[document + 1]
        shingles = np.empty(end - start + 2, np.uint64)
        count = _shingles(data, start, end, shingles, fold)
        counts[document] = count
        bins[:] = empty_bin
        empty = BINS if count else 0
        for round_ in range(2 * BINS):
            if empty == 0:
                break
            seed = _mix(U(round_) + U(0x51ED270B))
            rank = U(round_) << U(48)
            for x in range(count):
                value = shingles[x] if round_ == 0 else _mix(shingles[x] ^ seed)
                place = ((value & U(0xFFFFFFFF)) * U(BINS)) >> U(32) if round_ < BINS else U(round_ - BINS)
                ranked = rank | (value >> U(16))
                if ranked < bins[place]:
                    if bins[place] == empty_bin:
                        empty -= 1
                    bins[place] = ranked
        for band in range(BANDS):
            key = U(band + 1)
            for row in range(ROWS):
                key = _mix(key ^ bins[band * ROWS + row]) + U(row)
            keys[band, document] = key
    return keys, counts


@njit(cache=True)  # type: ignore[untyped-decorator]
def _jaccard(data, start1, end1, start2, end2, fold):  # type: ignore[no-untyped-def]
    first = np.empty(end1 - start1 + 2, np.uint64)
    first = np.unique(first[: _shingles(data, start1, end1, first, fold)])
    second = np.empty(end2 - start2 + 2, np.uint64)
    second = np.unique(second[: _shingles(data, start2, end2, second, fold)])
    i = j = shared = 0
    while i < first.size and j < second.size:
        if first[i] == second[j]:
            shared += 1
            i += 1
            j += 1
        elif first[i] < second[j]:
            i += 1
        else:
            j += 1
    return shared / max(1, first.size + second.size - shared)
