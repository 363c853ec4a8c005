"""A report in the form in which lm-evaluation-harness (Gao et al., 2021; version 0.4.13) writes its results.

`results` is the aggregated file, `samples` what it logs of each item: `write` names both as the harness's own tools look for them.
Metrics are computed again from the log-probabilities: `acc` by their sums, `acc_norm` divided by the characters of the choice,
`acc_bytes` by its bytes; standard errors are the harness's (the deviation over the root of the number). What the harness has no
place for is left to the report: whether a continuation was the likeliest text is not kept here and stands as `None`; items that
failed are in no file, and their number is in `failed`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from septet.core import ConfigError
from septet.evaluate import prompts
from septet.evaluate.form import Task
from septet.files import write_json
from septet.kinds import Report, Suite

STAMP = "1970-01-01T00-00-00.000000"
"""The harness puts the time of a run into its files' names; here it is a fixed one, unless another is given."""

Row = Mapping[str, Any]
_LIKELIHOOD = ("acc", "acc_norm", "acc_bytes")


def results(report: Report) -> dict[str, Any]:
    """The harness's results file: by task and by group. Raises ConfigError where the report holds no scored item."""
    facts = report.content["facts"]
    tasks = _tasks(report)
    configs = _configs(facts)
    own: dict[str, dict[str, Any]] = {}
    counts: dict[str, dict[str, int]] = {}
    better: dict[str, dict[str, bool]] = {}
    shots: dict[str, int] = {}
    failed: dict[str, int] = {}
    groups: dict[str, list[str]] = {}
    for name, rows in _by_task(report).items():
        task = tasks[name]
        judged = [row for row in rows if row["outcome"] != "failed"]
        metrics = _aggregated([dict(_metrics(row, task)) for row in judged])
        own[name] = {"name": name, "alias": name, "sample_len": len(judged), **metrics}
        counts[name] = {"original": len(rows), "effective": len(judged)}
        better[name] = {key.partition(",")[0]: "perplexity" not in key for key in metrics if "_stderr" not in key}
        shots[name] = int(configs.get(name, {}).get("num_fewshot") or max((row["shots"] for row in rows), default=0))
        if len(rows) > len(judged):
            failed[name] = len(rows) - len(judged)
        if task.group:
            groups.setdefault(task.group, []).append(name)
    made = {name: _group(name, [own[one] for one in held]) for name, held in groups.items() if name not in own}
    version = str(facts.get("suite", {}).get("version", ""))
    model = str((facts.get("model") or {}).get("name") or facts.get("model") or "septet")
    return {
        "results": {**made, **own},
        **({"groups": made} if made else {}),
        "group_subtasks": {name: groups[name] for name in made},
        "configs": {name: configs.get(name) or _config(tasks[name], shots[name]) for name in sorted(own)},
        "versions": {name: _version(configs.get(name), version) for name in sorted(own)},
        "n-shot": {name: shots[name] for name in sorted(own)},
        "higher_is_better": {name: better[name] for name in sorted(own)},
        "n-samples": counts,
        "config": {"model": "septet", "model_args": {"engine": facts.get("engine"), "chat": facts.get("chat")}},
        "model_source": "septet",
        "model_name": model,
        "model_name_sanitized": _safe(model),
        **({"failed": failed} if failed else {}),
    }


def samples(report: Report, suite: Suite) -> dict[str, list[dict[str, Any]]]:
    """By task, what the harness logs of each item, one line an item and filter. Raises ConfigError for another suite."""
    tasks, configs = _tasks(report), _configs(report.content["facts"])
    items: dict[str, list[dict[str, Any]]] = {}
    only = next(iter(tasks))
    for item in suite.items():
        items.setdefault(str(item.get("task") or only), []).append(item)
    found: dict[str, list[dict[str, Any]]] = {}
    for name, rows in _by_task(report).items():
        held = items.get(name, [])
        shots = [item for item in held if item["split"] == "shots"]
        places = {item["id"]: place for place, item in enumerate(one for one in held if one["split"] != "shots")}
        known = {item["id"]: item for item in held}
        for row in rows:
            if row["outcome"] == "failed":
                continue
            if row["id"] not in known:
                raise ConfigError(
                    f"{row['id']} is not an item of this suite", "Give the suite that the report was made of"
                )
            task = tasks[name]
            question = prompts.build(task, known[row["id"]], shots[: row["shots"]], row["mode"])
            if question.digest != row["prompt"]:
                raise ConfigError(
                    f"{row['id']} was asked otherwise than this suite asks it", "Give the report's own suite"
                )
            found.setdefault(name, []).extend(_samples(row, question, task, configs.get(name, {}), places[row["id"]]))
    return found


def write(report: Report, suite: Suite, folder: Path, stamp: str = STAMP) -> list[Path]:
    """`results_STAMP.json` and `samples_TASK_STAMP.jsonl`, as the harness names them. Returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    content = results(report)
    logged = samples(report, suite)
    content["task_hashes"] = {
        name: _digest("".join(one["doc_hash"] + one["prompt_hash"] + one["target_hash"] for one in some))
        for name, some in logged.items()
    }
    paths = [folder / f"results_{stamp}.json"]
    write_json(paths[0], content)
    for name, some in logged.items():
        paths.append(folder / f"samples_{_safe(name)}_{stamp}.jsonl")
        # Not sorted: the order of a document's keys is part of its digest.
        paths[-1].write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in some), "utf-8")
    return paths


def _metrics(row: Row, task: Task) -> Iterator[tuple[str, float]]:
    """The row's metrics by `name,filter`."""
    if row["mode"] == "generate":
        filters = (row.get("detail") or {}).get("filters")
        if filters:
            yield from ((f"exact_match,{name}", one["exact_match"]) for name, one in filters.items())
        elif row["score"] is not None:
            yield f"{row['measure']},none", float(row["score"])
    elif task.verdict != "option":
        if row["score"] is not None:
            yield f"{row['measure']},none", float(row["score"])
    elif row["labels"]:
        for name in _LIKELIHOOD:
            yield f"{name},none", float(best(row, name) in row["labels"])
    elif len(row["log_probabilities"]) == 1:
        yield "perplexity,none", float(row["log_probabilities"][0])


def best(row: Row, metric: str) -> int:
    """The place of the option that a row chooses under `acc`, `acc_norm` or `acc_bytes`; of equals the first."""
    pairs = zip(row["log_probabilities"], row["options"], strict=True)
    sums = [total / _size(option, metric) for total, option in pairs]
    return max(range(len(sums)), key=sums.__getitem__)


def _size(option: str, metric: str) -> int:
    return max(1, {"acc_norm": len(option), "acc_bytes": len(option.encode("utf-8"))}.get(metric, 1))


def _aggregated(rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        values = [row[key] for row in rows if key in row]
        name, _, which = key.partition(",")
        mean = sum(values) / len(values)
        error: float | str = "N/A"
        if len(values) > 1 and name != "perplexity":
            error = math.sqrt(sum((one - mean) ** 2 for one in values) / (len(values) - 1) / len(values))
        found[key] = math.exp(-mean) if name == "perplexity" else mean
        found[f"{name}_stderr,{which}"] = error
    return found


def _group(name: str, held: Sequence[Row]) -> dict[str, Any]:
    """A group as the harness makes it with `weight_by_size`: the mean over all items, and the pooled standard error."""
    found: dict[str, Any] = {"name": name, "alias": name, "sample_len": sum(one["sample_len"] for one in held)}
    for key in dict.fromkeys(key for one in held for key in one if "," in key and "_stderr," not in key):
        metric, _, which = key.partition(",")
        some = [one for one in held if key in one]
        sizes = [one["sample_len"] for one in some]
        errors = [one[f"{metric}_stderr,{which}"] for one in some]
        found[key] = sum(one[key] * size for one, size in zip(some, sizes, strict=True)) / sum(sizes)
        pooled: float | str = "N/A"
        if "N/A" not in errors and sum(sizes) > len(sizes):
            squares = sum((size - 1) * error**2 * size for size, error in zip(sizes, errors, strict=True))
            pooled = math.sqrt(squares / (sum(sizes) - len(sizes)) / sum(sizes))
        found[f"{metric}_stderr,{which}"] = pooled
    return found


def _samples(
    row: Row, question: prompts.Question, task: Task, config: Mapping[str, Any], place: int
) -> Iterator[dict[str, Any]]:
    meta = question.item.get("meta") or {}
    item = {key: question.item.get(key) for key in ("id", "passage", "question", "options", "labels", "answers")}
    doc = json.loads(meta["doc"]) if "doc" in meta else item
    target = str(meta.get("target", row["labels"][0] if row["labels"] else (row["references"] or [""])[0]))
    if question.ends:
        arguments: list[tuple[str, Any]] = [(question.text, end) for end in question.ends]
        came: list[Any] = [[str(one), "None"] for one in row["log_probabilities"]]
    else:
        writing = {"until": list(task.stop), "max_gen_toks": task.max_tokens, "do_sample": False, "temperature": 0.0}
        arguments, came = [(question.text, config.get("generation_kwargs") or writing)], [row["output"]]
    by_filter: dict[str, dict[str, float]] = {}
    for key, value in _metrics(row, task):
        metric, _, which = key.partition(",")
        by_filter.setdefault(which, {})[metric] = value
    for which, metrics in (by_filter or {"none": {}}).items():
        filters = (row.get("detail") or {}).get("filters") or {}
        yield {
            "doc_id": place if "doc" not in meta else int(row["id"].rpartition("/")[2]),
            "doc": doc,
            "target": target,
            "arguments": {f"gen_args_{at}": {"arg_0": one, "arg_1": two} for at, (one, two) in enumerate(arguments)},
            "resps": [[one] for one in came],
            "filtered_resps": [filters[which]["extracted"]] if which in filters else came,
            "filter": which,
            "metrics": list(metrics),
            "doc_hash": meta.get("doc_hash") or _digest(json.dumps(doc, indent=2, ensure_ascii=False)),
            "prompt_hash": _digest(question.text),
            "target_hash": _digest(target),
            **metrics,
        }


def _by_task(report: Report) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in report.items():
        if "log_probabilities" not in row:
            raise ConfigError(f"'{report.name}' is no report of evaluate.score", "Score a suite first")
        found.setdefault(row["task"], []).append(row)
    return found


def _tasks(report: Report) -> dict[str, Task]:
    told = report.content["facts"].get("tasks")
    if not told:
        raise ConfigError(f"'{report.name}' is no report of evaluate.score", "Score a suite first")
    return {name: msgspec.convert(one, Task) for name, one in told.items()}


def _configs(facts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings of tasks that were read from the harness's own files."""
    found: dict[str, dict[str, Any]] = json.loads((facts.get("suite") or {}).get("lm_eval") or "{}")
    return found


def _config(task: Task, shots: int) -> dict[str, Any]:
    return {
        "task": task.name,
        "output_type": "generate_until" if task.mode == "generate" else "multiple_choice",
        "description": task.preamble or task.layout.header.replace("{subject}", task.subject),
        "target_delimiter": task.layout.answer.partition("{answer}")[0],
        "fewshot_delimiter": task.layout.between,
        "num_fewshot": shots,
    }


def _version(config: Mapping[str, Any] | None, version: str) -> Any:
    metadata = (config or {}).get("metadata")
    return metadata.get("version", "Yaml") if isinstance(metadata, dict) else "Yaml" if config else version


def _safe(name: str) -> str:
    return re.sub(r"[\"<>:/|\\?*\[\]\s]+", "__", name)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
