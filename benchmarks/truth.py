"""What near-duplicate removal should have found: every pair of documents above a similarity, by an exact join.

Prefix filtering (Bayardo, Ma, Srikant, WWW 2007): of two sets alike to t, the rarest n - ceil(t n) + 1 elements of each share
one, so only documents that share such an element are compared, and all of those are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit

from septet.kernels.arrow import texts_of
from septet.kernels.sketch import shingle_sets


def pairs(column: pa.ChunkedArray, similarity: float) -> tuple[Any, Any]:
    """Places of the documents of each pair."""
    sets, ends = shingle_sets(texts_of(column))
    sizes = np.diff(ends)
    owner = np.repeat(np.arange(sizes.size), sizes)
    _, inverse, count = np.unique(sets, return_inverse=True, return_counts=True)
    frequency = count[inverse]
    order = np.lexsort((sets, frequency, owner))
    place = np.arange(sets.size) - np.repeat(ends[:-1], sizes)
    prefix = order[place < np.repeat(sizes - np.ceil(similarity * sizes).astype(np.int64) + 1, sizes)]
    prefix = prefix[frequency[prefix] > 1]
    prefix = prefix[np.argsort(sets[prefix], kind="stable")]
    found = np.unique(_candidates(sets[prefix], owner[prefix], sizes, similarity))
    first, second = (found >> np.uint64(32)).astype(np.int64), (found & np.uint64(0xFFFFFFFF)).astype(np.int64)
    alike = _alike(first, second, sets, ends, similarity)
    return first[alike], second[alike]


def groups(size: int, first: Any, second: Any) -> Any:
    """The number of the connected group of each document."""
    return _groups(size, first, second)


@njit(cache=True)
def _candidates(values, owner, sizes, similarity):
    out = np.empty(1 << 16, np.uint64)
    count = 0
    i = 0
    while i < values.size:
        j = i
        while j < values.size and values[j] == values[i]:
            j += 1
        for x in range(i, j):
            for y in range(x + 1, j):
                low, high = min(owner[x], owner[y]), max(owner[x], owner[y])
                if min(sizes[low], sizes[high]) >= similarity * max(sizes[low], sizes[high]):
                    if count == out.size:
                        out = np.append(out, np.empty(count, np.uint64))
                    out[count] = np.uint64(low) << np.uint64(32) | np.uint64(high)
                    count += 1
        i = j
    return out[:count]


@njit(cache=True)
def _alike(first, second, sets, ends, similarity):
    out = np.zeros(first.size, np.bool_)
    for k in range(first.size):
        i, j = ends[first[k]], ends[second[k]]
        i_end, j_end = ends[first[k] + 1], ends[second[k] + 1]
        total = (i_end - i) + (j_end - j)
        shared = 0
        while i < i_end and j < j_end:
            a, b = sets[i], sets[j]
            shared += a == b
            i += a <= b
            j += b <= a
        out[k] = shared >= similarity * (total - shared)
    return out


@njit(cache=True)
def _groups(size, first, second):
    parent = np.arange(size)
    for k in range(first.size):
        a, b = first[k], second[k]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        parent[max(a, b)] = min(a, b)
    for k in range(size):
        root = k
        while parent[root] != root:
            root = parent[root]
        parent[k] = root
    return parent
