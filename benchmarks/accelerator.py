"""Training on one accelerator, weights drawn at random: LoRA on the shape of Llama 3 8B, and pretraining a shape of 1 billion.

    python benchmarks/run.py accelerator

Needs a CUDA device with 80 GB; where there is none, the page says so. Tokens a second by the clock over the last steps, the
share of the peak that bfloat16 products of 8192 x 8192 reach on the same device in the same run, and memory at most.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from septet.core import Run
from septet.model import sizing
from septet.model.flops import flops
from septet.model.processor import device, peak_flops, peak_memory_mb
from septet.train.attention import ATTENTION, register
from septet.train.batches import Batch
from septet.train.loop import Settings, train
from septet.train.objectives import cross_entropy
from septet.train.optimiser import Decay
from septet.train.trainable import compile_layers
from septet.train.tuning import adapters

STEPS, WARM = 12, 4
LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0},
}
SHAPES: dict[str, dict[str, Any]] = {
    "8B": LLAMA
    | {
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 128256,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": False,
    },
    "1B": LLAMA
    | {
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 16,
        "num_key_value_heads": 16,
        "head_dim": 128,
        "vocab_size": 32000,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": True,
    },
}


def measure() -> list[str]:
    if device() != "cuda":
        return ["Not measured: there is no accelerator here."]
    lines = [
        f"{torch.cuda.get_device_name()}; {STEPS - WARM} steps counted after {WARM}.",
        "",
        "| | tokens a step | tokens a second | share of the peak | memory at most, MB |",
        "|---|---|---|---|---|",
    ]
    for name, shape, rank, sequence, rows, settings in (
        ("LoRA of rank 16, 8B", SHAPES["8B"], 16, 2048, 4, {"checkpointing": True}),
        ("LoRA of rank 16, 8B, compiled", SHAPES["8B"], 16, 2048, 4, {"checkpointing": True, "compiled": True}),
        ("pretraining, 1B", SHAPES["1B"], 0, 2048, 8, {}),
        ("pretraining, 1B, compiled", SHAPES["1B"], 0, 2048, 8, {"compiled": True}),
    ):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        speed, share = one(shape, rank, sequence, rows, **settings)
        lines.append(f"| {name} | {sequence * rows:,} | {speed:,.0f} | {share:.0%} | {peak_memory_mb():,.0f} |")
    return [*lines, "", "To beat: 12,473 tokens a second with LoRA on this shape, and half of the peak at 1B."]


def one(
    shape: dict[str, Any], rank: int, sequence: int, rows: int, checkpointing: bool = False, compiled: bool = False
) -> tuple[float, float]:
    """Tokens a second, and the share of the peak."""
    module = drawn(shape)
    if checkpointing:
        module.gradient_checkpointing_enable({"use_reentrant": False})
    if rank:
        adapters.put_on(module, rank, 2 * rank, 0.0, 0, "all-linear", False)
    if compiled:
        compile_layers(module)
    times = [time.perf_counter()]

    def said(event: Any) -> None:
        if event.kind == "metric" and event.metric == "loss":
            times.append(time.perf_counter())

    class Rows:
        per_epoch = STEPS

        def batches(self, step: int) -> Sequence[Batch]:
            texts = np.random.default_rng(step).integers(0, shape["vocab_size"], (rows, sequence)).tolist()
            return [Batch.of(texts, None, [f"row {row}" for row in range(rows)])]

    with tempfile.TemporaryDirectory(prefix="septet-bench-") as scratch:
        settings = Settings(STEPS, 1e-4, decay=Decay(weight_decay=0.0 if rank else 0.1), spike=0.0)
        train(module, Rows(), cross_entropy(module), settings, Run(Path(scratch) / "out", emit=said))
    taken = statistics.median(b - a for a, b in zip(times[WARM:-1], times[WARM + 1 :], strict=True))
    speed = rows * sequence / taken
    needed = flops(shape, sequence, rank=rank, checkpointing=checkpointing).training
    return speed, speed * needed / peak_flops("bfloat16")


def drawn(shape: dict[str, Any]) -> Any:
    """A module with random weights in bfloat16, made on the device."""
    from transformers import AutoConfig, AutoModelForCausalLM

    register()
    settings = {key: value for key, value in shape.items() if key not in ("model_type", "architectures")}
    config = AutoConfig.for_model(shape["model_type"], **settings)
    with torch.device(device()):
        module = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation=ATTENTION)
    assert sum(weight.numel() for weight in module.parameters()) == sizing.num_parameters(shape)
    return module
