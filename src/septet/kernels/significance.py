"""Exact binomial tails and the false discovery rate, for many counts at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit


def at_least(hits: Any, of: Any, chance: Any) -> Any:
    """The probability of `hits` or more of `of` trials that each succeed by `chance`: float64."""
    return _tails(*_broadcast(hits, of, chance))


def at_most(hits: Any, of: Any, chance: Any) -> Any:
    """The probability of `hits` or fewer."""
    hits, of, chance = _broadcast(hits, of, chance)
    return _tails(of - hits, of, 1.0 - chance)


def discoveries(values: Any) -> Any:
    """The q-value of each p-value (Benjamini and Hochberg 1995): the least false discovery rate at which it still counts."""
    values = np.asarray(values, np.float64)
    if not values.size:
        return values
    order = np.argsort(values, kind="stable")
    stepped = values[order] * values.size / np.arange(1, values.size + 1)
    found = np.empty_like(values)
    found[order] = np.minimum(1, np.minimum.accumulate(stepped[::-1])[::-1])
    return found


def _broadcast(hits: Any, of: Any, chance: Any) -> tuple[Any, Any, Any]:
    found = np.broadcast_arrays(
        np.asarray(hits, np.int64), np.asarray(of, np.int64), np.clip(np.asarray(chance, np.float64), 1e-12, 1 - 1e-12)
    )
    return tuple(np.atleast_1d(np.ascontiguousarray(one)) for one in found)  # type: ignore[return-value]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _tails(hits, of, chance):  # type: ignore[no-untyped-def]
    out = np.empty(hits.size)
    for row in range(hits.size):
        k, n, p = hits[row], of[row], chance[row]
        if k <= 0:
            out[row] = 1.0
            continue
        # Below the mean the other tail is the short one.
        low = k <= n * p
        first, step, last = (k - 1, -1, -1) if low else (k, 1, n + 1)
        total, i = 0.0, first
        term = math.exp(
            math.lgamma(n + 1.0)
            - math.lgamma(i + 1.0)
            - math.lgamma(n - i + 1.0)
            + i * math.log(p)
            + (n - i) * math.log1p(-p)
        )
        odds = p / (1 - p)
        while i != last and term > 0.0:
            total += term
            if term < total * 1e-15:
                break
            term *= (n - i) / (i + 1.0) * odds if step == 1 else i / (n - i + 1.0) / odds
            i += step
        out[row] = min(1.0, max(0.0, 1.0 - total if low else total))
    return out
