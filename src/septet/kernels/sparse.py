"""Sparse rows times dense columns, and back: what a randomised singular value decomposition of hashed features needs."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def times(starts, places, values, dense):  # type: ignore[no-untyped-def]
    """(rows, places) sparse times (places, width) dense: float32 (rows, width), summed in the order of the places."""
    rows, width = starts.size - 1, dense.shape[1]
    out = np.zeros((rows, width), np.float32)
    for row in range(rows):
        for k in range(starts[row], starts[row + 1]):
            value = values[k]
            for column in range(width):
                out[row, column] += value * dense[places[k], column]
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def transposed_times(starts, places, values, dense, height):  # type: ignore[no-untyped-def]
    """The transpose of (rows, places) sparse times (rows, width) dense: float32 (height, width)."""
    width = dense.shape[1]
    out = np.zeros((height, width), np.float32)
    for row in range(starts.size - 1):
        for k in range(starts[row], starts[row + 1]):
            value = values[k]
            for column in range(width):
                out[places[k], column] += value * dense[row, column]
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def rescale(starts, places, values, weights):  # type: ignore[no-untyped-def]
    """Multiply each value by the weight of its place, in place, and bring each row to length one again."""
    for row in range(starts.size - 1):
        total = 0.0
        for k in range(starts[row], starts[row + 1]):
            values[k] *= weights[places[k]]
            total += values[k] * values[k]
        if total > 0:
            scale = 1.0 / np.sqrt(total)
            for k in range(starts[row], starts[row + 1]):
                values[k] *= scale
