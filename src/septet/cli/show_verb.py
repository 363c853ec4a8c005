"""`septet show ARTIFACT`: its record, and its content in short."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

import msgspec

from septet.cli.common import clip, duration, open_workspace, size
from septet.core.lineage import table_of
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.kinds import KINDS, KnowledgeBase, Report


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("artifact", help="a name, a fingerprint, or its first digits")
    parser.add_argument("--json", action="store_true", help="print the record as JSON")


def run(given: argparse.Namespace) -> int:
    with open_workspace(given) as workspace:
        record = workspace.resolve(given.artifact)
        folder = workspace.store.folder(record)
        name = table_of(workspace, record)
        lines = list(_knowledge(workspace, record, KnowledgeBase(folder))) if record.kind == "KnowledgeBase" else []
    if given.json:
        print(json.dumps(msgspec.to_builtins(record), ensure_ascii=False, indent=1))
        return 0
    print(f"{record.kind}  {name}")
    for label, value in (
        ("step", f"{record.step} (version {record.version})"),
        ("fingerprint", record.fingerprint),
        ("digest", record.digest),
        ("folder", str(folder)),
        ("made", f"{record.made['time']}, {duration(record.made['seconds'])}"),
    ):
        print(f"  {label:<12} {value}")
    for title, values in (
        ("config", record.config),
        ("inputs", record.inputs),
        ("outside", record.outside),
        ("observed", record.observed),
    ):
        if values:
            print(f"  {title}")
            for key, value in values.items():
                print(
                    f"    {key:<20} {clip(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 90)}"
                )
    for drop in record.drops:
        print(f"  left out     {drop['count']:,}: {drop['rule']} {drop['where']}")
    for note in record.notes:
        print(f"  note         {note}")
    print(f"  files        {len(record.files)}, {size(record.bytes)}")
    for file, facts in sorted(record.files.items())[:20]:
        print(f"    {size(facts.bytes):>10}  {facts.digest[:19]}  {file}")
    if record.kind == "Report":
        report = KINDS["Report"](folder)
        assert isinstance(report, Report)
        print(f"  measures     {report.name}")
        for key, measure in report.summary().items():
            interval = f"[{measure.low:.3f}, {measure.high:.3f}]"
            print(f"    {key:<34} {measure.value:>9.3f} {interval} n={measure.n} {measure.unit}")
    for line in lines:
        print(line)
    return 0


def _knowledge(workspace: Workspace, record: Record, knowledge: KnowledgeBase) -> Iterator[str]:
    """What a knowledge base holds, and how it went on living."""
    from septet.knowledge.revisions import ENTRY

    for title, counts in (("languages", knowledge.meta["languages"]), ("access", knowledge.meta["access"])):
        yield f"  {title:<12} {', '.join(f'{name} {count:,}' for name, count in counts.items())}"
    for entry, body in workspace.ledger.bodies(workspace.ledger.entries(ENTRY, record.fingerprint)):
        sources = body["sources"]
        came, ended = sum(one["added"] for one in sources), sum(one["ended"] for one in sources)
        named = clip(", ".join(f"{one['source']} {one['how']}" for one in sources), 60)
        yield f"  revision {body['revision']:<4}{entry.time[:19]}  {came} came, {ended} ended: {named}"
