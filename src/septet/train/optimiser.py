"""AdamW over float32 copies of what is trained, whatever precision the products are taken in.

A step of 1e-4 is lost in a bfloat16 weight near 1, whose neighbours are 0.008 apart; the copy keeps it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Decay:
    """What AdamW (https://arxiv.org/abs/1711.05101) is told. `clip`: largest norm of the gradient, 0: no limit. `average`:
    share of the old in a running mean of the weights after each step, 0: none is kept."""

    weight_decay: float = 0.0
    clip: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.95
    average: float = 0.0


class MasterAdamW:
    """Gradients are added up by `collect`, and `step` uses them. Vectors (norms, biases) are not decayed.

    A gradient becomes float32 one weight at a time, so that no second copy of all of them exists.
    """

    def __init__(self, module: torch.nn.Module, settings: Decay) -> None:
        named = sorted((name, weight) for name, weight in module.named_parameters() if weight.requires_grad)
        if not named:
            raise ValueError("no parameter requires a gradient")
        self._names = [name for name, _ in named]
        self._weights: list[torch.nn.Parameter] = [weight for _, weight in named]
        self._masters = [weight.detach().float().clone() for weight in self._weights]
        self._sums: list[torch.Tensor] = []
        self._settings = settings
        self._averages = [master.clone() for master in self._masters] if settings.average else []
        self._steppers = [
            torch.optim.AdamW(
                [master],
                lr=0.0,
                betas=(settings.beta1, settings.beta2),
                weight_decay=settings.weight_decay if master.dim() > 1 else 0.0,
                fused=True,
            )
            for master in self._masters
        ]

    @property
    def num_trained(self) -> int:
        """Trained parameters."""
        return sum(master.numel() for master in self._masters)

    def collect(self) -> None:
        """Move the gradients of one of several batches of a step aside, in float32: sums in bfloat16 lose the small ones."""
        if not self._sums:
            self._sums = [torch.zeros_like(master) for master in self._masters]
        for total, weight in zip(self._sums, self._weights, strict=True):
            if weight.grad is not None:
                total += weight.grad
                weight.grad = None

    def step(self, rate: float) -> float:
        """Clip, step, write back. Returns the norm of the gradient before clipping; when it is no number nothing is changed."""
        gradients: list[torch.Tensor | None] = list(self._sums) or [weight.grad for weight in self._weights]
        self._sums = []
        norm = _norm([one for one in gradients if one is not None])
        if not math.isfinite(norm):
            for weight in self._weights:
                weight.grad = None
            return norm
        clip = self._settings.clip
        scale = min(1.0, clip / (norm + 1e-6)) if clip else 1.0
        with torch.no_grad():
            for number, (weight, master, stepper) in enumerate(
                zip(self._weights, self._masters, self._steppers, strict=True)
            ):
                given, gradients[number] = gradients[number], None
                weight.grad = None
                gradient = torch.zeros_like(master) if given is None else given.float()
                master.grad = gradient.mul_(scale) if scale < 1.0 else gradient
                del given, gradient
                stepper.param_groups[0]["lr"] = rate
                stepper.step()
                master.grad = None
            torch._foreach_copy_(self._weights, self._masters)
            if self._averages:
                torch._foreach_lerp_(self._averages, self._masters, 1 - self._settings.average)
        return norm

    def use_average(self) -> None:
        """Give the module the running mean of its weights, where one is kept."""
        if self._averages:
            with torch.no_grad():
                torch._foreach_copy_(self._weights, self._averages)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Copies, moments and running means by name: what the next steps depend on."""
        kept: dict[str, torch.Tensor] = {}
        for name, master, stepper in zip(self._names, self._masters, self._steppers, strict=True):
            kept[f"master/{name}"] = master
            for key, value in stepper.state.get(master, {}).items():
                kept[f"{key}/{name}"] = value
        for name, average in zip(self._names, self._averages, strict=False):
            kept[f"average/{name}"] = average
        return kept

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """The other way round."""
        with torch.no_grad():
            for name, master, stepper in zip(self._names, self._masters, self._steppers, strict=True):
                master.copy_(tensors[f"master/{name}"])
                stepper.state[master] = {
                    key: tensors[f"{key}/{name}"]
                    for key in ("step", "exp_avg", "exp_avg_sq")
                    if f"{key}/{name}" in tensors
                }
            for name, average in zip(self._names, self._averages, strict=False):
                average.copy_(tensors[f"average/{name}"])
            torch._foreach_copy_(self._weights, self._masters)


def _norm(gradients: list[torch.Tensor]) -> float:
    """Of all of them together, fetched from the device at once."""
    if not gradients:
        return 0.0
    each = torch.stack([torch.linalg.vector_norm(one, dtype=torch.float32) for one in gradients])
    return float(torch.linalg.vector_norm(each, dtype=torch.float64))
