"""The lattice of a unigram language model over words of bytes, compiled: expected counts of its pieces, and what each is worth.

Forward and backward sums in logarithms, as Kudo ("Subword regularization", ACL 2018) trains it. Words and pieces are bytes laid
end to end (`data` uint8, `ends` int64, one more than there are). One thread in a fixed order, so that sums are always the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np


class Trie(NamedTuple):
    """A hash table of edges: `keys` (node * 256 + byte + 1; 0: free) and `nodes`, and the piece at each node (-1: none); int64."""

    keys: Any
    nodes: Any
    pieces: Any


def trie(data: Any, ends: Any) -> Trie:
    """The trie of pieces."""
    size = 1
    while size < 2 * (data.size + 2):
        size *= 2
    return Trie(*_trie(data, ends, size))


@numba.njit(cache=True, nogil=True)
def _trie(data: Any, ends: Any, size: int) -> Any:
    keys = np.zeros(size, np.int64)
    nodes = np.zeros(size, np.int64)
    pieces = np.full(data.size + 1, -1, np.int64)
    used = 1
    for piece in range(ends.size - 1):
        node = 0
        for at in range(ends[piece], ends[piece + 1]):
            key = node * 256 + np.int64(data[at]) + 1
            slot = _slot(keys, key)
            if keys[slot] == 0:
                keys[slot] = key
                nodes[slot] = used
                used += 1
            node = nodes[slot]
        pieces[node] = piece
    return keys, nodes, pieces


@numba.njit(cache=True, nogil=True, inline="always")
def _slot(keys: Any, key: int) -> int:
    mask = keys.size - 1
    slot = ((key * np.int64(0x9E3779B97F4A7C1)) >> 20) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@numba.njit(cache=True, nogil=True)
def occurrences(data: Any, ends: Any, counts: Any, keys: Any, nodes: Any, pieces: Any, number: int) -> Any:
    """How often each piece stands in the words, overlaps included."""
    found = np.zeros(number, np.float64)
    for word in range(counts.size):
        for first in range(ends[word], ends[word + 1]):
            node = 0
            for at in range(first, ends[word + 1]):
                slot = _slot(keys, node * 256 + np.int64(data[at]) + 1)
                if keys[slot] == 0:
                    break
                node = nodes[slot]
                if pieces[node] >= 0:
                    found[pieces[node]] += counts[word]
    return found


@numba.njit(cache=True, nogil=True, inline="always")
def _add(first: float, second: float) -> float:
    if first < second:
        first, second = second, first
    if second < first - 40:
        return first
    return first + np.log1p(np.exp(second - first))


@numba.njit(cache=True, nogil=True)
def expected(data: Any, ends: Any, counts: Any, keys: Any, nodes: Any, pieces: Any, scores: Any) -> Any:
    """The expected count of each piece (float64) over all ways to cut the words."""
    found = np.zeros(scores.size, np.float64)
    longest = 0
    for word in range(counts.size):
        longest = max(longest, ends[word + 1] - ends[word])
    before = np.empty(longest + 1)
    behind = np.empty(longest + 1)
    for word in range(counts.size):
        start = ends[word]
        size = ends[word + 1] - start
        before[: size + 1] = -np.inf
        behind[: size + 1] = -np.inf
        before[0] = 0.0
        behind[size] = 0.0
        for first in range(size):
            node = 0
            for at in range(first, size):
                slot = _slot(keys, node * 256 + np.int64(data[start + at]) + 1)
                if keys[slot] == 0:
                    break
                node = nodes[slot]
                piece = pieces[node]
                if piece >= 0:
                    before[at + 1] = _add(before[at + 1], before[first] + scores[piece])
        whole = before[size]
        for first in range(size - 1, -1, -1):
            node = 0
            for at in range(first, size):
                slot = _slot(keys, node * 256 + np.int64(data[start + at]) + 1)
                if keys[slot] == 0:
                    break
                node = nodes[slot]
                piece = pieces[node]
                if piece >= 0:
                    value = scores[piece] + behind[at + 1]
                    behind[first] = _add(behind[first], value)
                    found[piece] += np.exp(before[first] + value - whole) * counts[word]
    return found


@numba.njit(cache=True, nogil=True)
def without(data: Any, ends: Any, keys: Any, nodes: Any, pieces: Any, scores: Any) -> Any:
    """For each piece the score of its best cut into other pieces; -inf for a single byte."""
    found = np.full(scores.size, -np.inf)
    longest = 0
    for piece in range(scores.size):
        longest = max(longest, ends[piece + 1] - ends[piece])
    best = np.empty(longest + 1)
    for whole in range(scores.size):
        start = ends[whole]
        size = ends[whole + 1] - start
        best[: size + 1] = -np.inf
        best[0] = 0.0
        for first in range(size):
            node = 0
            for at in range(first, size):
                slot = _slot(keys, node * 256 + np.int64(data[start + at]) + 1)
                if keys[slot] == 0:
                    break
                node = nodes[slot]
                piece = pieces[node]
                if piece >= 0 and piece != whole:
                    best[at + 1] = max(best[at + 1], best[first] + scores[piece])
        found[whole] = best[size]
    return found
