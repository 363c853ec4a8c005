"""Small layers kept beside a model's weights, in `heads/NAME.safetensors`: a folder of their own, because the files beside
config.json are the model's weights to whoever reads them."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from septet.core import ConfigError


def write(folder: Path, name: str, weights: dict[str, torch.Tensor]) -> None:
    """float32; the same bytes for the same weights."""
    kept = {key: weight.detach().float().contiguous() for key, weight in sorted(weights.items())}
    (folder / "heads").mkdir(exist_ok=True)
    save_file(kept, folder / "heads" / f"{name}.safetensors", metadata={"format": "pt"})


def read(folder: Path, name: str, made_by: str) -> dict[str, torch.Tensor]:
    """The weights of a head. Raises ConfigError that names the step which makes it, when there is none that can be read."""
    path = folder / "heads" / f"{name}.safetensors"
    if not path.is_file():
        raise ConfigError(f"the model in {folder} has no head '{name}'", f"Give a model made by {made_by}")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ConfigError(f"{path} cannot be read: {error}", "Make the model again") from error
