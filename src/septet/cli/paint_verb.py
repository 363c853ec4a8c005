"""`septet paint MODEL CAPTION --out FILE.png`: pictures of a caption, several in a grid."""

from __future__ import annotations

import argparse
from pathlib import Path

from septet.cli.common import open_workspace
from septet.core import ConfigError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a model that draws: a name, a fingerprint, or its first digits")
    parser.add_argument("captions", nargs="+", metavar="CAPTION", help="what to draw")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the PNG file to write")
    parser.add_argument("--number", type=int, default=1, help="pictures of each caption (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another picture (default: 0)")
    parser.add_argument("--steps", type=int, default=50, help="steps of removing noise, for diffusion (default: 50)")
    parser.add_argument("--guidance", type=float, default=3.0, help="weight of the caption, for diffusion (default: 3)")
    parser.add_argument("--temperature", type=float, default=1.0, help="of the codes, for tokens (default: 1)")


def run(given: argparse.Namespace) -> int:
    from septet.inference.paint import grid, paint
    from septet.kinds import Model

    if not 1 <= given.number <= 256 or not 1 <= given.steps <= 1000:
        raise ConfigError("--number goes from 1 to 256, --steps from 1 to 1000", "Correct the option")
    if given.out.suffix.lower() != ".png":
        raise ConfigError(f"{given.out} does not end in .png", "Pictures are written as PNG")
    with open_workspace(given) as workspace:
        model = Model(workspace.store.folder(workspace.resolve(given.model)))
    wanted = [caption for caption in given.captions for _ in range(given.number)]
    pictures = paint(model, wanted, given.seed, given.steps, given.guidance, given.temperature)
    grid(pictures).save(given.out)
    print(given.out)
    return 0
