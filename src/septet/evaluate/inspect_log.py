"""A report as logs of inspect_ai (UK AI Security Institute): its JSON format, version 2, as inspect_ai 0.3.285 writes and reads it.

One log a task, since a log is of one task. A sample has the item's text as `input`, the options as `choices`, the right answer as
`target` (letters where there are options), what the model wrote or chose as `output`, and under `scores` the verdict: `C` and `I`
for right and wrong, a number for what is neither. Log-probabilities, the digest of the prompt, the outcome and the extracted answer
stand in the metadata. An item that failed carries an error and no score, as inspect_ai has it. A log wants times; a report has
none, so all are the one that is given.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from septet import __version__, statistics
from septet.core import ConfigError
from septet.evaluate import summary
from septet.evaluate.form import LETTERS
from septet.kinds import Report

CREATED = "1970-01-01T00:00:00+00:00"
_STOPS = {"stop": "stop", "length": "max_tokens"}

Row = Mapping[str, Any]


def logs(report: Report, created: str = CREATED) -> dict[str, dict[str, Any]]:
    """By task, the log. `created` is a time in UTC, ISO 8601. Raises ConfigError for a report that is not one of scores."""
    by_task: dict[str, list[dict[str, Any]]] = {}
    for row in report.items():
        if "log_probabilities" not in row:
            raise ConfigError(f"'{report.name}' is no report of evaluate.score", "Score a suite first")
        by_task.setdefault(row["task"], []).append(row)
    return {name: _log(report, name, rows, created) for name, rows in by_task.items()}


def write(report: Report, folder: Path, created: str = CREATED) -> list[Path]:
    """One file a task, named as inspect_ai names its logs (`TIME_TASK_ID.json`). Returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, log in logs(report, created).items():
        task = re.sub(r"[^\w-]+", "-", name).replace("_", "-")
        paths.append(folder / f"{created.replace(':', '-')}_{task}_{log['eval']['task_id']}.json")
        # The order of the keys is inspect_ai's: it reads `version`, `status`, `eval` from the head of a file.
        paths[-1].write_text(json.dumps(log, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return paths


def _log(report: Report, name: str, rows: Sequence[Row], created: str) -> dict[str, Any]:
    facts = report.content["facts"]
    model = _model(facts)
    judged = [row for row in rows if row["score"] is not None]
    score = str(rows[0]["measure"])
    mode = str(rows[0]["mode"])
    usage = {"input_tokens": sum(_read(row) for row in rows), "output_tokens": sum(row["tokens"] for row in rows)}
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": _id(report.name, name, "eval"),
            "run_id": _id(report.name, "run"),
            "created": created,
            "task": name,
            "task_id": _id(report.name, name, "task"),
            "task_version": str((facts.get("suite") or {}).get("version", "0")),
            "task_attribs": {},
            "task_args": {"mode": mode, "chat": bool(facts.get("chat"))},
            "solver": {"letter": "letters' likelihood", "text": "options' likelihood"}.get(mode, "generate"),
            "dataset": {
                "name": str((facts.get("suite") or {}).get("name", name)),
                "samples": len(rows),
                "sample_ids": [row["id"] for row in rows],
                "shuffled": False,
            },
            "model": model,
            "model_generate_config": {},
            "model_args": {"engine": str(facts.get("engine", ""))},
            "config": {"epochs": 1, "fail_on_error": False, "log_samples": True},
            "packages": {"septet": __version__},
            "metadata": {"report": report.name, "model": facts.get("model")},
        },
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": {
            "total_samples": len(rows),
            "completed_samples": sum(row["outcome"] != "failed" for row in rows),
            "scores": [_scores(score, rows, judged)] if judged else [],
        },
        "stats": {
            "started_at": created,
            "completed_at": created,
            "model_usage": {model: {**usage, "total_tokens": sum(usage.values())}},
        },
        "samples": [_sample(row, model, score) for row in rows],
    }


def _scores(score: str, rows: Sequence[Row], judged: Sequence[Row]) -> dict[str, Any]:
    mean = summary.of(judged)
    clusters = [str(row["cluster"] or row["id"]) for row in judged]
    errors = {}
    if len({*clusters}) > 1:
        error = statistics.clustered_error([float(row["score"]) for row in judged], clusters)
        errors = {"stderr": {"name": "stderr", "value": error, "params": {"cluster": "cluster"}}}
    bounds = {"interval": "95 %", "low": mean.low, "high": mean.high}
    return {
        "name": score,
        "scorer": score,
        "scored_samples": len(judged),
        "unscored_samples": len(rows) - len(judged),
        "params": {},
        "metrics": {
            "accuracy": {"name": "accuracy", "value": mean.value, "params": {}, "metadata": bounds},
            **errors,
        },
    }


def _sample(row: Row, model: str, score: str) -> dict[str, Any]:
    options = row["options"]
    labels = row["labels"]
    target = [LETTERS[place] for place in labels] if _lettered(options) else [str(one) for one in row["references"]]
    said = row["output"] or (_named(options, row["chosen"]) if row["chosen"] is not None else "")
    stop = _STOPS.get(row["finish"], "stop" if row["log_probabilities"] else "unknown")
    failed = row["outcome"] == "failed"
    message = {"role": "assistant", "content": said, "source": "generate"}
    usage = {
        "input_tokens": _read(row),
        "output_tokens": row["tokens"],
        "total_tokens": _read(row) + row["tokens"],
    }
    made: dict[str, Any] = {
        "id": row["id"],
        "epoch": 1,
        "input": row["question"],
        **({"choices": list(options)} if options else {}),
        "target": target[0] if len(target) == 1 else target,
        "messages": [{"role": "user", "content": row["question"], "source": "input"}, *([] if failed else [message])],
        "output": {
            "model": model,
            "choices": [] if failed else [{"message": message, "stop_reason": stop}],
            "completion": said,
            "usage": usage,
        },
        "scores": {} if row["score"] is None else {score: _score(row)},
        "metadata": {
            "task": row["task"],
            "group": row["group"],
            "language": row["language"],
            "category": row["category"],
            "cluster": row["cluster"],
            "mode": row["mode"],
            "shots": row["shots"],
            "prompt": row["prompt"],
        },
        "store": {},
        "events": [],
        "model_usage": {model: usage},
    }
    if failed:
        reason = str(row.get("reason", "failed"))
        made["error"] = {"message": reason, "traceback": "", "traceback_ansi": ""}
    return made


def _score(row: Row) -> dict[str, Any]:
    value = {1.0: "C", 0.0: "I"}.get(float(row["score"]), float(row["score"]))
    answer = row["extracted"] or (_named(row["options"], row["chosen"]) if row["chosen"] is not None else row["output"])
    return {
        "value": value,
        "answer": answer,
        "metadata": {
            "outcome": row["outcome"],
            "log_probabilities": row["log_probabilities"],
            "normalise": row["normalise"],
            "detail": row["detail"],
        },
    }


def _lettered(options: Sequence[str] | None) -> bool:
    return bool(options) and len(options or ()) <= len(LETTERS)


def _named(options: Sequence[str] | None, chosen: int) -> str:
    return LETTERS[chosen] if _lettered(options) else str((options or [""] * (chosen + 1))[chosen])


def _read(row: Row) -> int:
    return int(row.get("prompt_tokens") or 0)


def _model(facts: Mapping[str, Any]) -> str:
    """inspect_ai names a model as `PROVIDER/NAME`."""
    told = facts.get("model")
    name = str((told.get("name") if isinstance(told, Mapping) else told) or "model")
    return name if "/" in name else f"septet/{name}"


def _id(*parts: str) -> str:
    """22 characters, as inspect_ai's own ids have; the same report has the same."""
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    return "".join(alphabet[byte % len(alphabet)] for byte in digest[:22])
