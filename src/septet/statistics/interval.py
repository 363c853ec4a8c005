"""Intervals. Every number that leaves a stage carries one.

Shares get Wilson's score interval (1927), means a percentile bootstrap (Efron, 1979) or the interval of the central limit theorem
(Miller, 2024, arXiv 2411.00640), both over clusters where items share a passage. Two systems on the same items are compared pair
by pair. Seeds are fixed, so that a report computed again is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from septet.kinds import Measure
from septet.statistics.distribution import t_quantile

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
    groups = groups_of(len(numbers), clusters)
    sums = np.array([numbers[group].sum() for group in groups])
    sizes = np.array([len(group) for group in groups])
    draw = np.random.default_rng(seed).integers(0, len(groups), (_DRAWS, len(groups)))
    means = sums[draw].sum(1) / sizes[draw].sum(1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Measure(float(numbers.mean()), float(low), float(high), len(numbers), unit)


def mean_score(
    scores: Sequence[float],
    clusters: Sequence[str] | None = None,
    seed: int = 1,
    ends: tuple[float, float] = (0.0, 1.0),
    unit: str = "share",
) -> Measure:
    """The mean of scores on a scale that ends (from 0 to 1) with its interval: Wilson's for right and wrong without clusters, else
    `mean`'s.

    Where all that can be drawn comes out alike (one cluster, or all right), redraws see no spread, and nothing is certain for that:
    the interval is then at least the one of as many single items as there are clusters. Of nothing, it could be anything.
    """
    low, high = ends
    if not scores:
        return Measure(low, low, high, 0, unit)
    count = len(groups_of(len(scores), clusters))
    reach = high - low
    if count == len(scores) and all(score in ends for score in scores):
        found = share(sum(score == high for score in scores), count)
        return Measure(low + reach * found.value, low + reach * found.low, low + reach * found.high, count, unit)
    found = mean(scores, unit, clusters, seed)
    if found.high - found.low > 1e-12:
        return found
    least = share(round((found.value - low) / reach * count), count)
    bounds = low + reach * least.low, low + reach * least.high
    return Measure(found.value, min(found.value, bounds[0]), max(found.value, bounds[1]), found.n, unit)


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


def gain(
    before: Sequence[float], after: Sequence[float], clusters: Sequence[str] | None = None, seed: int = 1
) -> Measure:
    """The `difference` of scores from 0 to 1 on the same items.

    Where all differences are alike redraws see no spread; among as many clusters a `rule_of_three` of them may yet differ, by as
    much as a score can. Of nothing, it could be anything.
    """
    if not before and not after:
        return Measure(0.0, -1.0, 1.0, 0, "share")
    found = difference(before, after, "share", clusters, seed)
    if found.high - found.low > 1e-12:
        return found
    unseen = rule_of_three(len(groups_of(len(before), clusters)))
    value = found.value
    return Measure(value, value - unseen * (1 + value), value + unseen * (1 - value), found.n, "share")


def clustered_error(values: Sequence[float], clusters: Sequence[str] | None = None) -> float:
    """The standard error of a mean, in the unit of the values, where items of one cluster may stand and fall together.

    Miller (2024, arXiv 2411.00640, section 2.2): the products of deviations are summed within clusters. The sum is scaled by
    G / (G - 1) for G clusters, so that without clusters it is the usual standard error. Raises ValueError for fewer than two
    clusters, which do not tell how much clusters differ.
    """
    groups = groups_of(len(values), clusters)
    if len(groups) < 2:
        raise ValueError(f"a standard error needs at least two clusters, not {len(groups)}")
    middle = math.fsum(values) / len(values)
    squares = math.fsum(math.fsum(values[at] - middle for at in group) ** 2 for group in groups)
    return math.sqrt(squares * len(groups) / (len(groups) - 1)) / len(values)


def clustered_mean(
    values: Sequence[float], unit: str = "", clusters: Sequence[str] | None = None, level: float = LEVEL
) -> Measure:
    """A mean with the interval of the central limit theorem: clustered standard error, Student's t with clusters - 1 degrees.

    Quicker than the bootstrap of `mean` and the same for each run; symmetric, so that it may pass the end of a scale. Raises
    ValueError for fewer than two clusters.
    """
    error = clustered_error(values, clusters)
    half = t_quantile((1 + level) / 2, len(groups_of(len(values), clusters)) - 1) * error
    middle = math.fsum(values) / len(values)
    return Measure(middle, middle - half, middle + half, len(values), unit)


def rule_of_three(of: int, level: float = LEVEL) -> float:
    """The share of failures that is not exceeded, at this level, where none was seen among `of` independent items.

    The exact bound 1 - (1 - level) ** (1 / of), of which 3 / of is the well-known approximation at 95 % (Hanley and Lippman-Hand,
    1983, JAMA 249:1743). Give the number of clusters where items share one. Of nothing it is 1. Raises ValueError below 0.
    """
    if of < 0:
        raise ValueError(f"a number of items is not below 0: {of}")
    return 1.0 if of == 0 else -math.expm1(math.log1p(-level) / of)


def groups_of(count: int, clusters: Sequence[str] | None) -> list[list[int]]:
    """The places of the items of each cluster; without clusters, each item is one. Raises ValueError where they do not pair up."""
    if clusters is None:
        return [[index] for index in range(count)]
    if len(clusters) != count:
        raise ValueError(f"{count} values but {len(clusters)} clusters: there must be one for each")
    found: dict[str, list[int]] = {}
    for index, cluster in enumerate(clusters):
        found.setdefault(cluster, []).append(index)
    return list(found.values())
