"""Attention over texts that lie end to end in one row of tokens: each sees itself only, and nothing is padded.

It is registered with transformers under `ATTENTION`, so that every architecture there can be trained this way: the module is
called with `segments`, which it hands down. A text is attended in blocks of rows, each a plain product with what stands
before it, because torch's own kernel for a CPU reaches a sixth of the speed of its matrix products (2026-11).

Shapes: H heads, K key and value heads, T tokens, W head width, G texts of equal length, B rows of a block.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch

ATTENTION = "septet_segments"
_BLOCK = 128


class Segments(NamedTuple):
    """Where texts end in a row: `runs` of texts of equal length, as (start, number, length)."""

    runs: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, ends: Sequence[int]) -> Segments:
        """From the ends of the texts; neighbours of equal length become one run."""
        runs: list[tuple[int, int, int]] = []
        start = 0
        for end in ends:
            if runs and runs[-1][2] == end - start:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1, end - start)
            else:
                runs.append((start, 1, end - start))
            start = end
        return cls(tuple(runs))


def register() -> None:
    """Make `ATTENTION` known to transformers. The mask it would build is not needed: `segments` says more."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(ATTENTION, _attend)
    AttentionMaskInterface.register(ATTENTION, _no_mask)


def _no_mask(*_: Any, **__: Any) -> None:
    return None


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    segments: Segments | None = None,
    is_causal: bool | None = None,
    **__: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls: heads first, one row; returns tokens first."""
    if segments is None or query.shape[0] != 1:
        raise ValueError("attention over segments takes one row of tokens and `segments`")
    if dropout:
        raise ValueError("attention over segments has no dropout of its shares; set attention_dropout to 0")
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    out_HTW = attend(query[0], key[0], value[0], segments, scale, causal, sliding_window or 0)
    return out_HTW.transpose(0, 1)[None], None


def attend(
    query_HTW: torch.Tensor,
    key_KTW: torch.Tensor,
    value_KTW: torch.Tensor,
    segments: Segments,
    scale: float,
    causal: bool = True,
    window: int = 0,
) -> torch.Tensor:
    """softmax(scale q k') v within each text, (H, T, W). `window`: a token sees so many, itself included (0: all); in a
    bidirectional module so many to each side, as transformers counts them."""
    out: torch.Tensor = _Attention.apply(query_HTW, key_KTW, value_KTW, segments.runs, scale, causal, window)
    return out


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        query_HTW: torch.Tensor,
        key_KTW: torch.Tensor,
        value_KTW: torch.Tensor,
        runs: tuple[tuple[int, int, int], ...],
        scale: float,
        causal: bool,
        window: int,
    ) -> torch.Tensor:
        heads, tokens, width = query_HTW.shape
        groups = heads // key_KTW.shape[0]
        out = torch.empty(tokens, heads, width, dtype=query_HTW.dtype, device=query_HTW.device).transpose(0, 1)
        kept: list[torch.Tensor] = []
        needed = any(ctx.needs_input_grad[:3])
        for run in runs:
            q, k, v, o = (_texts(one, run) for one in (query_HTW, key_KTW, value_KTW, out))
            for low, high, first, last in _blocks(run[2], causal, window):
                share = _scores(q[:, :, low:high], k[:, :, first:last], groups)
                share = _softmax(share, scale, _hidden(low, high, first, last, causal, window, share.device))
                o[:, :, low:high] = _weighed(share, v[:, :, first:last], groups)
                if needed:
                    kept.append(share)
        ctx.save_for_backward(query_HTW, key_KTW, value_KTW, *kept)
        ctx.more = (runs, scale, causal, window)
        return out

    @staticmethod
    def backward(ctx: Any, grad_HTW: torch.Tensor) -> tuple[Any, ...]:
        query, key, value, *kept = ctx.saved_tensors
        runs, scale, causal, window = ctx.more
        groups = query.shape[0] // key.shape[0]
        grads = [torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(value)]
        shares = iter(kept)
        for run in runs:
            q, k, v, grad, gq, gk, gv = (_texts(one, run) for one in (query, key, value, grad_HTW, *grads))
            for low, high, first, last in _blocks(run[2], causal, window):
                share, above = next(shares), grad[:, :, low:high]
                gv[:, :, first:last] += _gathered(share, above, groups)
                change = _scores(above, v[:, :, first:last], groups)
                change = _softmax_gradient(share, change, scale)
                gq[:, :, low:high] = _weighed(change, k[:, :, first:last], groups)
                gk[:, :, first:last] += _gathered(change, q[:, :, low:high], groups)
        return (*grads, None, None, None, None)


def _texts(x_HTW: torch.Tensor, run: tuple[int, int, int]) -> torch.Tensor:
    """The texts of a run as (H, G, T, W): a view."""
    start, number, length = run
    return x_HTW[:, start : start + number * length].unflatten(1, (number, length))


def _blocks(length: int, causal: bool, window: int) -> Iterable[tuple[int, int, int, int]]:
    """Rows low to high look at columns first to last."""
    for low in range(0, length, _BLOCK):
        high = min(low + _BLOCK, length)
        first = max(0, low - window + 1) if window else 0
        last = high if causal else min(length, high + window - 1) if window else length
        yield low, high, first, last


def _hidden(
    low: int, high: int, first: int, last: int, causal: bool, window: int, device: torch.device
) -> torch.Tensor | None:
    """True where a row must not look, or none where it may look everywhere."""
    if not causal and not window:
        return None
    rows = torch.arange(low, high, device=device)[:, None]
    columns = torch.arange(first, last, device=device)[None]
    hidden = columns > rows if causal else torch.zeros(1, dtype=torch.bool, device=device)
    if window:
        hidden = hidden | (rows - columns >= window) | (columns - rows >= window)
    return hidden


def _scores(rows_HGBW: torch.Tensor, columns_KGCW: torch.Tensor, groups: int) -> torch.Tensor:
    """Products of rows with the columns of their key head, (H, G, B, C)."""
    return rows_HGBW @ _shared(columns_KGCW, groups).transpose(-1, -2)


def _weighed(share_HGBC: torch.Tensor, columns_KGCW: torch.Tensor, groups: int) -> torch.Tensor:
    return share_HGBC @ _shared(columns_KGCW, groups)


def _gathered(share_HGBC: torch.Tensor, rows_HGBW: torch.Tensor, groups: int) -> torch.Tensor:
    """What rows give back to the columns, summed over the heads that share them, (K, G, C, W)."""
    back = share_HGBC.transpose(-1, -2) @ rows_HGBW
    return back if groups == 1 else back.unflatten(0, (-1, groups)).sum(1)


def _shared(x_KGCW: torch.Tensor, groups: int) -> torch.Tensor:
    return x_KGCW if groups == 1 else x_KGCW.repeat_interleave(groups, 0)


def _softmax(scores: torch.Tensor, scale: float, hidden: torch.Tensor | None) -> torch.Tensor:
    scores = scores.mul_(scale)
    if hidden is not None:
        scores.masked_fill_(hidden, -math.inf)
    return torch.softmax(scores, -1)


def _softmax_gradient(share: torch.Tensor, change: torch.Tensor, scale: float) -> torch.Tensor:
    """The gradient of the scores from that of the shares."""
    return torch._softmax_backward_data(change, share, -1, share.dtype).mul_(scale)
