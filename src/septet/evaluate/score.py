"""Asking a model every item of a suite, and the store of what came back.

An item is asked by likelihood (of the letters, or of the options' whole texts) or by generation, as its task or the run says. What
came back is kept raw beside the verdict, so that any number can be computed again without the model. Six things can happen to an
item: it was answered, the output was empty, or cut off before an answer, or no answer was found in it, it cannot be judged
here, or asking failed. The first four count in every denominator; what failed is counted by itself and is neither right nor wrong.

A run that is killed goes on where it stopped; what failed is asked again.
"""

from __future__ import annotations

import fnmatch
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from septet.core import ConfigError, Run, StepFailed, plugins
from septet.core.artifact import OBSERVED
from septet.core.errors import nearest
from septet.evaluate import asking, prompts
from septet.evaluate.answers import named
from septet.evaluate.asking import Raw
from septet.evaluate.form import LETTERS, Mode, Task
from septet.evaluate.summary import summary
from septet.evaluate.verdicts.verdict import Verdict
from septet.files import read_unfinished, write_lines
from septet.inference.protocol import Engine, Options, load
from septet.kinds import Model, Report, Suite

if TYPE_CHECKING:
    from septet.evaluate.steps.scoring import Score

VERDICTS = "septet.verdicts"
Outcome = Literal["answered", "empty", "truncated", "unparsed", "unjudged", "failed"]
_TOGETHER = 128
"""Items of a task that are asked together, always the same ones: sums differ in their last bits with what stands beside, and a
run that goes on after a kill is to find what an unbroken one finds."""
_HOPELESS = 20
"""Failures in a row before the first success after which asking is given up: the model or the endpoint is not there."""


def evaluate(config: Score, model: Model, suite: Suite, contamination: Report | None, run: Run) -> Report:
    """Ask all items that are chosen, and write the report with every one of them.

    Raises ConfigError for a suite without tasks of this name, and a mode that its items cannot be asked in; StepFailed when nothing
    comes back at all.
    """
    tasks = tasks_of(suite)
    chosen = _chosen(config, suite, tasks)
    done = {row["id"]: row for row in read_unfinished(run.scratch / "items.jsonl")}
    seconds = {row["id"]: row["cpu_seconds"] for row in read_unfinished(run.scratch / OBSERVED)}
    engine = load(model, config.engine)
    total = sum(len(items) for items, _ in chosen.values())
    failed: list[dict[str, Any]] = []
    try:
        with (
            (run.scratch / "items.jsonl").open("a", encoding="utf-8") as store,
            (run.scratch / OBSERVED).open("a", encoding="utf-8") as watch,
        ):
            for name, (items, shots) in chosen.items():
                some = (items[start : start + _TOGETHER] for start in range(0, len(items), _TOGETHER))
                waiting = [part for part in some if any(item["id"] not in done for item in part)]
                for row, spent in _parts(config, engine, tasks[name], waiting, shots):
                    if row["outcome"] == "failed":
                        failed.append(row)
                        if not done and len(failed) >= _HOPELESS:
                            raise StepFailed(
                                f"the first {_HOPELESS} items failed: {row['reason']}", "See to that first"
                            )
                        continue
                    done[row["id"]] = row
                    seconds[row["id"]] = spent
                    store.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
                    watch.write(json.dumps({"id": row["id"], "cpu_seconds": spent}) + "\n")
                    run.progress(len(done) + len(failed), total, "items")
                store.flush()
                watch.flush()
    finally:
        engine.close()
    done.update((row["id"], row) for row in failed)
    rows = [done[item["id"]] for items, _ in chosen.values() for item in items]
    if contamination is not None:
        rows = joined(rows, contamination)
    for outcome in ("empty", "truncated", "unparsed", "failed"):
        count = sum(row["outcome"] == outcome for row in rows)
        run.drop(f"items whose outcome is '{outcome}' ({_COUNTS[outcome]})", count, "items.jsonl")
    spent = sum(seconds.get(row["id"], 0.0) for row in rows)
    run.observe("cpu_seconds_an_item", round(spent / max(1, len(rows)), 4))
    observed = ({"id": row["id"], "cpu_seconds": seconds.get(row["id"])} for row in rows)
    write_lines(run.out / OBSERVED, observed)
    facts = {
        "suite": suite.about,
        "model": named(model),
        "mode": config.mode,
        "engine": engine.name,
        "chat": config.chat,
        "tasks": {name: msgspec.to_builtins(tasks[name]) for name in chosen},
    }
    return Report.write(run.out, config.name, summary(rows), rows, _notes(rows), facts)


_COUNTS = {
    "empty": "wrong, and counted",
    "truncated": "wrong, and counted",
    "unparsed": "wrong, and counted",
    "failed": "neither right nor wrong",
}


def joined(rows: Sequence[dict[str, Any]], contamination: Report) -> list[dict[str, Any]]:
    """The rows, each with what a scan of the training data said of its item (`not scanned` where it was not looked for)."""
    said = {str(row["id"]): str(row["verdict"]) for row in contamination.items()}
    return [{**row, "contamination": said.get(row["id"], "not scanned")} for row in rows]


def again(report: Report, suite: Suite, name: str, run: Run) -> Report:
    """The report that the same outputs make under the verdicts as they are now. No model is asked.

    Raises ConfigError when the report is not of this suite.
    """
    items = {item["id"]: item for item in suite.items()}
    tasks = tasks_of(suite)
    rows = []
    changed = 0
    for row in report.items():
        if row["id"] not in items:
            raise ConfigError(f"{row['id']} is not an item of this suite", "Give the suite that the report was made of")
        item = items[row["id"]]
        failure = row.get("reason", "") if row["outcome"] == "failed" else ""
        raw = Raw(
            row["output"],
            row["finish"],
            row["log_probabilities"],
            row["bound"],
            row["tokens"],
            row["prompt_tokens"],
            failure,
        )
        judged = {**row, **_judged(item, tasks[row["task"]], row["mode"], raw, row["normalise"])}
        changed += judged["score"] != row["score"]
        rows.append(judged)
    run.note(f"{changed} of {len(rows)} items are judged otherwise than before")
    facts = report.content["facts"]
    return Report.write(run.out, name, summary(rows), rows, _notes(rows), facts)


def tasks_of(suite: Suite) -> dict[str, Task]:
    """The tasks of a suite by name. A suite that names none is one task, asked as its items allow."""
    told = suite.about.get("tasks")
    if told:
        return {one["name"]: msgspec.convert(one, Task) for one in told}
    name = str(suite.about.get("name", "suite"))
    items = list(suite.items())
    choices = bool(items) and all(item.get("options") for item in items)
    languages = sorted({str(item["language"]) for item in items})
    chance = sum(1 / len(item["options"]) for item in items) / len(items) if choices else 0.0
    task = Task(
        name,
        languages[0] if len(languages) == 1 else "mixed",
        "text" if choices else "generate",
        "option" if choices else "reference",
        chance=chance,
    )
    return {name: task}


def _chosen(
    config: Score, suite: Suite, tasks: Mapping[str, Task]
) -> dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """By task: the items to ask, and the solved examples that stand before each."""
    wanted = [name for name in tasks if any(fnmatch.fnmatchcase(name, one) for one in config.tasks)]
    for pattern in config.tasks:
        if not fnmatch.filter(tasks, pattern):
            raise ConfigError(f"the suite has no task '{pattern}'", nearest(pattern, tasks))
    by_task: dict[str, list[dict[str, Any]]] = {name: [] for name in wanted}
    only = next(iter(tasks))
    for item in suite.items():
        name = item.get("task") or only
        if name in by_task:
            by_task[name].append(
                {"labels": [item["label"]] if item.get("label") is not None else [], **item, "task": name}
            )
    found = {}
    for name, items in by_task.items():
        shots = [item for item in items if item["split"] == "shots"]
        asked = [item for item in items if item["split"] not in ("shots", "unlabelled")]
        tests = [item for item in asked if item["split"] == "test"] or asked
        if config.limit and len(tests) > config.limit:
            # A draw of its own for each task: more tasks do not change which items one has.
            places = sorted(random.Random(f"{config.seed} {name}").sample(range(len(tests)), config.limit))  # noqa: S311
            tests = [tests[place] for place in places]
        count = config.shots if config.shots >= 0 else tasks[name].shots
        if count > len(shots) and not tasks[name].preamble:
            if config.shots >= 0:
                raise ConfigError(
                    f"the task '{name}' has {len(shots)} solved examples, not {count}", f"Write shots = {len(shots)}"
                )
            count = len(shots)
        if tests:
            found[name] = (tests, shots[:count])
    if not found:
        raise ConfigError("the suite holds no item to ask", "Look at its splits with septet show")
    return found


def _parts(
    config: Score,
    engine: Engine,
    task: Task,
    parts: Sequence[Sequence[dict[str, Any]]],
    shots: Sequence[dict[str, Any]],
) -> Iterator[tuple[dict[str, Any], float]]:
    for part in parts:
        yield from _asked(config, engine, task, part, shots)


def _asked(
    config: Score, engine: Engine, task: Task, items: Sequence[dict[str, Any]], shots: Sequence[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], float]]:
    """The rows of a task's items with the processor seconds that each took, as they come."""
    mode: Mode = task.mode if config.mode == "task" else config.mode
    max_tokens = config.max_tokens or task.max_tokens
    room = max(0, config.context - (max_tokens if mode == "generate" else 0))
    questions = []
    for item in items:
        question: prompts.Question | None = prompts.build(task, item, shots, mode)
        if config.context and question is not None:
            question = prompts.fitted(question, shots, engine.codec, config.chat, room)
        if question is None:
            raw = asking.Raw(failure=f"the item is longer than {config.context} tokens")
            yield _row(config, task, item, mode, None, raw), 0.0
        else:
            questions.append(question)
    if mode == "generate":
        options = Options(max_tokens=max_tokens, temperature=config.temperature, seed=config.seed, stop=task.stop)
        came = asking.generated(engine, questions, config.chat, options, config.batch)
    else:
        came = asking.likelihoods(engine, questions, config.chat)
    for question, raw, spent in came:
        yield _row(config, task, question.item, mode, question, raw), round(spent, 6)


def _row(
    config: Score,
    task: Task,
    item: Mapping[str, Any],
    mode: Mode,
    question: prompts.Question | None,
    raw: Raw,
) -> dict[str, Any]:
    meta = item.get("meta") or {}
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
        **_judged(item, task, mode, raw, config.normalise),
    }


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


def _judged(item: Mapping[str, Any], task: Task, mode: Mode, raw: Raw, normalise: str) -> dict[str, Any]:
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


def _notes(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for outcome in ("failed", "truncated", "unparsed", "empty", "unjudged"):
        count = sum(row["outcome"] == outcome for row in rows)
        if count:
            yield f"{count} of {len(rows)} items: {outcome}"
    if any(row["bound"] for row in rows):
        count = sum(row["bound"] for row in rows)
        yield f"for {count} items the endpoint did not name every letter: its probability is bounded, not known"
    most: dict[str, int] = {}
    for row in rows:
        most[row["task"]] = max(most.get(row["task"], 0), row["shots"])
    fewer = sum(row["outcome"] != "failed" and row["shots"] < most[row["task"]] for row in rows)
    if fewer:
        yield f"{fewer} items were asked with fewer examples than the others of their task, to fit the context"
