"""Findings that overlap made one, over sorted columns: the compiled twin of `detect.span.merge`."""

from __future__ import annotations

from typing import Any

from numba import njit


def disjoint(row: Any, start: Any, end: Any, name: Any, scores: Any) -> int:
    """Make spans disjoint in place and return how many are left; those stand first.

    The columns are int64 and sorted by row, start and falling end; `scores` are by name. Where spans overlap, the surest gives
    its name, then the longest, then the first, and is stretched over the other.
    """
    return int(_disjoint(row, start, end, name, scores))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _disjoint(row, start, end, name, scores):  # type: ignore[no-untyped-def]
    count = 0
    for k in range(row.size):
        if start[k] >= end[k]:
            continue
        at = count - 1
        if count and row[at] == row[k] and start[k] < end[at]:
            mine, other = scores[name[k]], scores[name[at]]
            size, other_size = end[k] - start[k], end[at] - start[at]
            # At the same score and length the earlier start wins, and the one before has it.
            if mine > other or (mine == other and size > other_size):
                name[at] = name[k]
            end[at] = max(end[at], end[k])
        else:
            row[count], start[count], end[count], name[count] = row[k], start[k], end[k], name[k]
            count += 1
    return count
