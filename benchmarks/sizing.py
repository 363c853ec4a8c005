"""What `septet model size` says beside what training takes: parameters, floating-point operations, peak memory.

    python benchmarks/run.py sizing

Each size trains a few steps in a process of its own, in bfloat16. Memory is the most that the process held (VmHWM of Linux)
above what it held (VmRSS) when all was imported and a decoder of a few thousand weights had made one step; operations are
counted by torch while a step runs.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

STEPS = 4
SEQUENCE = 512
WARM = {"layers": 1, "width": 32, "heads": 1}, 64, 1
SIZES: dict[str, tuple[dict[str, Any], int, int]] = {
    "2M": ({"layers": 6, "width": 128, "heads": 2}, 4096, 4),
    "10M": ({"layers": 8, "width": 256, "heads": 2}, 8192, 4),
    "50M": ({"layers": 12, "width": 512, "heads": 4}, 16384, 4),
    "5M, GPT": ({"kind": "gpt", "layers": 4, "width": 256, "heads": 4}, 8192, 2),
    "25M, Qwen": ({"kind": "qwen", "layers": 10, "width": 384, "heads": 6, "kv_heads": 2}, 16384, 2),
    "20M, held out": ({"layers": 6, "width": 512, "heads": 8, "kv_heads": 2}, 4096, 3),
}
"""Sizes of a decoder, of Llama's type unless it says otherwise, its vocabulary, texts a step. The two constants of
`model.memory` that stand for heap and libraries were fitted on all but the last, which holds them to what they have not seen."""


def measure() -> list[str]:
    from septet.model import activations, flops, memory, sizing

    lines = [
        f"Decoders trained in full on texts of {SEQUENCE} tokens, bfloat16, {STEPS} steps. Peak memory is what the process held",
        "above what it held before it read the model; its constants for heap and libraries were fitted on all sizes but the last.",
        "",
        "| size | texts a step | | predicted | measured | difference |",
        "|---|---|---|---|---|---|",
    ]
    for name, (_, _, batch) in SIZES.items():
        found = _apart(name, "memory") | _apart(name, "counts")
        config, layout = found["config"], memory.Layout(batch=batch, sequence=SEQUENCE)
        shape = sizing.Shape.of(config)
        kept = activations.saved_bytes(shape, batch * SEQUENCE, SEQUENCE, memory.NUMBER_BYTES[layout.precision])
        rows = (
            ("parameters", sizing.num_parameters(config), found["parameters"], "{:,.0f}"),
            ("training MFLOPs a token", flops.flops(config, SEQUENCE).training / 1e6, found["flops"] / 1e6, "{:.1f}"),
            ("kept for the gradient, MB", kept / 1e6, found["kept"] / 1e6, "{:.1f}"),
            ("peak memory, MB", memory.training(config, layout).resident / 1e6, found["peak"] / 1e6, "{:.1f}"),
        )
        for what, said, seen, form in rows:
            lines.append(
                f"| {name} | {batch} | {what} | {form.format(said)} | {form.format(seen)} | {(said / seen - 1) * 100:+.1f} % |"
            )
    return lines


def _apart(*words: str) -> dict[str, Any]:
    """What this file says of itself in a process of its own."""
    command = [sys.executable, __file__, *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def held(name: str, folder: Path) -> dict[str, Any]:
    """The most that training holds."""
    _apart("write", name, str(folder / "model"))  # float32 weights are made elsewhere
    _apart("write", "warm", str(folder / "warm"))
    _train(folder / "warm", *WARM)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak so far is forgotten
    _train(folder / "model", *SIZES[name])
    return {"peak": _status("VmHWM") - before}


def counts(name: str, folder: Path) -> dict[str, Any]:
    """Parameters, operations of a step, and what its forward pass keeps, by torch's own counters."""
    import torch
    from torch.autograd.graph import saved_tensors_hooks
    from torch.utils.flop_counter import FlopCounterMode

    from septet.files import read_json
    from septet.kinds import Model
    from septet.train.objectives import cross_entropy, hidden_states
    from septet.train.trainable import trainable

    write(name, folder)
    module = trainable(Model(folder), "bfloat16").train()
    given = rows(SIZES[name][1], SIZES[name][2]).batches(0)[0]
    with FlopCounterMode(display=False) as counter:
        cross_entropy(module)(given).loss.backward()  # type: ignore[no-untyped-call]
    own = {weight.untyped_storage().data_ptr() for weight in module.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        where = tensor.untyped_storage().data_ptr()
        if where not in own:
            kept[where] = tensor
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        hidden_states(module, given)
    return {
        "config": read_json(folder / "config.json"),
        "parameters": sum(weight.numel() for weight in module.parameters()),
        "flops": counter.get_total_flops() / given.num_tokens,
        "kept": sum(tensor.untyped_storage().nbytes() for tensor in kept.values()),
    }


def write(name: str, folder: Path) -> None:
    """A model of random weights."""
    from septet.model import shapes
    from septet.model.steps import Decoder
    from septet.model.torch_folder import new_module, write_module

    sizes, vocabulary, _ = WARM if name == "warm" else SIZES[name]
    named = {"bos": 1, "eos": 2, "pad": 0, "mask": None}
    config = shapes.decoder(Decoder(**sizes, context=SEQUENCE), vocabulary, named)
    folder.mkdir(parents=True, exist_ok=True)
    write_module(new_module(config, 0).state_dict(), config, folder, "bfloat16")


def rows(vocabulary: int, texts: int) -> Any:
    """Random texts for each step."""
    import numpy as np

    from septet.train.batches import Batch

    class Rows:
        per_epoch = 1 << 30

        def batches(self, step: int) -> list[Batch]:
            chance = np.random.default_rng(step)
            return [Batch.of(chance.integers(3, vocabulary, (texts, SEQUENCE)).tolist(), None, ["row"] * texts)]

    return Rows()


def _train(folder: Path, _: dict[str, Any], vocabulary: int, texts: int) -> None:
    from septet.core import Run
    from septet.kinds import Model
    from septet.train.loop import Settings, train
    from septet.train.objectives import cross_entropy
    from septet.train.trainable import trainable

    module = trainable(Model(folder), "bfloat16")
    settings = Settings(steps=STEPS, learning_rate=1e-4)
    train(module, rows(vocabulary, texts), cross_entropy(module), settings, Run(folder / "run"))


def _status(key: str) -> int:
    """A line of Linux's account of this process, in bytes."""
    found = re.search(rf"^{key}:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], Path(sys.argv[3]))
        print("{}")
    else:
        with tempfile.TemporaryDirectory(prefix="septet-bench-") as place:
            print(json.dumps({"memory": held, "counts": counts}[sys.argv[2]](sys.argv[1], Path(place))))
