"""`septet update RECIPE`: read again what changed at the sources of a knowledge base."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING

import msgspec

from septet.cli.common import clip, duration, open_workspace, table, takes_recipe
from septet.cli.progress import Progress
from septet.core import recipe as recipes
from septet.core.errors import ConfigError, SeptetError

if TYPE_CHECKING:
    from septet.knowledge.living import Living, Update


def arguments(parser: argparse.ArgumentParser) -> None:
    takes_recipe(parser, "the recipe (TOML) that made the knowledge base")
    parser.add_argument("--table", default="", help="which of its knowledge bases, where it makes several")
    parser.add_argument("--watch", type=float, metavar="SECONDS", help="go on, and look again every so many seconds")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--json", action="store_true", help="print each revision as one line of JSON")


def run(given: argparse.Namespace) -> int:
    from septet.knowledge.living import Living

    if given.watch is not None and given.watch <= 0:
        raise ConfigError("--watch takes a number of seconds above 0", "For example: --watch 5")
    with open_workspace(given) as workspace:
        sinks = [] if given.quiet or given.json else [Progress(sys.stderr)]
        living = Living(workspace, recipes.load(given.recipe, given.changes), given.table, sinks)
        if given.watch is None:
            _once(living, given.json, says_nothing=False)
            return 0
        print(f"watching the sources of '{living.name}'; Ctrl-C ends", file=sys.stderr, flush=True)
        while True:
            try:
                _once(living, given.json, says_nothing=True)
            except SeptetError as mistake:  # a disk that is full now may not be in a minute; the last revision stands
                print(f"septet: {mistake}", file=sys.stderr, flush=True)
            time.sleep(given.watch)


def _once(living: Living, as_json: bool, says_nothing: bool) -> None:
    began = time.monotonic()
    done = living.update()
    if done.is_nothing and says_nothing:
        return
    if as_json:
        print(json.dumps(msgspec.to_builtins(done), ensure_ascii=False), flush=True)
        return
    _print(done, time.monotonic() - began)


def _print(done: Update, seconds: float) -> None:
    if done.is_nothing:
        print(f"nothing changed; revision {done.revision} stands")
        return
    print(
        f"revision {done.revision}: {done.added} chunks came ({done.encoded} of them encoded anew), {done.ended} ended, "
        f"in {duration(seconds)}"
    )
    rows = [
        (clip(one.source, 60), one.how, str(one.added), str(one.ended), clip(one.reason, 60)) for one in done.sources
    ]
    print(table(rows, ("source", "how", "came", "ended", "reason")), flush=True)
