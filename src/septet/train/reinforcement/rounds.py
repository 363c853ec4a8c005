"""Iterations that each make their own data (samples, transitions) and then step: what `train.loop` is for data that lie ready.

An iteration is a function of its number, the trained weights with the optimiser's state, and what is handed over as `extra` and
`values`; all of it is kept between iterations, so that a run which was killed and resumed ends in the bits of one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from septet.core import Run
from septet.model.processor import peak_memory_mb, repeatable
from septet.train import checkpoint
from septet.train.optimiser import MasterAdamW
from septet.train.watch import Watch

_SAVE_EVERY_S = 20.0
_EXTRA = "extra/"


def rounds(
    count: int,
    one: Callable[[int], Mapping[str, float]],
    optimiser: MasterAdamW,
    extra: Mapping[str, torch.Tensor],
    values: dict[str, Any],
    run: Run,
) -> list[Mapping[str, float]]:
    """Do `count` iterations and return what each said of itself, `loss` and `gradient_norm` among it.

    `one` changes `extra` and `values` in place. Raises StepFailed when the loss is no number any more.
    """
    with repeatable():
        history = _resume(optimiser, extra, values, run)
        watch = Watch(0.0, [])
        started = saved = time.monotonic()
        first = len(history)
        for number in range(first, count):
            said = one(number)
            watch.see(number, said["loss"], said["gradient_norm"], [f"iteration {number}"])
            history.append(dict(said))
            for name, value in said.items():
                run.metric(name, value, number)
            run.metric("memory_mb", peak_memory_mb(), number)
            run.progress(number + 1, count, "iterations")
            if time.monotonic() - saved >= _SAVE_EVERY_S:
                kept = {**optimiser.tensors(), **{_EXTRA + name: tensor for name, tensor in extra.items()}}
                checkpoint.save(run.scratch, kept, {"history": history, "values": values})
                saved = time.monotonic()
    if count > first:
        run.observe("training_seconds", round(time.monotonic() - started, 1))
    return history


def _resume(
    optimiser: MasterAdamW, extra: Mapping[str, torch.Tensor], values: dict[str, Any], run: Run
) -> list[Mapping[str, float]]:
    found = checkpoint.load(run.scratch)
    if found is None:
        return []
    tensors, state = found
    optimiser.restore(tensors)
    for name, tensor in extra.items():
        tensor.copy_(tensors[_EXTRA + name])
    values.update(state["values"])
    run.note(f"resumed after iteration {len(state['history'])}")
    return list(state["history"])
