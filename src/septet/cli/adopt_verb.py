"""`septet adopt FOLDER --kind Model --as name`."""

from __future__ import annotations

import argparse
from pathlib import Path

from septet.cli.common import open_workspace
from septet.core import adopt
from septet.core.errors import ConfigError, nearest
from septet.kinds import KINDS


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a folder in the format of its kind")
    parser.add_argument("--kind", required=True, help=f"what it is: {', '.join(KINDS)}")
    parser.add_argument("--as", dest="name", required=True, metavar="NAME", help="recipes link to it as @adopted/NAME")
    parser.add_argument("--licence", default="", help="under which licence it was had")
    parser.add_argument("--origin", default="", help="where it was had from")


def run(given: argparse.Namespace) -> int:
    if given.kind not in KINDS:
        raise ConfigError(f"there is no kind '{given.kind}'", nearest(given.kind, KINDS))
    with open_workspace(given) as workspace:
        record = adopt.adopt(workspace, KINDS[given.kind](given.folder), given.name, given.licence, given.origin)
    print(f"{record.kind} {record.fingerprint}: @adopted/{given.name}")
    return 0
