"""Digits drawn by models of both kinds, trained for some minutes on real ones, and how often another eye reads what was asked.

    python benchmarks/run.py offshoots

The reader is a small network trained on the real digits that the painters did not see; its own accuracy stands beside. A sheet of
drawn digits, ten of each, is written for each kind into `results/`. The corpora are found by SEPTET_SHARED.
"""

from __future__ import annotations

import os
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

SHARED = Path(os.environ.get("SEPTET_SHARED", Path(__file__).resolve().parents[2] / "shared"))
RESULTS = Path(__file__).with_name("results")
SIZE = 16
LEARNT = 2000
EACH = 20
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "tokens": (
        {"code_width": 32, "levels": (4, 4, 4), "layers": 3, "width": 96},
        {"steps": 250},
        {"steps": 600, "learning_rate": 2e-3},
    ),
    "diffusion": (
        {"code_width": 16, "width": 32, "layers": 1},
        {"steps": 150},
        {"steps": 700, "learning_rate": 2e-3, "average": 0.99},
    ),
}
"""Sizes of the model, training of its codes, training to draw."""


def measure() -> list[str]:
    from septet import statistics
    from septet.core import Run
    from septet.data.steps import Pictures, pictures
    from septet.files import read_json
    from septet.inference.paint import grid, paint
    from septet.kinds import Tokenizer
    from septet.model.steps import Image, image
    from septet.train import steps

    file = SHARED / "corpora" / "digits-mnist" / "mnist-3000.npz"
    if not file.is_file():
        return [f"Not measured: {file.name} is not here. Set SEPTET_SHARED."]
    asked = np.repeat(np.arange(10), EACH)
    lines = []
    with tempfile.TemporaryDirectory(prefix="septet-bench-") as place:
        folder = Path(place)
        with np.load(file, allow_pickle=False) as held:
            order = np.random.default_rng(0).permutation(len(held["labels"]))
            images, labels = held["images"][order], held["labels"][order]
        np.savez(folder / "learnt.npz", images=images[:LEARNT], labels=labels[:LEARNT])
        np.savez(folder / "others.npz", images=images[LEARNT:], labels=labels[LEARNT:])
        read = {
            name: pictures(
                Pictures(source=str(folder / f"{name}.npz"), size=SIZE, licence="CC BY-SA 3.0", origin="public"),
                Run(folder / name),
            )
            for name in ("learnt", "others")
        }
        reader, accuracy = _reader(list(read["others"].rows()))
        lines += [
            f"{LEARNT} digits of MNIST at {SIZE} by {SIZE} pixels. The reader was trained on other digits and reads "
            f"{accuracy.value:.1%} ({accuracy.low:.1%} to {accuracy.high:.1%}) of real ones rightly; by chance it would be 10 %.",
            "",
            "| kind | parameters | squared error of codes, held out | asked digit is read | training | drawing, each |",
            "|---|---|---|---|---|---|",
        ]
        for kind, (sizes, codes, drawing) in KINDS.items():
            began = time.monotonic()
            tokenizer = Tokenizer(_digits(folder / f"{kind}-tokenizer"))
            fresh = image(
                Image(kind=kind, size=SIZE, reduction=2, caption=2, **sizes), tokenizer, Run(folder / f"{kind}-0")
            )
            coded = steps.image_codes(steps.ImageCodes(**codes), fresh, read["learnt"], Run(folder / f"{kind}-1"))
            taught = steps.image(steps.Image(**drawing), coded, read["learnt"], Run(folder / f"{kind}-2"))
            trained = time.monotonic()
            drawn = paint(taught, [str(digit) for digit in asked], seed=1)
            spent = (time.monotonic() - trained) / len(asked)
            found = statistics.share(int((reader(drawn[..., 0]) == asked).sum()), len(asked))
            log = read_json(coded.path / "training.json")
            error = f"{log['reconstruction_before']:.3f} to {log['reconstruction_after']:.3f}"
            share = f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})"
            lines.append(
                f"| {kind} | {fresh.card['parameters']:,} | {error} | {share} | {trained - began:.0f} s | {spent:.2f} s |"
            )
            sheet = np.concatenate([drawn[digit * EACH : digit * EACH + 10] for digit in range(10)])
            RESULTS.mkdir(exist_ok=True)
            picture = grid(sheet)
            picture.resize((picture.width * 4, picture.height * 4), 0).save(RESULTS / f"digits-{kind}.png")
    return [*lines, "", *(f"Ten of each digit by {kind}: `digits-{kind}.png`." for kind in KINDS)]


def _digits(folder: Path) -> Path:
    """A tokenizer whose words are the ten digits."""
    import json

    from tokenizers import Tokenizer, models

    folder.mkdir(parents=True)
    words = {name: place for place, name in enumerate(["<|pad|>", "<|end|>", *"0123456789"])}
    library = Tokenizer(models.WordLevel(words, unk_token="<|pad|>"))
    library.save(str(folder / "tokenizer.json"))
    settings = {"pad_token": "<|pad|>", "eos_token": "<|end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    return folder


def _reader(rows: list[dict[str, Any]]) -> tuple[Any, Any]:
    """A network that reads digits, and the share of those kept aside that it reads rightly."""
    import torch
    from PIL import Image
    from torch import nn

    from septet import statistics

    values = np.stack([np.asarray(Image.open(BytesIO(row["png"]))) for row in rows])
    labels = np.array([int(row["label"]) for row in rows])
    cut = len(rows) * 3 // 4
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(24, 48, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(48 * (SIZE // 4) ** 2, 10),
    )  # fmt: skip
    inputs, wanted = torch.from_numpy(values[:, None] / 255).float(), torch.from_numpy(labels)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3)
    for step in range(400):
        chosen = torch.from_numpy(np.random.default_rng(step).integers(0, cut, 64))
        nn.functional.cross_entropy(network(inputs[chosen]), wanted[chosen]).backward()
        optimiser.step()
        optimiser.zero_grad()
    network.eval()

    def read(pictures: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.from_numpy(pictures[:, None] / 255).float()).argmax(1).numpy()

    return read, statistics.share(int((read(values[cut:]) == labels[cut:]).sum()), len(rows) - cut)
