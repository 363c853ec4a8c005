"""What a training step keeps of its forward pass for the gradient, in bytes, for the loop of `septet.train`.

The table says for each family how many numbers a token leaves behind in a layer: what its norms, its products, its activation
and its attention save (`train.layers`, `train.attention`). A benchmark holds the sum to what training takes
(`benchmarks/sizing.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from septet.model import architecture
from septet.model.flops import columns
from septet.model.sizing import Shape


@dataclass(frozen=True)
class Saved:
    """Numbers saved for each token of a layer: multiples of the width of the residual stream, of that of all query heads, of
    that of all key heads, and of the feed-forward layer (for a mixture: of each expert asked, with its copies of the token)."""

    width: float
    heads: float
    kept: float
    inner: float
    copies: float = 0.0


SAVED = {
    "llama": Saved(4, 2, 2, 3),
    "qwen2": Saved(4, 2, 2, 3),
    "qwen3": Saved(4, 3, 3, 3),
    "qwen3_moe": Saved(4, 3, 3, 4, copies=2),
    "mixtral": Saved(4, 2, 2, 4, copies=2),
    "gemma3_text": Saved(6, 3, 3, 3),
    "gpt2": Saved(4, 4, 0, 5),
    "bert": Saved(4, 4, 0, 2),
    "modernbert": Saved(4, 6, 0, 4),
    "t5": Saved(4, 4, 0, 3),
    "bart": Saved(4, 4, 0, 2),
}
"""A norm saves its input, a product its input, a gated activation both of its inputs; attention its queries, keys and values
and, beside this table, the shares of each block of rows."""
LOSS_CHUNK = 1 << 22
"""Logits that exist at once (`train.objectives`), which become their gradient in place."""


def saved_bytes(shape: Shape, tokens: int, sequence: int, size: int, checkpointing: bool = False) -> float:
    """At the end of a forward pass over `tokens` tokens in texts of `sequence`, in numbers of `size` bytes.

    With `checkpointing` a layer keeps its input alone, and the one that is computed again keeps all.
    """
    layers = [_layer(shape, sequence, window) for window in shape.windows]
    layers += [_crossed(shape, sequence)] * shape.decoder_layers
    if checkpointing:
        layers = [float(shape.width)] * len(layers) + [max(layers)]
    ends = shape.width * (4 if shape.decoder_layers else 2)
    return tokens * size * (sum(layers) + ends)


def loss_bytes(shape: Shape, tokens: int, size: int) -> float:
    """The logits that exist at once while the loss is taken, and the gradient of what they were made of."""
    rows = max(1, LOSS_CHUNK // shape.vocabulary)
    return float(size * (min(tokens, rows) * shape.vocabulary + tokens * shape.width))


def _layer(shape: Shape, sequence: int, window: int) -> float:
    saved = SAVED.get(shape.model_type, SAVED["llama"])
    times = max(1, shape.experts_per_token)
    causal = shape.kind == architecture.DECODER
    return (
        saved.width * shape.width
        + saved.heads * shape.heads * shape.head_width
        + saved.kept * shape.kv_heads * shape.head_width
        + times * (saved.inner * shape.feed_forward + saved.copies * shape.width)
        + shape.heads * columns(sequence, causal, window)
    )


def _crossed(shape: Shape, sequence: int) -> float:
    """A decoder's layer that looks at an encoder: its own attention is causal, the other one sees all."""
    own = _layer(shape, sequence, 0) - shape.heads * columns(sequence, False, 0)
    other = 3 * shape.width + 4 * shape.heads * shape.head_width
    return own + other + shape.heads * (columns(sequence, True, 0) + sequence)
