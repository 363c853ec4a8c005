"""How large a decoder is, and what memory it takes: for messages before the work starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BYTES = {"float32": 4, "bfloat16": 2}
_ADAM_BYTES = 12
"""A float32 copy of the weight and two moments, for each trained parameter."""


def num_parameters(config: Mapping[str, Any]) -> int:
    """Parameters of a decoder with gated feed-forward layers, from its config.json; norms and biases are left out."""
    width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    head_width = int(config.get("head_dim") or width // heads)
    kv_heads = int(config.get("num_key_value_heads") or heads)
    attention = width * head_width * (2 * heads + 2 * kv_heads)
    feed_forward = 3 * width * int(config["intermediate_size"])
    tables = width * int(config["vocab_size"]) * (1 if config.get("tie_word_embeddings") else 2)
    return int(config["num_hidden_layers"]) * (attention + feed_forward) + tables


def training_bytes(num_weights: int, num_trained: int, precision: str) -> int:
    """Weights, gradients and optimiser of a training run, without activations."""
    each = _BYTES[precision]
    return num_weights * each + num_trained * (each + _ADAM_BYTES)


def spoken(num_bytes: float) -> str:
    """`1.2 GB`."""
    for unit in ("B", "kB", "MB"):
        if num_bytes < 1000:
            return f"{num_bytes:.0f} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.1f} GB"
