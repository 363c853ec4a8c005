"""Bottleneck adapters: small layers after the parts of a transformer's layers, the identity at the start.

Houlsby et al., 2019 (https://arxiv.org/abs/1902.00751) set one after attention and one after the feed-forward part; Pfeiffer
et al., 2021 (https://arxiv.org/abs/2005.00247) the second only. Each adds `up(activation(down(x)))` to what the part gives
out, before the residual sum. PEFT has none; the folder has the form of its adapters: adapter_config.json names the method,
adapter_model.safetensors holds the weights under the names of the parts that they stand behind.

Shapes: D width, M width of the bottleneck.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from septet.core import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

METHOD = "BOTTLENECK"
"""What `peft_type` says in the config of such an adapter."""

_PARTS = {
    "pfeiffer": ("mlp", "feed_forward", "block_sparse_moe"),
    "houlsby": ("mlp", "feed_forward", "block_sparse_moe", "self_attn", "attn"),
}
_ACTIVATIONS = {"relu": torch.nn.functional.relu, "gelu": torch.nn.functional.gelu, "silu": torch.nn.functional.silu}


class Bottleneck(torch.nn.Module):
    """`x + up(activation(down(x)))`, with biases."""

    def __init__(self, width: int, narrow: int, activation: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.down = torch.nn.Linear(width, narrow, dtype=dtype)
        self.up = torch.nn.Linear(narrow, width, dtype=dtype)
        self._activation = _ACTIVATIONS[activation]
        torch.nn.init.zeros_(self.up.weight)
        torch.nn.init.zeros_(self.up.bias)
        torch.nn.init.zeros_(self.down.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = x + self.up(self._activation(self.down(x)))
        return y


def set_in(
    module: PreTrainedModel, placement: str, reduction: int, activation: str, seed: int
) -> dict[str, Bottleneck]:
    """Set fresh ones into a module and freeze the rest; returns them by the name of the part they stand behind.

    Raises ConfigError for an architecture whose parts have no known name.
    """
    config = module.config.get_text_config()
    width = int(config.hidden_size)
    places = {
        name: part
        for name, part in module.named_modules()
        if name.rpartition(".")[2] in _PARTS[placement] and name.split(".")[-2].isdigit()
    }
    if not places:
        raise ConfigError(
            f"no place for an adapter is known in a model of type {module.config.model_type}",
            "Use train.lora, which fits any linear layer",
        )
    module.requires_grad_(False)
    made = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, part in sorted(places.items()):
            made[name] = Bottleneck(width, max(1, width // reduction), activation, module.dtype).to(module.device)
            part.add_module("bottleneck", made[name])
            part.register_forward_hook(_behind)
    return made


def describe(placement: str, reduction: int, activation: str) -> dict[str, Any]:
    """What adapter_config.json says of them."""
    return {"peft_type": METHOD, "placement": placement, "reduction": reduction, "activation": activation}


def weights(made: Mapping[str, Bottleneck]) -> dict[str, torch.Tensor]:
    """Their weights under the names that the folder keeps."""
    return {
        f"base_model.model.{name}.bottleneck.{key}": weight
        for name, one in made.items()
        for key, weight in one.state_dict().items()
    }


def restore(module: PreTrainedModel, config: Mapping[str, Any], kept: Mapping[str, torch.Tensor]) -> None:
    """Set those of a folder into a module. Raises ConfigError when they were made for another one."""
    made = set_in(module, config["placement"], config["reduction"], config["activation"], 0)
    wanted = weights(made)
    wrong = [name for name in sorted(wanted.keys() | kept.keys()) if _shape(wanted, name) != _shape(kept, name)]
    if wrong:
        raise ConfigError(
            f"the adapter does not fit the model at {wrong[0]}",
            f"It was made for '{config.get('base_model_name_or_path')}'",
        )
    with torch.no_grad():
        for name, weight in wanted.items():
            weight.copy_(kept[name])


def _behind(part: torch.nn.Module, _: Any, output: Any) -> Any:
    """Attention gives a tuple that begins with its output, a feed-forward part the output alone or likewise."""
    if isinstance(output, tuple):
        return (part.bottleneck(output[0]), *output[1:])
    return part.bottleneck(output)


def _shape(tensors: Mapping[str, torch.Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(tensors[name].shape) if name in tensors else None
