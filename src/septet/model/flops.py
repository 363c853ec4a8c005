"""How many floating-point operations a token costs: a multiplication and an addition for each matrix element it passes, and
the scores of attention, which grow with the sequence.

Without attention this is the 2N forwards and 6N in training of https://arxiv.org/abs/2001.08361, exact for what is in fact
multiplied: tables that are only looked up, norms and biases are left out. Attention is counted as the training loop computes
it, in blocks of rows (`train.attention`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from septet.model import architecture
from septet.model.sizing import Shape

_BLOCK = 128
"""Rows of scores that are computed together: a causal row of the first block is computed up to the block's end."""


@dataclass(frozen=True)
class Flops:
    """Of one token; for an encoder-decoder, of a source token and a target token together. `attention` is the part of
    the scores alone."""

    forward: float
    forward_attention: float
    training: float
    training_attention: float


def flops(config: Mapping[str, Any], sequence: int, rank: int = 0, checkpointing: bool = False) -> Flops:
    """`sequence`: tokens of a text. `rank`: of low-rank adapters over frozen weights (0: all weights are trained).
    `checkpointing` computes the layers once more."""
    shape = Shape.of(config)
    layers = 2.0 * sum(inputs * outputs for inputs, outputs in products(shape))
    head = 2.0 * shape.width * shape.vocabulary + _head(shape)
    scores = attention(shape, sequence)
    adapters = 2.0 * rank * sum(inputs + outputs for inputs, outputs in adapted(shape, active=True))
    again = layers + scores + adapters if checkpointing else 0.0
    frozen = 2 if rank else 3
    return Flops(
        forward=layers + head + scores,
        forward_attention=scores,
        training=frozen * (layers + head) + 3 * (scores + adapters) + again,
        training_attention=(4 if checkpointing else 3) * scores,
    )


def attention(shape: Shape, sequence: int) -> float:
    """FLOPs of all scores and of what they weigh, forwards, a token."""
    each = 4.0 * shape.heads * shape.head_width
    causal = shape.kind == architecture.DECODER
    own = sum(columns(sequence, causal, window) for window in shape.windows)
    crossed = shape.decoder_layers * (columns(sequence, True, 0) + sequence)
    return each * (own + crossed)


def columns(sequence: int, causal: bool, window: int) -> float:
    """How many tokens one is compared with, on the mean over a text."""
    total = 0
    for low in range(0, sequence, _BLOCK):
        high = min(low + _BLOCK, sequence)
        first = max(0, low - window + 1) if window else 0
        last = high if causal else min(sequence, high + window - 1) if window else sequence
        total += (high - low) * (last - first)
    return total / sequence


def products(shape: Shape) -> list[tuple[int, int]]:
    """Inputs and outputs of every matrix product of the layers that a token meets."""
    around, feed = _around(shape), _feed(shape, shape.feed_forward)
    if shape.experts:
        mixed = [*around, (shape.width, shape.experts), *feed * shape.experts_per_token]
        dense = [*around, *_feed(shape, shape.dense_width)]
        return mixed * (shape.layers - shape.dense_layers) + dense * shape.dense_layers
    return [*around, *feed] * shape.layers + [*around, *around, *feed] * shape.decoder_layers


def adapted(shape: Shape, *, active: bool) -> list[tuple[int, int]]:
    """Inputs and outputs of the layers that PEFT's `all-linear` puts adapters on: several products may be one layer there, the
    opening product of an expert has twice the rank, and the transform ahead of a masked output layer counts. Of experts those
    that one token meets, if `active`."""
    width, inner = shape.width, shape.feed_forward
    if shape.model_type in ("gpt2", "modernbert"):
        opening = 2 * inner if shape.gated else inner
        own = [(width, 3 * width), (width, width), (width, opening), (inner, width)] * shape.layers
    elif shape.experts:
        expert = [(width, 2 * inner), (width, 2 * inner), (inner, width)]
        met = expert * (shape.experts_per_token if active else shape.experts)
        own = [*_around(shape), (width, shape.experts), *met] * (shape.layers - shape.dense_layers)
        own += [*_around(shape), *_feed(shape, shape.dense_width)] * shape.dense_layers
    else:
        own = products(shape)
    return [*own, (width, width)] if shape.kind == architecture.ENCODER else own


def _around(shape: Shape) -> list[tuple[int, int]]:
    out, kept = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    return [(shape.width, out), (shape.width, kept), (shape.width, kept), (out, shape.width)]


def _feed(shape: Shape, inner: int) -> list[tuple[int, int]]:
    return [(shape.width, inner)] * (2 if shape.gated else 1) + [(inner, shape.width)]


def _head(shape: Shape) -> float:
    """The transform ahead of the output layer of masked models."""
    return 2.0 * shape.width**2 if shape.kind == architecture.ENCODER else 0.0
