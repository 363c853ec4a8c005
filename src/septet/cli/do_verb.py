"""`septet do STEP --field value --port artifact`: one step alone, with the same store, ledger and fingerprints."""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

from septet.cli.common import open_workspace
from septet.cli.progress import Progress
from septet.core import ConfigError, plugins
from septet.core import recipe as recipes
from septet.core.runner import Runner


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("step", help="a step, such as data.deduplicate (list them: septet ls steps)")
    parser.add_argument(
        "values",
        nargs=argparse.REMAINDER,
        help="--field value for each config field, --port name-or-fingerprint for each input; --help lists them",
    )


def run(given: argparse.Namespace) -> int:
    step = plugins.step_named(given.step, "septet do")
    if "--help" in given.values or "-h" in given.values:
        print(describe(given.step))
        return 0
    table: dict[str, Any] = {"step": step.name}
    with open_workspace(given) as workspace:
        for key, text in _pairs(given.values):
            port = step.port(key)
            if port is not None:
                links = [f"@{_linked(workspace, one)}" for one in text.split(",")]
                table[key] = [*table.get(key, []), *links] if port.many else links[0]
            else:
                table[key] = _value(text)
        recipe = recipes.parse({step.name: table}, Path.cwd(), "do", where="septet do")
        record = Runner(workspace, sinks=[Progress(sys.stderr)]).run(recipe)[step.name]
        print(f"{record.kind} {record.fingerprint}")
        print(workspace.store.folder(record))
    return 0


def describe(name: str) -> str:
    """The fields and inputs of a step, as the reference page has them."""
    step = plugins.step_named(name, "septet do")
    lines = [f"{step.name} -> {step.makes.kind()}", "", *step.doc.splitlines(), "", "inputs:"]
    for port in step.ports:
        count = "several " if port.many else ""
        lines.append(f"  --{port.name}  {count}{port.kind.kind()}{' (may be left out)' if port.optional else ''}")
    lines += ["  none"] if not step.ports else []
    lines.append("fields:")
    for info in step.fields:
        given = "required" if info.required else f"default {info.default!r}"
        lines.append(f"  --{info.name}  {info.type_name}, {given}\n      {info.doc.text}")
    return "\n".join(lines)


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    pairs = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise ConfigError(f"septet do: '{word}' stands alone", "Write --field value")
        key, equals, value = word[2:].partition("=")
        if not equals:
            if not rest:
                raise ConfigError(f"septet do: --{key} has no value", f"Write --{key} value")
            value = rest.pop(0)
        pairs.append((key.replace("-", "_"), value))
    return pairs


def _linked(workspace: Any, text: str) -> str:
    """A name that a recipe can link to: an artifact given by fingerprint gets one of its own."""
    record = workspace.resolve(text)
    name = f"do/{record.fingerprint.partition(':')[2][:12]}"
    workspace.name(name, record)
    return name


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
