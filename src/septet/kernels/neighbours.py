"""Which of many sketched texts are like one that is kept: buckets by band key, then a verified walk in order of preference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit

# A bucket remembers so many kept texts: boilerplate that thousands share costs 64 comparisons a text, not thousands.
HEADS = 64


def firsts(exact: Any, order: Any) -> Any:
    """For each text, the first in `order` with the same pair of hashes; itself where it is the first. int32 or int64 (n)."""
    out = np.empty(order.size, order.dtype)
    size = 16
    while size < 2 * order.size:
        size *= 2
    _firsts(exact[0], exact[1], order, np.full(size, -1, order.dtype), out)
    return out


def buckets(keys: Any) -> tuple[Any, int]:
    """Of one band's keys (n): the number of the bucket of each text, -1 where it is alone, and how many buckets there are."""
    sorted_ = np.argsort(keys, kind="stable")
    out = np.full(keys.size, -1, np.int32)
    return out, int(_buckets(keys, sorted_, out))


class Compared(NamedTuple):
    """Texts to be compared: `bucket` (bands, n) int32, the numbers of their buckets, different over all bands; `num_buckets`;
    `counts` (n) of shingles; `marks` (n), hashes of the shingles in order; `sets` and `ends`, the shingle sets."""

    bucket: Any
    num_buckets: int
    counts: Any
    marks: Any
    sets: Any
    ends: Any


def walk(compared: Compared, order: Any, known: int, similarity: float) -> tuple[Any, Any]:
    """Go through texts in `order`; each is kept, or left out for a kept one that it is like.

    The first `known` texts of `order` are kept whatever they are like. Returns for each text the kept one that it is like (-1:
    it is kept) and the similarity.
    """
    return _gone(_walk, compared, order, known, similarity, True)


def matches(compared: Compared, order: Any, known: int, similarity: float) -> Any:
    """Which texts are like one of the first `known` of `order`: bool (n). The others are not compared with each other."""
    return _gone(_walk, compared, order, known, similarity, False)[0] >= 0


def linked(compared: Compared, order: Any, known: int, similarity: float) -> tuple[Any, Any]:
    """As `walk`, but what is like anything in a group belongs to the group, and of a group the first in `order` is kept.

    The partner named is one that the text was compared with; it may itself be left out for another.
    """
    return _gone(_link, compared, order, known, similarity, True)


def _gone(
    compiled: Callable[..., None], compared: Compared, order: Any, known: int, similarity: float, grow: bool
) -> tuple[Any, Any]:
    """Partner and similarity of each text by a compiled walk, with empty buckets to begin with."""
    bucket, num_buckets, *texts = compared
    partner = np.full(order.size, -1, np.int64)
    measured = np.zeros(order.size, np.float64)
    first, held = np.full(num_buckets, -1, np.int32), np.zeros(num_buckets, np.int16)
    following = np.full(bucket.shape, -1, np.int32)
    compiled(bucket, first, held, following, order, known, *texts, similarity, grow, partner, measured)
    return partner, measured


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _firsts(first, second, order, table, out):  # type: ignore[no-untyped-def]
    mask = np.uint64(table.size - 1)
    for at in range(order.size):
        text = order[at]
        place = first[text] & mask
        while True:
            other = table[place]
            if other < 0:
                table[place] = text
                out[text] = text
                break
            if first[other] == first[text] and second[other] == second[text]:
                out[text] = other
                break
            place = (place + np.uint64(1)) & mask


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _buckets(keys, sorted_, out):  # type: ignore[no-untyped-def]
    number = 0
    i = 0
    while i < sorted_.size:
        j = i + 1
        while j < sorted_.size and keys[sorted_[j]] == keys[sorted_[i]]:
            j += 1
        if j - i > 1:
            for k in range(i, j):
                out[sorted_[k]] = number
            number += 1
        i = j
    return number


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _jaccard(sets, start1, end1, start2, end2):  # type: ignore[no-untyped-def]
    i, j, shared = start1, start2, 0
    while i < end1 and j < end2:
        a, b = sets[i], sets[j]
        shared += a == b
        i += a <= b
        j += b <= a
    return shared / max(1, (end1 - start1) + (end2 - start2) - shared)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _likeness(text, other, counts, marks, sets, ends):  # type: ignore[no-untyped-def]
    if counts[text] == counts[other] and marks[text] == marks[other]:
        return 1.0
    return _jaccard(sets, ends[text], ends[text + 1], ends[other], ends[other + 1])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _root(parent, text):  # type: ignore[no-untyped-def]
    while parent[text] != text:
        parent[text] = parent[parent[text]]
        text = parent[text]
    return text


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _hold(text, band, number, first, held, following):  # type: ignore[no-untyped-def]
    """Later texts of the bucket are compared with this one, while the bucket has room."""
    if held[number] < HEADS:
        following[band, text] = first[number]
        first[number] = text
        held[number] += 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _link(bucket, first, held, following, order, known, counts, marks, sets, ends, similarity, grow, partner, measured):  # type: ignore[no-untyped-def]
    n = order.size
    parent = np.arange(n)
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    near = np.full(n, -1, np.int64)
    value_of = np.zeros(n, np.float64)
    for at in range(n):
        text = order[at]
        size = ends[text + 1] - ends[text]
        for band in range(bucket.shape[0]):
            number = bucket[band, text]
            if number < 0:
                continue
            other = first[number]
            while other >= 0:
                mine, its = _root(parent, text), _root(parent, other)
                other_size = ends[other + 1] - ends[other]
                if mine != its and at >= known and min(size, other_size) >= similarity * max(size, other_size):
                    value = _likeness(text, other, counts, marks, sets, ends)
                    if value >= similarity:
                        if rank[mine] < rank[its]:
                            parent[its] = mine
                        else:
                            parent[mine] = its
                        for one, its_like in ((text, other), (other, text)):
                            if near[one] < 0:
                                near[one], value_of[one] = its_like, value
                other = following[band, other]
            if grow:
                _hold(text, band, number, first, held, following)
    for text in range(n):
        if parent[text] != text and rank[text] >= known:
            partner[text], measured[text] = near[text], value_of[text]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _walk(bucket, first, held, following, order, known, counts, marks, sets, ends, similarity, grow, partner, measured):  # type: ignore[no-untyped-def]
    seen = np.full(order.size, -1, np.int32)
    for at in range(order.size):
        text = order[at]
        best, best_similarity = -1, 0.0
        size = ends[text + 1] - ends[text]
        if at >= known:
            for band in range(bucket.shape[0]):
                number = bucket[band, text]
                other = first[number] if number >= 0 else -1
                while other >= 0:
                    if seen[other] != text:
                        seen[other] = text
                        other_size = ends[other + 1] - ends[other]
                        if min(size, other_size) >= similarity * max(size, other_size):
                            value = _likeness(text, other, counts, marks, sets, ends)
                            if value > best_similarity:
                                best, best_similarity = other, value
                    other = following[band, other]
                if best_similarity >= similarity:
                    break
        if best_similarity >= similarity:
            partner[text] = best
            measured[text] = best_similarity
            continue
        if at >= known and not grow:
            continue
        for band in range(bucket.shape[0]):
            number = bucket[band, text]
            if number >= 0:
                _hold(text, band, number, first, held, following)
