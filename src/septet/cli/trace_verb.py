"""`septet trace ANSWER|ARTIFACT`."""

from __future__ import annotations

import argparse

from septet.cli.common import clip, open_workspace
from septet.core.errors import ConfigError
from septet.core.fingerprint import short
from septet.core.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", nargs="?", default="", help="an answer's id, or an artifact (default: the newest answer)"
    )
    parser.add_argument(
        "--ablate", action="store_true", help="ask again without each passage that the answer cites: it should change"
    )
    parser.add_argument("--wide", action="store_true", help="cut no line")


def run(given: argparse.Namespace) -> int:
    from septet.operate.trace import trace_answer, trace_record

    with open_workspace(given) as workspace:
        what = given.what
        if not what:
            answers = workspace.ledger.entries("answer")
            if not answers:
                raise ConfigError("no answer was given yet", 'Ask one with: septet chat "What is the ledger?"')
            what = answers[-1].subject
        is_answer = what.startswith("ans-")
        if given.ablate:
            if not is_answer:
                raise ConfigError(f"'{what}' is no answer: it cites nothing", "Name an answer: septet ls answers")
            _ablate(workspace, what)
            return 0
        links = trace_answer(workspace, what) if is_answer else trace_record(workspace, workspace.resolve(what))
    for link in links:
        digest = f"  {link.digest.partition(':')[0]}:{short(link.digest)}" if link.digest else ""
        state = f"  ({link.state})" if link.state else ""
        indent = "  " * link.depth
        line = f"{link.what}: {link.detail}"
        print(indent + (line if given.wide else clip(line, 110 - len(indent))) + digest + state)
    return 0


def _ablate(workspace: Workspace, answer: str) -> None:
    from septet.assistant.ablation import ablate
    from septet.assistant.assistant import Assistant
    from septet.operate.trace import answer_body

    body = answer_body(workspace, answer)
    if not body["citations"]:
        raise ConfigError(f"the answer '{answer}' cites nothing", "Choose one with citations: septet ls answers")
    assistant = Assistant.open(workspace, body["release"])
    try:
        print(f"with all passages: {body['text']}")
        for one in ablate(assistant, body):
            numbers = "".join(f"[{number}]" for number in one.numbers)
            print(f"without {numbers} ({one.chunk}): {one.outcome}: {one.text}")
    finally:
        assistant.close()
