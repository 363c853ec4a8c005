"""Folding an adapter into weights and taking it out again, in float32, one tensor at a time.

A low-rank adapter is a sum, `W + s B A`; with the lengths of rows apart (DoRA, https://arxiv.org/abs/2402.09353) each row of that
sum is then brought to a length that was learnt; factors (IA3, https://arxiv.org/abs/2205.05638) multiply rows, or columns where
they act on what a layer reads. Reads the folder that PEFT writes. Neither transformers nor PEFT is loaded: a model larger than
memory could be merged.

Shapes: O outputs, I inputs of a layer, R rank.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError, MissingExtra, Run
from septet.files import read_json
from septet.kinds import Adapter, Model
from septet.model.folder import carry, changed, refuse_carried
from septet.model.torch_folder import write_module

if TYPE_CHECKING:
    import torch

Change = Callable[["torch.Tensor"], "torch.Tensor"]

_PREFIX = "base_model.model."
_UNSUPPORTED = (
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "trainable_token_indices",
)


def merge(model: Model, adapter: Adapter, run: Run) -> None:
    """Write the merged model in the precision of the model.

    Raises ConfigError for an adapter of another model, or of a method that is no change of weights.
    """
    _rewrite(model, adapter, run, False, "an adapter was folded into the weights")


def unmerge(model: Model, adapter: Adapter, run: Run) -> None:
    """Write a merged model as it was before, up to rounding. Raises ConfigError as `merge` does, and where merging lost what would
    be needed: the lengths of rows, or what was multiplied by nothing."""
    _rewrite(model, adapter, run, True, "an adapter was taken out of the weights")


def _rewrite(model: Model, adapter: Adapter, run: Run, backwards: bool, said: str) -> None:
    try:
        import torch
        from safetensors import safe_open
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "torch", "models") from error
    model.check()
    adapter.check()
    refuse_carried(model.path)
    if model.form != "safetensors":
        raise ConfigError("an adapter cannot be folded into quantised weights", "Merge first, then quantise")
    config = read_json(adapter.path / "adapter_config.json")
    changes = _changes(config, load_file(adapter.path / "adapter_model.safetensors"), backwards)
    shape = read_json(model.path / "config.json")
    weights: dict[str, Any] = {}
    for file in sorted(model.path.glob("*.safetensors")):
        with safe_open(file, "pt") as source:
            for name in source.keys():  # noqa: SIM118 - not a mapping
                weight = source.get_tensor(name)
                change = changes.pop(name, None)
                if change is not None:
                    try:
                        weight = change(weight.float()).to(weight.dtype)
                    except RuntimeError:
                        raise ConfigError(f"the adapter does not fit the model at {name}", _made_for(config)) from None
                weights[name] = weight
                run.progress(len(weights), len(weights) + len(changes), "tensors")
    left = sorted(name for name in changes if not name.endswith(".bias"))  # not every layer has a bias
    if left:
        raise ConfigError(f"the adapter changes {left[0]}, which the model does not have", _made_for(config))
    precision = str(next(iter(weights.values())).dtype).removeprefix("torch.")
    if any(weight.dtype != getattr(torch, precision) for weight in weights.values()):
        precision = "float32"
    write_module(weights, shape, run.out, precision)
    carry(model.path, run.out, changed(model.card, said))


def _changes(config: dict[str, Any], learnt: dict[str, torch.Tensor], backwards: bool) -> dict[str, Change]:
    """What is done to each weight, by its name. Raises ConfigError where that is not all that the adapter does."""
    method, odd = config.get("peft_type"), [key for key in _UNSUPPORTED if config.get(key)]
    learnt = {name.removeprefix(_PREFIX): weight for name, weight in learnt.items()}
    if method == "LORA" and config.get("bias", "none") == "none" and not odd:
        if config.get("use_dora") and backwards:
            raise ConfigError(
                "merging replaced the length of each row by the one that was learnt, and did not keep the old one",
                "Use the model that was merged: septet trace names it",
            )
        return _turned(config, _lowrank(config, learnt, backwards))
    if method == "IA3" and not odd:
        return _turned(config, _factors(learnt, backwards))
    if method in ("LORA", "IA3"):
        what = ", ".join(odd) or f"bias {config.get('bias')}"
        raise ConfigError(
            f"this adapter changes more than its weights: {what}", "Merge it with PEFT, and load the result"
        )
    raise ConfigError(
        f"an adapter of the method {method} cannot be folded into weights: it adds layers or tokens of its own",
        "Serve it unmerged, with the engine torch",
    )


def _turned(config: dict[str, Any], changes: dict[str, Change]) -> dict[str, Change]:
    """The same changes of weights that are held the other way round, as GPT-2's are."""
    if not config.get("fan_in_fan_out"):
        return changes

    def turned(change: Change) -> Change:
        return lambda weight: change(weight.T).T.contiguous() if weight.dim() == 2 else change(weight)

    return {name: turned(change) for name, change in changes.items()}


def _lowrank(config: dict[str, Any], learnt: dict[str, torch.Tensor], backwards: bool) -> dict[str, Change]:
    rank = int(config["r"])
    scale = float(config["lora_alpha"]) / (math.sqrt(rank) if config.get("use_rslora") else rank)

    def change(down_RI: torch.Tensor, up_OR: torch.Tensor, length_O: torch.Tensor | None) -> Change:
        delta_OI = (up_OR.float() @ down_RI.float()) * (-scale if backwards else scale)

        def apply(weight_OI: torch.Tensor) -> torch.Tensor:
            if delta_OI.shape != weight_OI.shape:
                raise RuntimeError("shapes differ")
            moved = weight_OI + delta_OI
            if length_O is not None:
                moved = moved * (length_O.float() / moved.norm(dim=1))[:, None]
            return moved

        return apply

    found = {}
    for name in learnt:
        layer, _, rest = name.partition(".lora_A.")
        if rest:
            length = learnt.get(f"{layer}.lora_magnitude_vector")
            found[f"{layer}.weight"] = change(learnt[name], learnt[f"{layer}.lora_B.weight"], length)
    return found


def _factors(learnt: dict[str, torch.Tensor], backwards: bool) -> dict[str, Change]:
    def change(factor: torch.Tensor) -> Change:
        return lambda weight: weight / factor.float() if backwards else weight * factor.float()

    found = {}
    for name, factor in learnt.items():
        layer = name.removesuffix(".ia3_l")
        if backwards and bool((factor == 0).any()):
            raise ConfigError(f"a row of {layer} was multiplied by nothing", "Use the model that was merged")
        found[f"{layer}.weight"] = change(factor)
        if factor.shape[1] == 1:  # acts on what the layer gives out, its bias included
            found[f"{layer}.bias"] = change(factor[:, 0])
    return found


def _made_for(config: dict[str, Any]) -> str:
    return f"It was made for '{config.get('base_model_name_or_path')}'"
