"""`septet erase WHAT`: a source, a document, a data set or a person's value, out of everything, with a certificate."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

import msgspec

from septet.cli.common import clip, duration, open_workspace, table
from septet.core.errors import ConfigError
from septet.core.fingerprint import short

if TYPE_CHECKING:
    from septet.operate.erase import Certificate
    from septet.operate.impact import Impact

_SORTS = ("source", "document", "dataset", "value")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        help="a file or source, a document's id, a data set, or a value such as a name, a number or an address; - reads it "
        "from standard input, so that no list of processes and no history holds it",
    )
    parser.add_argument(
        "--as", dest="sort", default="", choices=_SORTS, help="what it is (default: told by what is known)"
    )
    parser.add_argument("--reason", default="", help="why, as the ledger will say it; not the value itself")
    parser.add_argument(
        "--retrain",
        action="store_true",
        help="take out models that learned from it and what was made of them, so that the next run makes them anew",
    )
    parser.add_argument("--yes", action="store_true", help="do it; without this, only say what would be done")
    parser.add_argument(
        "--json", action="store_true", help="print the certificate as JSON; a value itself is never printed"
    )


def run(given: argparse.Namespace) -> int:
    from septet.operate.erase import erase
    from septet.operate.impact import impact
    from septet.operate.subject import find

    what = sys.stdin.readline() if given.what == "-" else given.what
    with open_workspace(given) as workspace:
        subject = find(workspace, what, given.sort)
        if subject.sort == "artifact":
            raise ConfigError(
                "this is an artifact", "Name its source, a document or a value; septet gc removes artifacts"
            )
        if subject.sort == "value" and given.reason and subject.value.strip() in given.reason:
            raise ConfigError(
                "the reason says the value itself", "The ledger keeps the reason: word it without the value"
            )
        if not given.yes:
            _announce(impact(workspace, subject))
            return 1
        certificate = erase(workspace, subject, given.reason, given.retrain)
    if given.json:
        print(json.dumps(msgspec.to_builtins(certificate), ensure_ascii=False, indent=1))
    else:
        _print(certificate)
    return 0


def _announce(found: Impact) -> None:
    rows = sum(hit.rows + hit.left_out for hit in found.hits)
    print(
        f"{found.sort} {found.label}: {len(found.hits)} artifacts, {rows:,} rows, {sum(found.indexes.values()):,} rows of "
        f"indexes, {len(found.answers)} answers. Nothing was erased; septet impact says more, --yes does it"
    )


def _print(done: Certificate) -> None:
    print(f"erased {done.sort} {done.label} from {len(done.artifacts)} artifacts; the certificate is in the ledger")
    if done.artifacts:
        rows = [
            (clip(_name(one.name), 40), one.kind, f"{one.count:,}", short(one.was), short(one.now))
            for one in done.artifacts
        ]
        print(table(rows, ("artifact", "kind", "rows or lines", "was", "is")))
    for mark, count in done.indexes.items():
        print(f"index of {short(mark)}: {count:,} rows")
    print(f"answers: {len(done.answers)}; entries and events that say nothing of it any more: {done.logs}")
    if done.models:
        word = (
            "taken out, to be made anew"
            if all(one.removed for one in done.models)
            else "learned from it, to be trained anew"
        )
        print(f"{word}:")
        for one in done.models:
            print(f"  {_name(one.name)} ({one.kind} by {one.step}, {duration(one.seconds)} last time)")
        if not all(one.removed for one in done.models):
            print("  septet erase ... --retrain takes them out; then run their recipe")
    for line in done.kept:
        print(clip(f"still there: {line}", 118))
    for path in done.sources:
        print(f"raw files are yours to remove: {path}")


def _name(name: str) -> str:
    return short(name) if ":" in name else name
