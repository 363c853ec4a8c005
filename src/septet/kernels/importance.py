"""Counts of hashed words and pairs of words, and how much likelier a text is under one table of counts than another.

The features of DSIR (Xie et al., NeurIPS 2023): unigrams and bigrams, hashed into a table; here of mixed tokens, so that Chinese
text, which has no blanks, is read by its characters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from septet.kernels.arrow import Texts
from septet.kernels.words import FOLD, U, windows

PLACES = 10_000
"""As in the paper."""
LONGEST = 2


def counts(texts: Texts, out: Any) -> None:
    """Add the features of all texts to `out` (int64, places)."""
    _counts(texts.data, texts.offsets, FOLD, out)


def log_ratios(texts: Texts, ratio: Any) -> tuple[Any, Any]:
    """For each text the sum of `ratio` (float64, places) over its features, and how many features it has."""
    return _log_ratios(texts.data, texts.offsets, FOLD, ratio)  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _counts(data, offsets, fold, out):  # type: ignore[no-untyped-def]
    longest = np.int64(0)
    for row in range(offsets.size - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    room = np.empty(longest + 2, np.uint64)
    for row in range(offsets.size - 1):
        for size in range(1, LONGEST + 1):
            count = windows(data, offsets[row], offsets[row + 1], size, room, fold)
            for k in range(count):
                out[np.int64((room[k] + U(size)) % U(out.size))] += 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _log_ratios(data, offsets, fold, ratio):  # type: ignore[no-untyped-def]
    rows = offsets.size - 1
    sums, sizes = np.zeros(rows), np.zeros(rows, np.int64)
    longest = np.int64(0)
    for row in range(rows):
        longest = max(longest, offsets[row + 1] - offsets[row])
    room = np.empty(longest + 2, np.uint64)
    for row in range(rows):
        for size in range(1, LONGEST + 1):
            count = windows(data, offsets[row], offsets[row + 1], size, room, fold)
            sizes[row] += count
            for k in range(count):
                sums[row] += ratio[np.int64((room[k] + U(size)) % U(ratio.size))]
    return sums, sizes
