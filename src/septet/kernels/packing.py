"""Best-fit packing of pieces into rows of one capacity, compiled (Ding et al., "Fewer truncations improve language modeling",
ICML 2024).

Each piece goes into the fullest row that still takes it, longest piece first; of equally full rows into the one that became
so first. The rooms that rows have left stand in a tree of counts, so a piece costs the logarithm of the capacity.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def cut(lengths: Any, capacity: int) -> Any:
    """Documents of some lengths (int64) in pieces of at most `capacity` tokens: (document, offset, size), int64 each."""
    count = 0
    for length in lengths:
        count += (length + capacity - 1) // capacity
    document = np.empty(count, np.int64)
    offset = np.empty(count, np.int64)
    size = np.empty(count, np.int64)
    at = 0
    for number in range(lengths.size):
        for start in range(0, lengths[number], capacity):
            document[at] = number
            offset[at] = start
            size[at] = min(capacity, lengths[number] - start)
            at += 1
    return document, offset, size


@numba.njit(cache=True, nogil=True)
def best_fit(sizes: Any, capacity: int) -> Any:
    """The row of each piece and where it starts there (int64 each), and the number of rows.

    Sizes are between 1 and `capacity`. Rows are numbered by their first piece, and hold their pieces in order.
    """
    count = sizes.size
    order = _longest_first(sizes, capacity)
    width = 1
    while width < capacity + 1:
        width *= 2
    tree = np.zeros(2 * width, np.int64)
    head = np.full(capacity + 1, -1, np.int64)  # of each room a queue of the rows that have it
    tail = np.full(capacity + 1, -1, np.int64)
    behind = np.full(count, -1, np.int64)
    placed = np.empty(count, np.int64)
    rows = 0
    for piece in order:
        need = sizes[piece]
        room = _least_room(tree, width, need)
        if room < 0:
            row, room = rows, capacity
            rows += 1
        else:
            row = head[room]
            head[room] = behind[row]
            _count(tree, width + room, -1)
        placed[piece] = row
        left = room - need
        if left > 0:
            behind[row] = -1
            if head[left] < 0:
                head[left] = row
            else:
                behind[tail[left]] = row
            tail[left] = row
            _count(tree, width + left, 1)
    number = np.full(rows, -1, np.int64)
    used = np.zeros(rows, np.int64)
    start = np.empty(count, np.int64)
    seen = 0
    for piece in range(count):
        row = placed[piece]
        if number[row] < 0:
            number[row] = seen
            seen += 1
        start[piece] = used[row]
        used[row] += sizes[piece]
        placed[piece] = number[row]
    return placed, start, rows


@numba.njit(cache=True, nogil=True)
def _longest_first(sizes: Any, capacity: int) -> Any:
    """The places of the pieces by falling size, equals in their order."""
    ends = np.zeros(capacity + 2, np.int64)
    for size in sizes:
        ends[capacity - size + 1] += 1
    for place in range(1, ends.size):
        ends[place] += ends[place - 1]
    order = np.empty(sizes.size, np.int64)
    for piece in range(sizes.size):
        key = capacity - sizes[piece]
        order[ends[key]] = piece
        ends[key] += 1
    return order


@numba.njit(cache=True, nogil=True)
def _least_room(tree: Any, width: int, need: int) -> int:
    """The smallest room of at least `need` that a row has, or -1."""
    node = width + need
    if tree[node] > 0:
        return need
    while node > 1:
        if node % 2 == 0 and tree[node + 1] > 0:
            node += 1
            while node < width:
                node = 2 * node if tree[2 * node] > 0 else 2 * node + 1
            return node - width
        node //= 2
    return -1


@numba.njit(cache=True, nogil=True)
def _count(tree: Any, node: int, change: int) -> None:
    while node > 0:
        tree[node] += change
        node //= 2


@numba.njit(cache=True, nogil=True)
def copy(source: Any, starts: Any, target: Any, places: Any, sizes: Any) -> None:
    """Copy stretches of tokens: `sizes[i]` from `source[starts[i]:]` to `target[places[i]:]`."""
    for piece in range(starts.size):
        begin, place = starts[piece], places[piece]
        for token in range(sizes[piece]):
            target[place + token] = source[begin + token]
