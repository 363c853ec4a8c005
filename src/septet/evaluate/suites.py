"""Suites that packages bring, by the entry point group `septet.suites`; benchmarks' own files, by the group `septet.benchmarks`.

A suite is a function without arguments that returns what it says of itself (`name`, `version`, `licence`, `origin`) and its
items in the Suite schema. Being code, it counts by its version: a step that uses it pins that.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from septet.core import ConfigError, Run, plugins
from septet.evaluate.form import Benchmark
from septet.files import write_lines
from septet.kinds import Suite

GROUP = "septet.suites"
BENCHMARKS = "septet.benchmarks"
Content = tuple[Mapping[str, str], Iterable[Mapping[str, Any]]]
_ABOUT = ("name", "version", "licence", "origin")
_ITEM = ("id", "kind", "language", "question", "answers", "options", "label", "split", "category")


def brought(name: str, version: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The suite that a package brings under this name. Raises ConfigError for another version and for broken items."""
    about, items = plugins.load(GROUP, name)()
    missing = [key for key in _ABOUT if not about.get(key)]
    if missing:
        raise ConfigError(f"the suite '{name}' does not say its {missing[0]}", "Mend the plugin")
    if version != about["version"]:
        raise ConfigError(
            f"the suite '{name}' has version '{about['version']}', not '{version}'",
            f'Write version = "{about["version"]}", or install the package that brings the other',
        )
    checked: dict[str, dict[str, Any]] = {}
    for item in items:
        absent = [key for key in _ITEM if key not in item]
        if absent or item["id"] in checked:
            what = f"lacks '{absent[0]}'" if absent else "has an id that stands twice"
            raise ConfigError(f"an item of the suite '{name}' {what}: {item.get('id', item)}", "Mend the plugin")
        checked[item["id"]] = {"evidence": None, "contexts": [], **item}
    if not checked:
        raise ConfigError(f"the suite '{name}' holds no item", "Mend the plugin")
    return {key: str(about[key]) for key in _ABOUT}, list(checked.values())


def read(format: str, path: str, name: str, licence: str, run: Run) -> Suite:
    """A benchmark's own files as a suite (`evaluate.readers`). Raises ConfigError for an unknown format and a folder that holds
    nothing of it."""
    made: Benchmark = plugins.load(BENCHMARKS, format)(Path(path))
    about = {**made.about, **({"name": name} if name else {}), **({"licence": licence} if licence else {})}
    return sealed(msgspec.structs.replace(made, about=about), run)


def collected(name: str, path: str, partial: bool, run: Run) -> Suite:
    """A named collection as a suite (`evaluate.collections`)."""
    from septet.evaluate.collections import collection

    return sealed(collection(name, Path(path), partial), run)


def sealed(made: Benchmark, run: Run) -> Suite:
    """Write a suite. Raises ConfigError where an id stands twice, or there is no item."""
    seen: set[str] = set()
    for item in made.items:
        if item["id"] in seen:
            raise ConfigError(f"the item '{item['id']}' stands twice", "Mend the reader: ids name items")
        seen.add(item["id"])
    if not seen:
        raise ConfigError(f"{made.about.get('name', 'the benchmark')} holds no item", "Check the path")
    run.drop("rows that could not be read", len(made.rejected), "rejected.jsonl")
    write_lines(run.out / "rejected.jsonl", made.rejected)
    about = {**made.about, "tasks": [msgspec.to_builtins(task) for task in made.tasks]}
    return Suite.write(run.out, made.items, about)


def arithmetic() -> Content:
    """Sums and differences of two numbers, four options, in Chinese and English: what a broken model cannot do."""
    draw = random.Random(1)  # noqa: S311 - items, not secrets
    items = []
    for number in range(40):
        first, second = draw.randint(2, 60), draw.randint(2, 30)
        plus = number % 4 < 2
        right = first + second if plus else first - second
        options = [right, *draw.sample([right + step for step in (-10, -3, -2, -1, 1, 2, 3, 10)], 3)]
        draw.shuffle(options)
        chinese = number % 2 == 0
        sign = ("加" if plus else "减") if chinese else ("plus" if plus else "minus")
        question = f"{first}{sign}{second}等于多少？" if chinese else f"What is {first} {sign} {second}?"
        items.append(
            {
                "id": f"arithmetic-{number:02d}",
                "kind": "choice",
                "language": "zh" if chinese else "en",
                "question": question,
                "answers": [str(right)],
                "options": [str(option) for option in options],
                "label": options.index(right),
                "split": "test",
                "category": "sum" if plus else "difference",
            }
        )
    return {"name": "arithmetic", "version": "1", "licence": "Apache-2.0", "origin": "generated"}, items
