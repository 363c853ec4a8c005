"""What a Transformer layer does between its matrix products, forwards and backwards, in one pass over the numbers each.

Torch needs three to eight passes for each of these, and as many copies between bfloat16 and float32. Arrays are float32, or
uint16 for bfloat16 (`kernels.numbers`); sums are float32. Every row is computed by itself, so that rows may be split among
threads without changing a bit; arrays that have rows come first.

Shapes: N rows, D width, H heads, R rows of a block of scores, C its columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from septet.kernels.numbers import exp, ordered, put, read, unordered

_compiled = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
SILU, GELU = 0, 1
BLOCK = 64
"""Rows whose sums are taken together, so that a sum does not depend on how rows are split."""
_LEAST = np.int32(-(2**31))


@_compiled
def rms_norm(x_ND: Any, y_ND: Any, inverse_N: Any, scale_D: Any, eps: Any) -> None:
    """y = x / rms(x) * scale (https://arxiv.org/abs/1910.07467); keeps 1 / rms(x)."""
    width = x_ND.shape[1]
    for n in range(x_ND.shape[0]):
        x, y = x_ND[n], y_ND[n]
        squares = np.float32(0)
        for d in range(width):
            squares += read(x[d]) * read(x[d])
        inverse = np.float32(1) / np.sqrt(squares / np.float32(width) + np.float32(eps))
        inverse_N[n] = inverse
        for d in range(width):
            put(y, d, read(x[d]) * inverse * scale_D[d])


@_compiled
def rms_norm_gradient(
    grad_ND: Any, x_ND: Any, inverse_N: Any, grad_x_ND: Any, row_N: Any, scale_D: Any, grad_scale_SD: Any
) -> None:
    """The gradient of the input, and that of the scale, added up over blocks of `BLOCK` rows; `row_N` numbers the rows."""
    width = x_ND.shape[1]
    for n in range(x_ND.shape[0]):
        x, grad, out, inverse = x_ND[n], grad_ND[n], grad_x_ND[n], inverse_N[n]
        sums = grad_scale_SD[row_N[n] // BLOCK]
        along = np.float32(0)
        for d in range(width):
            along += read(grad[d]) * scale_D[d] * read(x[d])
        along *= inverse * inverse * inverse / np.float32(width)
        for d in range(width):
            value, change = read(x[d]), read(grad[d])
            sums[d] += change * value * inverse
            put(out, d, change * scale_D[d] * inverse - value * along)


@_compiled
def gate(gate_N: Any, up_N: Any, y_N: Any, kind: int) -> None:
    """y = activation(gate) * up, with SiLU or the tanh form of GELU (https://arxiv.org/abs/2002.05202)."""
    one = np.float32(1)
    if kind == SILU:
        for n in range(gate_N.shape[0]):
            g = read(gate_N[n])
            put(y_N, n, g / (one + exp(-g)) * read(up_N[n]))
    else:
        for n in range(gate_N.shape[0]):
            g = read(gate_N[n])
            z = np.float32(1.5957691216057308) * (g + np.float32(0.044715) * g * g * g)
            put(y_N, n, g / (one + exp(-z)) * read(up_N[n]))


@_compiled
def gate_gradient(grad_N: Any, gate_N: Any, up_N: Any, grad_gate_N: Any, grad_up_N: Any, kind: int) -> None:
    """The gradients of both inputs of `gate`."""
    one = np.float32(1)
    if kind == SILU:
        for n in range(gate_N.shape[0]):
            g, grad = read(gate_N[n]), read(grad_N[n])
            share = one / (one + exp(-g))
            put(grad_up_N, n, grad * g * share)
            put(grad_gate_N, n, grad * read(up_N[n]) * share * (one + g * (one - share)))
    else:
        for n in range(gate_N.shape[0]):
            g, grad = read(gate_N[n]), read(grad_N[n])
            z = np.float32(1.5957691216057308) * (g + np.float32(0.044715) * g * g * g)
            slope = np.float32(1.5957691216057308) * (one + np.float32(0.134145) * g * g)
            share = one / (one + exp(-z))
            put(grad_up_N, n, grad * g * share)
            put(grad_gate_N, n, grad * read(up_N[n]) * share * (one + g * (one - share) * slope))


@_compiled
def rotate(x_NHW: Any, cos_NW: Any, sin_NW: Any, y_NHW: Any, direction: int) -> None:
    """Rotary positions (https://arxiv.org/abs/2104.09864), halves of a head as pairs; `direction` -1 turns back, which is the
    gradient. `cos_NW` and `sin_NW` hold each angle twice, as transformers gives them."""
    half = x_NHW.shape[2] // 2
    sign = np.float32(direction)
    for n in range(x_NHW.shape[0]):
        cos, sin = cos_NW[n], sin_NW[n]
        for h in range(x_NHW.shape[1]):
            x, y = x_NHW[n, h], y_NHW[n, h]
            for w in range(half):
                first, second = read(x[w]), read(x[half + w])
                c, s = read(cos[w]), sign * read(sin[w])
                put(y, w, first * c - second * s)
                put(y, half + w, second * c + first * s)


@_compiled
def softmax(scores_NRC: Any, scale: Any, offset: int, groups: int, causal: bool, window: int) -> None:
    """Shares of the columns for each row, in place. Row r stands at column `offset + r // groups`; it sees no later column when
    `causal`, and fewer than `window` columns to either side (0: all). The rest becomes 0."""
    rows, columns = scores_NRC.shape[1], scores_NRC.shape[2]
    factor = np.float32(scale)
    kept = np.empty(columns, np.float32)
    for n in range(scores_NRC.shape[0]):
        for r in range(rows):
            row, place = scores_NRC[n, r], offset + r // groups
            first = max(0, place - window + 1) if window else 0
            last = place + 1 if causal else columns
            if window and not causal:
                last = min(columns, place + window)
            seen = row[first:last]
            width = last - first
            largest = _LEAST
            for c in range(width):
                kept[c] = read(seen[c]) * factor
                key = ordered(kept[c])
                largest = key if key > largest else largest
            top = unordered(largest)
            total = np.float32(0)
            for c in range(width):
                kept[c] = exp(kept[c] - top)
                total += kept[c]
            inverse = np.float32(1) / total
            for c in range(width):
                put(seen, c, kept[c] * inverse)
            for c in range(first):
                put(row, c, np.float32(0))
            for c in range(last, columns):
                put(row, c, np.float32(0))


@_compiled
def softmax_gradient(share_NRC: Any, change_NRC: Any, scale: Any) -> None:
    """The gradient of the scores from that of the shares, in place in `change_NRC`."""
    columns = share_NRC.shape[2]
    factor = np.float32(scale)
    for n in range(share_NRC.shape[0]):
        for r in range(share_NRC.shape[1]):
            share, change = share_NRC[n, r], change_NRC[n, r]
            along = np.float32(0)
            for c in range(columns):
                along += read(share[c]) * read(change[c])
            for c in range(columns):
                put(change, c, read(share[c]) * (read(change[c]) - along) * factor)


@_compiled
def cross_entropy(logits_NV: Any, labels_N: Any, loss_N: Any, factor: float) -> None:
    """-log of the share of each row's label. The logits become their gradient times `factor`."""
    width = logits_NV.shape[1]
    kept = np.empty(width, np.float32)
    for n in range(logits_NV.shape[0]):
        row, label = logits_NV[n], labels_N[n]
        right = read(row[label])
        largest = _LEAST
        for v in range(width):
            key = ordered(read(row[v]))
            largest = key if key > largest else largest
        top = unordered(largest)
        total = np.float32(0)
        for v in range(width):
            kept[v] = exp(read(row[v]) - top)
            total += kept[v]
        loss_N[n] = np.log(total) + top - right
        share = np.float32(factor) / total
        for v in range(width):
            put(row, v, kept[v] * share)
        put(row, label, kept[label] * share - np.float32(factor))
