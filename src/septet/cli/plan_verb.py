"""`septet plan RECIPE`."""

from __future__ import annotations

import argparse
import json
from typing import Any

import msgspec

from septet.cli.common import clip, duration, open_workspace, size, table, takes_recipe
from septet.core import recipe as recipes
from septet.core.fingerprint import short
from septet.core.runner import Planned, Runner


def arguments(parser: argparse.ArgumentParser) -> None:
    takes_recipe(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def run(given: argparse.Namespace) -> int:
    recipe = recipes.load(given.recipe, given.changes)
    with open_workspace(given) as workspace:
        plan = Runner(workspace).plan(recipe)
    if given.json:
        print(json.dumps(msgspec.to_builtins(plan), ensure_ascii=False, indent=1))
        return 0
    rows = [
        (
            one.name,
            one.step,
            one.makes,
            "hit" if one.hit else "miss",
            short(one.fingerprint),
            "-" if one.seconds is None else f"{_about(one)}{duration(one.seconds)}",
            "-" if one.bytes is None else size(one.bytes),
            "-" if one.peak_memory_mb is None else f"{_about(one)}{one.peak_memory_mb:.0f} MB",
        )
        for one in plan
    ]
    print(table(rows, ("table", "step", "makes", "plan", "fingerprint", "time", "disk", "memory")))
    misses = [one for one in plan if not one.hit]
    for one in misses:
        print(f"\n{one.name}: {_why(one)}")
        for change in one.changes:
            print(f"  {change.key}: {_value(change.was)} -> {_value(change.now)}")
    known = [one.seconds for one in misses if one.seconds is not None and not one.expected]
    guessed = [one.seconds for one in misses if one.seconds is not None and one.expected]
    rest = len(misses) - len(known) - len(guessed)
    print(f"\n{len(plan) - len(misses)} kept, {len(misses)} to make", end="")
    print(f"; about {duration(sum(known))} by the last run" if known else "", end="")
    print(f"; about {duration(sum(guessed))} expected (~)" if guessed else "", end="")
    print(f"; {rest} never made before" if rest else "")
    return 0


def _about(one: Planned) -> str:
    return "~" if one.expected else ""


def _why(one: Planned) -> str:
    if not one.changes:
        return "never made before" if one.seconds is None or one.expected else "its artifact is gone"
    return "changed since the nearest record: " + ", ".join(change.key for change in one.changes)


def _value(value: Any) -> str:
    if isinstance(value, str) and value.startswith(("sha256:", "sm3:")):
        return short(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, dict) and set(value) == {"content"}:
        return f"content {short(str(value['content']))}"
    return clip(json.dumps(value, ensure_ascii=False), 60)
