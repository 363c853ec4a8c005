"""What all reports of a judge share: asking it about many answers, going on after a kill, and what is counted and noted of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from septet import statistics
from septet.core import Run, StepFailed
from septet.evaluate.answers import named
from septet.evaluate.judge.ask import OUTCOMES, Judgement, Way, judge
from septet.evaluate.judge.rubric import Rubric
from septet.files import read_unfinished
from septet.inference.protocol import Engine, load
from septet.kinds import Measure, Model, Report

_TOGETHER = 64
_HOPELESS = 20
"""Failures in a row before the first verdict after which judging is given up: the judge is not there."""

Row = Mapping[str, Any]


_MEANING = {
    "empty": "the judge said nothing",
    "truncated": "the judge was cut off before a verdict",
    "unparsed": "no one verdict was found in what the judge said",
    "failed": "asking the judge failed",
    "answer empty": "there was no answer to judge; it has the worst verdict",
    "answer failed": "the model that was to answer had failed",
}


def verdicts(
    model: Model, engine: str, rows: Sequence[Row], rubric: Rubric, way: Way, run: Run
) -> dict[str, Judgement]:
    """What the judge says of all rows, by id; kept as it comes, what failed excepted."""
    path = run.scratch / "judged.jsonl"
    done = {row["id"]: msgspec.convert(row, Judgement) for row in read_unfinished(path)}
    waiting = [row for row in rows if str(row["id"]) not in done]
    failed: dict[str, Judgement] = {}
    loaded: Engine = load(model, engine)
    try:
        with path.open("a", encoding="utf-8") as store:
            for start in range(0, len(waiting), _TOGETHER):
                for one in judge(loaded, waiting[start : start + _TOGETHER], rubric, way):
                    if one.outcome == "failed":
                        failed[one.id] = one
                        continue
                    done[one.id] = one
                    store.write(json.dumps(msgspec.to_builtins(one), ensure_ascii=False, sort_keys=True) + "\n")
                store.flush()
                if len(failed) >= _HOPELESS and not any(one.outcome == "judged" for one in done.values()):
                    reason = next(iter(failed.values())).reason
                    raise StepFailed(
                        f"the judge failed {len(failed)} times and never answered: {reason}", "See to that first"
                    )
                run.progress(len(done) + len(failed), len(rows), "answers")
    finally:
        loaded.close()
    found = {**done, **failed}
    asked = [one for one in found.values() if one.asked]
    if asked and all(one.outcome == "failed" for one in asked):
        raise StepFailed(f"the judge failed on all {len(asked)} answers: {asked[0].reason}", "See to that first")
    return found


def outcomes(found: Sequence[Judgement]) -> dict[str, Measure]:
    """The share of each outcome of the judge, in all that were to be judged."""
    measures = {}
    for outcome in OUTCOMES:
        count = sum(one.outcome == outcome for one in found)
        measures[f"judge.{outcome.replace(' ', '_')}"] = statistics.share(count, len(found))
    measures["judge.answer_addresses_it"] = statistics.share(sum(one.addresses_judge for one in found), len(found))
    return measures


def facts_of(model: Model, rubric: Rubric, way: Way) -> dict[str, Any]:
    return {"judge": named(model), "rubric": msgspec.to_builtins(rubric), "way": msgspec.to_builtins(way)}


def notes_on(model: Model, reports: Sequence[Report], found: Sequence[Judgement]) -> list[str]:
    notes = []
    for outcome in OUTCOMES[1:]:
        count = sum(one.outcome == outcome for one in found)
        if count:
            notes.append(f"{count} of {len(found)} answers: {_MEANING[outcome]}")
    swayed = sum(one.addresses_judge for one in found)
    if swayed:
        notes.append(f"{swayed} answers state a verdict themselves: look whether they swayed the judge")
    own = named(model)["digest"]
    if any(_digest(report) == own for report in reports):
        notes.append("the judge graded its own answers: judges prefer what they wrote themselves")
    return notes


def _digest(report: Report) -> str:
    answerer = report.content["facts"].get("model")
    return str(answerer.get("digest")) if isinstance(answerer, dict) else ""


def count_lost(run: Run, found: Iterable[Judgement]) -> None:
    some = list(found)
    for outcome in OUTCOMES[1:]:
        count = sum(one.outcome == outcome for one in some)
        run.drop(f"answers: {_MEANING[outcome]}", count, "items.jsonl")


def cluster_of(row: Row) -> str:
    return str(row.get("cluster") or row["id"])
