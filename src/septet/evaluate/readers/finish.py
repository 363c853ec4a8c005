"""What is settled once all rows are read: ids that stand once, copies, passages that items share, chance and shots."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from septet.evaluate.form import Task, guess


def distinct(items: Iterable[dict[str, Any]]) -> None:
    """Where a file gives an id twice, the later ones get a number behind it."""
    seen: dict[str, int] = {}
    for item in items:
        identity = item["id"]
        count = seen[identity] = seen.get(identity, 0) + 1
        while count > 1 and f"{identity}-{count}" in seen:
            count += 1
        if count > 1:
            item["id"] = f"{identity}-{count}"
            seen[item["id"]] = 1


def copies(items: Iterable[dict[str, Any]]) -> int:
    """Name in `meta.duplicate_of` the first item that asks the same with the same options. A way of asking has items of its own."""
    first: dict[tuple[Any, ...], str] = {}
    found = 0
    for item in items:
        texts = (_spaced(item["passage"]), _spaced(item["question"]))
        options = tuple(sorted(_spaced(one) for one in item["options"] or ()))
        key = (item["task"].partition("/")[0], item["kind"], *texts, options, item["meta"].get("subset", ""))
        known = first.setdefault(key, item["id"])
        if known != item["id"]:
            item["meta"]["duplicate_of"] = known
            found += 1
    return found


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def settled(tasks: Iterable[Task], items: Iterable[dict[str, Any]], short: list[str]) -> tuple[Task, ...]:
    """The tasks with the chance of their items and no more shots than they hold; `short` is told of those that hold too few."""
    by_task: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        by_task.setdefault(item["task"], []).append(item)
    return tuple(_settled(task, by_task.get(task.name, []), short) for task in tasks)


def _settled(task: Task, own: list[dict[str, Any]], short: list[str]) -> Task:
    asked = [item for item in own if item["split"] != "shots"] or own
    chance = task.chance
    if not chance and asked and all(item["options"] for item in asked):
        chance = round(sum(guess(item) for item in asked) / len(asked), 6)
    held = sum(item["split"] == "shots" for item in own)
    if held < task.shots:
        short.append(f"{task.name}: {held} of {task.shots}")
    return msgspec.structs.replace(task, chance=chance, shots=min(task.shots, held))


def digest(text: str) -> str:
    """A short name of a text, the same on every machine."""
    return hashlib.sha256(_spaced(text).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def mark_passages(items: Iterable[dict[str, Any]]) -> None:
    """Give items of a task one cluster where they share a passage, or where their questions begin with the same long text.

    Long is 200 characters, or 80 of Chinese: measured on the published history questions, whose passage stands inside the question.
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in items:
        long = 80 if item["language"] == "zh" else 200
        text = item["passage"] or (item["question"][:long] if len(item["question"]) > long else "")
        if text and not item["cluster"]:
            groups.setdefault((item["task"], _spaced(text)), []).append(item)
    for (task, text), group in groups.items():
        if len(group) > 1:
            for item in group:
                item["cluster"] = f"{task}/{digest(text)}"
