"""Robustness: what is left of a score when the same is asked with slips, in another form, or with its options in another order.

Each twin is compared with its original, pair by pair. The worst case counts an item by the worst of its own score and those of
all its twins (HELM, section 4.5): what a user meets who may write in any of these ways.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from septet import statistics
from septet.evaluate import summary
from septet.evaluate.dimensions.found import Found, Row, by, with_languages
from septet.kinds import Measure


def robustness(rows: Sequence[Row], spared: Collection[str]) -> Found:
    """Twins of all kinds but `spared` (those of fairness) against their originals."""
    kinds = {str(row["perturbation"]) for row in rows if row.get("twin_of")} - {*spared}
    return compared(rows, kinds, "robustness")


def compared(rows: Sequence[Row], kinds: Collection[str], family: str) -> Found:
    """Scores of twins of these kinds, their change against the originals, and the worst case, by measure, mode and language.

    Changes are after minus before, over clusters, with the interval of `statistics.noninferior`; p-values (signs flipped) are
    adjusted over kinds by Holm and stand in the facts.
    """
    found = Found()
    originals = {str(row["id"]): row for row in rows if not row.get("twin_of")}
    twins = [row for row in rows if row.get("twin_of") and row["perturbation"] in kinds]
    lone = sum(str(row["twin_of"]) not in originals for row in twins)
    if lone:
        found.notes.append(f"{family}: {lone} twins stand without their originals and are not compared")
    paired = [row for row in twins if str(row["twin_of"]) in originals]
    scored = [row for row in paired if row["score"] is not None and originals[row["twin_of"]]["score"] is not None]
    if len(paired) > len(scored):
        found.notes.append(
            f"{family}: {len(paired) - len(scored)} twins have no score, or their originals none: not compared"
        )
    for key, some in by(scored, lambda row: f"{row['measure']}.{row['mode']}"):
        p_values = {}
        for kind, of_kind in by(some, lambda row: str(row["perturbation"])):
            before, after, clusters = _sides(originals, of_kind)
            p_values[kind] = statistics.sign_flip(before, after, clusters)
            for suffix, spoken in with_languages(of_kind):
                name = f"{family}.{kind}.{key}{suffix}"
                found.measures[name] = summary.of(_clustered(originals, spoken))
                found.measures[f"{name}.change"] = change(*_sides(originals, spoken))
        adjusted = statistics.holm(list(p_values.values()))
        found.facts.setdefault("p_of_change", {})[key] = {
            kind: round(p, 6) for kind, p in zip(p_values, adjusted, strict=True)
        }
        worst: dict[str, float] = {}
        for row in some:
            own = str(row["twin_of"])
            worst[own] = min(worst.get(own, float(originals[own]["score"])), float(row["score"]))
        for own, score in worst.items():
            found.tell(originals[own], {f"worst_{family}": score})
        for suffix, spoken in with_languages([{**originals[own], "worst": score} for own, score in worst.items()]):
            name = f"{family}.worst_case.{key}{suffix}"
            found.measures[name] = summary.of([{**row, "score": row["worst"]} for row in spoken])
            before = [float(row["score"]) for row in spoken]
            clusters = [str(row["cluster"] or row["id"]) for row in spoken]
            found.measures[f"{name}.change"] = change(before, [float(row["worst"]) for row in spoken], clusters)
    return found


def change(before: Sequence[float], after: Sequence[float], clusters: Sequence[str]) -> Measure:
    """The mean of paired differences. The interval never shrinks to a point, even where no item differs."""
    return statistics.noninferior(before, after, 1.0, clusters).gain


def _sides(originals: dict[str, Row], twins: Sequence[Row]) -> tuple[list[float], list[float], list[str]]:
    pairs = [(originals[row["twin_of"]], row) for row in twins]
    return (
        [float(one["score"]) for one, _ in pairs],
        [float(two["score"]) for _, two in pairs],
        [str(one["cluster"] or one["id"]) for one, _ in pairs],
    )


def _clustered(originals: dict[str, Row], twins: Sequence[Row]) -> list[Row]:
    """Twins of one item share what it stands on, itself if nothing else."""
    return [{**row, "cluster": originals[row["twin_of"]]["cluster"] or row["twin_of"]} for row in twins]
