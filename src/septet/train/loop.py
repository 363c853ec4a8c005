"""The one training loop: pretraining and adapters differ in their batches and in which parameters they train.

Weights compute in bfloat16 where the processor multiplies it, and an AdamW keeps float32 copies of what is trained.
Every step is a function of its number and the state, the state is saved about every 20 s, and threads are fixed: a run
that was killed and resumed ends in the bits of one that was not.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from septet.core import Run, StepFailed
from septet.model.processor import repeatable
from septet.train import checkpoint
from septet.train.batches import Batch, Batches

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Objective = Callable[["PreTrainedModel", torch.Tensor, torch.Tensor], torch.Tensor]

_WATCHED = 32
_SPIKES = 3
_SAVE_EVERY_S = 20.0


@dataclass(frozen=True)
class Settings:
    """How the loop steps. `warmup` is a share of all steps, `spike` a multiple of the median loss (0: no watch)."""

    steps: int
    learning_rate: float
    warmup: float
    weight_decay: float
    clip: float
    spike: float
    seed: int
    beta2: float = 0.95
    final_rate: float = 0.1


@dataclass(frozen=True)
class Trained:
    """What is known at the end: one loss a step, and how many tokens were read."""

    losses: tuple[float, ...]
    tokens: int


def train(module: PreTrainedModel, batches: Batches, objective: Objective, settings: Settings, run: Run) -> Trained:
    """Train the parameters of `module` that require a gradient, in place.

    Raises StepFailed, naming step and rows, when the loss is no number any more or has left its course.
    """
    with repeatable():
        torch.manual_seed(settings.seed)
        module.train()
        optimiser = MasterAdamW(module, settings)
        losses, tokens = _resume(optimiser, run)
        watch = Watch(settings.spike, losses)
        saved = started = time.monotonic()
        read = 0
        for step in range(len(losses), settings.steps):
            batch = batches.batch(step)
            loss = objective(module, batch.ids, batch.labels)
            loss.backward()  # type: ignore[no-untyped-call]
            norm = optimiser.step(rate := learning_rate(settings, step))
            losses.append(loss.item())
            tokens += batch.num_tokens
            watch.see(step, losses[-1], norm, batch)
            read += batch.num_tokens
            speed = read / (time.monotonic() - started)
            run.metric("loss", losses[-1], step)
            run.metric("learning_rate", rate, step)
            run.metric("gradient_norm", norm, step)
            run.metric("tokens_per_second", speed, step)
            run.progress(step + 1, settings.steps, "steps")
            if time.monotonic() - saved >= _SAVE_EVERY_S:
                checkpoint.save(run.scratch, optimiser.tensors(), {"losses": losses, "tokens": tokens})
                saved = time.monotonic()
        module.eval()
    if read:
        run.observe("tokens_per_second", round(speed, 1))
        run.observe("training_seconds", round(time.monotonic() - started, 1))
    return Trained(tuple(losses), tokens)


def learning_rate(settings: Settings, step: int) -> float:
    """A linear warm-up, then half a cosine down to `final_rate` of the peak."""
    warm = max(1, round(settings.warmup * settings.steps))
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, settings.steps - warm)
    low = settings.final_rate
    return settings.learning_rate * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * done)))


class MasterAdamW:
    """AdamW (https://arxiv.org/abs/1711.05101) over float32 copies of the trained parameters.

    A step of 1e-4 is lost in a bfloat16 weight near 1, whose neighbours are 0.008 apart; the copy keeps it.
    """

    def __init__(self, module: PreTrainedModel, settings: Settings) -> None:
        named = sorted((name, weight) for name, weight in module.named_parameters() if weight.requires_grad)
        self._names = [name for name, _ in named]
        self._weights: list[torch.Tensor] = [weight for _, weight in named]
        self._masters = [weight.detach().float().clone() for weight in self._weights]
        self._clip = settings.clip
        decayed = [master for master in self._masters if master.dim() > 1]
        flat = [master for master in self._masters if master.dim() <= 1]
        groups = [
            {"params": params, "weight_decay": decay}
            for params, decay in ((decayed, settings.weight_decay), (flat, 0.0))
            if params
        ]
        self._adamw = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, settings.beta2), fused=True)

    def step(self, rate: float) -> float:
        """Clip, step, write back. Returns the norm of the gradient before clipping."""
        for weight, master in zip(self._weights, self._masters, strict=True):
            master.grad = torch.zeros_like(master) if weight.grad is None else weight.grad.float()
            weight.grad = None
        norm = float(torch.nn.utils.clip_grad_norm_(self._masters, self._clip or math.inf))
        for group in self._adamw.param_groups:
            group["lr"] = rate
        self._adamw.step()
        self._write_back()
        return norm

    def tensors(self) -> dict[str, torch.Tensor]:
        """Masters, moments and the state of the random generator, by name."""
        kept = {"random": torch.get_rng_state()}
        for name, master in zip(self._names, self._masters, strict=True):
            kept[f"master/{name}"] = master
            for key, value in self._adamw.state.get(master, {}).items():
                kept[f"{key}/{name}"] = value
        return kept

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """The other way round."""
        torch.set_rng_state(tensors["random"])
        with torch.no_grad():
            for name, master in zip(self._names, self._masters, strict=True):
                master.copy_(tensors[f"master/{name}"])
                self._adamw.state[master] = {
                    key: tensors[f"{key}/{name}"]
                    for key in ("step", "exp_avg", "exp_avg_sq")
                    if f"{key}/{name}" in tensors
                }
        self._write_back()

    def _write_back(self) -> None:
        with torch.no_grad():
            torch._foreach_copy_(self._weights, self._masters)


class Watch:
    """Stops a run whose loss is no number, or stays far above its median for several steps."""

    def __init__(self, spike: float, losses: Iterable[float]) -> None:
        self._spike = spike
        self._recent: deque[float] = deque(losses, maxlen=_WATCHED)
        self._above = 0

    def see(self, step: int, loss: float, norm: float, batch: Batch) -> None:
        rows = ", ".join(batch.rows[:4])
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise StepFailed(
                f"the loss became {loss} with a gradient norm of {norm} at step {step}, on {rows}",
                "Look at these rows, then lower learning_rate or clip",
            )
        if self._spike and len(self._recent) == _WATCHED:
            usual = statistics.median(self._recent)
            self._above = self._above + 1 if loss > max(self._spike * usual, usual + 2.0) else 0
            if self._above >= _SPIKES:
                raise StepFailed(
                    f"the loss is {loss:.2f} at step {step}, {_SPIKES} steps far above its median of {usual:.2f}; last on {rows}",
                    "Lower learning_rate, or set spike to 0 if this is expected",
                )
        self._recent.append(loss)


def _resume(optimiser: MasterAdamW, run: Run) -> tuple[list[float], int]:
    found = checkpoint.load(run.scratch)
    if found is None:
        return [], 0
    tensors, state = found
    optimiser.restore(tensors)
    run.note(f"resumed after step {len(state['losses'])}")
    return list(state["losses"]), int(state["tokens"])
