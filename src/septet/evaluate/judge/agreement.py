"""How far a judge agrees with people, and what a judged number is worth once the judge's errors are known.

Agreement of two raters: the share, Cohen's kappa (1960), Gwet's AC1 (2008), which does not fall where one grade is rare, and
Krippendorff's alpha (2004) for names and for grades in an order. Each has a bootstrap interval; items of a cluster are drawn
together.

Correction: a judged share by the judge's sensitivity and specificity (Rogan and Gladen, 1978), with the interval of Lang and
Reiczigel (2014, Preventive Veterinary Medicine 113:13); a judged mean of any score by prediction-powered inference
(Angelopoulos et al., 2023, arXiv 2301.09633), weighted so that it is never wider than by people alone (PPI++, arXiv
2311.01453). Both carry the judge's error
into the interval. The first may take its labels from other items than those that were judged, as long as the judge errs alike on
both; the second needs labels of a random draw of the items themselves, and is then the narrower one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from septet.core import ConfigError
from septet.kinds import Measure
from septet.statistics.distribution import normal_quantile, t_quantile
from septet.statistics.interval import LEVEL, groups_of, share

_DRAWS = 2000


class Confusion(NamedTuple):
    """How often a judge said what, by what people said."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """By the people's label, then by the judge's."""

    def table(self) -> dict[str, dict[str, int]]:
        """The counts by name: people's label, then the judge's."""
        return {
            label: dict(zip(self.labels, row, strict=True)) for label, row in zip(self.labels, self.counts, strict=True)
        }


def confusion(people: Sequence[str], judge: Sequence[str], labels: Sequence[str] = ()) -> Confusion:
    """The confusion matrix. `labels` gives the order, and labels that nobody used. Raises ConfigError for a label that it
    lacks."""
    names, places = _coded(people, judge, labels)
    counts = [[0] * len(names) for _ in names]
    for one, other in places:
        counts[one][other] += 1
    return Confusion(names, tuple(tuple(row) for row in counts))


def agreement(
    people: Sequence[str],
    judge: Sequence[str],
    labels: Sequence[str] = (),
    ordinal: bool = False,
    clusters: Sequence[str] | None = None,
    seed: int = 1,
) -> dict[str, Measure]:
    """`agreement`, `kappa`, `ac1`, `alpha`, and for labels in an order `alpha_ordinal` and `kappa_quadratic`.

    Kappa and alpha are left out where all have one label: they are 0 / 0 then. Raises ConfigError for no items, and for labels
    that do not pair up.
    """
    import numpy as np

    if not people:
        raise ConfigError("no item is labelled by people: agreement cannot be told", "Label some items")
    names, places = _coded(people, judge, labels)
    size = len(names)
    groups = groups_of(len(places), clusters)
    by_group = np.zeros((len(groups), size * size))
    for row, group in zip(by_group, groups, strict=True):
        for at in group:
            row[places[at][0] * size + places[at][1]] += 1
    whole = by_group.sum(0).reshape(1, size, size)
    drawn = np.random.default_rng(seed).multinomial(len(groups), [1 / len(groups)] * len(groups), _DRAWS) @ by_group
    draws = drawn.reshape(_DRAWS, size, size)
    found = {"agreement": _raw, "kappa": _kappa, "ac1": _ac1, "alpha": _alpha}
    if ordinal:
        found |= {"alpha_ordinal": _alpha_ordinal, "kappa_quadratic": _kappa_quadratic}
    measures = {}
    for name, statistic in found.items():
        value = float(statistic(whole)[0])
        if math.isnan(value):
            continue
        # A draw in which all have one label tells nothing of chance; it is left out.
        low, high = np.nanquantile(statistic(draws), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        measures[name] = Measure(value, min(float(low), value), max(float(high), value), len(places), name)
    return measures


def corrected_share(hits: int, of: int, people: Sequence[bool], judge: Sequence[bool], level: float = LEVEL) -> Measure:
    """A share of `of` items, of which the judge found `hits`, corrected by how it judged items that people labelled.

    Rogan and Gladen's estimate, cut to 0 and 1, with Lang and Reiczigel's interval, which carries the errors of sensitivity and
    specificity. Where the judge may be no better than a coin at this level, the share could be anything. `n` is the number of
    items that were judged. Raises ConfigError where people found no item of one class, for then half of the judge's errors are
    unknown.
    """
    pairs = list(zip(people, judge, strict=True))
    right = [said for true, said in pairs if true]
    wrong = [said for true, said in pairs if not true]
    if not right or not wrong or not of:
        raise ConfigError(
            f"{len(right)} labelled items are right, {len(wrong)} are not, of {of} judged: the judge's errors cannot be told",
            "Label more items, of both kinds",
        )
    z = normal_quantile((1 + level) / 2)
    q, sensitivity = hits / of, sum(right) / len(right)
    specificity = sum(not said for said in wrong) / len(wrong)
    plain = _rogan_gladen(q, sensitivity, specificity)
    num, num_right, num_wrong = of + z * z, len(right) + 2, len(wrong) + 2
    q = (hits + z * z / 2) / num
    sensitivity, specificity = (sum(right) + 1) / num_right, (sum(not said for said in wrong) + 1) / num_wrong
    of_right = sensitivity * (1 - sensitivity) / num_right
    of_wrong = specificity * (1 - specificity) / num_wrong
    skill = sensitivity + specificity - 1
    if skill <= z * math.sqrt(of_right + of_wrong):
        return Measure(plain, 0.0, 1.0, of, "share")
    middle = (q + specificity - 1) / skill
    shift = 2 * z * z * (middle * of_right - (1 - middle) * of_wrong)
    half = z * math.sqrt(q * (1 - q) / num + middle**2 * of_right + (1 - middle) ** 2 * of_wrong) / skill
    low, high = max(0.0, middle + shift - half), min(1.0, middle + shift + half)
    return Measure(plain, min(low, plain), max(high, plain), of, "share")


def corrected_mean(
    predicted: Sequence[float],
    people: Sequence[float],
    judge: Sequence[float],
    unit: str = "",
    clusters: tuple[Sequence[str], Sequence[str]] | None = None,
    weight: float | None = None,
    level: float = LEVEL,
) -> Measure:
    """The mean of what people would have said of all items: the judge's mean, moved by its error on the items that people
    labelled.

    `predicted` are the judge's scores of items without a label, `people` and `judge` the scores of those with one. `clusters`
    names what the items without and with a label stand on. `weight` is how far the judge is trusted: 1 is the plain method, 0
    the people alone; None takes the weight with the least variance. `n` is the number of all items. Raises ConfigError for
    fewer than two labels.
    """
    if len(people) != len(judge):
        raise ConfigError("people and judge must have scored the same items", "Give a score of each for every item")
    own = clusters or ([str(at) for at in range(len(predicted))], [f"l{at}" for at in range(len(people))])
    groups = len({*own[1]})
    if groups < 2:
        raise ConfigError(f"{groups} labelled items do not tell the judge's error", "Label more items: 100 and up")
    if weight is None:
        weight = _weight(predicted, people, judge)
    if len(predicted) < 2:
        weight = 0.0
    moved = [true - weight * said for true, said in zip(people, judge, strict=True)]
    middle = math.fsum(moved) / len(moved)
    variance = _error_squared(moved, own[1])
    if weight:
        middle += weight * math.fsum(predicted) / len(predicted)
        variance += weight**2 * _error_squared(predicted, own[0])
    half = t_quantile((1 + level) / 2, groups - 1) * math.sqrt(variance)
    return Measure(middle, middle - half, middle + half, len(people) + len(predicted), unit)


def sensitivity_of(people: Sequence[bool], judge: Sequence[bool]) -> dict[str, Measure]:
    """The judge's `sensitivity` (what people call right and it too) and `specificity` (what neither does), with intervals."""
    pairs = list(zip(people, judge, strict=True))
    return {
        "sensitivity": share(sum(said for true, said in pairs if true), sum(true for true, _ in pairs)),
        "specificity": share(sum(not said for true, said in pairs if not true), sum(not true for true, _ in pairs)),
    }


def _coded(
    people: Sequence[str], judge: Sequence[str], labels: Sequence[str]
) -> tuple[tuple[str, ...], list[tuple[int, int]]]:
    if len(people) != len(judge):
        raise ConfigError(
            f"{len(people)} labels of people and {len(judge)} of the judge do not pair up", "Give both for each item"
        )
    names = tuple(labels) or tuple(sorted({*people, *judge}))
    place = {name: at for at, name in enumerate(names)}
    strange = next((one for one in (*people, *judge) if one not in place), None)
    if strange is not None:
        raise ConfigError(f"'{strange}' is none of the labels {', '.join(names)}", "Correct the label")
    return names, [(place[one], place[other]) for one, other in zip(people, judge, strict=True)]


def _rogan_gladen(q: float, sensitivity: float, specificity: float) -> float:
    skill = sensitivity + specificity - 1
    return min(1.0, max(0.0, (q + specificity - 1) / skill)) if skill > 0 else q


def _weight(predicted: Sequence[float], people: Sequence[float], judge: Sequence[float]) -> float:
    """The weight with the least variance (PPI++, equation of example 6.1), from 0 to 1."""
    together = [*predicted, *judge]
    middle = math.fsum(together) / len(together)
    spread = math.fsum((one - middle) ** 2 for one in together) / len(together)
    if spread == 0 or not predicted:
        return 0.0
    mean_people, mean_judge = math.fsum(people) / len(people), math.fsum(judge) / len(judge)
    shared = math.fsum((y - mean_people) * (f - mean_judge) for y, f in zip(people, judge, strict=True))
    best = shared / (len(people) - 1) / ((1 + len(people) / len(predicted)) * spread)
    return min(1.0, max(0.0, best))


def _error_squared(values: Sequence[float], clusters: Sequence[str]) -> float:
    from septet.statistics.interval import clustered_error

    return clustered_error(values, clusters) ** 2 if len({*clusters}) > 1 else 0.0


Table = Any
"""Confusion matrices as an array of the shape (draws, labels, labels)."""


def _raw(tables: Table) -> Any:
    return tables.diagonal(axis1=1, axis2=2).sum(1) / tables.sum((1, 2))


def _chance_corrected(tables: Table, weights: Any) -> Any:
    """1 - (observed disagreement / disagreement by chance of the two raters' own shares)."""
    import numpy as np

    total = tables.sum((1, 2))
    shares = tables / total[:, None, None]
    by_chance = shares.sum(2)[:, :, None] * shares.sum(1)[:, None, :]
    seen, chance = (weights * shares).sum((1, 2)), (weights * by_chance).sum((1, 2))
    return 1 - np.divide(seen, chance, out=np.full(len(tables), np.nan), where=chance > 0)


def _kappa(tables: Table) -> Any:
    import numpy as np

    return _chance_corrected(tables, 1 - np.eye(tables.shape[1]))


def _kappa_quadratic(tables: Table) -> Any:
    import numpy as np

    places = np.arange(tables.shape[1])
    return _chance_corrected(tables, (places[:, None] - places[None, :]) ** 2.0)


def _ac1(tables: Table) -> Any:
    import numpy as np

    total = tables.sum((1, 2))
    used = (tables.sum(1) + tables.sum(2)) / (2 * total[:, None])
    size = tables.shape[1]
    chance = (used * (1 - used)).sum(1) / (size - 1) if size > 1 else np.zeros(len(tables))
    return (_raw(tables) - chance) / (1 - chance)


def _alpha(tables: Table) -> Any:
    import numpy as np

    return _krippendorff(
        tables, lambda values: np.broadcast_to(1 - np.eye(values.shape[1]), (len(values),) + (values.shape[1],) * 2)
    )


def _alpha_ordinal(tables: Table) -> Any:
    import numpy as np

    def distance(values: Any) -> Any:
        until = np.cumsum(values, 1)
        middle = until - values / 2
        return (middle[:, :, None] - middle[:, None, :]) ** 2

    return _krippendorff(tables, distance)


def _krippendorff(tables: Table, distance: Callable[[Any], Any]) -> Any:
    """Krippendorff's alpha of two raters, from the coincidences of their values."""
    import numpy as np

    seen = tables + tables.transpose(0, 2, 1)
    values = seen.sum(2)
    total = values.sum(1)
    apart = distance(values)
    by_chance = (apart * values[:, :, None] * values[:, None, :]).sum((1, 2)) / (total - 1)
    observed = (apart * seen).sum((1, 2))
    return 1 - np.divide(observed, by_chance, out=np.full(len(tables), np.nan), where=by_chance > 0)


def of_labels(rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """People's labels by id. Raises ConfigError for a row without id or label, and an id with two labels that differ."""
    found: dict[str, object] = {}
    for number, row in enumerate(rows, 1):
        if row.get("id") in (None, "") or row.get("label") is None:
            raise ConfigError(
                f"labels, row {number}: it has no id or no label", 'Write lines {"id": ..., "label": ...}'
            )
        identity, label = str(row["id"]), row["label"]
        if identity in found and found[identity] != label:
            raise ConfigError(
                f"labels, row {number}: '{identity}' is labelled '{label}', and otherwise before", "Keep one"
            )
        found[identity] = label
    return found
