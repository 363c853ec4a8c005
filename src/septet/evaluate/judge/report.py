"""A report on answers as a judge grades them.

What cannot be judged has no score and is counted by its outcome. With labels of people the judge's agreement is measured, and its
numbers are given corrected beside the plain ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from septet import statistics
from septet.core import ConfigError, Run
from septet.evaluate.judge import agreement
from septet.evaluate.judge.ask import Judgement, Way, expected
from septet.evaluate.judge.rubric import Rubric, checked
from septet.evaluate.judge.running import Row, cluster_of, count_lost, facts_of, notes_on, outcomes, verdicts
from septet.evaluate.summary import of, summary
from septet.kinds import Measure, Model, Report

_FEW_LABELS = 50


def judged(
    name: str,
    model: Model,
    report: Report,
    rubric: Rubric,
    labels: Mapping[str, object],
    way: Way,
    engine: str,
    run: Run,
) -> Report:
    """The report with the judge's scores in place of its own, for all rows whose answer was generated.

    `labels` are people's verdicts by id, as the rubric writes them; where there are any, `agreement.*` and `corrected.*` stand
    beside the judge's numbers. The labelled items should be a random draw. A run that is killed goes on where it stopped.

    Raises ConfigError for a rubric that compares two answers, a report without generated answers, a label that is of no row or no
    verdict of the rubric; StepFailed where the judge gives no verdict at all.
    """
    checked(rubric)
    if rubric.kind == "pair":
        raise ConfigError(f"the rubric '{rubric.name}' compares two answers", "Use evaluate.duel for it")
    whole = list(report.items())
    rows = [row for row in whole if row.get("mode", "generate") == "generate"]
    if not rows:
        raise ConfigError(
            f"the report '{report.name}' holds no generated answer", "Score the suite with mode = 'generate'"
        )
    run.drop("items that were asked by likelihood: there is no answer to judge", len(whole) - len(rows))
    told = _told(labels, rows, rubric)
    found = verdicts(model, engine, rows, rubric, way, run)
    made = [_graded(row, found[str(row["id"])], rubric, told.get(str(row["id"]))) for row in rows]
    measures = summary(made) | _grades(made, rubric) | outcomes([found[str(row["id"])] for row in rows])
    if told:
        measures |= _checked_by_people(made, rubric)
    facts = {**report.content["facts"], **facts_of(model, rubric, way), "labels": len(told)}
    notes = [*notes_on(model, [report], list(found.values())), *_label_notes(made, told)]
    count_lost(run, found.values())
    return Report.write(run.out, name, measures, made, notes, facts)


def _graded(row: Row, one: Judgement, rubric: Rubric, label: str | None) -> dict[str, Any]:
    """The row with the judge's score. What the judge could not grade has none."""
    outcome = {"judged": "answered", "answer empty": "empty", "answer failed": "failed"}.get(one.outcome, "unjudged")
    return {
        **_FORM,
        **row,
        "measure": "judged",
        "mode": "generate",
        "outcome": outcome,
        "score": one.score,
        "extracted": one.verdict,
        "grade": int(one.verdict) if rubric.kind == "scale" and one.verdict else None,
        "judge": {**msgspec.to_builtins(one), "expected": expected(one, rubric)},
        "label": label,
    }


_FORM = {
    "task": "",
    "group": "",
    "language": "",
    "category": "",
    "cluster": "",
    "twin_of": "",
    "finish": "",
    "shots": 0,
}
"""What the numbers of a report need of a row, where it has none (a dialogue's turn)."""


def _grades(rows: Sequence[Row], rubric: Rubric) -> dict[str, Measure]:
    """The grades in their own unit; for a comparison with references the shares of each, and of what was attempted."""
    with_grade = [row for row in rows if row["score"] is not None]
    if not with_grade:
        return {}
    found: dict[str, Measure] = {}
    if rubric.kind == "scale":
        ends = float(rubric.verdicts[0]), float(rubric.verdicts[-1])

        def grade(some: Sequence[Row]) -> Measure:
            clusters = [str(row["cluster"] or row["id"]) for row in some]
            return statistics.mean_score([float(row["grade"]) for row in some], clusters, ends=ends, unit="grade")

        found["grade"] = grade(with_grade)
        turns = sorted({int(row["turn"]) for row in with_grade if row.get("turn")})
        for turn in turns if len(turns) > 1 else ():
            found[f"grade.turn_{turn}"] = grade([row for row in with_grade if row.get("turn") == turn])
        return found
    for verdict in rubric.verdicts:
        hits = [{**row, "score": float(row["extracted"] == verdict)} for row in with_grade]
        found[verdict.lower()] = of(hits)
    attempted = [row for row in with_grade if row["extracted"] != "NOT_ATTEMPTED"]
    if attempted:
        found["correct_given_attempted"] = of(attempted)
    return found


def _told(labels: Mapping[str, object], rows: Sequence[Row], rubric: Rubric) -> dict[str, str]:
    """People's verdicts by id."""
    ids = {str(row["id"]) for row in rows}
    strange = next((one for one in labels if one not in ids), None)
    if strange is not None:
        raise ConfigError(
            f"the labelled item '{strange}' is not among the answers", "Give the ids of the report's rows"
        )
    return {identity: rubric.told(label) for identity, label in labels.items()}


def _checked_by_people(rows: Sequence[Row], rubric: Rubric) -> dict[str, Measure]:
    """Agreement with people, and the judge's numbers corrected by them.

    An answer that the judge could not grade has no verdict to agree with. In the corrections it stands as half a point, which
    errs like any other guess and is set right by the labels too.
    """
    answered = [row for row in rows if row["outcome"] != "failed"]
    labelled = [row for row in answered if row["label"] is not None]
    both = [row for row in labelled if row["score"] is not None]
    found: dict[str, Measure] = {}
    if both:
        told = agreement.agreement(
            [row["label"] for row in both],
            [row["extracted"] for row in both],
            rubric.verdicts,
            rubric.kind == "scale",
            [cluster_of(row) for row in both],
        )
        found |= {f"agreement.{name}": measure for name, measure in told.items()}
    rest = [row for row in answered if row["label"] is None]
    if len({cluster_of(row) for row in labelled}) > 1:
        found["corrected.judged"] = agreement.corrected_mean(
            [_guess(row) for row in rest],
            [rubric.score(row["label"]) for row in labelled],
            [_guess(row) for row in labelled],
            "share",
            ([cluster_of(row) for row in rest], [cluster_of(row) for row in labelled]),
        )
    if rubric.kind == "reference":
        right, said = [row["label"] == "CORRECT" for row in labelled], [row["score"] == 1.0 for row in labelled]
        found |= {f"judge.{name}": measure for name, measure in agreement.sensitivity_of(right, said).items()}
        if any(right) and not all(right):
            hits = sum(row["score"] == 1.0 for row in answered)
            found["corrected.by_sensitivity"] = agreement.corrected_share(hits, len(answered), right, said)
    return found


def _guess(row: Row) -> float:
    return 0.5 if row["score"] is None else float(row["score"])


def _label_notes(rows: Sequence[Row], told: Mapping[str, str]) -> Iterator[str]:
    if not told:
        yield "no answer is labelled by people: how far the judge errs is not known"
    elif len(told) < _FEW_LABELS:
        yield f"{len(told)} labels tell little of the judge: the intervals of agreement are wide"
    lost = sum(row["label"] is not None and row["score"] is None for row in rows)
    if lost:
        yield f"{lost} labelled answers have no verdict of the judge to compare with"
