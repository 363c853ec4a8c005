"""A stem that texts share, read once: its keys and values for each of them, and masks in which only what is one text sees itself.

Shapes: R rows, T tokens, K keys (what is in the cache and T).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import DynamicCache, PreTrainedConfig

_KNOWN = ("full_attention", "sliding_attention")


def can_share(config: PreTrainedConfig) -> bool:
    """Whether all layers attend to all that stands before, or to a window of it: others (state spaces) keep no keys."""
    return set(getattr(config, "layer_types", None) or _KNOWN) <= set(_KNOWN)


def copies(stem: DynamicCache | None, rows: int) -> DynamicCache:
    """A cache that may grow, each row with the same stem. All layers keep all keys: the mask draws the window."""
    from transformers import DynamicCache

    cache = DynamicCache()
    for number, layer in enumerate(stem.layers if stem is not None else ()):
        cache.update(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), number)
    return cache


def masks(
    config: PreTrainedConfig,
    dtype: torch.dtype,
    seen_RTK: torch.Tensor,
    places_RT: torch.Tensor,
    keys_RK: torch.Tensor,
) -> Any:
    """What a module takes as its mask: one for all layers, or one by kind of layer. `seen_RTK` says which key a token may see,
    `places_RT` and `keys_RK` where tokens and keys stand in their texts, which is what a window is measured by."""
    full = _additive(seen_RTK, dtype)
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None)
    if not window or (kinds and "sliding_attention" not in kinds):
        return full
    narrow = _additive(seen_RTK & (places_RT[:, :, None] - keys_RK[:, None, :] < window), dtype)
    return {"full_attention": full, "sliding_attention": narrow} if kinds else narrow


def _additive(seen_RTK: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return torch.zeros(seen_RTK.shape, dtype=dtype).masked_fill(~seen_RTK, torch.finfo(dtype).min)[:, None]
