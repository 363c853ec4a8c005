"""The reference pages, written from what the program says of itself. `make docs` writes them, a test compares them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from septet.cli.do_verb import describe
from septet.cli.main import VERBS, parser
from septet.core import plugins

STAGES = ("data", "model", "train", "compress", "evaluate", "operate", "trust")


def pages() -> dict[str, str]:
    """File name to text."""
    # argparse wraps to the terminal: a reference must not depend on whose it is.
    os.environ["COLUMNS"] = "100"
    lines = ["# Commands", "", "Written by `make docs` from the program's own help.", ""]
    lines += ["```text", parser().format_help().rstrip(), "```", ""]
    for verb in VERBS:
        lines += [f"## septet {verb}", "", "```text", _help(verb), "```", ""]
    steps = ["# Steps", "", "Written by `make docs` from the steps' own declarations.", ""]
    for name in plugins.steps():
        if name.partition(".")[0] in STAGES:
            steps += [f"## {name}", "", "```text", describe(name), "```", ""]
    return {"commands.md": "\n".join(lines), "steps.md": "\n".join(steps)}


def _help(verb: str) -> str:
    top = parser(verb)
    subparsers = top._subparsers
    assert subparsers is not None
    choices = subparsers._group_actions[0].choices
    assert isinstance(choices, dict)
    return str(choices[verb].format_help()).rstrip()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8")
