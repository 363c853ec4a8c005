"""How much of one text's wording stands in another in the same order: one minus the edit distance of their tokens.

The distance of Levenshtein (1966) over mixed tokens (words of Latin script, single Chinese characters), divided by the longer
text's tokens. A text with two words exchanged holds the same words, and is no copy.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from septet.kernels.arrow import texts_of
from septet.kernels.words import FOLD, windows

MOST = 2000
"""Tokens that are compared of each text: work grows with the square (10 ms for two texts of 2,000; 2026-11)."""


def form(one: str, other: str) -> float:
    """1 for texts of equal tokens, 0 for texts that share none in order."""
    texts = texts_of([one, other])
    return float(_form(texts.data, texts.offsets, FOLD, MOST))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _form(data, offsets, fold, most):  # type: ignore[no-untyped-def]
    a = np.empty(offsets[1] - offsets[0] + 2, np.uint64)
    b = np.empty(offsets[2] - offsets[1] + 2, np.uint64)
    n = min(most, windows(data, offsets[0], offsets[1], 1, a, fold))
    m = min(most, windows(data, offsets[1], offsets[2], 1, b, fold))
    if max(n, m) == 0:
        return 1.0
    row = np.arange(m + 1)
    for i in range(n):
        corner = row[0]
        row[0] = i + 1
        for j in range(m):
            above = row[j + 1]
            row[j + 1] = min(min(above, row[j]) + 1, corner + (a[i] != b[j]))
            corner = above
    return 1.0 - row[m] / max(n, m)
