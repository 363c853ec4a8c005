"""`septet run RECIPE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from septet.cli.common import open_workspace
from septet.cli.progress import Progress
from septet.core import recipe as recipes
from septet.core.runner import Runner


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", type=Path, help="a recipe file (TOML)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TABLE.KEY=VALUE",
        dest="changes",
        help="change one key of the recipe",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(given: argparse.Namespace) -> int:
    recipe = recipes.load(given.recipe, given.changes)
    with open_workspace(given) as workspace:
        runner = Runner(workspace, sinks=[] if given.quiet else [Progress(sys.stderr)])
        records = runner.run(recipe)
        for name, record in records.items():
            if record.kind == "Release":
                print(f"release {recipe.name}/{name}: {record.fingerprint}")
    return 0
