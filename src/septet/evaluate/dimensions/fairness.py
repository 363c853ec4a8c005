"""Fairness: is the same asked of other people answered as well, and are groups of items served alike.

Counterfactual: twins with other names and other genders against their originals. Performance: each group of items (`category`, or
`group` of their meta) against all others of the same task and way of asking. Whether a group is one of people the reader knows;
the number is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence

from septet import statistics
from septet.evaluate import summary
from septet.evaluate.dimensions.found import Found, Row, by, cluster, meta, own
from septet.evaluate.dimensions.robustness import compared
from septet.kinds import Measure
from septet.statistics.distribution import normal_cdf

_FEWEST = 5
_Z = 1.959963984540054
_SHOWN = 30
"""Groups of one key that the summary names; of more, those that differ for sure, and the two ends. The facts hold all."""


def fairness(rows: Sequence[Row], kinds: Collection[str]) -> Found:
    """Twins of these kinds against their originals, and gaps between groups."""
    found = compared(rows, kinds, "fairness")
    if not found.stands:
        found.notes.append(f"counterfactual fairness is not measured: no twins ({', '.join(sorted(kinds))}) were asked")
    scored = [row for row in own(rows) if row["score"] is not None and "context_condition" not in meta(row)]
    scored = [row for row in scored if row["measure"] != "prefers_first"]
    keys: Mapping[str, Callable[[Row], str]] = {
        "category": lambda row: str(row.get("category") or ""),
        "group": lambda row: str(meta(row).get("group") or ""),
    }
    any_gap = False
    for key, of in keys.items():
        for way, some in by(scored, lambda row: f"{row['measure']}.{row['mode']}"):
            any_gap |= _gaps(found, key, way, by(some, of), "fairness")
    if not any_gap:
        found.notes.append(
            "gaps between groups are not measured: no two groups of items that carry one have enough items"
        )
    return found


def _gaps(found: Found, key: str, way: str, groups: Sequence[tuple[str, Sequence[Row]]], family: str) -> bool:
    small = [name for name, some in groups if len(some) < _FEWEST]
    groups = [(name, some) for name, some in groups if len(some) >= _FEWEST]
    if len(groups) < 2:
        return False
    if small:
        found.notes.append(f"gaps by {key} leave out {len(small)} groups of fewer than {_FEWEST} items")
    found_gaps, p_values = gaps(
        [(name, [float(row["score"]) for row in some], [cluster(row) for row in some]) for name, some in groups]
    )
    adjusted = statistics.holm(p_values)
    order = sorted(range(len(groups)), key=lambda at: found_gaps[at].value)
    shown = {*order} if len(groups) <= _SHOWN else {order[0], order[-1], *(at for at in order if adjusted[at] < 0.05)}
    told = {}
    for at, (name, some) in enumerate(groups):
        score, gap = summary.of(some), found_gaps[at]
        told[name] = {
            "items": len(some),
            "score": round(score.value, 6),
            "gap": [round(one, 6) for one in (gap.value, gap.low, gap.high)],
            "p_holm": round(adjusted[at], 6),
        }
        if at in shown:
            found.measures[f"{family}.{key}.{name}.{way}"] = score
            found.measures[f"{family}.{key}.{name}.{way}.gap"] = gap
    found.facts.setdefault("groups", {}).setdefault(key, {})[way] = told
    return True


def gaps(groups: Sequence[tuple[str, Sequence[float], Sequence[str]]]) -> tuple[list[Measure], list[float]]:
    """Each group's mean minus that of all others (values, clusters), with interval and two-sided p-value.

    Errors are over clusters, with one made-up cluster that won it all and one that lost it all on either side, so that a few items
    that all agree prove little (after Agresti and Caffo, 2000).
    """
    found, p_values = [], []
    for place, (_, values, clusters) in enumerate(groups):
        others = [one for at, (_, some, _) in enumerate(groups) if at != place for one in some]
        of_others = [one for at, (_, _, some) in enumerate(groups) if at != place for one in some]
        value = math.fsum(values) / len(values) - math.fsum(others) / len(others)
        here, there = _smoothed(values, clusters), _smoothed(others, of_others)
        error = math.hypot(here[1], there[1])
        middle = here[0] - there[0]
        found.append(
            Measure(
                value,
                max(-1.0, min(value, middle - _Z * error)),
                min(1.0, max(value, middle + _Z * error)),
                len(values),
                "share",
            )
        )
        p_values.append(min(1.0, 2 * (1 - normal_cdf(abs(middle) / error))))
    return found, p_values


def _smoothed(values: Sequence[float], clusters: Sequence[str]) -> tuple[float, float]:
    """Mean and its standard error with two made-up items."""
    more, names = [*values, 0.0, 1.0], [*clusters, "\x00lost", "\x00won"]
    return math.fsum(more) / len(more), statistics.clustered_error(more, names)
