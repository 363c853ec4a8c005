"""Attention over texts that lie end to end in one row of tokens: each sees itself only, and nothing is padded.

It is registered with transformers under `ATTENTION`, so that every architecture there can be trained this way: the module is
called with `segments`, which it hands down. A text is attended in blocks of rows, each a plain product with what stands
before it, because torch's own kernel for a CPU reaches a sixth of the speed of its matrix products (2026-11).

Shapes: T tokens, H heads, K key and value heads, W head width, G texts of equal length, N = K * G, R rows and C columns of a
block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch

from septet.kernels import layers
from septet.train.rows import by_rows, numbers

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

    AttentionInterface.register(ATTENTION, torch.compiler.disable(_attend))
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
    query_THW, key_TKW, value_TKW = (one[0].transpose(0, 1) for one in (query, key, value))
    return attend(query_THW, key_TKW, value_TKW, segments, scale, causal, sliding_window or 0)[None], None


def attend(
    query_THW: torch.Tensor,
    key_TKW: torch.Tensor,
    value_TKW: torch.Tensor,
    segments: Segments,
    scale: float,
    causal: bool = True,
    window: int = 0,
) -> torch.Tensor:
    """softmax(scale q k') v within each text, (T, H, W). `window`: a token sees so many, itself included (0: all); in a
    bidirectional module so many to each side, as transformers counts them."""
    if query_THW.device.type != "cpu":
        return attend_by_kernel(query_THW, key_TKW, value_TKW, segments, scale, causal, window)
    out: torch.Tensor = _Attention.apply(query_THW, key_TKW, value_TKW, segments.runs, scale, causal, window)
    return out


def attend_by_kernel(
    query_THW: torch.Tensor,
    key_TKW: torch.Tensor,
    value_TKW: torch.Tensor,
    segments: Segments,
    scale: float,
    causal: bool,
    window: int,
) -> torch.Tensor:
    """The same by torch's own kernels, which on a GPU are the fast ones; texts of equal length go together."""
    parts = []
    for start, number, length in segments.runs:
        q, k, v = (
            one[start : start + number * length].unflatten(0, (number, length)).transpose(1, 2)
            for one in (query_THW, key_TKW, value_TKW)
        )
        seen = _seen(length, causal, window, q.device) if window and window < length else None
        out_GHLW = torch.nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask=seen, is_causal=causal and seen is None, scale=scale, enable_gqa=True
        )
        parts.append(out_GHLW.transpose(1, 2).flatten(0, 1))
    return torch.cat(parts)


def _seen(length: int, causal: bool, window: int, device: torch.device) -> torch.Tensor:
    """True where a token may look."""
    place = torch.arange(length, device=device)
    behind = place[:, None] - place[None]
    return (behind >= 0) & (behind < window) if causal else behind.abs() < window


class _Attention(torch.autograd.Function):
    """Texts of equal length are computed together, heads first; the heads that share a key lie side by side as rows."""

    @staticmethod
    def forward(
        ctx: Any,
        query_THW: torch.Tensor,
        key_TKW: torch.Tensor,
        value_TKW: torch.Tensor,
        runs: tuple[tuple[int, int, int], ...],
        scale: float,
        causal: bool,
        window: int,
    ) -> torch.Tensor:
        keys = key_TKW.shape[1]
        groups = query_THW.shape[1] // keys
        out_THW = query_THW.new_empty(query_THW.shape)
        kept: list[torch.Tensor] = []
        needed = any(ctx.needs_input_grad[:3])
        for run in runs:
            q, k, v = (_heads_first(one, run, keys) for one in (query_THW, key_TKW, value_TKW))
            out = torch.empty_like(q)
            shares = []
            for low, high, first, last in _blocks(run[2], causal, window):
                rows = slice(low * groups, high * groups)
                share = torch.bmm(q[:, rows], k[:, first:last].mT)
                _softmax(share, scale, low - first, groups, causal, window)
                out[:, rows] = torch.bmm(share, v[:, first:last])
                shares.append(share)
            _tokens_first(out, run, out_THW, keys)
            if needed:
                kept += [q, k, v, *shares]
        ctx.save_for_backward(*kept)
        ctx.more = (query_THW.shape, keys, runs, scale, causal, window)
        return out_THW

    @staticmethod
    def backward(ctx: Any, grad_THW: torch.Tensor) -> tuple[Any, ...]:
        shape, keys, runs, scale, causal, window = ctx.more
        kept = iter(ctx.saved_tensors)
        groups = shape[1] // keys
        grad_q, grad_k, grad_v = (grad_THW.new_empty(shape[0], heads, shape[2]) for heads in (shape[1], keys, keys))
        for run in runs:
            q, k, v = next(kept), next(kept), next(kept)
            above = _heads_first(grad_THW, run, keys)
            gq, gk, gv = (torch.empty_like(q), *(torch.zeros_like(one, dtype=torch.float32) for one in (k, v)))
            for low, high, first, last in _blocks(run[2], causal, window):
                rows, columns = slice(low * groups, high * groups), slice(first, last)
                share = next(kept)
                gv[:, columns] += torch.bmm(share.mT, above[:, rows])
                change = torch.bmm(above[:, rows], v[:, columns].mT)
                _softmax_gradient(share, change, scale)
                gq[:, rows] = torch.bmm(change, k[:, columns])
                gk[:, columns] += torch.bmm(change.mT, q[:, rows])
            for whole, part in ((grad_q, gq), (grad_k, gk), (grad_v, gv)):
                _tokens_first(part, run, whole, keys)
        return grad_q, grad_k, grad_v, None, None, None, None


def _heads_first(x_THW: torch.Tensor, run: tuple[int, int, int], keys: int) -> torch.Tensor:
    """The texts of a run as (K * G, L * heads of a key, W), L tokens each."""
    start, number, length = run
    x_GLKSW = x_THW[start : start + number * length].unflatten(1, (keys, -1)).unflatten(0, (number, length))
    return x_GLKSW.permute(2, 0, 1, 3, 4).reshape(keys * number, -1, x_THW.shape[-1]).contiguous()


def _tokens_first(x: torch.Tensor, run: tuple[int, int, int], into_THW: torch.Tensor, keys: int) -> None:
    """The other way round, into the rows of the run."""
    start, number, length = run
    x_KGLSW = x.view(keys, number, length, -1, x.shape[-1])
    place = into_THW[start : start + number * length].unflatten(1, (keys, -1)).unflatten(0, (number, length))
    place.copy_(x_KGLSW.permute(1, 2, 0, 3, 4))


def _blocks(length: int, causal: bool, window: int) -> Iterable[tuple[int, int, int, int]]:
    """Tokens low to high look at tokens first to last."""
    for low in range(0, length, _BLOCK):
        high = min(low + _BLOCK, length)
        first = max(0, low - window + 1) if window else 0
        last = high if causal else min(length, high + window - 1) if window else length
        yield low, high, first, last


def _softmax(scores_NRC: torch.Tensor, scale: float, offset: int, groups: int, causal: bool, window: int) -> None:
    """Scores become shares, in place. Row r stands at column `offset + r // groups`."""
    by_rows(layers.softmax, [numbers(scores_NRC)], scale, offset, groups, causal, window, rows_a_block=1)


def _softmax_gradient(share_NRC: torch.Tensor, change_NRC: torch.Tensor, scale: float) -> None:
    """The gradient of the shares becomes that of the scores, in place."""
    by_rows(layers.softmax_gradient, [numbers(share_NRC), numbers(change_NRC)], scale, rows_a_block=1)
