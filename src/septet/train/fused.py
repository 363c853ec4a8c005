"""What a decoder's layers do between their matrix products as one compiled operation each, with the gradient written by hand.

Transformers' modules keep their weights, names and files; `fuse` only puts something faster in the place of their `forward`:
norms, gated activations, attention with rotary positions. The same results to rounding, in a quarter of the time between the
products, and less is kept for the gradient. A layer that is not known, or is called with a cache or on another device, goes
its own way.

Shapes: T tokens, D width, H heads, K key and value heads, W head width, N rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from septet.kernels import layers
from septet.train.attention import Segments, attend
from septet.train.rows import by_rows, numbers

_ACTIVATIONS = {
    "SiLUActivation": layers.SILU,
    "SiLU": layers.SILU,
    "GELUTanh": layers.GELU,
    "PytorchGELUTanh": layers.GELU,
}
_ATTENTIONS = ("Llama", "Mistral", "Mixtral", "Qwen2", "Qwen3", "Qwen3Moe", "Gemma3")


def fuse(module: torch.nn.Module) -> None:
    """Let the layers of a module compute in one operation each, where they are of a kind that is known here."""
    for layer in module.modules():
        name = type(layer).__name__
        if name.endswith("RMSNorm") and hasattr(layer, "weight"):
            layer.forward = _NormForward(layer, shifted=name.startswith("Gemma"))
        elif name.endswith("MLP") and all(hasattr(layer, part) for part in ("gate_proj", "up_proj", "down_proj")):
            kind = _ACTIVATIONS.get(type(layer.act_fn).__name__)
            if kind is not None:
                layer.forward = _GatedForward(layer, kind)
        elif name.removesuffix("Attention") in _ATTENTIONS and name.endswith("Attention"):
            layer.forward = _AttentionForward(layer)


class _NormForward:
    """What stands in for a norm's `forward`. Gemma scales by 1 + weight, the others by weight."""

    def __init__(self, layer: Any, shifted: bool) -> None:
        self._layer, self._shifted = layer, shifted
        self._own = layer.forward
        eps = getattr(layer, "eps", None)
        self._eps = layer.variance_epsilon if eps is None else eps

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if x.device.type != "cpu":
            own: torch.Tensor = self._own(x)
            return own
        weight = self._layer.weight.float()
        y: torch.Tensor = _Norm.apply(x, weight + 1.0 if self._shifted else weight, self._eps)
        return y


class _Norm(torch.autograd.Function):
    """`x / rms(x) * scale`, computed in float32 (https://arxiv.org/abs/1910.07467)."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, scale_D: torch.Tensor, eps: float) -> torch.Tensor:
        x_ND = x.contiguous().view(-1, x.shape[-1])
        y, inverse = torch.empty_like(x_ND), torch.empty(len(x_ND), dtype=torch.float32)
        by_rows(layers.rms_norm, (numbers(x_ND), numbers(y), inverse.numpy()), numbers(scale_D), eps)
        ctx.save_for_backward(x_ND, scale_D, inverse)
        return y.view(x.shape)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None, None]:
        x_ND, scale_D, inverse = ctx.saved_tensors
        grad_ND = grad.contiguous().view(x_ND.shape)
        grad_x = torch.empty_like(x_ND)
        sums = torch.zeros(-(-len(x_ND) // layers.BLOCK), x_ND.shape[1], dtype=torch.float32)
        split = (numbers(grad_ND), numbers(x_ND), inverse.numpy(), numbers(grad_x), np.arange(len(x_ND)))
        by_rows(layers.rms_norm_gradient, split, numbers(scale_D), sums.numpy())
        return grad_x.view(grad.shape), sums.sum(0) if ctx.needs_input_grad[1] else None, None


class _GatedForward:
    """What stands in for the `forward` of a gated feed-forward layer (https://arxiv.org/abs/2002.05202)."""

    def __init__(self, layer: Any, kind: int) -> None:
        self._layer, self._kind, self._own = layer, kind, layer.forward

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        layer = self._layer
        if x.device.type != "cpu":
            own: torch.Tensor = self._own(x)
            return own
        y: torch.Tensor = layer.down_proj(_Gate.apply(layer.gate_proj(x), layer.up_proj(x), self._kind))
        return y


class _Gate(torch.autograd.Function):
    """`activation(gate) * up`."""

    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor, kind: int) -> torch.Tensor:
        gate, up = gate.contiguous(), up.contiguous()
        y = torch.empty_like(gate)
        by_rows(layers.gate, [numbers(one.view(-1)) for one in (gate, up, y)], kind)
        ctx.save_for_backward(gate, up)
        ctx.kind = kind
        return y

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        gate, up = ctx.saved_tensors
        grads = torch.empty_like(gate), torch.empty_like(up)
        split = [numbers(one.view(-1)) for one in (grad.contiguous(), gate, up, *grads)]
        by_rows(layers.gate_gradient, split, ctx.kind)
        return (*grads, None)


class _AttentionForward:
    """What stands in for the `forward` of attention with rotary positions, when texts lie end to end and nothing is cached."""

    def __init__(self, layer: Any) -> None:
        self._layer, self._own = layer, layer.forward

    def __call__(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: tuple[torch.Tensor, torch.Tensor] | None = None,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Any = None,
        segments: Segments | None = None,
        **others: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        layer = self._layer
        if segments is None or past_key_values is not None or position_embeddings is None or hidden_states.is_cuda:
            own: tuple[torch.Tensor, torch.Tensor | None] = self._own(
                hidden_states,
                position_embeddings=position_embeddings,
                attention_mask=attention_mask,
                past_key_values=past_key_values,
                segments=segments,
                **others,
            )
            return own
        cos_TW, sin_TW = (one[0].contiguous() for one in position_embeddings)
        heads = (hidden_states.shape[1], -1, layer.head_dim)
        query_THW = layer.q_proj(hidden_states).view(heads)
        key_TKW = layer.k_proj(hidden_states).view(heads)
        value_TKW = layer.v_proj(hidden_states).view(heads)
        if hasattr(layer, "q_norm"):
            query_THW, key_TKW = layer.q_norm(query_THW), layer.k_norm(key_TKW)
        query_THW, key_TKW = (_Rotate.apply(one, cos_TW, sin_TW) for one in (query_THW, key_TKW))
        window = getattr(layer, "sliding_window", None) or 0
        out_THW = attend(query_THW, key_TKW, value_TKW, segments, layer.scaling, layer.is_causal, window)
        return layer.o_proj(out_THW.view(1, hidden_states.shape[1], -1)), None


class _Rotate(torch.autograd.Function):
    """Rotary positions (https://arxiv.org/abs/2104.09864)."""

    @staticmethod
    def forward(ctx: Any, x_THW: torch.Tensor, cos_TW: torch.Tensor, sin_TW: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(cos_TW, sin_TW)
        return _rotated(x_THW, cos_TW, sin_TW, 1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return _rotated(grad, *ctx.saved_tensors, -1), None, None


def _rotated(x_THW: torch.Tensor, cos_TW: torch.Tensor, sin_TW: torch.Tensor, direction: int) -> torch.Tensor:
    x_THW = x_THW.contiguous()
    y = torch.empty_like(x_THW)
    by_rows(layers.rotate, [numbers(one) for one in (x_THW, cos_TW, sin_TW, y)], direction)
    return y
