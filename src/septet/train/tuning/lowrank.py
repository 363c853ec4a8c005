"""An adapted linear layer as one operation, with the gradient written by hand.

PEFT computes `base(x) + B(A(x)) * scale` as four passes over tensors as wide as the layer's output; here the scale acts on
the `rank` numbers between A and B, and the product adds itself.

Shapes: N tokens, I inputs, O outputs, R rank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from peft import PeftModel


def fuse_lowrank(wrapped: PeftModel) -> None:
    """Let the adapted layers of a PEFT model compute in one product. Layers with dropout or a bias keep PEFT's own way."""
    from peft.tuners.lora import Linear

    for layer in wrapped.modules():
        if isinstance(layer, Linear) and _plain(layer):
            layer.forward = _Forward(layer)


class _Forward:
    """What stands in for a layer's `forward`."""

    def __init__(self, layer: Any) -> None:
        self._weight = layer.base_layer.weight
        self._down = layer.lora_A["default"].weight
        self._up = layer.lora_B["default"].weight
        self._scale = layer.scaling["default"]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = _LowRank.apply(x.reshape(-1, x.shape[-1]), self._weight, self._down, self._up, self._scale)
        return y.view(*x.shape[:-1], -1)


class _LowRank(torch.autograd.Function):
    """`x W' + s (x A') B'` for a frozen W."""

    @staticmethod
    def forward(
        ctx: Any, x_NI: torch.Tensor, weight_OI: torch.Tensor, down_RI: torch.Tensor, up_OR: torch.Tensor, scale: float
    ) -> torch.Tensor:
        middle_NR = (x_NI @ down_RI.T).mul_(scale)
        ctx.save_for_backward(x_NI, weight_OI, down_RI, up_OR, middle_NR)
        ctx.scale = scale
        return (x_NI @ weight_OI.T).addmm_(middle_NR, up_OR.T)

    @staticmethod
    def backward(ctx: Any, grad_NO: torch.Tensor) -> tuple[torch.Tensor, None, torch.Tensor, torch.Tensor, None]:
        x_NI, weight_OI, down_RI, up_OR, middle_NR = ctx.saved_tensors
        grad_middle_NR = (grad_NO @ up_OR).mul_(ctx.scale)
        grad_x = (grad_NO @ weight_OI).addmm_(grad_middle_NR, down_RI)
        return grad_x, None, grad_middle_NR.T @ x_NI, grad_NO.T @ middle_NR, None


def _plain(layer: Any) -> bool:
    return isinstance(layer.lora_dropout["default"], torch.nn.Identity) and layer.base_layer.bias is None
