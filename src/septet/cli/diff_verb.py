"""`septet diff ONE OTHER`: what differs between two artifacts. Of two corpora: which rows, and by which rule; of two reports: which
items."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from septet.cli.common import clip, open_workspace, table
from septet.core import ConfigError
from septet.core.fingerprint import short
from septet.core.lineage import beside
from septet.core.store import Record
from septet.kinds import Corpus, Report

_SHOWN = 12
"""Lines of a table on the terminal; all are in --json."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("one", help="a name or a fingerprint")
    parser.add_argument("other", help="a name or a fingerprint")
    parser.add_argument("--examples", type=int, default=5, help="so many rows of each sort are named (default: 5)")
    parser.add_argument("--json", action="store_true", help="print the difference as JSON")


def run(given: argparse.Namespace) -> int:
    with open_workspace(given) as workspace:
        one, other = workspace.resolve(given.one), workspace.resolve(given.other)
        folders = workspace.store.folder(one), workspace.store.folder(other)
        scratch = workspace.root / "scratch"
    said = _records(one, other)
    if one.fingerprint != other.fingerprint and one.kind == other.kind == "Report":
        was_summary, now_summary = (Report(folder).summary() for folder in folders)
        said["measures"] = {
            key: [was_summary[key].value, now_summary[key].value]
            for key in sorted(was_summary.keys() & now_summary.keys())
            if was_summary[key].value != now_summary[key].value
        }
        said["items"] = _items(*folders)
    if one.fingerprint != other.fingerprint and one.kind == other.kind == "Corpus":
        said["corpus"] = _corpora(folders, scratch, max(0, given.examples))
    if given.json:
        print(json.dumps(said, ensure_ascii=False, indent=1))
    else:
        _print(said)
    return 0


def _records(one: Record, other: Record) -> dict[str, Any]:
    """What the records say: plain values, each as [was, now]."""
    said: dict[str, Any] = {"one": one.fingerprint, "other": other.fingerprint}
    if one.step != other.step:
        # Settings of two different steps have nothing in common.
        said["step"] = [one.step, other.step]
    for title, was, now in (("config", one.config, other.config), ("inputs", one.inputs, other.inputs)):
        keys = sorted(was.keys() | now.keys())
        changed = {key: [was.get(key), now.get(key)] for key in keys if was.get(key) != now.get(key)}
        said[title] = changed if one.step == other.step else {}
    files: dict[str, Any] = {}
    for file in sorted(one.files.keys() | other.files.keys()):
        was_file, now_file = one.files.get(file), other.files.get(file)
        if was_file is None or now_file is None or was_file.digest != now_file.digest:
            files[file] = [msgspec.to_builtins(was_file), msgspec.to_builtins(now_file)]
    said["files"] = files
    return said


def _corpora(folders: tuple[Path, Path], scratch: Path, examples: int) -> dict[str, Any]:
    from septet.core import Run
    from septet.data.difference import compare

    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="diff-") as folder:
        run = Run(Path(folder) / "out", Path(folder) / "scratch")
        chains = [beside(one)[0] for one in folders]
        found = compare(Corpus(folders[0]), Corpus(folders[1]), chains[0], chains[1], run, examples)
    return dict(msgspec.to_builtins(found))


def _items(one: Path, other: Path) -> list[dict[str, Any]]:
    """The items of two reports that moved: what was said before and after. None where the two are not of the same items."""
    from septet.evaluate.upgrade import moved, paired

    before, after = Report(one), Report(other)
    if not next(before.items(), {}).keys() & {"score", "exact"}:
        return []
    try:
        pairs = paired(before, after)
    except ConfigError:
        return []
    return [row for row in (moved(*pair) for pair in pairs) if row["moved"] != "same"]


def _print(said: dict[str, Any]) -> None:
    if said["one"] == said["other"]:
        print("the same artifact")
        return
    if "step" in said:
        print(f"step: {said['step'][0]} -> {said['step'][1]}")
    for title in ("config", "inputs"):
        for key, (was, now) in said[title].items():
            print(f"{title} {key}: {_shown(was)} -> {_shown(now)}")
    for file, (was, now) in said["files"].items():
        if was is None or now is None:
            print(f"file {file}: only in {'the second' if was is None else 'the first'}")
        else:
            marks = f"{short(was['digest'])} -> {short(now['digest'])}"
            print(f"file {file}: {marks} ({now['bytes'] - was['bytes']:+,} bytes)")
    for key, (before, after) in said.get("measures", {}).items():
        print(f"measure {key}: {before:.3f} -> {after:.3f} ({after - before:+.3f})")
    lines = [
        (row["moved"], row["id"], clip(row["before"], 30), clip(row["after"], 30)) for row in said.get("items", ())
    ]
    if lines:
        _cut(lines, ("moved", "item", "first", "second"))
    if "corpus" in said:
        _print_corpora(said["corpus"])


def _print_corpora(found: dict[str, Any]) -> None:
    counts = ", ".join(f"{found[sort]:,} {sort}" for sort in ("added", "removed", "changed", "same"))
    print(f"\nrows: {counts}\n")
    rows = [
        (name, _number(was), _number(now), ("+" if now > was else "") + _number(now - was))
        for name, (was, now) in found["figures"].items()
    ]
    print(table(rows, ("figure", "first", "second", "difference")))
    for name, values in found["by"].items():
        lines = [
            (value or "(not stated)", f"{n['added']:,}", f"{n['removed']:,}", f"{n['changed']:,}")
            for value, n in values.items()
        ]
        _cut(lines, (name, "added", "removed", "changed"))
    _cut([(name, f"{count:,}") for name, count in found["columns"].items()], ("changed column", "rows"))
    _cut(
        [(rule or "(by no rule of its steps)", f"{count:,}") for rule, count in found["gone_by"].items()],
        ("removed by", "rows"),
    )
    rules = [
        (one["step"], one["rule"], f"{one['was']:,}", f"{one['now']:,}", f"{one['now'] - one['was']:+,}")
        for one in found["rules"]
    ]
    _cut(rules, ("step", "rule, on the whole way", "first", "second", "difference"))
    for sort, named in found["examples"].items():
        for one in named:
            where = f", {one['where']}" if one["where"] else ""
            print(clip(f"{sort}: {one['id']} {one['source']}{where}", 118))


def _cut(rows: Sequence[tuple[str, ...]], head: tuple[str, ...]) -> None:
    """A table of at most so many lines, and how many more there are."""
    if not rows:
        return
    print()
    print(table([tuple(clip(cell, 60) for cell in row) for row in rows[:_SHOWN]], head))
    if len(rows) > _SHOWN:
        print(f"{len(rows) - _SHOWN:,} more: see --json")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def _shown(value: object) -> str:
    return clip(json.dumps(value, ensure_ascii=False), 70)
