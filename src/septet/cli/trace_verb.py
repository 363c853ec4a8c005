"""`septet trace ANSWER|ARTIFACT`."""

from __future__ import annotations

import argparse

from septet.cli.common import clip, open_workspace
from septet.core.fingerprint import short


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", nargs="?", default="", help="an answer's id, or an artifact (default: the newest answer)"
    )
    parser.add_argument("--wide", action="store_true", help="cut no line")


def run(given: argparse.Namespace) -> int:
    from septet.core.errors import ConfigError
    from septet.operate.trace import trace_answer, trace_record

    with open_workspace(given) as workspace:
        what = given.what
        if not what:
            answers = workspace.ledger.entries("answer")
            if not answers:
                raise ConfigError("no answer was given yet", 'Ask one with: septet chat "What is the ledger?"')
            what = answers[-1].subject
        is_answer = what.startswith("ans-")
        links = trace_answer(workspace, what) if is_answer else trace_record(workspace, workspace.resolve(what))
    for link in links:
        digest = f"  {link.digest.partition(':')[0]}:{short(link.digest)}" if link.digest else ""
        state = f"  ({link.state})" if link.state else ""
        indent = "  " * link.depth
        line = f"{link.what}: {link.detail}"
        print(indent + (line if given.wide else clip(line, 110 - len(indent))) + digest + state)
    return 0
