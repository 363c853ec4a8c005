"""Two scales made one over the items that both hold: where an ability of the new scale stands on the old.

old = scale * new + shift. Mean/sigma (Marco, 1977) takes both from the difficulties of the anchors; Stocking and Lord (1983) from
their test curves, which noisy items disturb less, and is the default. An anchor whose curve has moved between the two (it leaked,
its source changed) would pull the link: anchors are checked by robust z (Huynh and Meyer, 2010) of the distance between their
curves, those that stand out are left out, named, and the link is made again.

The error is a jackknife over groups of anchors. It does not hold what few models leave unsure of all items at once: in simulations
with 5 to 30 models, 95 % intervals of linked abilities held the truth 86 to 91 times in a hundred, and stronger models came out a
tenth of a standard deviation too low. Where new models can answer the anchors, `irt.calibrate` does a little better (88 to 96) and
needs no second scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from septet.core import ConfigError, StepFailed
from septet.evaluate.growth.irt import Ability, ItemFit

if TYPE_CHECKING:
    from numpy.typing import NDArray

Method = Literal["stocking-lord", "mean-sigma"]

FEWEST = 5
"""Anchors below which no link is made; a hundred are wanted (arXiv 2604.12843)."""
_GROUPS = 20
_OUTLYING = 2.7
_MOVED = 0.05
"""Points of expected score (of 1) below which an anchor has not moved to speak of, however alike the others are."""


class Link(msgspec.Struct, frozen=True):
    """The line from a new scale to an old one, with the errors that the choice of anchors leaves."""

    scale: float
    shift: float
    scale_error: float
    shift_error: float
    covariance: float
    """Of scale and shift."""
    anchors: tuple[str, ...]
    drifted: dict[str, str]
    """Anchors that were left out, with how far they moved."""


def link(
    old: Mapping[str, ItemFit],
    new: Mapping[str, ItemFit],
    anchors: Sequence[str] | None = None,
    method: Method = "stocking-lord",
) -> Link:
    """The link over `anchors`, or all items that both scales hold.

    Raises ConfigError for an anchor that one scale lacks and for fewer than five, StepFailed where half of them or more have
    drifted: then there is no telling which half is the old scale.
    """
    import numpy as np

    names = list(dict.fromkeys(anchors)) if anchors is not None else [one for one in old if one in new]
    missing = [one for one in names if one not in old or one not in new]
    if missing:
        raise ConfigError(f"{len(missing)} anchors are not on both scales ('{missing[0]}')", "Calibrate them on both")
    if len(names) < FEWEST:
        raise ConfigError(f"{len(names)} anchors do not link two scales", f"Keep at least {FEWEST} items, better 100")
    was, now = (np.array([[side[one].slope, side[one].intercept] for one in names]) for side in (old, new))
    kept = np.ones(len(names), bool)
    for _ in range(10):
        scale, shift = _solved(was[kept], now[kept], method)
        distance = _distances(was, now, scale, shift)
        middle = float(np.median(distance[kept]))
        spread = 1.4826 * float(np.median(np.abs(distance[kept] - middle)))
        holds = ~((np.abs(distance - middle) > _OUTLYING * spread) & (np.abs(distance - middle) > _MOVED))
        if (holds == kept).all():
            break
        kept = holds
        if kept.sum() * 2 <= len(names) or kept.sum() < FEWEST:
            raise StepFailed(
                f"{len(names) - int(kept.sum())} of {len(names)} anchors do not agree with the others",
                "Choose other anchors, or begin a new scale",
            )
    scale, shift = _solved(was[kept], now[kept], method)
    distance = _distances(was, now, scale, shift)
    variance = _jackknife(was[kept], now[kept], method)
    return Link(
        scale,
        shift,
        math.sqrt(variance[0, 0]),
        math.sqrt(variance[1, 1]),
        float(variance[0, 1]),
        tuple(one for one, stays in zip(names, kept, strict=True) if stays),
        {
            names[at]: f"{'easier' if distance[at] > 0 else 'harder'} now by {abs(distance[at]):.2f} of expected score"
            for at in np.flatnonzero(~kept)
        },
    )


def item_onto(link: Link, item: ItemFit) -> ItemFit:
    """An item of the new scale as it stands on the old one; its curve is the same."""
    slope = item.slope / link.scale
    return ItemFit(
        slope,
        item.intercept - slope * link.shift,
        item.slope_error / abs(link.scale),
        math.hypot(item.intercept_error, item.slope_error * link.shift / link.scale),
        item.models,
    )


def ability_onto(link: Link, ability: Ability) -> Ability:
    """An ability of the new scale as it stands on the old one. Its error holds the link's."""
    at = ability.value
    of_link = (link.scale_error * at) ** 2 + link.shift_error**2 + 2 * at * link.covariance
    error = math.sqrt((link.scale * ability.error) ** 2 + max(0.0, of_link))
    return Ability(link.scale * at + link.shift, error, ability.items)


def _grid() -> tuple[NDArray[Any], NDArray[Any]]:
    """Abilities of the old scale and their weights: its models are about standard normal."""
    import numpy as np

    at = np.linspace(-2.5, 2.5, 26)
    weight = np.exp(-(at**2) / 2)
    return at, weight / weight.sum()


def _curves(items: NDArray[Any], at: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    return np.asarray(0.5 * (1 + np.tanh((items[:, :1] * at + items[:, 1:]) / 2)))


def _distances(was: NDArray[Any], now: NDArray[Any], scale: float, shift: float) -> NDArray[Any]:
    """By how much more each anchor is expected to score now than then, over abilities of the old scale."""
    import numpy as np

    at, weight = _grid()
    return np.asarray((_curves(now, (at - shift) / scale) - _curves(was, at)) @ weight)


def _solved(was: NDArray[Any], now: NDArray[Any], method: Method) -> tuple[float, float]:
    """Scale and shift. Stocking and Lord's squares are lowered by Gauss and Newton's steps, halved where they go too far."""
    import numpy as np

    if method == "mean-sigma":
        return _mean_sigma(was, now)
    at, weight = _grid()
    target = _curves(was, at).sum(0)

    def loss(scale: float, shift: float) -> float:
        return float(weight @ (_curves(now, (at - shift) / scale).sum(0) - target) ** 2)

    scale, shift = 1.0, 0.0
    best = loss(scale, shift)
    for _ in range(200):
        there = (at - shift) / scale
        p = _curves(now, there)
        slope = (now[:, :1] * p * (1 - p)).sum(0)
        by = np.column_stack([-slope * there / scale, -slope / scale])
        gram = by.T @ (weight[:, None] * by)
        step = -np.linalg.solve(gram + 1e-9 * np.trace(gram) * np.eye(2), by.T @ (weight * (p.sum(0) - target)))
        length = 1.0
        while length > 1e-6:
            tried = (scale + length * float(step[0]), shift + length * float(step[1]))
            if tried[0] > 0.05 and loss(*tried) < best:
                break
            length /= 2
        else:
            break
        gain = best - loss(*tried)
        scale, shift = tried
        best = loss(scale, shift)
        if gain < 1e-12 * max(1.0, best):
            break
    return scale, shift


def _mean_sigma(was: NDArray[Any], now: NDArray[Any]) -> tuple[float, float]:
    """By mean and spread of the difficulties of anchors that part models at all: a flat curve has no difficulty to speak of."""
    import numpy as np

    steep = np.ones(len(was), bool)
    for side in (was, now):
        steep &= side[:, 0] > 0.3 * np.median(side[:, 0])
    if steep.sum() < 2:
        raise StepFailed("the anchors do not part models: their slopes are about 0", "Choose other anchors")
    old, new = (-side[steep, 1] / side[steep, 0] for side in (was, now))
    if not new.std() > 0:
        raise StepFailed("the anchors are all of one difficulty", "Choose anchors from easy to hard")
    scale = float(old.std() / new.std())
    return scale, float(old.mean() - scale * new.mean())


def _jackknife(was: NDArray[Any], now: NDArray[Any], method: Method) -> NDArray[Any]:
    """The covariance of scale and shift, each group of anchors left out in turn; every so-manieth anchor is of one group."""
    import numpy as np

    groups = min(_GROUPS, len(was))
    place = np.arange(len(was)) % groups
    left = np.array([_solved(was[place != one], now[place != one], method) for one in range(groups)])
    rest = left - left.mean(0)
    return np.asarray((groups - 1) / groups * rest.T @ rest)
