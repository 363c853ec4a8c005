"""What memory training and serving take for a layout: weights, gradients, optimiser, activations, cache of keys and values.

ZeRO (https://arxiv.org/abs/1910.02054) divides the optimiser's states among the shards from stage 1 on, the gradients from
stage 2 and the weights from stage 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from septet.core import ConfigError
from septet.model import architecture
from septet.model.activations import loss_bytes, saved_bytes
from septet.model.flops import adapted
from septet.model.sizing import ADAM_BYTES, Shape, num_parameters

NUMBER_BYTES = {"float32": 4, "bfloat16": 2}
HOLES = 0.55
"""What a process holds beyond its tensors for each byte of activations: glibc keeps the holes that they leave when they are
freed. Fitted at 2 to 50 million parameters (2026-11, 2 cores); a heap told to give all back holds none, and took 40 % more
processor time."""
PROCESS_BYTES = 20e6
"""What the libraries take beside tensors once they compute."""


@dataclass(frozen=True)
class Layout:
    """`batch` texts of `sequence` tokens a step and shard. `rank`: of low-rank adapters, 0: all weights are trained."""

    batch: int = 8
    sequence: int = 512
    precision: str = "bfloat16"
    checkpointing: bool = False
    rank: int = 0
    shards: int = 1
    zero: int = 0

    def __post_init__(self) -> None:
        if self.zero and self.shards == 1:
            raise ConfigError(
                "ZeRO divides among shards, and there is one", "Give --shards 2 or more, or leave --zero out"
            )
        if min(self.batch, self.sequence, self.shards) < 1 or self.rank < 0 or self.zero not in range(4):
            raise ConfigError(
                "batch, sequence and shards are 1 or more, a rank is 0 or more, ZeRO has stages 0 to 3",
                "Mend the layout",
            )
        if self.precision not in NUMBER_BYTES:
            raise ConfigError(f"the precision '{self.precision}' is not trained in", "Take bfloat16 or float32")


@dataclass(frozen=True)
class Memory:
    """Bytes on each shard. `peak`, of all tensors at once, is less than their sum: gradients come as activations go.
    `resident` is what a process on a CPU holds then, above what it held before it read the model."""

    weights: float
    gradients: float
    optimiser: float
    activations: float
    loss: float
    peak: float
    resident: float


def trained_parameters(config: Mapping[str, Any], rank: int) -> int:
    """All, or those of low-rank adapters on every linear layer but the output's."""
    if not rank:
        return num_parameters(config)
    return rank * sum(inputs + outputs for inputs, outputs in adapted(Shape.of(config), active=False))


def training(config: Mapping[str, Any], layout: Layout) -> Memory:
    """The memory of a training step of `septet.train`."""
    shape = Shape.of(config)
    size = NUMBER_BYTES[layout.precision]
    total, trained = num_parameters(config), trained_parameters(config, layout.rank)
    weights = total * size / (layout.shards if layout.zero == 3 else 1)
    gradients = trained * size / (layout.shards if layout.zero >= 2 else 1)
    optimiser = trained * ADAM_BYTES / (layout.shards if layout.zero else 1)
    tokens = layout.batch * layout.sequence
    activations = saved_bytes(shape, tokens, layout.sequence, size, layout.checkpointing)
    loss = loss_bytes(shape, tokens, size)
    table = 0 if layout.rank else shape.vocabulary * shape.width
    held = weights + optimiser
    moments = (
        activations + loss + (4 + size) * table,  # the loss: the table's gradient is summed in float32
        gradients + 2 * size * table,  # the end of the backward pass: the table's gradient from above and from below
        gradients + 4 * table,  # the optimiser: one gradient at a time becomes float32
    )
    peak = held + max(moments)
    return Memory(weights, gradients, optimiser, activations, loss, peak, peak + HOLES * activations + PROCESS_BYTES)


def cache_bytes(config: Mapping[str, Any], context: int, batch: int, precision: str = "bfloat16") -> float:
    """Keys and values of `batch` texts of `context` tokens; windowed layers keep their window. 0 for an encoder.

    An encoder-decoder keeps those of a target and of a source of `context` tokens.
    """
    shape = Shape.of(config)
    each = 2 * shape.kv_heads * shape.head_width * NUMBER_BYTES[precision] * batch
    if shape.kind == architecture.ENCODER:
        return 0.0
    if shape.kind == architecture.ENCODER_DECODER:
        return float(each * shape.decoder_layers * 2 * context)
    return float(each * sum(min(context, window) if window else context for window in shape.windows))
