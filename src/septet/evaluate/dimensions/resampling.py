"""Bootstrap intervals of several statistics of the same items at once (Efron, 1979; Davison and Hinkley, 1997, section 5.2).

Whole clusters are drawn. A calibration error and a distance from uniform are never below 0 and grow by noise alone: redrawn they
lie above what was seen, and a percentile interval may leave it out. For them the basic interval is taken, which turns the
redrawn differences round and so takes the bias off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from septet.kinds import Measure
from septet.statistics.interval import LEVEL, groups_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DRAWS = 1000
_CELLS = 4_000_000
"""Items drawn in all: of a large store fewer draws are made, whose ends are known well enough."""


def intervals(
    clusters: Sequence[str],
    statistics: Callable[[NDArray[Any]], Sequence[float]],
    bounds: tuple[float, float],
    basic: Sequence[bool],
    unit: str = "",
    seed: int = 1,
) -> list[Measure]:
    """A measure for each number that `statistics` gives of the places of items (an array of ints).

    `clusters` names what each item stands on, `bounds` the ends of the scale, `basic` which of the numbers get the basic interval.
    A draw for which a number is not defined (nan) does not count for it. Raises ValueError for no items.
    """
    import numpy as np

    if not clusters:
        raise ValueError("an interval of no items cannot be told")
    groups = [np.asarray(group) for group in groups_of(len(clusters), clusters)]
    values = np.asarray(statistics(np.arange(len(clusters))), float)
    random = np.random.default_rng(seed)
    draws = max(200, min(_DRAWS, _CELLS // len(clusters)))
    drawn = np.empty((draws, len(values)))
    for number in range(draws):
        chosen = random.integers(0, len(groups), len(groups))
        drawn[number] = statistics(np.concatenate([groups[place] for place in chosen]))
    found = []
    for place, value in enumerate(values.tolist()):
        column = drawn[:, place]
        column = column[~np.isnan(column)]
        low, high = np.quantile(column, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist() if len(column) else bounds
        if basic[place]:
            low, high = 2 * value - high, 2 * value - low
        low, high = max(bounds[0], min(value, low)), min(bounds[1], max(value, high))
        found.append(Measure(value, low, high, len(clusters), unit))
    return found
