"""Intervals and paired tests. Every number that leaves this stage carries one.

Shares get Wilson's score interval (1927), means a percentile bootstrap (Efron, 1979), both over clusters where items share a
passage. Two systems on the same items are compared pair by pair: a bootstrap of the differences, and McNemar's exact test
where the verdicts are right or wrong. Seeds are fixed, so that a report computed again is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from septet.kinds import Measure

LEVEL = 0.95
_Z = 1.959963984540054
_DRAWS = 2000


def share(hits: int, of: int) -> Measure:
    """A share with Wilson's interval. Of nothing, the share is 0 and could be anything."""
    if of == 0:
        return Measure(0.0, 0.0, 1.0, 0, "share")
    p = hits / of
    spread = 1 + _Z * _Z / of
    middle = (p + _Z * _Z / (2 * of)) / spread
    half = _Z * math.sqrt(p * (1 - p) / of + _Z * _Z / (4 * of * of)) / spread
    # At the ends the interval reaches them exactly; what is left of rounding must not cut the value off.
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == of else min(1.0, middle + half)
    return Measure(p, low, high, of, "share")


def mean(values: Sequence[float], unit: str = "", clusters: Sequence[str] | None = None, seed: int = 1) -> Measure:
    """A mean with a bootstrap interval. `clusters` names what each value's item stands on: whole clusters are drawn."""
    import numpy as np

    if not values:
        return Measure(0.0, 0.0, 0.0, 0, unit)
    numbers = np.asarray(values, float)
    groups = _groups(len(numbers), clusters)
    sums = np.array([numbers[group].sum() for group in groups])
    sizes = np.array([len(group) for group in groups])
    draw = np.random.default_rng(seed).integers(0, len(groups), (_DRAWS, len(groups)))
    means = sums[draw].sum(1) / sizes[draw].sum(1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Measure(float(numbers.mean()), float(low), float(high), len(numbers), unit)


def resampled(count: int, statistic: Callable[[Sequence[int]], float], unit: str = "", seed: int = 1) -> Measure:
    """Any statistic of `count` items with a bootstrap interval. `statistic` takes the places of the items that were drawn."""
    import numpy as np

    draws = np.random.default_rng(seed).integers(0, count, (_DRAWS, count))
    low, high = np.quantile([statistic(draw.tolist()) for draw in draws], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Measure(statistic(range(count)), float(low), float(high), count, unit)


def difference(
    before: Sequence[float],
    after: Sequence[float],
    unit: str = "",
    clusters: Sequence[str] | None = None,
    seed: int = 1,
) -> Measure:
    """The mean of paired differences (after minus before) with a bootstrap interval. The two are of the same items, in order."""
    if len(before) != len(after):
        raise ValueError("paired values must be of the same items")
    return mean([b - a for a, b in zip(before, after, strict=True)], unit, clusters, seed)


def mcnemar(before: Sequence[bool], after: Sequence[bool]) -> float:
    """The two-sided exact p-value that right and wrong moved by chance alone (McNemar, 1947; binomial form)."""
    lost = sum(a and not b for a, b in zip(before, after, strict=True))
    won = sum(b and not a for a, b in zip(before, after, strict=True))
    n = lost + won
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(lost, won) + 1)) / 2**n
    return min(1.0, 2 * tail)


def _groups(count: int, clusters: Sequence[str] | None) -> list[list[int]]:
    if clusters is None:
        return [[index] for index in range(count)]
    found: dict[str, list[int]] = {}
    for index, cluster in enumerate(clusters):
        found.setdefault(cluster, []).append(index)
    return list(found.values())
