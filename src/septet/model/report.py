"""All that is known of a model's size from its config.json, for a layout and what will be asked of it, as plain data."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from septet.core import ConfigError
from septet.files import read_json
from septet.model import budget, flops, memory, sizing
from septet.model.memory import Layout

SOURCES = {
    "parameters": "config.json",
    "flops": "https://arxiv.org/abs/2001.08361",
    "zero": "https://arxiv.org/abs/1910.02054",
    "chinchilla": "https://arxiv.org/abs/2203.15556",
    "refit": "https://arxiv.org/abs/2404.10102",
    "inference": "https://arxiv.org/abs/2401.00448",
}


def config_at(place: Path) -> dict[str, Any]:
    """The config.json at a path, or in a folder. Raises ConfigError where there is none."""
    file = place / "config.json" if place.is_dir() else place
    if not file.is_file():
        raise ConfigError(f"{file} is not there", "Give a config.json, or the folder of a model in safetensors form")
    found = read_json(file)
    if not isinstance(found, dict) or "model_type" not in found:
        raise ConfigError(f"{file} names no model_type", "Give the config.json of a model that transformers knows")
    return found


def counted(config: Mapping[str, Any]) -> int | None:
    """Parameters as transformers makes them, on torch's meta device; none where it is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        return None
    from septet.model.torch_folder import empty_module

    return sum(weight.numel() for weight in empty_module(dict(config)).parameters())


def report(config: Mapping[str, Any], layout: Layout, context: int, batch: int, asked: float) -> dict[str, Any]:
    """`context`, `batch`: of the cache of keys and values. `asked`: tokens to be read and written once it is trained.

    Raises ConfigError when the config does not say enough.
    """
    by_formula, by_torch = sizing.num_parameters(config), counted(config)
    total = by_formula if by_torch is None else by_torch
    held = memory.training(config, layout)
    optimal = budget.chinchilla(float(total), asked)
    return {
        "model_type": config["model_type"],
        "exact": config["model_type"] in sizing.EXACT,
        "parameters": total,
        "parameters_by_formula": by_formula,
        "counted_by_torch": by_torch is not None,
        "active": sizing.active_parameters(config),
        "trained": memory.trained_parameters(config, layout.rank),
        "flops": asdict(flops.flops(config, layout.sequence, layout.rank, layout.checkpointing)),
        "layout": asdict(layout),
        "memory": asdict(held),
        "cache": {
            "context": context,
            "batch": batch,
            "bytes": memory.cache_bytes(config, context, batch, layout.precision),
        },
        "budgets": {
            "chinchilla": _plan(optimal),
            "formula": _plan(budget.by_formula(float(total), asked)),
            "inference": _plan(budget.with_inference(optimal, asked)),
        },
        "asked": asked,
        "sources": SOURCES,
    }


def _plan(plan: budget.Plan) -> dict[str, float]:
    return {**asdict(plan), "flops": plan.flops}
