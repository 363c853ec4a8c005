"""`septet transcribe MODEL FILE`: what is said in sound files."""

from __future__ import annotations

import argparse
from pathlib import Path

from septet.cli.common import open_workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a speech model: a name, a fingerprint, or its first digits")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a WAV or FLAC file")
    parser.add_argument("--language", default="", metavar="CODE", help="such as en or zh (default: the model's guess)")


def run(given: argparse.Namespace) -> int:
    from septet.inference.transcribe import Transcriber
    from septet.kinds import Model
    from septet.model.sound import samples_of

    with open_workspace(given) as workspace:
        model = Model(workspace.store.folder(workspace.resolve(given.model)))
    transcriber = Transcriber(model)
    for file in given.files:
        text = transcriber.write(samples_of(file), given.language)
        print(f"{file}: {text}" if len(given.files) > 1 else text, flush=True)
    return 0
