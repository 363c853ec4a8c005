"""`septet ls [WHAT]`."""

from __future__ import annotations

import argparse

from septet.cli.common import clip, duration, open_workspace, size, table
from septet.core import events, plugins
from septet.core.fingerprint import short

WHAT = ("artifacts", "names", "runs", "steps", "releases", "answers", "ledger")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", default="names", choices=WHAT, help="what to list (default: names)")


def run(given: argparse.Namespace) -> int:
    if given.what == "steps":
        rows = [
            (one.name, ", ".join(port.kind.kind() for port in one.ports) or "-", one.makes.kind(), clip(one.doc, 70))
            for one in plugins.steps().values()
        ]
        print(table(rows, ("step", "takes", "makes", "what it does")))
        return 0
    with open_workspace(given) as workspace:
        if given.what == "names":
            rows = []
            for name, body in sorted(workspace.names().items()):
                record = workspace.store.find(str(body["step"]), str(body["fingerprint"]))
                rows.append(
                    (name, str(body["kind"]), short(str(body["fingerprint"])), size(record.bytes) if record else "gone")
                )
            print(table(rows, ("name", "kind", "fingerprint", "size")))
        elif given.what == "artifacts":
            rows = [
                (
                    short(one.fingerprint),
                    one.step,
                    one.kind,
                    size(one.bytes),
                    duration(float(one.made["seconds"])),
                    one.made["time"],
                )
                for one in workspace.store.records()
            ]
            print(table(rows, ("fingerprint", "step", "kind", "size", "took", "made")))
        elif given.what == "runs":
            rows = []
            for path in sorted(workspace.runs.glob("*.jsonl")):
                seen = list(events.read(path))
                state = seen[-1].kind.removeprefix("run_") if seen and seen[-1].kind.startswith("run_") else "open"
                made = sum(1 for event in seen if event.kind == "step_sealed")
                kept = sum(1 for event in seen if event.kind == "step_hit")
                rows.append((path.stem, seen[0].text if seen else "", state, str(made), str(kept)))
            print(table(rows, ("run", "recipe", "state", "made", "kept")))
        else:
            kind = {"releases": "release", "answers": "answer", "ledger": None}[given.what]
            rows = []
            for entry in workspace.ledger.entries(kind):
                body = workspace.ledger.body(entry)
                said = (
                    "(erased)" if body is None else ", ".join(f"{key}={value}" for key, value in sorted(body.items()))
                )
                rows.append((str(entry.seq), entry.time, entry.kind, clip(entry.subject, 40), clip(said, 80)))
            print(table(rows, ("entry", "time", "kind", "subject", "says")))
    return 0
