"""`septet verify [ARTIFACT]`."""

from __future__ import annotations

import argparse

from septet.cli.common import open_workspace
from septet.core import lineage
from septet.operate import publish


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "artifact", nargs="?", help="verify this artifact and all that it stands on (default: everything)"
    )


def run(given: argparse.Namespace) -> int:
    with open_workspace(given) as workspace:
        chosen = None if given.artifact is None else lineage.ancestors(workspace, workspace.resolve(given.artifact))
        problems = [*lineage.verify(workspace, chosen), *publish.verify_signatures(workspace)]
        count = len(workspace.store.folders()) if chosen is None else len(chosen)
        entries = len(workspace.ledger.entries())
    for problem in problems:
        print(f"{problem.where}: {problem.what}")
    print(f"{count} artifacts and {entries} ledger entries: ", end="")
    print(f"{len(problems)} problems" if problems else "all as sealed")
    return 1 if problems else 0
