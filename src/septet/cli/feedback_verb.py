"""`septet feedback [--as NAME]`: what people said of answers, as rows to train on."""

from __future__ import annotations

import argparse
import json

from septet.cli.common import open_workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as", dest="name", default="", metavar="NAME", help="seal it; recipes link to it as @feedback/NAME"
    )
    parser.add_argument("--release", default="", metavar="NAME", help="only of answers of this release")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")


def run(given: argparse.Namespace) -> int:
    from septet.assistant import liked

    with open_workspace(given) as workspace:
        if given.name:
            record, found = liked.export(workspace, given.name, given.release)
            mark = record.fingerprint
        else:
            found, mark = liked.collect(workspace, given.release), ""
    pairs = sum("chosen" in row and "rejected" in row for row in found.rows)
    classes = sorted({name for row in found.rows for name in row["access"]})
    numbers = {
        "pairs": pairs,
        "unpaired": len(found.rows) - pairs,
        "left_out": found.left_out,
        "without_consent": found.counted,
        "access": classes,
        "artifact": mark,
    }
    if given.json:
        print(json.dumps(numbers, ensure_ascii=False))
        return 0
    print(f"pairs: {pairs}, unpaired rows: {len(found.rows) - pairs}; access: {', '.join(classes) or '-'}")
    for reason, count in found.left_out.items():
        print(f"left out: {count} ({reason})")
    print(f"without consent, only counted: {sum(found.counted.values())}")
    if mark:
        print(f"Preferences {mark}: @feedback/{given.name}")
    return 0
