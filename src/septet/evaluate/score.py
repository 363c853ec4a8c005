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
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from septet.core import ConfigError, Run, StepFailed
from septet.core.artifact import OBSERVED
from septet.core.errors import nearest
from septet.evaluate import asking, prompts
from septet.evaluate.answers import named
from septet.evaluate.asking import Raw
from septet.evaluate.budget import Plan, start
from septet.evaluate.collections import COLLECTIONS, RESCALED
from septet.evaluate.form import Mode, Task
from septet.evaluate.judge.dialogue import ask_turns, turn_rows
from septet.evaluate.rows import judged, made, measure_of, of_samples, raw_of
from septet.evaluate.summary import of_collection, summary
from septet.files import read_unfinished, write_lines
from septet.inference.protocol import Engine, Options, load
from septet.kinds import Model, Report, Suite

if TYPE_CHECKING:
    from septet.evaluate.steps.scoring import Score

_TOGETHER = 128
"""Items of a task that are asked together, always the same ones: sums differ in their last bits with what stands beside, and a
run that goes on after a kill is to find what an unbroken one finds."""
_HOPELESS = 20
"""Failures in a row before the first success after which asking is given up: the model or the endpoint is not there."""


def evaluate(
    config: Score, model: Model, suite: Suite, contamination: Report | None, earlier: Sequence[Report], run: Run
) -> Report:
    """Ask all items that are chosen, and write the report with every one of them.

    Raises ConfigError for a suite without tasks of this name, and a mode that its items cannot be asked in; StepFailed when nothing
    comes back at all.
    """
    tasks = tasks_of(suite)
    chosen = _chosen(config, suite, tasks)
    plan = _planned(config, chosen, tasks, earlier) if config.within else None
    store = _Store(run, sum(len(items) for items, _ in chosen.values()))
    engine = load(model, config.engine)
    try:
        for groups in _turns(chosen, plan, store):
            for name, items in groups:
                if any(item["id"] not in store.rows for item in items):
                    store.take(_asked(config, engine, tasks[name], items, chosen[name][1]))
    finally:
        engine.close()
        store.close()
    rows = [
        store.found(item["id"])
        for items, _ in chosen.values()
        for item in items
        if plan is None or item["id"] in plan.results or item["id"] in plan.failed
    ]
    rows = [turn for row in rows for turn in row.get("turns") or [row]]
    if all(row["outcome"] == "failed" for row in rows):
        raise StepFailed(f"all {len(rows)} items failed: {rows[0]['reason']}", "See to that first")
    if contamination is not None:
        rows = joined(rows, contamination)
    for outcome in ("empty", "truncated", "unparsed", "failed"):
        count = sum(row["outcome"] == outcome for row in rows)
        run.drop(f"items whose outcome is '{outcome}' ({_COUNTS[outcome]})", count, "items.jsonl")
    # A dialogue is timed as a whole: its time stands at its first turn.
    spent = [store.seconds.get(row["item"] if row.get("turn") == 1 else row["id"]) for row in rows]
    run.observe("cpu_seconds_an_item", round(sum(one or 0.0 for one in spent) / max(1, len(rows)), 4))
    write_lines(
        run.out / OBSERVED, ({"id": row["id"], "cpu_seconds": one} for row, one in zip(rows, spent, strict=True))
    )
    facts: dict[str, Any] = {
        "suite": suite.about,
        "model": named(model),
        "mode": config.mode,
        "engine": engine.name,
        "chat": config.chat,
        "tasks": {name: msgspec.to_builtins(tasks[name]) for name in chosen},
    }
    found = summary(rows)
    name = str(suite.about.get("name"))
    if name in COLLECTIONS:
        chances = {task: one.chance for task, one in tasks.items()}
        found |= of_collection(name, rows, chances, rescale=name in RESCALED)
    if plan is not None:
        found[f"{rows[0]['measure']}.{rows[0]['mode']}.of_all"] = plan.estimate()
        facts["within"] = {"points": config.within, "asked": len(rows), "of": len(plan.items), "earlier": len(earlier)}
        run.note(f"{len(rows)} of {len(plan.items)} items were asked")
    return Report.write(run.out, config.name, found, rows, _notes(rows), facts)


class _Store:
    """The rows so far, and the files that a killed run leaves of them. What failed is not kept: it is asked again."""

    def __init__(self, run: Run, total: int) -> None:
        self._run, self._total = run, total
        self.rows = {row["id"]: row for row in read_unfinished(run.scratch / "items.jsonl")}
        self.seconds = {row["id"]: row["cpu_seconds"] for row in read_unfinished(run.scratch / OBSERVED)}
        self._failed: dict[str, dict[str, Any]] = {}
        self._items = (run.scratch / "items.jsonl").open("a", encoding="utf-8")
        self._observed = (run.scratch / OBSERVED).open("a", encoding="utf-8")

    def take(self, came: Iterable[tuple[dict[str, Any], float]]) -> None:
        """Raises StepFailed when nothing but failures come."""
        for row, spent in came:
            self.seconds[row["id"]] = spent
            if row["outcome"] == "failed":
                self._failed[row["id"]] = row
                if not self.rows and len(self._failed) >= _HOPELESS:
                    raise StepFailed(f"the first {_HOPELESS} items failed: {row['reason']}", "See to that first")
                continue
            self.rows[row["id"]] = row
            self._items.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
            self._observed.write(json.dumps({"id": row["id"], "cpu_seconds": spent}) + "\n")
            self._run.progress(len(self.rows) + len(self._failed), self._total, "items")
        self._items.flush()
        self._observed.flush()

    def found(self, identity: str) -> dict[str, Any]:
        """The row of an item that was asked."""
        return self.rows[identity] if identity in self.rows else self._failed[identity]

    def close(self) -> None:
        self._items.close()
        self._observed.close()


_Chosen = Mapping[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]]


def _turns(chosen: _Chosen, plan: Plan | None, store: _Store) -> Iterator[list[tuple[str, list[dict[str, Any]]]]]:
    """What is asked together, by task: all items in their order, or as the plan draws them until it knows enough."""
    if plan is None:
        for name, (items, _) in chosen.items():
            for start in range(0, len(items), _TOGETHER):
                yield [(name, items[start : start + _TOGETHER])]
        return
    known = {item["id"]: (name, item) for name, (items, _) in chosen.items() for item in items}
    while not plan.done:
        drawn = plan.next_batch()
        groups: dict[str, list[dict[str, Any]]] = {}
        for identity in drawn:
            name, item = known[identity]
            groups.setdefault(name, []).append(item)
        yield sorted(groups.items())
        plan.add({identity: store.found(identity)["score"] for identity in drawn})


def _planned(config: Score, chosen: _Chosen, tasks: Mapping[str, Task], earlier: Sequence[Report]) -> Plan:
    """Raises ConfigError where the chosen tasks are asked in several ways: one number cannot be known of them."""
    ways = {(measure_of(tasks[name], _mode(config, tasks[name])), _mode(config, tasks[name])) for name in chosen}
    if len(ways) > 1:
        raise ConfigError(
            f"`within` is about one number, and these tasks have {len(ways)}: "
            + ", ".join(sorted(f"{measure}.{mode}" for measure, mode in ways)),
            "Choose tasks of one kind, or one mode",
        )
    scores: dict[str, list[float]] = {}
    for report in earlier:
        for row in report.items():
            if row.get("score") is not None:
                scores.setdefault(row["id"], []).append(float(row["score"]))
    ids = [item["id"] for items, _ in chosen.values() for item in items]
    return start(ids, config.within / 100, scores, config.seed)


def _mode(config: Score, task: Task) -> Mode:
    return task.mode if config.mode == "task" else config.mode


_COUNTS = {
    "empty": "wrong, and counted",
    "truncated": "wrong, and counted",
    "unparsed": "wrong, and counted",
    "failed": "neither right nor wrong",
}


def joined(rows: Sequence[dict[str, Any]], contamination: Report) -> list[dict[str, Any]]:
    """The rows, each with what a scan of the training data said of its item (`not scanned` where it was not looked for)."""
    said = {str(row["id"]): str(row["verdict"]) for row in contamination.items()}
    return [{**row, "contamination": said.get(row.get("item") or row["id"], "not scanned")} for row in rows]


def again(report: Report, suite: Suite, name: str, run: Run) -> Report:
    """The report that the same outputs make under the verdicts as they are now. No model is asked.

    Raises ConfigError when the report is not of this suite.
    """
    items = {item["id"]: item for item in suite.items()}
    tasks = tasks_of(suite)
    rows = []
    changed = 0
    for row in report.items():
        item = items.get(row.get("item") or row["id"])
        if item is None:
            raise ConfigError(f"{row['id']} is not an item of this suite", "Give the suite that the report was made of")
        task = tasks[row["task"]]
        if row.get("samples"):
            whole = [
                {**row, **one, **judged(item, task, "generate", raw_of({**row, **one}), "none")}
                for one in row["samples"]
            ]
            new = of_samples(whole)
        else:
            new = {**row, **judged(item, task, row["mode"], raw_of(row), row["normalise"])}
        changed += new["score"] != row["score"]
        rows.append(new)
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
        tests = _some(tests, config.limit, f"{config.seed} {name}") if config.limit else tests
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


def _some(items: Sequence[dict[str, Any]], limit: int, seed: str) -> list[dict[str, Any]]:
    """So many items of a task, drawn by a seed of its own: more tasks do not change which items one has. Items that have twins come
    first, and their twins go with them."""
    of = {item["id"]: str((item.get("meta") or {}).get("twin_of") or "") for item in items}
    twinned = {*of.values()}
    own = [one for one, original in of.items() if not original]
    if len(own) <= limit:
        return list(items)
    draw = random.Random(seed)  # noqa: S311 - a draw that can be repeated, no secret
    order = sorted(draw.sample(own, len(own)), key=lambda one: one not in twinned)
    drawn = {*order[:limit]}
    return [item for item in items if (of[item["id"]] or item["id"]) in drawn]


def _asked(
    config: Score, engine: Engine, task: Task, items: Sequence[dict[str, Any]], shots: Sequence[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], float]]:
    """The rows of a task's items with the processor seconds that each took, as they come."""
    mode = _mode(config, task)
    max_tokens = config.max_tokens or task.max_tokens
    room = max(0, config.context - (max_tokens if mode == "generate" else 0))
    questions = []
    refused: list[ConfigError] = []
    for item in items:
        try:
            question: prompts.Question | None = prompts.build(task, item, shots, mode)
        except ConfigError as error:
            # One item that cannot be asked so is a failure of its own; where none can, the run was asked for in a wrong way.
            refused.append(error)
            if len(refused) == len(items):
                raise
            yield made(config, task, item, mode, None, asking.Raw(failure=error.message)), 0.0
            continue
        if config.context and question is not None:
            question = prompts.fitted(question, shots, engine.codec, config.chat, room)
        if question is None:
            raw = asking.Raw(failure=f"the item is longer than {config.context} tokens")
            yield made(config, task, item, mode, None, raw), 0.0
        else:
            questions.append(question)
    if mode == "generate":
        options = Options(max_tokens=max_tokens, temperature=config.temperature, seed=config.seed, stop=task.stop)
        talks = [question for question in questions if question.item["kind"] == "dialogue"]
        yield from _talked(config, engine, task, talks, options)
        alone = [question for question in questions if question.item["kind"] != "dialogue"]
        if config.samples > 1:
            yield from _sampled(config, engine, task, alone, options)
            return
        came = asking.generated(engine, alone, config.chat, options, config.batch)
    else:
        came = asking.likelihoods(engine, questions, config.chat)
    for question, raw, spent in came:
        yield made(config, task, question.item, mode, question, raw), round(spent, 6)


def _sampled(
    config: Score, engine: Engine, task: Task, questions: Sequence[prompts.Question], options: Options
) -> Iterator[tuple[dict[str, Any], float]]:
    """Several outputs for each item, each with a seed of its own."""
    if config.temperature == 0:
        raise ConfigError("samples at temperature 0 are all the same", "Write temperature = 0.8, or samples = 1")
    came: dict[str, list[tuple[prompts.Question, Raw, float]]] = {}
    for number in range(config.samples):
        drawn = replace(options, seed=config.seed + number)
        for one in asking.generated(engine, questions, config.chat, drawn, config.batch):
            came.setdefault(one[0].item["id"], []).append(one)
    for some in came.values():
        question = some[0][0]
        rows = [made(config, task, question.item, "generate", question, raw) for _, raw, _ in some]
        yield of_samples(rows), round(sum(spent for _, _, spent in some), 6)


def _talked(
    config: Score, engine: Engine, task: Task, questions: Sequence[prompts.Question], options: Options
) -> Iterator[tuple[dict[str, Any], float]]:
    """Dialogues turn by turn: the row of each holds the rows of its `turns`, which stand for it in the report."""
    began = time.process_time()
    answers = ask_turns(engine, [question.item for question in questions], options, config.batch)
    spent = (time.process_time() - began) / max(1, len(questions))
    for question, raws in zip(questions, answers, strict=True):
        own = made(config, task, question.item, "generate", question, raws[-1])
        yield {**own, "turns": [{**own, **turn} for turn in turn_rows(question.item, raws)]}, round(spent, 6)


def _notes(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for outcome in ("failed", "truncated", "unparsed", "empty", "unjudged"):
        count = sum(row["outcome"] == outcome for row in rows)
        if count:
            yield f"{count} of {len(rows)} items: {outcome}"
    cut = sum(row["finish"] == "length" and row["outcome"] == "answered" for row in rows)
    if cut:
        yield f"{cut} outputs were cut off at their longest and judged as they stand: see max_tokens"
    if any(row["bound"] for row in rows):
        count = sum(row["bound"] for row in rows)
        yield f"for {count} items the endpoint did not name every letter: its probability is bounded, not known"
    most: dict[str, int] = {}
    for row in rows:
        most[row["task"]] = max(most.get(row["task"], 0), row["shots"])
    fewer = sum(row["outcome"] != "failed" and row["shots"] < most[row["task"]] for row in rows)
    if fewer:
        yield f"{fewer} items were asked with fewer examples than the others of their task, to fit the context"
