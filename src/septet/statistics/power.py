"""How many items a difference needs, and what difference so many items can show. Before a run, from a pilot or from an assumption.

The formula of two means under the normal approximation (Miller, 2024, arXiv 2411.00640, section 5):
n = design effect * variance * (z(1 - alpha / sides) + z(power)) ** 2 / difference ** 2. The variance is that of one item's
difference. Paired, it is the variance of the differences; of two separate samples of n items each, the sum of both variances.
Items in clusters count for less by the design effect (Kish, 1965).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from septet.statistics.distribution import normal_quantile
from septet.statistics.interval import LEVEL, clustered_error


def items_needed(
    difference: float,
    variance: float,
    power: float = 0.8,
    level: float = LEVEL,
    design_effect: float = 1.0,
    sides: int = 2,
) -> int:
    """The items (of each sample, where they are not paired) with which a true difference is found with chance `power`.

    `difference` is in the unit of the scores, `variance` in its square (`variance_of`). For a non-inferiority test give the margin
    as difference, and the sides 2, since it holds at half of 1 - level. Raises ValueError for a difference of 0, a negative
    variance, other sides than 1 or 2, a power or level that is no chance.
    """
    if difference == 0:
        raise ValueError("no number of items shows a difference of 0")
    exact = _noise(variance, power, level, design_effect, sides) / difference**2
    # A whole number that rounding has lifted by a hair is not one item more.
    return max(1, math.ceil(exact - 1e-9 * max(1.0, exact)))


def smallest_difference(
    items: int,
    variance: float,
    power: float = 0.8,
    level: float = LEVEL,
    design_effect: float = 1.0,
    sides: int = 2,
) -> float:
    """The smallest true difference that so many items find with chance `power`. The reverse of `items_needed`.

    Raises ValueError for fewer than one item and as `items_needed` does.
    """
    if items < 1:
        raise ValueError(f"{items} items show no difference")
    return math.sqrt(_noise(variance, power, level, design_effect, sides) / items)


def variance_of(before: Sequence[float], after: Sequence[float], paired: bool = True) -> float:
    """The variance of one item's difference in a pilot: of the paired differences, or of two samples that share no item.

    Raises ValueError for fewer than two items and for paired values that do not pair up.
    """
    if not paired:
        return _variance(before) + _variance(after)
    if len(before) != len(after):
        raise ValueError("paired values must be of the same items")
    return _variance([b - a for a, b in zip(before, after, strict=True)])


def design_effect(values: Sequence[float], clusters: Sequence[str]) -> float:
    """By what factor clusters raise the variance of a mean over that of as many independent items. 1 where values do not differ.

    Take the paired differences as values where the comparison is paired. From few clusters it is itself uncertain; it can come out
    below 1, which a careful plan rounds up to 1. Raises ValueError for fewer than two clusters.
    """
    plain = _variance(values) / len(values)
    return clustered_error(values, clusters) ** 2 / plain if plain > 0 else 1.0


def _noise(variance: float, power: float, level: float, design_effect: float, sides: int) -> float:
    if variance < 0 or design_effect <= 0 or sides not in (1, 2):
        raise ValueError(f"no plan: variance {variance}, design effect {design_effect}, {sides} sides")
    reach = normal_quantile(1 - (1 - level) / sides) + normal_quantile(power)
    if reach <= 0:
        raise ValueError(f"a power of {power} at level {level} is reached without any item")
    return design_effect * variance * reach**2


def _variance(values: Sequence[float]) -> float:
    if len(values) < 2:
        raise ValueError(f"a variance needs at least two items, not {len(values)}")
    middle = math.fsum(values) / len(values)
    return math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1)
