"""A score within so many points, from as few items as that takes: items are drawn by difficulty, in batches, until it is known.

What earlier models scored says how hard each item is. Items in the order of difficulty are cut into strata, each batch draws from
every stratum at random (Neyman, 1934), and the estimate is the mean over strata, corrected by a regression on the rank of
difficulty (the generalised regression estimator; Särndal, Swensson and Wretman, 1992, ch. 6). Because items are drawn and not
chosen, it cannot be biased by a model that is unlike the earlier ones: then only the gain is lost. Without earlier scores the draw
is a simple one. The number that is estimated is the mean over all items of this suite, so that the interval closes as the last is
answered.

Looking after each batch and stopping when the interval is narrow is a sequential procedure (Chow and Robbins, 1965). What keeps it
honest: the stop asks for the width alone and never for the score; a least number of items comes first; the interval is Student's t
with the degrees of freedom of Satterthwaite (1946); the spread is raised by one squared scale in all, without which items that have
all gone well would seem to be certain; and of the error that is allowed, a part is kept for the looking. Coverage is measured in
tests/evaluate/test_budget.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from septet.core import ConfigError
from septet.kinds import Measure
from septet.statistics.distribution import normal_quantile, t_quantile
from septet.statistics.interval import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

Allocation = Literal["proportional", "neyman"]
"""`proportional`: each stratum by its size. `neyman`: also by how much earlier models' scores spread within it."""

BATCH = 25
MINIMUM = 50
_RIDGE = 2.0
"""Items' worth of pull of the slope towards 0: with 20 items of strong models after weak ones it keeps the error below that of a
simple draw, from 100 items on it changes nothing (AlpacaEval matrix)."""
_KEPT_FOR_LOOKING = 0.2
"""Part of the allowed error. Stopping at the first narrow interval took 0.6 points of 95 from the coverage of simple draws of the
AlpacaEval matrix (3,000 runs for each of ±1.5, 2 and 3 points, 2026-11-29); this gives them back for about a tenth more items."""


class Plan:
    """A run under way: which items were asked for, what they scored, how sure that makes the mean. Made by `start`.

    The draw depends on the items, the earlier scores and the seed alone, so that an interrupted run is `start` and `add` again.
    """

    def __init__(
        self,
        items: Sequence[str],
        strata: list[NDArray[Any]],
        rank: NDArray[Any],
        weights: Sequence[float],
        queues: list[list[int]],
        within: float,
        batch: int,
        minimum: int,
        level: float,
        span: float,
    ) -> None:
        self.items = tuple(items)
        self.within, self.level = within, level
        self.results: dict[str, float] = {}
        self.failed: list[str] = []
        """Items asked for that gave no score. They are no part of the estimate: a report says how many they are."""
        self._place = {one: at for at, one in enumerate(items)}
        self._strata, self._rank, self._weights = strata, rank, weights
        self._queues = queues
        self._asked = [0] * len(strata)
        self._waiting: dict[str, int] = {}
        self._batch, self._minimum, self._span = batch, minimum, span

    def next_batch(self) -> list[str]:
        """The items to ask next, spread over the strata that are behind their share; empty when all were asked."""
        chosen: list[str] = []
        while len(chosen) < self._batch:
            open_strata = [one for one, queue in enumerate(self._queues) if queue]
            if not open_strata:
                break
            total = sum(self._asked) + 1
            behind = max(
                open_strata, key=lambda one: (self._asked[one] < 2, self._weights[one] * total - self._asked[one])
            )
            item = self.items[self._queues[behind].pop()]
            self._asked[behind] += 1
            self._waiting[item] = behind
            chosen.append(item)
        return chosen

    def add(self, results: Mapping[str, float | None]) -> None:
        """Take the scores of items that were asked for. None stands for an item that gave no score; another takes its turn.

        Raises ConfigError for an item that was not asked for or has its score, and for a score that is no number.
        """
        for item, score in results.items():
            if item not in self._waiting:
                known = "already has its score" if item in self.results or item in self.failed else "was not asked for"
                raise ConfigError(f"item '{item}' {known}", "Add what `next_batch` named, once")
            if score is not None and not math.isfinite(score):
                raise ConfigError(
                    f"item '{item}': its score is {score}", "Give None for an item that could not be scored"
                )
            stratum = self._waiting.pop(item)
            if score is None:
                self.failed.append(item)
                self._asked[stratum] -= 1
            else:
                self.results[item] = float(score)

    def estimate(self) -> Measure:
        """The mean over all items of the suite with its interval; `n` is the number of scores it stands on.

        Before two scores it could be anything within the span: the interval says so. Items that failed count as not there.
        """
        import numpy as np

        at = np.array([self._place[item] for item in self.results], int)
        values = np.array(list(self.results.values()))
        lost = {self._place[item] for item in self.failed}
        strata = (
            [np.array([one for one in stratum if one not in lost], int) for stratum in self._strata]
            if lost
            else self._strata
        )
        level = 1 - (1 - self.level) * (1 - _KEPT_FOR_LOOKING)
        return estimated(strata, self._rank, at, values, level, self._span)

    @property
    def done(self) -> bool:
        """Whether the half of the interval is within the target, or no item is left."""
        if self._waiting:
            return False
        if not any(self._queues):
            return True
        if len(self.results) < self._minimum:
            return False
        measured = self.estimate()
        return (measured.high - measured.low) / 2 <= self.within


def start(
    items: Sequence[str],
    within: float,
    earlier: Mapping[str, Sequence[float]] | None = None,
    seed: int = 1,
    batch: int = BATCH,
    minimum: int = MINIMUM,
    allocation: Allocation = "proportional",
    level: float = LEVEL,
    span: float = 1.0,
) -> Plan:
    """A plan that answers within so much of the unit of the scores (0.01: one point of a score from 0 to 1), at this level.

    `earlier`: for each item the scores of one or more earlier models; an item that is not in it is drawn from a stratum of its own,
    so that new items have their due share. `span` is the width of the scale. A plan for ±1 point needs about 10,000 / (1 + 10,000 /
    items) answers at worst, so small suites are asked nearly whole.

    Raises ConfigError for no items, an item named twice, a target, batch or least number that is not above 0.
    """
    import numpy as np

    if not items or len(set(items)) < len(items):
        raise ConfigError("a plan needs items, each named once", "Give the ids of the suite's items")
    if not (within > 0 and batch > 0 and minimum > 1 and span > 0):
        raise ConfigError(
            f"no plan: within {within}, batch {batch}, minimum {minimum}, span {span}",
            "Give numbers above 0 (minimum: above 1)",
        )
    random = np.random.default_rng(seed)
    scores = [[value for value in (earlier or {}).get(one, ()) if math.isfinite(value)] for one in items]
    hardness = np.array([math.fsum(row) / len(row) if row else math.nan for row in scores])
    strata = strata_of(hardness, max(1, min(batch, minimum // 2)), random)
    spreads = [_spread([scores[at] for at in stratum], span) if allocation == "neyman" else 1.0 for stratum in strata]
    # No stratum falls below half of its share for having been quiet so far: the next model may differ just there.
    floor = math.fsum(spreads) / len(spreads) / 2
    raw = [len(stratum) * max(spread, floor) for stratum, spread in zip(strata, spreads, strict=True)]
    weights = [one / math.fsum(raw) if math.fsum(raw) else 1 / len(raw) for one in raw]
    queues = [random.permutation(stratum).tolist() for stratum in strata]
    return Plan(items, strata, ranks(hardness), weights, queues, within, batch, minimum, level, span)


def strata_of(hardness: NDArray[Any], count: int, random: Any) -> list[NDArray[Any]]:
    """The places of the items in strata of neighbouring difficulty and even size; those of unknown difficulty (NaN) are the last.

    Ties are parted at random, and no stratum has fewer than two items where there are two.
    """
    import numpy as np

    known = np.flatnonzero(~np.isnan(hardness))
    order = known[np.lexsort((random.random(len(known)), hardness[known]))]
    parts = np.array_split(order, max(1, min(count, len(known) // 2))) if len(known) else []
    unknown = np.flatnonzero(np.isnan(hardness))
    return [*parts, unknown] if len(unknown) else list(parts)


def ranks(hardness: NDArray[Any]) -> NDArray[Any]:
    """The rank of each item's difficulty from -1 to 1; those that tie share one, and what is unknown (NaN) stands in the middle.

    Ranks and not the scores themselves: a few items far out would else turn the line, most of all for a model that is unlike the
    earlier ones.
    """
    import numpy as np

    found = np.zeros(len(hardness))
    known = np.flatnonzero(~np.isnan(hardness))
    if len(known) > 1:
        values, place, count = np.unique(hardness[known], return_inverse=True, return_counts=True)
        if len(values) > 1:
            middle = np.cumsum(count) - (count + 1) / 2
            found[known] = middle[place] / (len(known) - 1) * 2 - 1
    return found


def drawn(strata: Sequence[NDArray[Any]], count: int, random: Any) -> NDArray[Any]:
    """So many items at once, from each stratum by its size; what does not come out even goes to strata at random."""
    import numpy as np

    total = sum(map(len, strata))
    exact = np.array([count * len(stratum) / total for stratum in strata])
    number = np.floor(exact + 1e-9).astype(int)
    over = count - int(number.sum())
    if over:
        chance = exact - number
        number[random.choice(len(strata), over, replace=False, p=chance / chance.sum())] += 1
    return np.concatenate(
        [random.choice(stratum, own, replace=False) for stratum, own in zip(strata, number, strict=True)]
    )


def estimated(
    strata: Sequence[NDArray[Any]],
    rank: NDArray[Any],
    at: NDArray[Any],
    values: NDArray[Any],
    level: float = LEVEL,
    span: float = 1.0,
) -> Measure:
    """The mean over all items of `strata` from the values of those that were drawn at random within each (`at`: their places).

    Strata from which nothing was drawn are one with their neighbour. In one stratum of right and wrong alone, the interval is
    Wilson's.
    """
    import numpy as np

    total = sum(map(len, strata))
    if len(at) < 2:
        middle = float(values[0]) if len(at) else 0.0
        return Measure(middle, middle - span, middle + span, len(at), "")
    groups = _merged(strata, at)
    if len(groups) == 1 and not np.ptp(rank[groups[0][0]]) and set(np.unique(values / span)) <= {0.0, 1.0}:
        return _wilson(values / span, total, level, span)
    expansion = np.empty(len(at))
    for stratum, own in groups:
        expansion[own] = len(stratum) / len(own)
    predicted = _line(rank, at, values, expansion)
    rest = values - predicted[at]
    everything = np.concatenate([stratum for stratum, _ in groups])
    middle = float(predicted[everything].mean() + (rest * expansion).sum() / total)
    variance = squared = 0.0
    for stratum, own in groups:
        if len(own) < 2:
            continue  # One drawn of one: known, without error. `_merged` leaves no other such stratum.
        part = (len(stratum) / total) ** 2 * (1 - len(own) / len(stratum)) * float(rest[own].var(ddof=1)) / len(own)
        variance += part
        squared += part**2 / (len(own) - 1)
    freedom = max(1.0, variance**2 / squared) if squared > 0 else float(len(at) - 1)
    variance += (1 - len(at) / total) * (span / len(at)) ** 2
    half = t_quantile((1 + level) / 2, freedom) * math.sqrt(variance)
    return Measure(middle, middle - half, middle + half, len(at), "")


def _merged(strata: Sequence[NDArray[Any]], at: NDArray[Any]) -> list[tuple[NDArray[Any], list[int]]]:
    """Each stratum with the places in `at` of what was drawn from it. One with too few to tell its spread joins its neighbour."""
    import numpy as np

    stratum_of = np.empty(max(int(stratum.max(initial=0)) for stratum in strata) + 1, int)
    for number, stratum in enumerate(strata):
        stratum_of[stratum] = number
    own: list[list[int]] = [[] for _ in strata]
    for place, number in enumerate(stratum_of[at].tolist()):
        own[number].append(place)
    groups: list[tuple[NDArray[Any], list[int]]] = []
    for stratum, places in zip(strata, own, strict=True):
        if not len(stratum):
            continue
        thin = groups and _thin(*groups[-1])
        if groups and (thin or _thin(stratum, places)):
            groups[-1] = (np.concatenate([groups[-1][0], stratum]), groups[-1][1] + places)
        else:
            groups.append((stratum, places))
    return groups


def _thin(stratum: NDArray[Any], places: Sequence[int]) -> bool:
    return len(places) < min(2, len(stratum))


def _line(rank: NDArray[Any], at: NDArray[Any], values: NDArray[Any], expansion: NDArray[Any]) -> NDArray[Any]:
    """What each item should score by its rank: weighted least squares of a straight line, the slope pulled a little to 0."""
    import numpy as np

    share = expansion / expansion.sum()
    x, y = rank[at], values
    middle_x, middle_y = share @ x, share @ y
    spread = share @ (x - middle_x) ** 2
    # A rank from -1 to 1 has variance 1/3: the pull is that of so many items in the middle of the scale.
    slope = share @ ((x - middle_x) * (y - middle_y)) / (spread + _RIDGE / 3 / len(at)) if spread > 0 else 0.0
    return np.asarray(middle_y + slope * (rank - middle_x))


def _wilson(verdicts: NDArray[Any], total: int, level: float, span: float) -> Measure:
    """Wilson's interval for a draw without return: as many items more as the part that is known makes it worth."""
    n, p = len(verdicts), float(verdicts.mean())
    if n == total:
        return Measure(p * span, p * span, p * span, n, "")
    z = normal_quantile((1 + level) / 2)
    worth = n * (total - 1) / (total - n)
    spread = 1 + z * z / worth
    middle = (p + z * z / (2 * worth)) / spread
    half = z * math.sqrt(p * (1 - p) / worth + z * z / (4 * worth * worth)) / spread
    return Measure(p * span, max(0.0, min(p, middle - half)) * span, min(1.0, max(p, middle + half)) * span, n, "")


def _spread(rows: Sequence[Sequence[float]], span: float) -> float:
    """How far the items of a stratum lie apart for one model: over five or more models as seen, else as right and wrong would."""
    models = min((len(row) for row in rows), default=0)
    if models >= 5 and len(rows) > 1:
        found = 0.0
        for model in range(models):
            column = [row[model] for row in rows]
            middle = math.fsum(column) / len(column)
            found += math.sqrt(math.fsum((one - middle) ** 2 for one in column) / (len(column) - 1))
        return found / models
    every = [value / span for row in rows for value in row]
    if not every:
        return span / 2
    p = min(1.0, max(0.0, (math.fsum(every) + 1) / (len(every) + 2)))
    return math.sqrt(p * (1 - p)) * span
