"""Adapters put on a model through PEFT, and kept as a folder: low-rank ones (https://arxiv.org/abs/2106.09685), also with the
lengths of rows apart (DoRA, https://arxiv.org/abs/2402.09353) or on a base of 4 bits (QLoRA, https://arxiv.org/abs/2305.14314),
and factors (IA3, https://arxiv.org/abs/2205.05638). Virtual tokens are in `prompts`.

PEFT owns the layers and the format of the folder, so that every tool which reads PEFT adapters reads these.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from septet.core import ConfigError, MissingExtra
from septet.files import write_json
from septet.kinds import Model
from septet.train.tuning.lowrank import fuse_lowrank

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


_ATTENTION = ("self_attn", "attn", "attention")
_MLP = ("mlp", "feed_forward", "block_sparse_moe")
_LINEAR = ("Linear", "Linear4bit", "Conv1D")


def put_on(
    module: PreTrainedModel,
    rank: int,
    alpha: int,
    dropout: float,
    seed: int,
    targets: str = "all-linear",
    dora: bool = False,
) -> PeftModel:
    """Fresh low-rank adapters on the linear layers but the output layer: all, or those of attention or of the feed-forward
    parts. The module itself is changed and frozen.

    They are kept in the module's own precision: the optimiser holds float32 copies, and float32 products of rank 16
    between bfloat16 layers made a step a fifth slower (2026-11, 2 cores). Raises ConfigError where no layer is found.
    """
    peft = _peft()
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=_linear_layers(module, targets),
        use_dora=dora,
        fan_in_fan_out=_is_turned(module),
        task_type="CAUSAL_LM",
    )
    wrapped = _wrapped(module, config, seed)
    if not dora:  # its layers add more than one product
        fuse_lowrank(wrapped)
    return wrapped


def put_factors_on(module: PreTrainedModel, seed: int) -> PeftModel:
    """Fresh factors, all one, of the keys, values and feed-forward features, where PEFT knows their layers' names."""
    peft = _peft()
    try:
        return _wrapped(module, peft.IA3Config(task_type="CAUSAL_LM", fan_in_fan_out=_is_turned(module)), seed)
    except ValueError as error:
        raise ConfigError(
            f"no place for factors is known in a model of type {module.config.model_type}: {error}",
            "Use train.lora, which fits any linear layer",
        ) from error


def check_quantised() -> None:
    """Raises ConfigError where a base of 4 bits cannot be trained on, before anything is loaded."""
    if not torch.cuda.is_available():
        raise ConfigError(
            "quantised training holds the model in 4 bits, which needs an NVIDIA GPU; this machine shows none",
            "Leave quantised out, or run it where there is one",
        )
    if find_spec("bitsandbytes") is None:
        raise ConfigError("quantised training needs the package bitsandbytes", "pip install bitsandbytes")


def quantised_module(model: Model, precision: str, attention: str) -> PreTrainedModel:
    """The module of a model with its linear layers in 4 bits (NF4 with quantised scales) on the GPU."""
    import transformers

    library: Any = transformers
    kind = getattr(torch, precision)
    config = library.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=kind
    )
    module: PreTrainedModel = library.AutoModelForCausalLM.from_pretrained(
        str(model.path),
        quantization_config=config,
        dtype=kind,
        device_map={"": 0},
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        attn_implementation=attention,
    )
    return module


def _peft() -> Any:
    try:
        import peft
    except ModuleNotFoundError as error:
        raise MissingExtra("peft", "models") from error
    return peft


def _wrapped(module: PreTrainedModel, config: Any, seed: int) -> PeftModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        wrapped: PeftModel = _peft().get_peft_model(module, config, autocast_adapter_dtype=False)
    return wrapped


def _linear_layers(module: PreTrainedModel, targets: str) -> list[str]:
    """What the names of the linear layers end in: of all but the output layer, or of those inside one sort of part. Weights of
    experts that are held as one tensor are no layers, and stay as they are."""
    parts = {"attention": _ATTENTION, "mlp": _MLP}.get(targets)
    output = module.get_output_embeddings()
    found = {
        ".".join(name.split(".")[-2:])
        for name, layer in module.named_modules()
        if type(layer).__name__ in _LINEAR
        and layer is not output
        and (parts is None or set(parts) & set(name.split(".")[:-1]))
    }
    if not found:
        raise ConfigError(
            f"no linear layer of {targets} is known in a model of type {module.config.model_type}",
            "Use targets = 'all-linear'",
        )
    return sorted(found)


def _is_turned(module: PreTrainedModel) -> bool:
    """Whether linear layers hold their weight the other way round, as GPT-2's do."""
    return any(type(layer).__name__ == "Conv1D" for layer in module.modules())


def write_adapter(wrapped: PeftModel, base: Mapping[str, Any], folder: Path) -> None:
    """adapter_config.json and adapter_model.safetensors; the same bytes for the same weights, no path of this machine."""
    from peft import get_peft_model_state_dict

    weights = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    config = wrapped.peft_config["default"].to_dict()
    config.pop("peft_version", None)
    write_folder(weights, config | {"inference_mode": True}, base, folder)


def write_folder(
    weights: Mapping[str, torch.Tensor], config: Mapping[str, Any], base: Mapping[str, Any], folder: Path
) -> None:
    """The two files of any adapter; `base` is the card of the model that it was trained on."""
    from safetensors.torch import save_file

    kept = {name: weight.detach().contiguous().cpu() for name, weight in sorted(weights.items())}
    save_file(kept, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    said = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
    write_json(folder / "adapter_config.json", said | {"base_model_name_or_path": base["name"]})
