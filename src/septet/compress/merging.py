"""Folding a low-rank adapter into weights: `W + s B A`, in float32, one tensor at a time.

Reads the folder that PEFT writes. Neither transformers nor PEFT is loaded: a model larger than memory could be merged.
"""

from __future__ import annotations

import math
from typing import Any

from septet.core import ConfigError, MissingExtra, Run
from septet.kinds import Adapter, Model, read_json
from septet.model.folder import carry, changed
from septet.model.torch_folder import write_module

_PREFIX = "base_model.model."
_UNSUPPORTED = (
    "use_dora",
    "fan_in_fan_out",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "trainable_token_indices",
)


def merge(model: Model, adapter: Adapter, run: Run) -> None:
    """Write the merged model in the precision of the model.

    Raises ConfigError for an adapter of another model, or of a kind that this sum does not describe.
    """
    try:
        import torch
        from safetensors import safe_open
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "torch", "models") from error
    model.check()
    adapter.check()
    if model.form != "safetensors":
        raise ConfigError("an adapter cannot be folded into quantised weights", "Merge first, then quantise")
    config = read_json(adapter.path / "adapter_config.json")
    scale = _scale(config)
    lows = load_file(adapter.path / "adapter_model.safetensors")
    deltas = {
        name.removeprefix(_PREFIX).replace(".lora_A.weight", ".weight"): (
            lows[name],
            lows[name.replace("lora_A", "lora_B")],
        )
        for name in lows
        if ".lora_A." in name
    }
    shape = read_json(model.path / "config.json")
    weights: dict[str, Any] = {}
    files = sorted(model.path.glob("*.safetensors"))
    for file in files:
        with safe_open(file, "pt") as source:
            for name in source.keys():  # noqa: SIM118 - not a mapping
                weight = source.get_tensor(name)
                if name in deltas:
                    down, up = deltas.pop(name)
                    if (up.shape[0], down.shape[1]) != tuple(weight.shape):
                        raise ConfigError(f"the adapter does not fit the model at {name}", _made_for(config))
                    weight = (weight.float() + scale * (up.float() @ down.float())).to(weight.dtype)
                weights[name] = weight
                run.progress(len(weights), len(weights) + len(deltas), "tensors")
    if deltas:
        raise ConfigError(f"the adapter changes {sorted(deltas)[0]}, which the model does not have", _made_for(config))
    precision = str(next(iter(weights.values())).dtype).removeprefix("torch.")
    if any(weight.dtype != getattr(torch, precision) for weight in weights.values()):
        precision = "float32"
    write_module(weights, shape, run.out, precision)
    carry(model.path, run.out, changed(model.card, "a low-rank adapter was folded into the weights"))


def _scale(config: dict[str, Any]) -> float:
    odd = [key for key in _UNSUPPORTED if config.get(key)]
    if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none" or odd:
        what = ", ".join(odd) or f"{config.get('peft_type')} with bias {config.get('bias')}"
        raise ConfigError(
            f"this adapter is more than a low-rank sum: {what}", "Merge it with PEFT, and load the result"
        )
    rank = int(config["r"])
    return float(config["lora_alpha"]) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _made_for(config: dict[str, Any]) -> str:
    return f"It was made for '{config.get('base_model_name_or_path')}'"
