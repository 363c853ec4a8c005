"""A report on two models' answers to the same questions, as a judge compares them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from septet import statistics
from septet.core import ConfigError, Run
from septet.evaluate.judge import length
from septet.evaluate.judge.ask import Judgement, Way, preference, shown
from septet.evaluate.judge.rubric import Rubric, checked
from septet.evaluate.judge.running import Row, cluster_of, count_lost, facts_of, notes_on, outcomes, verdicts
from septet.kinds import Measure, Model, Report


def duel(
    name: str, model: Model, first: Report, second: Report, rubric: Rubric, way: Way, engine: str, run: Run
) -> Report:
    """Which of two models answers better, by a judge that sees both answers in both orders.

    Generated answers meet by id; those that stand in one report alone are counted. `win_rate` is the share of wins of the first
    with ties as half, `win_rate.length_controlled` what it would be at one length (`judge.length`).

    Raises ConfigError for a rubric that grades single answers, and reports without a question in common or of differing
    questions.
    """
    checked(rubric)
    if rubric.kind != "pair":
        raise ConfigError(f"the rubric '{rubric.name}' grades one answer", "Use evaluate.judge for it")
    rows, alone = _paired(first, second)
    found = verdicts(model, engine, rows, rubric, way, run)
    made = [_fought(row, found[str(row["id"])]) for row in rows]
    measures = _wins(made) | outcomes(list(found.values()))
    consistent = [row for row in made if row["judge"]["outcome"] == "judged"]
    turned = sum(row["judge"]["position_inconsistent"] for row in consistent)
    measures["position_inconsistent"] = statistics.share(turned, len(consistent))
    measures["prefers_shown_first"] = _shown_first(consistent)
    facts = {
        "first": first.content["facts"].get("model", first.name),
        "second": second.content["facts"].get("model", second.name),
        **facts_of(model, rubric, way),
    }
    notes = notes_on(model, [first, second], list(found.values()))
    notes += [f"{count} items stand in the {which} report alone" for which, count in alone.items() if count]
    for which, count in alone.items():
        run.drop(f"items of the {which} report that the other lacks", count)
    count_lost(run, found.values())
    return Report.write(run.out, name, measures, made, notes, facts)


def _paired(first: Report, second: Report) -> tuple[list[dict[str, Any]], dict[str, int]]:
    ours = {str(row["id"]): row for row in first.items() if row.get("mode", "generate") == "generate"}
    theirs = {str(row["id"]): row for row in second.items() if row.get("mode", "generate") == "generate"}
    both = [identity for identity in ours if identity in theirs]
    if not both:
        raise ConfigError(
            f"the reports '{first.name}' and '{second.name}' have no generated answer to the same item",
            "Score both models on one suite with mode = 'generate'",
        )
    rows = []
    for identity in both:
        one, other = ours[identity], theirs[identity]
        if one["question"] != other["question"]:
            raise ConfigError(f"{identity} is not the same question in both reports", "Score both on one suite")
        kept: dict[str, Any] = {
            key: one[key]
            for key in ("id", "question", "references", "language", "task", "category", "cluster")
            if key in one
        }
        rows.append(
            {
                **kept,
                "output": one["output"],
                "other": other["output"],
                "outcome": one["outcome"],
                "other_outcome": other["outcome"],
                "reason": one.get("reason") or other.get("reason") or "",
            }
        )
    return rows, {"first": len(ours) - len(both), "second": len(theirs) - len(both)}


def _fought(row: Row, one: Judgement) -> dict[str, Any]:
    return {
        **row,
        "score": one.score,
        "winner": {"A": "first", "B": "second", "TIE": "tie"}.get(one.verdict, ""),
        "preference": preference(one),
        "lengths": [len(shown(row["output"])), len(shown(row["other"]))],
        "judge": msgspec.to_builtins(one),
    }


def _wins(rows: Sequence[Row]) -> dict[str, Measure]:
    with_score = [row for row in rows if row["score"] is not None]
    found: dict[str, Measure] = {}
    for label, some in (
        ("", with_score),
        *(
            (f".{language}", [row for row in with_score if row.get("language") == language])
            for language in sorted({str(row.get("language") or "") for row in with_score} - {""})
        ),
    ):
        if not some:
            continue
        clusters = [cluster_of(row) for row in some]
        found[f"win_rate{label}"] = statistics.mean_score([float(row["score"]) for row in some], clusters)
        if len(some) > 1:
            found[f"win_rate.length_controlled{label}"] = length.controlled(
                [float(row["score"]) for row in some],
                [row["lengths"][0] for row in some],
                [row["lengths"][1] for row in some],
                clusters,
            )
            found[f"preference{label}"] = statistics.mean_score([float(row["preference"]) for row in some], clusters)
    for winner in ("first", "second", "tie"):
        found[f"wins.{winner}"] = statistics.share(sum(row["winner"] == winner for row in with_score), len(with_score))
    return found


def _shown_first(rows: Sequence[Row]) -> Measure:
    """Of the verdicts on a pair that name a side, the share that names what was shown first: 0.5 for a judge that does not
    care."""
    sides = [one["verdict"] for row in rows for one in row["judge"]["asked"] if one["verdict"] in ("A", "B")]
    return statistics.share(sides.count("A"), len(sides))
