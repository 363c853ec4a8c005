"""What lm-evaluation-harness (Gao et al., 2021; version 0.4.13) logged of each item, as rows of an item store.

Read are its `samples_TASK_TIME.jsonl`, and `results_TIME.json` beside them. So a report of ours and one of the harness compare item
by item: the rows are named `TASK/DOC_ID` as `evaluate.readers.lm_eval` names its items, and a prompt has the digest that it has
here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from septet.core import ConfigError, Run
from septet.detect.language import language_all
from septet.evaluate import prompts
from septet.evaluate.form import LETTERS, Mode, Task
from septet.evaluate.harness import best
from septet.evaluate.summary import summary
from septet.kinds import Report


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """The harness's samples (of each task the newest file) as rows of an item store, `TASK/DOC_ID` each.

    Raises ConfigError where the folder holds none, and for lines that are no samples.
    """
    newest: dict[str, Path] = {}
    for path in sorted(folder.rglob("samples_*.jsonl"), key=lambda one: one.stem.rpartition("_")[2]):
        newest[path.stem.removeprefix("samples_").rpartition("_")[0]] = path
    if not newest:
        raise ConfigError(f"{folder} holds no samples_*.jsonl", "Run the harness with --log_samples and --output_path")
    rows = [row for name in sorted(newest) for row in _task_rows(name, newest[name])]
    told = language_all([row["question"] for row in rows])
    for row, language in zip(rows, told, strict=True):
        row["language"] = "zh" if language in ("zh", "mixed") else "en"
    return rows


def brought(folder: Path, name: str, run: Run) -> Report:
    """A report of the harness's samples."""
    rows = rows_of(folder)
    tasks = {
        row["task"]: Task(
            row["task"], row["language"], row["mode"], "harness" if row["mode"] == "generate" else "option"
        )
        for row in rows
    }
    facts = {
        "suite": {"name": name, "origin": "samples of lm-evaluation-harness"},
        "mode": "task",
        "engine": "lm-evaluation-harness",
        "tasks": {task: msgspec.to_builtins(one) for task, one in tasks.items()},
    }
    return Report.write(run.out, name, summary(rows), rows, (), facts)


def _task_rows(name: str, path: Path) -> Iterator[dict[str, Any]]:
    told = _results_beside(path).get("n-shot", {})
    rows: dict[Any, dict[str, Any]] = {}
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            sample = json.loads(line)
            row = rows.get(sample["doc_id"])
            if row is None:
                rows[sample["doc_id"]] = _row(name, sample, int(told.get(name) or 0))
            elif row["mode"] == "generate":
                # A filter more of the same output; the first gives the score.
                row["detail"]["filters"].update(_filtered(sample))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{path.name}, line {number} is no sample: {error!r}", "Log it again with lm_eval 0.4"
            ) from None
    yield from rows.values()


def _results_beside(path: Path) -> dict[str, Any]:
    """The results file of the same run as a file of samples; empty where there is none."""
    beside = path.with_name(f"results_{path.stem.rpartition('_')[2]}.json")
    found: dict[str, Any] = json.loads(beside.read_text("utf-8")) if beside.is_file() else {}
    return found


def _row(name: str, sample: Mapping[str, Any], shots: int) -> dict[str, Any]:
    arguments = [sample["arguments"][f"gen_args_{at}"] for at in range(len(sample["arguments"]))]
    text, written = str(arguments[0]["arg_0"]), isinstance(arguments[0]["arg_1"], dict)
    ends = () if written else tuple(str(one["arg_1"]) for one in arguments)
    options = [end.strip() for end in ends]
    mode: Mode = "generate" if written else "letter" if options == list(LETTERS[: len(options)]) else "text"
    doc = sample["doc"]
    question = doc.get("question") if isinstance(doc, dict) else None
    row: dict[str, Any] = {
        "id": f"{name}/{sample['doc_id']}",
        "task": name,
        "group": "",
        "category": "",
        "cluster": "",
        "twin_of": "",
        "perturbation": "",
        "mode": mode,
        "measure": "accuracy" if not written else "exact_match",
        "question": question if isinstance(question, str) else text,
        "options": None if written else options,
        "labels": [],
        "references": [str(sample["target"])],
        "prompt": prompts.Question({}, Task(name, "", mode, ""), mode, text, ends, shots).digest,
        "shots": shots,
        "normalise": "none",
        "output": "",
        "finish": "",
        "log_probabilities": [],
        "bound": False,
        "tokens": 0,
        "prompt_tokens": 0,
        "meta": {"doc": json.dumps(doc, ensure_ascii=False), "doc_hash": sample.get("doc_hash", "")},
        "outcome": "answered",
        "extracted": "",
        "chosen": None,
        "detail": {},
    }
    return row | (_written(sample) if written else _compared(row, sample))


def _written(sample: Mapping[str, Any]) -> dict[str, Any]:
    filters = _filtered(sample)
    first = next(iter(filters.values()))
    output = str(sample["resps"][0][0])
    return {
        "output": output,
        "extracted": first["extracted"],
        "score": first["exact_match"],
        "outcome": "answered" if output.strip() else "empty",
        "detail": {"filters": filters},
    }


def _filtered(sample: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    metric = "exact_match" if "exact_match" in sample["metrics"] else sample["metrics"][0]
    said = sample["filtered_resps"][0]
    return {
        sample["filter"]: {
            "extracted": str(said[0] if isinstance(said, list) else said),
            "exact_match": float(sample[metric]),
        }
    }


def _compared(row: Mapping[str, Any], sample: Mapping[str, Any]) -> dict[str, Any]:
    sums = [float(one[0]) for one in sample["filtered_resps"]]
    if not all(math.isfinite(one) for one in sums):
        return {
            "outcome": "failed",
            "reason": "the model's output is not a number",
            "score": None,
            "log_probabilities": sums,
        }
    labels = _labels(str(sample["target"]), row["options"])
    normed = "acc_norm" in sample["metrics"] and row["mode"] == "text"
    found = {**row, "log_probabilities": [round(one, 5) for one in sums]}
    chosen = best(found, "acc_norm" if normed else "acc")
    name = next((one for one in ("acc_norm" if normed else "acc", "acc") if one in sample), None)
    score = None if name is None else float(sample[name])
    if not labels and score == 1.0 and len(sums) > 1:
        labels = [chosen]
    return {
        "log_probabilities": found["log_probabilities"],
        "labels": labels,
        "references": [row["options"][place] for place in labels] or row["references"],
        "normalise": "characters" if normed else "none",
        "chosen": chosen,
        "extracted": LETTERS[chosen] if row["mode"] == "letter" else "",
        "score": score,
        "outcome": "answered" if score is not None else "unjudged",
        "detail": {"right_by_sum": bool(sample["acc"])} if "acc" in sample else {},
    }


def _labels(target: str, options: Sequence[str]) -> list[int]:
    """The right places: `doc_to_target` gave a place, several of them, or the text of an option."""
    if target.strip() in options:
        return [options.index(target.strip())]
    places = [int(one) for one in re.findall(r"\d+", target)] if re.fullmatch(r"\[?[\d, ]+\]?", target) else []
    return [place for place in places if place < len(options)]
