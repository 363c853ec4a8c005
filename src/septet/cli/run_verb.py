"""`septet run RECIPE`."""

from __future__ import annotations

import argparse
import sys

from septet.cli.common import open_workspace, takes_recipe
from septet.cli.progress import Progress
from septet.core import recipe as recipes
from septet.core.errors import GateRefused
from septet.core.fingerprint import short
from septet.core.runner import Runner
from septet.operate import publish


def arguments(parser: argparse.ArgumentParser) -> None:
    takes_recipe(parser)
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(given: argparse.Namespace) -> int:
    recipe = recipes.load(given.recipe, given.changes)
    with open_workspace(given) as workspace:
        runner = Runner(workspace, sinks=[] if given.quiet else [Progress(sys.stderr)])
        try:
            records = runner.run(recipe)
        except GateRefused as refused:
            workspace.ledger.append("release_refused", recipe.name, {"reason": refused.message})
            raise
        for record in records.values():
            if record.kind == "Release":
                said = publish.publish(workspace, record)
                print(f"release '{said['name']}' {short(record.fingerprint)} is sealed, signed, and ready to serve")
    return 0
