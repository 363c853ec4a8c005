"""`septet gc`."""

from __future__ import annotations

import argparse
import shutil

from septet.cli.common import open_workspace, size
from septet.core import lineage
from septet.core.fingerprint import short


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")


def run(given: argparse.Namespace) -> int:
    with open_workspace(given) as workspace:
        lost = lineage.unreachable(workspace)
        for record in lost:
            print(f"{short(record.fingerprint)}  {record.step:<20} {size(record.bytes)}")
        if given.dry_run:
            print(f"{len(lost)} artifacts, {size(sum(record.bytes for record in lost))}: nothing was removed")
            return 0
        freed = lineage.collect(workspace, lost)
        kept = {record.fingerprint.replace(":", "-") for record in workspace.store.records()}
        for folder in (workspace.root / "scratch").iterdir():
            if folder.name in kept:
                shutil.rmtree(folder, ignore_errors=True)
        drafts = workspace.store.sweep_drafts()
    print(f"removed {len(lost)} artifacts and {drafts} drafts of killed runs, {size(freed)} freed")
    return 0
