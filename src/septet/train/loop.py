"""The one training loop: pretraining, fine-tuning, adapters and preferences differ in their batches, in their objective and
in which parameters require a gradient.

Every step is a function of its number and the state, the state is kept as the run goes, and threads are fixed: a run that
was killed and resumed ends in the bits of one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import torch

from septet.core import Run, StepFailed
from septet.model.processor import peak_memory_mb, random_states, repeatable, set_random_states
from septet.train import checkpoint
from septet.train.optimiser import Decay, MasterAdamW
from septet.train.watch import Watch

_SAVE_EVERY_S = 20.0


class Outcome(NamedTuple):
    """What an objective says of a batch: the mean loss over what it weighs, and other numbers to show as curves."""

    loss: torch.Tensor
    measures: Mapping[str, float] = {}


class Weighed(Protocol):
    """What the loop asks of a batch: how many things its mean loss is over, how many tokens were read, which rows."""

    @property
    def weight(self) -> int: ...
    @property
    def num_tokens(self) -> int: ...
    @property
    def rows(self) -> Sequence[str]: ...


class Batches(Protocol):
    """What the loop asks of its data: a step's batches, whose gradients are added up, as a function of its number."""

    @property
    def per_epoch(self) -> int: ...

    def batches(self, step: int) -> Sequence[Any]: ...


Objective = Callable[[Any], Outcome]
Look = Callable[[int], Mapping[str, float]]
"""What is looked at on the way (a validation loss, a sample, a win rate), called with the number of steps done."""


@dataclass(frozen=True)
class Settings:
    """How the loop steps. `warmup` is a share of all steps, `final_rate` a share of the peak, `spike` a multiple of the median
    loss (0: no watch), `look_every` a number of steps (0: never), `flops` those of a token, forwards and backwards
    (0: not known), `peak_flops` what the processor does in a second of products."""

    steps: int
    learning_rate: float
    warmup: float = 0.05
    schedule: str = "cosine"
    final_rate: float = 0.1
    decay: Decay = field(default_factory=Decay)
    spike: float = 4.0
    look_every: int = 0
    seed: int = 0
    flops: float = 0.0
    peak_flops: float = 0.0


@dataclass(frozen=True)
class Trained:
    """What is known at the end: one loss a step, how many tokens were read, and what was seen on the way."""

    losses: tuple[float, ...]
    tokens: int
    looks: tuple[Mapping[str, float], ...]


def train(
    module: torch.nn.Module,
    batches: Batches,
    objective: Objective,
    settings: Settings,
    run: Run,
    look: Look | None = None,
) -> Trained:
    """Train the parameters of `module` that require a gradient, in place.

    The loss of a step is the mean over all that its batches weigh, however it is split. Raises StepFailed, naming step and
    rows and the last good state, when the loss is no number any more or has left its course.
    """
    with repeatable():
        torch.manual_seed(settings.seed)
        module.train()
        optimiser = MasterAdamW(module, settings.decay)
        losses, tokens, looks = _resume(optimiser, run)
        watch = Watch(settings.spike, losses)
        meter = _Meter(settings, run)
        saved, good = time.monotonic(), len(losses)
        for step in range(len(losses), settings.steps):
            parts = batches.batches(step)
            total = sum(part.weight for part in parts)
            loss, measures = 0.0, dict[str, float]()
            for part in parts:
                outcome = objective(part)
                share = part.weight / total
                (outcome.loss * share if len(parts) > 1 else outcome.loss).backward()  # type: ignore[no-untyped-call]
                if len(parts) > 1:
                    optimiser.collect()
                loss += outcome.loss.item() * share
                for name, value in outcome.measures.items():
                    measures[name] = measures.get(name, 0.0) + value * share
            norm = optimiser.step(rate := learning_rate(settings, step))
            read = sum(part.num_tokens for part in parts)
            try:
                watch.see(step, loss, norm, [row for part in parts for row in part.rows])
            except StepFailed as error:
                where = f"; the state after step {good} is kept in {checkpoint.path(run.scratch)}" if good else ""
                raise StepFailed(f"{error.message}{where}", error.remedy) from None
            losses.append(loss)
            tokens += read
            meter.show(step, read, {"loss": loss, "learning_rate": rate, "gradient_norm": norm, **measures})
            if look and settings.look_every and (step + 1) % settings.look_every == 0:
                looks.append({"step": step + 1, **_looked(module, look, step + 1)})
                meter.point(step, looks[-1])
            if time.monotonic() - saved >= _SAVE_EVERY_S:
                state = {"losses": losses, "tokens": tokens, "looks": looks}
                checkpoint.save(run.scratch, {**optimiser.tensors(), **random_states()}, state)
                saved, good = time.monotonic(), step + 1
        optimiser.use_average()
        module.eval()
    meter.close()
    return Trained(tuple(losses), tokens, tuple(looks))


def learning_rate(settings: Settings, step: int) -> float:
    """A linear warm-up, then down to `final_rate` of the peak: half a cosine, a line, or for `stable` only in the last fifth
    (https://arxiv.org/abs/2404.06395); `constant` stays."""
    warm = max(1, round(settings.warmup * settings.steps))
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, settings.steps - warm)
    left = {
        "cosine": 0.5 * (1 + math.cos(math.pi * done)),
        "linear": 1 - done,
        "stable": min(1.0, (1 - done) / 0.2),
        "constant": 1.0,
    }[settings.schedule]
    low = 1.0 if settings.schedule == "constant" else settings.final_rate
    return settings.learning_rate * (low + (1 - low) * left)


class _Meter:
    """Speed, use of the processor and memory beside what the steps say."""

    def __init__(self, settings: Settings, run: Run) -> None:
        self._settings, self._run = settings, run
        self._started, self._read, self._speed = time.monotonic(), 0, 0.0

    def show(self, step: int, read: int, values: Mapping[str, float]) -> None:
        self._read += read
        self._speed = self._read / max(1e-9, time.monotonic() - self._started)
        self.point(step, {**values, "tokens_per_second": self._speed, "memory_mb": peak_memory_mb()})
        if self._settings.flops and self._settings.peak_flops:
            self.point(step, {"mfu": self._speed * self._settings.flops / self._settings.peak_flops})
        self._run.progress(step + 1, self._settings.steps, "steps")

    def point(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            if name != "step":
                self._run.metric(name, value, step)

    def close(self) -> None:
        if self._read:
            self._run.observe("tokens_per_second", round(self._speed, 1))
            self._run.observe("training_seconds", round(time.monotonic() - self._started, 1))
            self._run.observe("memory_mb", round(peak_memory_mb()))


def _looked(module: torch.nn.Module, look: Look, step: int) -> Mapping[str, float]:
    """Looking changes nothing: neither the mode of the module nor the random numbers of the steps that follow."""
    module.eval()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        seen = look(step)
    module.train()
    return seen


def _resume(optimiser: MasterAdamW, run: Run) -> tuple[list[float], int, list[Mapping[str, float]]]:
    found = checkpoint.load(run.scratch)
    if found is None:
        return [], 0, []
    tensors, state = found
    set_random_states(tensors)
    optimiser.restore(tensors)
    run.note(f"resumed after step {len(state['losses'])}")
    return list(state["losses"]), int(state["tokens"]), list(state["looks"])
