"""`septet`: finds the verb, imports its file alone, and turns a user's mistake into one line and status 2."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from septet import __version__
from septet.core.errors import GateRefused, SeptetError

VERBS = {
    "init": "lay out a project for your own documents",
    "run": "run a recipe: what has no record yet is made and sealed",
    "plan": "say hit or miss for each step of a recipe, and which field changed",
    "do": "run one step alone",
    "ls": "list artifacts, names, runs, steps or answers",
    "show": "show one artifact: its record, its content in short",
    "diff": "compare two artifacts: config, inputs, files, numbers",
    "trace": "follow an answer or an artifact back to file and span",
    "impact": "go from a source, a document, a data set or a person's value forward to all that holds it",
    "erase": "take a source, a document or a person's value out of everything, with a certificate",
    "verify": "re-hash the ledger and the store",
    "update": "read again what changed at the sources of a knowledge base",
    "search": "search a knowledge base, for a reader and a day",
    "chat": "ask a release, and get a governed answer with citations",
    "serve": "serve a release behind an OpenAI-compatible endpoint",
    "console": "open the web console",
    "transcribe": "write down what is said in a sound file",
    "paint": "draw what a caption says",
    "model": "say which family of models is for what, and what a size costs",
    "gc": "remove what no release and no name leads to",
    "feedback": "turn what people said of answers into rows to train on",
    "adopt": "take in an artifact that was made elsewhere",
    "doctor": "check the machine, the extras, versions and disk",
}


def parser(verb: str | None = None) -> argparse.ArgumentParser:
    """The parser; the arguments of a verb are added only for the one that is asked for, so that help stays fast."""
    top = argparse.ArgumentParser(
        prog="septet",
        description="From raw documents to a governed LLM application: seven stages, one chain of evidence.",
        epilog="septet VERB --help says more. Start with: septet run recipes/quickstart.toml",
    )
    top.add_argument("--version", action="version", version=f"septet {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, line in VERBS.items():
        sub = verbs.add_parser(name, help=line, description=line[0].upper() + line[1:] + ".")
        sub.add_argument(
            "--workspace", metavar="FOLDER", help="the workspace (default: the nearest .septet, or a new one)"
        )
        if name == verb:
            importlib.import_module(f"septet.cli.{_module(name)}").arguments(sub)
    return top


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 a check found something, 2 a mistake that the user can mend."""
    words = sys.argv[1:] if words is None else list(words)
    verb = next((word for word in words if word in VERBS), None)
    given = parser(verb).parse_args(words)
    try:
        return int(importlib.import_module(f"septet.cli.{_module(given.verb)}").run(given))
    except GateRefused as refused:
        print(f"septet: refused: {refused}", file=sys.stderr)
        return 2
    except SeptetError as mistake:
        print(f"septet: {mistake}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("septet: stopped. What was sealed is kept: run the same command to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _module(verb: str) -> str:
    return f"{verb}_verb"


if __name__ == "__main__":
    sys.exit(main())
