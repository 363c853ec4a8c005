"""`septet diff ONE OTHER`: what differs between two artifacts."""

from __future__ import annotations

import argparse
import json

from septet.cli.common import clip, open_workspace
from septet.core.fingerprint import short
from septet.kinds import Report


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("one", help="a name or a fingerprint")
    parser.add_argument("other", help="a name or a fingerprint")


def run(given: argparse.Namespace) -> int:
    with open_workspace(given) as workspace:
        one, other = workspace.resolve(given.one), workspace.resolve(given.other)
        folders = workspace.store.folder(one), workspace.store.folder(other)
    if one.fingerprint == other.fingerprint:
        print("the same artifact")
        return 0
    if one.step != other.step:
        print(f"step: {one.step} -> {other.step}")
    for title, was, now in (("config", one.config, other.config), ("inputs", one.inputs, other.inputs)):
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                print(f"{title} {key}: {_shown(was.get(key))} -> {_shown(now.get(key))}")
    for file in sorted(one.files.keys() | other.files.keys()):
        was_file, now_file = one.files.get(file), other.files.get(file)
        if was_file is None or now_file is None:
            print(f"file {file}: only in {'the second' if was_file is None else 'the first'}")
        elif was_file.digest != now_file.digest:
            print(
                f"file {file}: {short(was_file.digest)} -> {short(now_file.digest)} ({now_file.bytes - was_file.bytes:+,} bytes)"
            )
    if one.kind == other.kind == "Report":
        was_summary, now_summary = (Report(folder).summary() for folder in folders)
        for key in sorted(was_summary.keys() & now_summary.keys()):
            before, after = was_summary[key], now_summary[key]
            if before.value != after.value:
                print(f"measure {key}: {before.value:.3f} -> {after.value:.3f} ({after.value - before.value:+.3f})")
    return 0


def _shown(value: object) -> str:
    return clip(json.dumps(value, ensure_ascii=False), 70)
