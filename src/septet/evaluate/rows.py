"""The row of an item: what was asked, what came back, and what it is worth.

What came back stands in the row raw, so that its worth can be judged again without the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from septet.core import plugins
from septet.evaluate.asking import Raw
from septet.evaluate.form import LETTERS, Mode, Task
from septet.evaluate.prompts import Question
from septet.evaluate.verdicts.verdict import Verdict

if TYPE_CHECKING:
    from septet.evaluate.steps.scoring import Score

VERDICTS = "septet.verdicts"
LATER = ("judge", "unjudged")
"""Verdicts that another step gives: a judge, or measures over all outputs."""
_LONG = ("before", "doc")
"""What an item holds of the words around it: the suite has them."""
Outcome = Literal["answered", "empty", "truncated", "unparsed", "unjudged", "failed"]


def made(
    config: Score,
    task: Task,
    item: Mapping[str, Any],
    mode: Mode,
    question: Question | None,
    raw: Raw,
) -> dict[str, Any]:
    """The row of an item, with what its output is worth (`judged`)."""
    meta = {key: value for key, value in (item.get("meta") or {}).items() if key not in _LONG}
    return {
        "id": item["id"],
        "task": task.name,
        "group": task.group,
        "language": item["language"],
        "category": item["category"],
        "cluster": item.get("cluster", ""),
        "twin_of": meta.get("twin_of", ""),
        "perturbation": meta.get("perturbation", ""),
        "mode": mode,
        "measure": measure_of(task, mode),
        "passage": item.get("passage", ""),
        "question": item["question"],
        "options": item["options"],
        "labels": item["labels"],
        "references": item["answers"],
        "prompt": question.digest if question else "",
        "shots": question.shots if question else 0,
        "normalise": config.normalise,
        "output": raw.output,
        "finish": raw.finish,
        "log_probabilities": list(raw.log_probabilities),
        "bound": raw.bound,
        "tokens": raw.tokens,
        "prompt_tokens": raw.read,
        "meta": meta,
        **judged(item, task, mode, raw, config.normalise),
    }


def raw_of(row: Mapping[str, Any]) -> Raw:
    """What came back, out of a row."""
    failure = row.get("reason", "") if row["outcome"] == "failed" else ""
    return Raw(
        row["output"],
        row["finish"],
        row["log_probabilities"],
        row["bound"],
        row["tokens"],
        row["prompt_tokens"],
        failure,
    )


_OF_ONE = ("output", "finish", "tokens", "outcome", "reason", "score", "extracted", "chosen", "detail")


def of_samples(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One row of several outputs for an item: their mean score, and each of them. What failed is in no mean."""
    judged = [row for row in rows if row["score"] is not None]
    first = judged[0] if judged else rows[0]
    score = sum(row["score"] for row in judged) / len(judged) if judged else None
    samples = [{key: row[key] for key in _OF_ONE if key in row} for row in rows]
    return {**first, "score": score, "tokens": sum(row["tokens"] for row in rows), "samples": samples}


def measure_of(task: Task, mode: Mode) -> str:
    """The name of what a verdict's score measures."""
    if mode != "generate":
        return {"mass": "probability_of_right", "pair": "prefers_first"}.get(task.verdict, "accuracy")
    names = {
        "code": "pass_at_1",
        "instructions": "instructions_followed",
        "reference": "exact_match",
        "judge": "judged",
    }
    return names.get(task.verdict, "accuracy")


def judged(item: Mapping[str, Any], task: Task, mode: Mode, raw: Raw, normalise: str) -> dict[str, Any]:
    """Outcome, score and what was found in an answer."""
    if raw.failure:
        return {
            "outcome": "failed",
            "reason": raw.failure,
            "score": None,
            "extracted": "",
            "chosen": None,
            "detail": {},
        }
    if mode != "generate":
        return _compared(item, task, mode, raw, normalise)
    if not raw.output.strip():
        return {"outcome": "empty", "score": 0.0, "extracted": "", "chosen": None, "detail": {}}
    if task.verdict in LATER:
        return {"outcome": "unjudged", "score": None, "extracted": "", "chosen": None, "detail": {}}
    verdict = _verdict(task.verdict)(dict(item), raw.output)
    outcome: Outcome = verdict.outcome
    if verdict.outcome == "unparsed" and raw.finish == "length":
        outcome = "truncated"
    score = 0.0 if outcome in ("empty", "truncated", "unparsed") else verdict.score
    if score is None:
        outcome = "unjudged"
    chosen = LETTERS.find(verdict.extracted) if item["options"] and len(verdict.extracted) == 1 else -1
    return {
        "outcome": outcome,
        "score": score,
        "extracted": verdict.extracted,
        "chosen": chosen if chosen >= 0 else None,
        "detail": verdict.detail,
    }


def _compared(item: Mapping[str, Any], task: Task, mode: Mode, raw: Raw, normalise: str) -> dict[str, Any]:
    sums = raw.log_probabilities
    options = item["options"]
    sizes = [1.0] * len(options)
    if mode == "text" and normalise == "characters":
        sizes = [float(max(1, len(option))) for option in options]
    elif mode == "text" and normalise == "bytes":
        sizes = [float(max(1, len(option.encode()))) for option in options]
    by_size = [total / size for total, size in zip(sums, sizes, strict=True)]
    chosen = max(range(len(options)), key=by_size.__getitem__)
    by_sum = max(range(len(options)), key=sums.__getitem__)
    found: dict[str, Any] = {
        "outcome": "answered",
        "extracted": LETTERS[chosen] if mode == "letter" else "",
        "chosen": chosen,
    }
    labels = item["labels"]
    if task.verdict == "pair":
        return {**found, "score": float(by_sum == 0), "detail": {}}
    if not labels:
        return {**found, "outcome": "unjudged", "score": None, "detail": {}}
    if task.verdict == "mass":
        weights = [math.exp(one - max(sums)) for one in sums]
        return {**found, "score": sum(weights[place] for place in labels) / sum(weights), "detail": {}}
    if (item.get("meta") or {}).get("all_of"):
        reason = "several options are right together, and a likelihood chooses one: ask with mode = 'generate'"
        return {**found, "outcome": "failed", "reason": reason, "score": None, "detail": {}}
    return {**found, "score": float(chosen in labels), "detail": {"right_by_sum": by_sum in labels}}


def _verdict(name: str) -> Callable[[dict[str, Any], str], Verdict]:
    found: Callable[[dict[str, Any], str], Verdict] = plugins.load(VERDICTS, name)
    return found
