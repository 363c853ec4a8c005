"""Small layers kept beside a model's weights, in `heads/NAME.safetensors`: a folder of their own, because the files beside
config.json are the model's weights to whoever reads them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from septet.core import ConfigError
from septet.kinds import Model
from septet.model.folder import carry, changed

_NARROWEST = 64
"""Few units could all fall silent at once."""


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


def beside(model: Model, folder: Path, change: str) -> None:
    """Take over a whole model as it is, for heads to be put beside it."""
    for path in sorted(model.path.glob("*.safetensors*")):
        shutil.copyfile(path, folder / path.name)
    shutil.copyfile(model.path / "config.json", folder / "config.json")
    carry(model.path, folder, changed(model.card, change))


class Perceptron(torch.nn.Sequential):
    """A head of two layers, the same weights for the same generator; it begins by saying zero of everything."""

    def __init__(self, width: int, outputs: int, chance: torch.Generator) -> None:
        middle = max(width, _NARROWEST)
        first = torch.nn.Linear(width, middle)
        super().__init__(first, torch.nn.ReLU(), torch.nn.Linear(middle, outputs))
        with torch.no_grad():
            for weight in self.parameters():
                weight.zero_()
            first.weight.copy_(torch.randn(middle, width, generator=chance) / width**0.5)


def follow(target: torch.nn.Module, source: torch.nn.Module, share: float) -> None:
    """Move a target network a share of the way to the one it follows (Polyak averaging); 1: copy it."""
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), source.parameters(), strict=True):
            slow.lerp_(fast, share)


def named(prefix: str, modules: Sequence[torch.nn.Module]) -> dict[str, torch.Tensor]:
    """The weights of some networks by name, as they are (not copies)."""
    return {
        f"{prefix}.{number}.{name}": weight.detach()
        for number, module in enumerate(modules)
        for name, weight in module.named_parameters()
    }
