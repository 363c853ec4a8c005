"""An adapter folder put on a module, whatever its method: low-rank products, factors, bottlenecks, virtual tokens, prefixes.

Each adapter gets a module of its own, whose layers share the weights of the first: several stand on one base at the price of
what they add, none sees another, and the base answers as before.

Shapes: R rows, V virtual tokens, D width, L layers, K key and value heads, W head width.
"""

from __future__ import annotations

import copy
import itertools
import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from septet.core import ConfigError, MissingExtra, Run
from septet.files import read_json
from septet.kinds import Adapter, Model
from septet.model import bottleneck
from septet.model.folder import ADAPTER, carry, changed, refuse_carried
from septet.model.torch_folder import read_module

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_LAYERS = ("LORA", "IA3")
"""Methods whose layers are PEFT's."""
_TOKENS = ("PROMPT_TUNING", "P_TUNING")


class Adapted(NamedTuple):
    """A module with an adapter on it. What stands before each text, where the adapter has that, is a cache of keys and values:
    `before(rows)` makes one of `num_before` tokens."""

    module: PreTrainedModel
    num_before: int = 0
    before: Callable[[int], Any] | None = None


def adapted(module: PreTrainedModel, adapter: Adapter) -> Adapted:
    """The module with an adapter, unmerged; the module itself is left as it is, and its weights are not copied.

    Raises ConfigError for a method that is not known here, and for an adapter of another model.
    """
    from safetensors.torch import load_file

    adapter.check()
    config = read_json(adapter.path / "adapter_config.json")
    method = config.get("peft_type")
    if method in _LAYERS:
        return Adapted(_with_layers(_twin(module), adapter, config))
    weights = load_file(adapter.path / "adapter_model.safetensors")
    if method == bottleneck.METHOD:
        twin = _twin(module)
        bottleneck.restore(twin, config, weights)
        return Adapted(twin.eval())
    if method in _TOKENS or method == "PREFIX_TUNING":
        learnt = weights["prompt_embeddings"].to(module.device, module.dtype)
        shape = module.config.get_text_config()
        heads = getattr(shape, "num_key_value_heads", None) or shape.num_attention_heads
        width = getattr(shape, "head_dim", None) or shape.hidden_size // shape.num_attention_heads
        prefixed = method == "PREFIX_TUNING"
        if learnt.shape[1] != (2 * shape.num_hidden_layers * heads * width if prefixed else shape.hidden_size):
            raise ConfigError("the adapter is not as wide as the model", made_for(config))
        make = _pairs_cache(module, learnt, heads) if prefixed else _tokens_cache(module, learnt)
        return Adapted(module, len(learnt), make)
    raise ConfigError(f"adapters of the method {method} are not known here", "Merge it with PEFT, and load the result")


def attach(model: Model, adapter: Adapter, run: Run) -> None:
    """Write a model that carries an adapter, unmerged: the same weights, and the adapter's folder beside them. Whoever answers
    with it, measures it or releases it has the adapter on; what would change its weights refuses it.

    Raises ConfigError for a model in GGUF form, one that carries an adapter already, and an adapter of another model.
    """
    model.check()
    adapter.check()
    if model.form != "safetensors":
        raise ConfigError("an adapter stands on the safetensors form of a model", "Load it with form = 'safetensors'")
    refuse_carried(model.path)
    config = read_json(adapter.path / "adapter_config.json")
    adapted(read_module(model.path, "float32"), adapter)
    for path in (model.path / "config.json", *sorted(model.path.glob("*.safetensors*"))):
        try:
            os.link(path, run.out / path.name)
        except OSError:  # another disk
            shutil.copyfile(path, run.out / path.name)
    (run.out / ADAPTER).mkdir()
    for name in Adapter.required:
        shutil.copyfile(adapter.path / name, run.out / ADAPTER / name)
    carry(model.path, run.out, changed(model.card, f"an adapter ({config['peft_type']}) stands on it, unmerged"))


def made_for(config: dict[str, Any]) -> str:
    """A remedy that names the model of an adapter."""
    return f"It was made for '{config.get('base_model_name_or_path')}'"


def _twin(module: PreTrainedModel) -> PreTrainedModel:
    """Another module of the same layers over the same weights."""
    shared = {id(one): one for one in itertools.chain(module.parameters(), module.buffers())}
    return copy.deepcopy(module, shared)


def _with_layers(module: PreTrainedModel, adapter: Adapter, config: dict[str, Any]) -> PreTrainedModel:
    try:
        from peft import PeftModel
    except ModuleNotFoundError as error:
        raise MissingExtra("peft", "models") from error
    try:
        wrapped = PeftModel.from_pretrained(module, str(adapter.path), autocast_adapter_dtype=False)
    except (ValueError, RuntimeError) as error:
        raise ConfigError(f"the adapter does not fit the model: {error}", made_for(config)) from error
    found: PreTrainedModel = wrapped.get_base_model().eval()
    return found


def _tokens_cache(module: PreTrainedModel, learnt_VD: torch.Tensor) -> Callable[[int], Any]:
    def make(rows: int) -> Any:
        embedded_RVD = learnt_VD.expand(rows, -1, -1)
        return module(inputs_embeds=embedded_RVD, use_cache=True, logits_to_keep=1).past_key_values

    return make


def _pairs_cache(module: PreTrainedModel, learnt_VX: torch.Tensor, heads: int) -> Callable[[int], Any]:
    from transformers import DynamicCache

    count = len(learnt_VX)
    pairs = learnt_VX.view(count, 2 * module.config.get_text_config().num_hidden_layers, heads, -1).permute(1, 2, 0, 3)

    def make(rows: int) -> Any:
        cache = DynamicCache(config=module.config)
        for layer in range(len(pairs) // 2):
            key, value = (pairs[2 * layer + at].expand(rows, -1, -1, -1) for at in (0, 1))
            cache.update(key, value, layer)
        return cache

    return make
