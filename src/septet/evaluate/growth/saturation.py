"""When a benchmark no longer tells good models apart, and which of its items have had their day.

The index follows the idea of "When AI Benchmarks Plateau" (arXiv 2602.16763): the gap between the best model and the k-th, over its
standard error. Here the scores of items are at hand, so the error is that of paired differences, clustered where items share a
passage, and the index is a p-value: how often k models that are equally good would lie at least as far apart on these items. Near
1, the order of the leaders is chance; near 0, it is not. The best of several lie apart even by chance alone, which a plain ratio
would take for a difference; the signs of each item's deviations are drawn instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from septet import statistics
from septet.core import ConfigError
from septet.evaluate.growth.irt import ItemFit
from septet.kinds import Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

Why = Literal["leaked", "superseded", "settled", "negative"]

SETTLED = 0.95
"""Mean score over models from which an item is settled, and one minus it at which it is unsolved."""
FEWEST_MODELS = 5
"""Models below which no item is called settled or negative."""
_DRAWS = 2000


class Saturation(msgspec.Struct, frozen=True):
    """How far the leaders of a benchmark can still be told apart."""

    index: float
    """From 0 (their order is sure) to 1 (it is chance)."""
    gap: Measure
    """Best minus k-th, with its interval; the models were picked for their scores, so that it leans to the large side."""
    ratio: float
    """The gap over its standard error; infinite where there is a gap and no error."""
    leaders: tuple[str, ...]
    settled: Measure
    """Share of items that nearly all models solve."""
    unsolved: Measure
    """Share of items that nearly no model solves."""

    @property
    def saturated(self) -> bool:
        """Whether the leaders' order may well be chance."""
        return self.index > 1 - statistics.LEVEL


class Retirement(msgspec.Struct, frozen=True):
    """Why an item goes."""

    item: str
    why: Why
    reason: str


def saturation(
    models: Sequence[str],
    scores: Sequence[Sequence[float]] | NDArray[Any],
    best: int = 5,
    clusters: Sequence[str] | None = None,
    seed: int = 1,
) -> Saturation:
    """The index of a benchmark from the scores of items (rows, 0 to 1) by models (columns); every model answered every item.

    Raises ConfigError for fewer than two models or items (clusters), and for scores that are missing.
    """
    import numpy as np

    table = np.asarray(scores, float)
    if table.ndim != 2 or table.shape[1] != len(models) or np.isnan(table).any():
        raise ConfigError(
            f"scores of shape {table.shape} for {len(models)} models", "Give every item's score of every model"
        )
    if clusters is not None and len(clusters) != len(table):
        raise ConfigError(f"{len(clusters)} clusters for {len(table)} items", "Name the cluster of each item")
    number = {one: at for at, one in enumerate(dict.fromkeys(clusters or ()))}
    place = np.arange(len(table)) if clusters is None else np.array([number[one] for one in clusters])
    if len(models) < 2 or len(set(place.tolist())) < 2:
        raise ConfigError("saturation needs at least two models and two items", "Give the scores of more")
    means = table.mean(0)
    order = np.argsort(-means, kind="stable")[:best]
    first, last = order[0], order[-1]
    gap = statistics.clustered_mean((table[:, first] - table[:, last]).tolist(), "share", clusters)
    error = statistics.clustered_error((table[:, first] - table[:, last]).tolist(), clusters)
    ratio = gap.value / error if error > 0 else (math.inf if gap.value > 0 else 0.0)
    item_means = table.mean(1)
    return Saturation(
        _by_chance(table[:, order], place, seed),
        gap,
        ratio,
        tuple(models[at] for at in order),
        statistics.share(int((item_means >= SETTLED).sum()), len(table)),
        statistics.share(int((item_means <= 1 - SETTLED).sum()), len(table)),
    )


def retire(
    items: Sequence[str],
    scores: Sequence[Sequence[float]] | NDArray[Any],
    leaked: Mapping[str, str] | None = None,
    superseded: Mapping[str, str] | None = None,
    scale: Mapping[str, ItemFit] | None = None,
) -> list[Retirement]:
    """The items that should go, each with every reason there is. `scores`: items (rows, 0 to 1) by models; NaN where missing.

    Leaked and superseded items are named by the caller, with where they were found and what took the place of their source. Settled
    is what nearly all models solve; what none solves stays, since it is the room that is left (it may be a bad item: `suspects`).
    Negative is an item that better models get wrong more often: a correlation with the other items below 0 at 95 % one-sided, or a
    slope that is. Both ask for five models. Raises ConfigError for a name that is no item and for shapes that do not fit.
    """
    import numpy as np

    table = np.asarray(scores, float)
    if table.ndim != 2 or len(table) != len(items):
        raise ConfigError(f"scores of shape {table.shape} for {len(items)} items", "Give a row for each item")
    strange = [one for named in (leaked, superseded) for one in named or {} if one not in set(items)]
    if strange:
        raise ConfigError(f"'{strange[0]}' is no item of this bank", "Name items that are in it")
    found: list[Retirement] = []
    rest = item_rest(table)
    for at, one in enumerate(items):
        row = table[at][~np.isnan(table[at])]
        if leaked and one in leaked:
            found.append(Retirement(one, "leaked", leaked[one]))
        if superseded and one in superseded:
            found.append(Retirement(one, "superseded", superseded[one]))
        if len(row) < FEWEST_MODELS:
            continue
        if row.mean() >= SETTLED:
            found.append(Retirement(one, "settled", f"{len(row)} models score {row.mean():.3f} on average"))
        reason = _negative(rest[at], len(row), (scale or {}).get(one))
        if reason:
            found.append(Retirement(one, "negative", reason))
    return found


def item_rest(table: NDArray[Any]) -> NDArray[Any]:
    """For each item (row) the correlation over models of its score with the mean of the others; NaN where one does not vary.

    Scores that are missing (NaN) are left out; each model's other items are counted by how they lie above what models usually score
    on them, so that a model that was given easy items does not look strong.
    """
    import numpy as np

    seen = ~np.isnan(table)
    counts = np.maximum(seen.sum(1, keepdims=True), 1)
    above = np.where(seen, table - np.where(seen, table, 0.0).sum(1, keepdims=True) / counts, 0.0)
    number = seen.sum(0) - seen
    others = np.where(number > 0, (above.sum(0) - above) / np.maximum(number, 1), np.nan)
    found = np.full(len(table), np.nan)
    for at in range(len(table)):
        both = seen[at] & ~np.isnan(others[at])
        x, y = table[at][both], others[at][both]
        if len(x) > 2 and np.ptp(x) > 0 and np.ptp(y) > 1e-12:
            found[at] = float(np.corrcoef(x, y)[0, 1])
    return found


def turned(correlation: float, models: int) -> bool:
    """Whether an item's correlation over models (`item_rest`) is below 0, one-sided at 95 % by Fisher's z (1915). NaN is not."""
    if math.isnan(correlation) or models < 4:
        return False
    return math.atanh(max(-0.999999, min(0.999999, correlation))) + 1.645 / math.sqrt(models - 3) < 0


def _negative(correlation: float, models: int, fit: ItemFit | None) -> str:
    """The reason where an item turns good models down, else nothing."""
    if turned(correlation, models):
        return f"correlates by {correlation:.2f} with the other items over {models} models"
    if fit is not None and fit.slope + 1.645 * fit.slope_error < 0:
        return f"slope {fit.slope:.2f} ± {fit.slope_error:.2f}: better models score less"
    return ""


def _by_chance(table: NDArray[Any], place: NDArray[Any], seed: int) -> float:
    """How often leaders that are equally good lie as far apart as these: deviations keep their items, signs of clusters are drawn.

    A wild bootstrap (Wu, 1986) of the models' means around their common mean; models stay dependent as they are, for they share
    each draw's signs.
    """
    import numpy as np

    rest = table - table.mean(1, keepdims=True)
    means = rest.mean(0)
    seen = float(np.ptp(means))
    sums = np.zeros((int(place.max()) + 1, table.shape[1]))
    np.add.at(sums, place, rest - means)
    random = np.random.default_rng(seed)
    extreme = 0
    for _ in range(_DRAWS // 100):
        signs = random.integers(0, 2, (100, len(sums))) * 2.0 - 1
        extreme += int((np.ptp(signs @ sums / len(table), axis=1) >= seen - 1e-12).sum())
    return (1 + extreme) / (1 + _DRAWS)
