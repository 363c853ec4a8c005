"""HELM's seven measures of a score, from its item store alone: no model is asked again.

Accuracy, calibration, robustness, fairness, bias, toxicity, efficiency (Liang et al., 2022, arXiv 2211.09110), each in Chinese and
English, each with its interval. Twins for robustness and fairness come from `evaluate.perturb`. What cannot be measured of a store
is said in the notes, and the facts say which of the seven stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from septet.core import ConfigError, Run
from septet.core.artifact import OBSERVED
from septet.evaluate.dimensions.calibration import calibration
from septet.evaluate.dimensions.efficiency import denoised, efficiency, tokens
from septet.evaluate.dimensions.fairness import fairness
from septet.evaluate.dimensions.found import Found, Row
from septet.evaluate.dimensions.portrayal import portrayal
from septet.evaluate.dimensions.robustness import robustness
from septet.evaluate.dimensions.stereotypes import stereotypes
from septet.evaluate.dimensions.toxicity import toxicity
from septet.evaluate.perturb.kinds import FAIRNESS
from septet.evaluate.summary import summary
from septet.files import read_lines, write_lines
from septet.kinds import Measure, Policy, Report, Scorer

SEVEN = ("accuracy", "calibration", "robustness", "fairness", "bias", "toxicity", "efficiency")


def holistic(
    name: str, report: Report, run: Run, policy: Policy | None = None, scorers: Sequence[Scorer] = ()
) -> Report:
    """The report of the seven measures of a report of `evaluate.score`.

    `policy` and `scorers` are what toxicity is told by in place of, or beside, Septet's own words. Seconds go to the record
    (`run.observe`) and to `observed.jsonl`, with the denoised seconds of each item. Raises ConfigError for a report whose rows are
    none of a score.
    """
    rows: list[Row] = list(report.items())
    if not rows or any(key not in rows[0] for key in ("measure", "mode", "score", "outcome", "log_probabilities")):
        raise ConfigError(f"'{report.name}' is no report of evaluate.score", "Give one that evaluate.score wrote")
    parts: dict[str, list[Found]] = {
        "accuracy": [_accuracy(rows)],
        "calibration": [calibration(rows)],
        "robustness": [robustness(rows, FAIRNESS)],
        "fairness": [fairness(rows, FAIRNESS)],
        "bias": [stereotypes(rows), portrayal(rows)],
        "toxicity": [toxicity(rows, policy, scorers)],
        "efficiency": [efficiency(rows)],
    }
    if not parts["robustness"][0].stands:
        parts["robustness"][0].notes.append(
            "robustness is not measured: no twins were asked (evaluate.perturb makes them)"
        )
    measures: dict[str, Measure] = {}
    notes: list[str] = []
    facts: dict[str, Any] = {}
    told: dict[str, dict[str, Any]] = {}
    for side in SEVEN:
        for found in parts[side]:
            measures.update(found.measures)
            notes += found.notes
            if found.facts:
                facts.setdefault(side, {}).update(found.facts)
            for identity, values in found.rows.items():
                told.setdefault(identity, {}).update(values)
    facts["stands"] = {side: any(found.stands for found in parts[side]) for side in SEVEN}
    facts["of"] = {key: report.content["facts"].get(key) for key in ("suite", "mode", "engine", "chat")}
    facts["model"] = report.content["facts"].get("model")
    facts["items"] = {
        "own": sum(not row.get("twin_of") for row in rows),
        "twins": sum(bool(row.get("twin_of")) for row in rows),
    }
    missing = [side for side in SEVEN if not facts["stands"][side]]
    run.note(
        f"{len(SEVEN) - len(missing)} of 7 sides are measured" + (f"; not: {', '.join(missing)}" if missing else "")
    )
    _observe(rows, report, run)
    kept = ("id", "task", "language", "mode", "measure", "outcome", "score", "twin_of", "perturbation")
    lines = ({**{key: row.get(key, "") for key in kept}, **told.get(str(row["id"]), {})} for row in rows)
    return Report.write(run.out, name, measures, lines, notes, facts)


def _accuracy(rows: Sequence[Row]) -> Found:
    """The score itself, as its own report has it."""
    found = Found(summary(rows))
    unjudged = sum(row["outcome"] == "unjudged" for row in rows)
    if unjudged:
        found.notes.append(f"accuracy leaves out {unjudged} items that cannot be judged right or wrong")
    if all(row["score"] is None for row in rows):
        found.measures = {}
        found.notes.append("accuracy is not measured: no item has a score")
    return found


def _observe(rows: Sequence[Row], report: Report, run: Run) -> None:
    """Processor seconds, as measured and denoised: to the record and the file that identity leaves out."""
    seconds = {
        str(row["id"]): float(row["cpu_seconds"])
        for row in read_lines(report.path / OBSERVED)
        if isinstance(row.get("cpu_seconds"), int | float)
    }
    lines = denoised(rows, seconds)
    for mode, line in lines.items():
        run.observe(f"cpu_seconds_a_token.{mode}", float(f"{line.a_token.value:.4g}"))
        run.observe(f"cpu_seconds_a_token.{mode}.low", float(f"{line.a_token.low:.4g}"))
        run.observe(f"cpu_seconds_a_token.{mode}.high", float(f"{line.a_token.high:.4g}"))
        spent = [line.start + line.slope * tokens(row) for row in rows if row["mode"] == mode and tokens(row)]
        run.observe(f"denoised_seconds_an_item.{mode}", float(f"{sum(spent) / len(spent):.4g}"))
    if not lines:
        run.note(
            "seconds are not measured: the report holds too few of them"
            if seconds
            else f"seconds are not measured: no {OBSERVED}"
        )
    made = []
    for row in rows:
        fit = lines.get(row["mode"])
        quiet = round(fit.start + fit.slope * tokens(row), 6) if fit is not None and tokens(row) else None
        made.append({"id": row["id"], "cpu_seconds": seconds.get(str(row["id"])), "denoised_seconds": quiet})
    write_lines(run.out / OBSERVED, made)
