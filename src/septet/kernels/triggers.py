"""Which documents hold which n-grams of mixed tokens, each counted once; and what the rest of a document says of its label.

N-grams of 1, 2, 3 and 5 tokens, by their 64-bit hashes. The label of a document without some of its words is told by a
multinomial naive Bayes that never saw the document (leave-one-out), so that a planted word cannot vouch for itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from septet.kernels.arrow import Texts
from septet.kernels.words import FOLD, U, mix, windows

SIZES = np.array([1, 2, 3, 5], np.int64)
MOST_TOKENS = 2000
"""Of a longer document the first so many tokens are looked at."""


def held(texts: Texts) -> tuple[Any, Any]:
    """Each different n-gram of each text: hashes (uint64) and the texts that hold them (int32)."""
    return _held(texts.data, texts.offsets, SIZES, FOLD, MOST_TOKENS, np.zeros(0, np.uint64))  # type: ignore[no-any-return]


def held_of(texts: Texts, wanted: Any) -> tuple[Any, Any]:
    """As `held`, of the hashes in `wanted` (uint64, sorted) only."""
    if not wanted.size:
        return np.zeros(0, np.uint64), np.zeros(0, np.int32)
    return _held(texts.data, texts.offsets, SIZES, FOLD, MOST_TOKENS, wanted)  # type: ignore[no-any-return]


def hashes_of(texts: Texts, size: int) -> Any:
    """The hash that each text has as one n-gram of `size` tokens; 0 where it has another number of tokens."""
    return _hashes_of(texts.data, texts.offsets, size, FOLD)


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _keyed(value, size):  # type: ignore[no-untyped-def]
    return mix(value ^ (U(size) * U(0x9E3779B97F4A7C15)))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _hashes_of(data, offsets, size, fold):  # type: ignore[no-untyped-def]
    out = np.zeros(offsets.size - 1, np.uint64)
    for row in range(offsets.size - 1):
        room = np.empty(offsets[row + 1] - offsets[row] + 2, np.uint64)
        if windows(data, offsets[row], offsets[row + 1], 1, room, fold) == size:
            windows(data, offsets[row], offsets[row + 1], size, room, fold)
            out[row] = _keyed(room[0], size)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _held(data, offsets, sizes, fold, most, wanted):  # type: ignore[no-untyped-def]
    capacity = np.int64(1 << 16)
    hashes, rows = np.empty(capacity, np.uint64), np.empty(capacity, np.int32)
    count = 0
    for row in range(offsets.size - 1):
        room = np.empty(offsets[row + 1] - offsets[row] + 2, np.uint64)
        tokens = windows(data, offsets[row], offsets[row + 1], 1, room, fold)
        found = np.empty(sizes.size * min(tokens, most), np.uint64)
        size_of = 0
        for size in sizes:
            if size > tokens:
                break
            here = min(most, windows(data, offsets[row], offsets[row + 1], size, room, fold))
            for k in range(here):
                key = _keyed(room[k], size)
                if wanted.size:
                    at = np.searchsorted(wanted, key)
                    if at == wanted.size or wanted[at] != key:
                        continue
                found[size_of] = key
                size_of += 1
        different = np.sort(found[:size_of])
        if count + size_of > capacity:
            capacity = max(2 * capacity, count + size_of)
            more_hashes, more_rows = np.empty(capacity, np.uint64), np.empty(capacity, np.int32)
            more_hashes[:count], more_rows[:count] = hashes[:count], rows[:count]
            hashes, rows = more_hashes, more_rows
        for k in range(size_of):
            if k == 0 or different[k] != different[k - 1]:
                hashes[count], rows[count] = different[k], row
                count += 1
    return hashes[:count].copy(), rows[:count].copy()


def tokens_of(texts: Texts) -> tuple[Any, Any]:
    """The hashes of the tokens of all texts, end to end (uint64), and where each text begins (int64)."""
    return _tokens_of(texts.data, texts.offsets, FOLD, MOST_TOKENS)  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _tokens_of(data, offsets, fold, most):  # type: ignore[no-untyped-def]
    rows = offsets.size - 1
    starts = np.zeros(rows + 1, np.int64)
    out = np.empty(max(np.int64(16), offsets[rows] - offsets[0] + 2 * rows), np.uint64)
    for row in range(rows):
        room = np.empty(offsets[row + 1] - offsets[row] + 2, np.uint64)
        count = min(most, windows(data, offsets[row], offsets[row + 1], 1, room, fold))
        out[starts[row] : starts[row] + count] = room[:count]
        starts[row + 1] = starts[row] + count
    return out[: starts[rows]].copy(), starts


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _place(one, other, width):  # type: ignore[no-untyped-def]
    return np.int64(mix(one * U(0x9E3779B97F4A7C15) ^ other) & U(width - 1))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def label_counts(tokens, starts, labels, width, classes):  # type: ignore[no-untyped-def]
    """How often each token and pair of tokens (hashed into `width` places) stands in documents of each class, and the sums."""
    table, sums = np.zeros((width, classes), np.float32), np.zeros(classes)
    for row in range(starts.size - 1):
        label = labels[row]
        for i in range(starts[row], starts[row + 1]):
            table[_place(tokens[i], U(0), width), label] += 1
            sums[label] += 1
            if i > starts[row]:
                table[_place(tokens[i], tokens[i - 1], width), label] += 1
                sums[label] += 1
    return table, sums


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def rest_says(tokens, starts, labels, rows, asked, masked, table, sums, sizes):  # type: ignore[no-untyped-def]
    """By how much (nats) naive Bayes prefers another class to the class `asked` for each document of `rows`, without the document
    itself and without the tokens in `masked`: float64, below 0 where it prefers that class, 0 where less than half of the document
    is left. `sizes` are the documents of each class, `labels` the classes under which documents were counted."""
    width, classes = table.shape
    out = np.zeros(rows.size)
    gone = set(masked)
    for number in range(rows.size):
        row = rows[number]
        own = labels[row]
        first, last = starts[row], starts[row + 1]
        score = np.empty(classes)
        for c in range(classes):
            score[c] = np.log(sizes[c] - (c == own) + 0.5)
        length = 0
        for i in range(first, last):
            length += 2 if i > first else 1
        used = 0
        for i in range(first, last):
            if tokens[i] in gone:
                continue
            for pair in range(2):
                if pair and (i == first or tokens[i - 1] in gone):
                    continue
                other = tokens[i - 1] if pair else U(0)
                place = _place(tokens[i], other, width)
                # What this document itself put there is taken out of its own class.
                mine = 0
                for j in range(first, last):
                    if tokens[j] == tokens[i] and (not pair or (j > first and tokens[j - 1] == other)):
                        mine += 1
                for c in range(classes):
                    here, total = table[place, c], sums[c]
                    if c == own:
                        here, total = here - mine, total - length
                    score[c] += np.log((max(0.0, here) + 0.1) / (max(0.0, total) + 0.1 * 50_000))
                used += 1
        if 2 * used >= length and used:
            wanted = score[asked[number]]
            score[asked[number]] = -np.inf
            out[number] = score.max() - wanted
    return out
