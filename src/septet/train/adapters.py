"""Low-rank adapters (https://arxiv.org/abs/2106.09685) through PEFT: put on a model, and kept as a folder.

PEFT owns the layers and the format of the folder, so that every tool which reads PEFT adapters reads these.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from septet.core import MissingExtra
from septet.kinds import write_json
from septet.train.fused import fuse, fuse_norms

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


def put_on(module: PreTrainedModel, rank: int, alpha: int, dropout: float, seed: int) -> PeftModel:
    """Fresh adapters on every linear layer but the output layer. The module itself is changed and frozen.

    They are kept in the module's own precision: the optimiser holds float32 copies, and float32 products of rank 16
    between bfloat16 layers made a step a fifth slower (2026-11, 2 cores).
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ModuleNotFoundError as error:
        raise MissingExtra("peft", "models") from error
    config = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        wrapped = get_peft_model(module, config, autocast_adapter_dtype=False)
    fuse(wrapped)
    fuse_norms(module)
    return wrapped


def write_adapter(wrapped: PeftModel, base: dict[str, Any], folder: Path) -> None:
    """adapter_config.json and adapter_model.safetensors; the same bytes for the same weights, no path of this machine."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    weights = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    kept = {name: weight.detach().contiguous() for name, weight in sorted(weights.items())}
    save_file(kept, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = wrapped.peft_config["default"].to_dict()
    config = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
    config["base_model_name_or_path"] = base["name"]
    config["inference_mode"] = True
    config.pop("peft_version", None)
    write_json(folder / "adapter_config.json", config)
