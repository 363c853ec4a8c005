"""Item response theory: how hard an item is and how well it parts models, apart from which models were tried.

The model of two parameters (Birnbaum, 1968) in slopes and intercepts: a model of ability t scores 1 / (1 + exp(-(a t + d))) on an
item; its difficulty is b = -d / a. With too few models the slope is 1 for all items (Rasch, 1960). Models are few and items many,
the other way about than with people, so abilities and items are fitted together with priors on both (Bayes modal estimation;
Mislevy, 1986): t ~ N(0, 1), a ~ N(1, 0.3), d ~ N(0, 4). Each half of the fit is convex, so it cannot diverge, and a slope may
come out negative, which is the mark of a bad item. Scores from 0 to 1 count as parts of a success (quasi-likelihood; Papke and
Wooldridge, 1996). A score that is missing is NaN and left out.

After a fit abilities have mean 0 and standard deviation 1 over its models: this is the scale. New items come onto an old scale by
the models that answered anchors (`calibrate`; Kim, 2006; for language models arXiv 2604.12843).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from septet.core import ConfigError, StepFailed

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["2pl", "rasch"]

FEWEST_FOR_SLOPES = 5
_SLOPE_SPREAD, _INTERCEPT_SPREAD = 0.3, 4.0
"""Priors of a fit. Slopes are held the more since a handful of models hardly tells them: with 0.5, abilities linked from 20
models to 20 stronger ones came out 0.11 too low, with 0.3 by 0.04 (simulation, 2026-11-29). Intercepts are nearly free."""
_WIDE = 3.0
"""Prior spread of one model's ability on a finished scale: wide enough to leave it alone, but all right is not infinitely able."""
_ROUNDS = 500
_ENOUGH = 1e-5


class ItemFit(msgspec.Struct, frozen=True):
    """What is known of an item on a scale."""

    slope: float
    intercept: float
    slope_error: float = 0.0
    intercept_error: float = 0.0
    """Standard errors with the abilities taken as known."""
    models: int = 0

    @property
    def difficulty(self) -> float:
        """The ability that scores one half; infinite where the slope is 0."""
        return -self.intercept / self.slope if self.slope else math.copysign(math.inf, -self.intercept)


class Ability(msgspec.Struct, frozen=True):
    """Where a model stands on a scale."""

    value: float
    error: float
    """Standard error: of the answers, and by `ability` and `calibrate` also of the items' parameters."""
    items: int


class Fit(msgspec.Struct, frozen=True):
    """A scale: its items and the models it was made from."""

    kind: Kind
    items: dict[str, ItemFit]
    models: dict[str, Ability]
    left_out: dict[str, str]
    """Items that could not be placed, with the reason."""


def fit(
    items: Sequence[str],
    models: Sequence[str],
    scores: Sequence[Sequence[float]] | NDArray[Any],
    kind: Kind | None = None,
) -> Fit:
    """A scale from the scores (0 to 1, NaN where missing) of items (rows) by models (columns).

    Without `kind`: two parameters from five models on, else Rasch. Raises ConfigError for shapes that do not fit, fewer than two
    models or scores outside of 0 to 1, and StepFailed where the fit does not come to rest.
    """
    import numpy as np

    table = _checked(items, models, scores)
    if len(models) < 2:
        raise ConfigError("a scale needs at least two models", "Give the scores of more models")
    answered = (~np.isnan(table)).sum(1)
    kept = [at for at in range(len(items)) if answered[at]]
    if not kept:
        raise ConfigError("no item has a score", "Give scores from 0 to 1")
    chosen: Kind = kind or ("2pl" if len(models) >= FEWEST_FOR_SLOPES else "rasch")
    table = table[kept]
    ability = _begin(table)
    slope, intercept = np.ones(len(kept)), np.zeros(len(kept))
    for _ in range(_ROUNDS):
        slope, intercept, errors = _items(table, ability, slope, intercept, chosen)
        before = ability
        ability, _ = _abilities(table, slope, intercept, before, 1.0)
        if np.abs(ability - before).max() < _ENOUGH:
            break
    else:
        raise StepFailed(
            f"the scale did not come to rest in {_ROUNDS} rounds", "Fit with kind = rasch, or give more items"
        )
    middle, spread = float(ability.mean()), float(ability.std())
    if spread < 1e-6:
        raise StepFailed("the models do not differ on these items", "Give models of different strength")
    # The scale is that of the models: mean 0 and standard deviation 1. Curves stay where they are.
    intercept, slope, ability = intercept + slope * middle, slope * spread, (ability - middle) / spread
    # The intercept's error is told at the middle of the old scale; with the models around 0 the two are near.
    errors = errors * np.array([spread, 1.0])
    _, ability_errors = _abilities(table, slope, intercept, ability, _WIDE, steps=0)
    counts = (~np.isnan(table)).sum(0)
    return Fit(
        chosen,
        {
            items[at]: ItemFit(
                float(slope[n]), float(intercept[n]), float(errors[n, 0]), float(errors[n, 1]), int(answered[at])
            )
            for n, at in enumerate(kept)
        },
        {one: Ability(float(ability[n]), float(ability_errors[n]), int(counts[n])) for n, one in enumerate(models)},
        {items[at]: "no model has a score" for at in range(len(items)) if not answered[at]},
    )


def ability(items: Mapping[str, ItemFit], scores: Mapping[str, float]) -> Ability:
    """Where a model stands on the scale of `items`, by its scores of some of them. Scores of other items are not looked at.

    Raises ConfigError where there is no score of any item of the scale.
    """
    import numpy as np

    known = [one for one in scores if one in items and not math.isnan(scores[one])]
    if not known:
        raise ConfigError("no score is of an item of this scale", "Give scores of items that were calibrated")
    table = _checked(known, ["model"], [[scores[one]] for one in known])
    slope, intercept = (np.array([getattr(items[one], name) for one in known]) for name in ("slope", "intercept"))
    found, error = _abilities(table, slope, intercept, np.zeros(1), _WIDE)
    return Ability(
        float(found[0]), float(_with_items(table, [items[one] for one in known], found, error)[0]), len(known)
    )


def calibrate(
    anchors: Mapping[str, ItemFit],
    items: Sequence[str],
    models: Sequence[str],
    scores: Sequence[Sequence[float]] | NDArray[Any],
) -> Fit:
    """New items on the scale of anchors whose parameters stay fixed (arXiv 2604.12843). `items` holds anchors and new ones alike.

    Each model's ability comes from the anchors alone, so that bad new items cannot move the scale; then each new item is fitted
    with the abilities held. The fit that comes back holds the anchors as they were and the new items; new items without a score are
    left out with their reason. Raises ConfigError where a model has no score of an anchor, and as `fit` does.
    """
    import numpy as np

    table = _checked(items, models, scores)
    old = [at for at, one in enumerate(items) if one in anchors]
    new = [at for at, one in enumerate(items) if one not in anchors]
    blind = [one for n, one in enumerate(models) if np.isnan(table[old, n]).all()]
    if blind:
        raise ConfigError(f"{', '.join(blind)}: no score of an anchor", "Let every model answer the anchors")
    slope, intercept = (np.array([getattr(anchors[items[at]], name) for at in old]) for name in ("slope", "intercept"))
    found, error = _abilities(table[old], slope, intercept, np.zeros(len(models)), _WIDE)
    error = _with_items(table[old], [anchors[items[at]] for at in old], found, error)
    answered = (~np.isnan(table)).sum(1)
    placed = [at for at in new if answered[at]]
    kind: Kind = "2pl" if len(models) >= FEWEST_FOR_SLOPES else "rasch"
    # The slope that is usual on this scale is what the prior expects of new items, and with few models the slope they get.
    typical = max(0.1, float(np.median(slope)))
    start = np.full(len(placed), typical)
    slopes, intercepts, errors = _items(table[placed], found, start, np.zeros(len(placed)), kind, typical, steps=100)
    fresh = {
        items[at]: ItemFit(
            float(slopes[n]), float(intercepts[n]), float(errors[n, 0]), float(errors[n, 1]), int(answered[at])
        )
        for n, at in enumerate(placed)
    }
    counts = (~np.isnan(table[old])).sum(0)
    return Fit(
        kind,
        {**{items[at]: anchors[items[at]] for at in old}, **fresh},
        {one: Ability(float(found[n]), float(error[n]), int(counts[n])) for n, one in enumerate(models)},
        {items[at]: "no model has a score" for at in new if not answered[at]},
    )


def expected(items: Mapping[str, ItemFit], at: float) -> float:
    """The mean score that an ability gives on these items, from 0 to 1. Raises ConfigError for no items."""
    if not items:
        raise ConfigError("no items: no score can be expected", "Name the items of the version")
    return math.fsum(curve(one, at) for one in items.values()) / len(items)


def curve(item: ItemFit, at: float) -> float:
    """The score, from 0 to 1, that an ability gives on an item."""
    x = item.slope * at + item.intercept
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def information(item: ItemFit, at: float) -> float:
    """Fisher's information of an item about an ability, in 1 / (unit of the scale) squared: a² p (1 - p)."""
    p = curve(item, at)
    return item.slope**2 * p * (1 - p)


def _checked(items: Sequence[str], models: Sequence[str], scores: Any) -> NDArray[Any]:
    import numpy as np

    table = np.array(scores, float)
    if table.shape != (len(items), len(models)) or len(set(items)) < len(items) or len(set(models)) < len(models):
        raise ConfigError(
            f"scores of shape {table.shape} for {len(set(items))} items and {len(set(models))} models",
            "Give a row for each item and a column for each model, each named once",
        )
    wrong = np.flatnonzero(((table < 0) | (table > 1)).any(1))
    if len(wrong):
        raise ConfigError(
            f"item '{items[wrong[0]]}': a score outside of 0 to 1", "Rescale the scores; NaN stands for none"
        )
    return table


def _begin(table: NDArray[Any]) -> NDArray[Any]:
    """Abilities to begin from: how much better a model does than others on the items it answered, on a logit scale."""
    import numpy as np

    seen = ~np.isnan(table)
    filled = np.where(seen, table, 0.0)
    item_mean = filled.sum(1) / seen.sum(1)
    rest = np.where(seen, table - item_mean[:, None], 0.0).sum(0) / np.maximum(seen.sum(0), 1)
    spread = rest.std()
    return np.asarray((rest - rest.mean()) / spread if spread > 0 else np.zeros(table.shape[1]))


def _logistic(x: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    return np.asarray(0.5 * (1 + np.tanh(x / 2)))


def _items(
    table: NDArray[Any],
    ability: NDArray[Any],
    slope: NDArray[Any],
    intercept: NDArray[Any],
    kind: Kind,
    typical: float = 1.0,
    steps: int = 5,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Newton's steps for each item's slope and intercept with the abilities held. Returns both and their errors (items x 2).

    `typical` is the slope that the prior expects, in the unit of the scale.
    """
    import numpy as np

    seen = ~np.isnan(table)
    filled = np.where(seen, table, 0.0)
    pull = (_SLOPE_SPREAD * typical) ** 2
    aa = ad = dd = np.zeros(0)
    for step in range(steps + 1):
        p = _logistic(slope[:, None] * ability + intercept[:, None])
        rest, weight = np.where(seen, filled - p, 0.0), np.where(seen, p * (1 - p), 0.0)
        aa = weight @ ability**2 + 1 / pull
        ad = weight @ ability
        dd = weight.sum(1) + 1 / _INTERCEPT_SPREAD**2
        if step == steps:
            break
        down_a = rest @ ability - (slope - typical) / pull
        down_d = rest.sum(1) - intercept / _INTERCEPT_SPREAD**2
        if kind == "rasch":
            intercept = intercept + np.clip(down_d / dd, -1, 1)
            continue
        area = aa * dd - ad**2
        move_a, move_d = (dd * down_a - ad * down_d) / area, (aa * down_d - ad * down_a) / area
        # A step no longer than 1 keeps Newton's method from overshooting on the flat ends of the curve.
        short = 1 / np.maximum(1.0, np.maximum(np.abs(move_a), np.abs(move_d)))
        slope, intercept = slope + short * move_a, intercept + short * move_d
    if kind == "rasch":
        return slope, intercept, np.column_stack([np.zeros(len(slope)), 1 / np.sqrt(dd)])
    area = aa * dd - ad**2
    return slope, intercept, np.sqrt(np.column_stack([dd / area, aa / area]))


def _abilities(
    table: NDArray[Any],
    slope: NDArray[Any],
    intercept: NDArray[Any],
    ability: NDArray[Any],
    spread: float,
    steps: int = 50,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Newton's steps for each model's ability with the items held, prior N(0, spread). Returns abilities and standard errors.

    The errors are those of the information, made smaller where scores between 0 and 1 scatter less about the curves than right and
    wrong would (the dispersion of a quasi-likelihood), never larger.
    """
    import numpy as np

    seen = ~np.isnan(table)
    filled = np.where(seen, table, 0.0)
    moved = math.inf
    for step in range(steps + 1):
        p = _logistic(slope[:, None] * ability + intercept[:, None])
        rest, weight = np.where(seen, filled - p, 0.0), np.where(seen, p * (1 - p), 0.0)
        inform = slope**2 @ weight
        if step == steps or moved < 1e-9:
            break
        move = np.clip((slope @ rest - ability / spread**2) / (inform + 1 / spread**2), -1, 1)
        ability = ability + move
        moved = float(np.abs(move).max())
    scatter = (rest**2).sum(0) / np.maximum(weight.sum(0), 1e-12)
    return ability, np.sqrt(np.clip(scatter, 0.05, 1.0) / (inform + 1 / spread**2))


def _with_items(
    table: NDArray[Any], items: Sequence[ItemFit], ability: NDArray[Any], error: NDArray[Any]
) -> NDArray[Any]:
    """Standard errors of abilities that also hold what is not known of the items."""
    import numpy as np

    slope, intercept, of_slope, of_intercept = np.array(
        [[one.slope, one.intercept, one.slope_error, one.intercept_error] for one in items]
    ).T[:, :, None]
    p = _logistic(slope * ability + intercept)
    weight = np.where(np.isnan(table), 0.0, p * (1 - p))
    noise = ((slope * weight) ** 2 * (of_intercept**2 + (of_slope * ability) ** 2)).sum(0)
    inform = (slope**2 * weight).sum(0) + 1 / _WIDE**2
    return np.asarray(np.sqrt(error**2 + noise / inform**2))
