"""The state of a training run as one safetensors file: written aside, synced, renamed, so that a kill leaves the old one.

No pickle: tensors, and a line of JSON in the file's own metadata.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

_NAME = "checkpoint.safetensors"


def path(folder: Path) -> Path:
    """Where a folder keeps its checkpoint."""
    return folder / _NAME


def save(folder: Path, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
    """Replace the folder's checkpoint."""
    part = folder / f"{_NAME}.part"
    save_file(tensors, part, metadata={"state": json.dumps(state)})
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path(folder))


def load(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """The folder's checkpoint, or none when there is none that can be read: then training starts anew, which is slower
    and gives the same result."""
    if not path(folder).is_file():
        return None
    try:
        with safe_open(path(folder), "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["state"])  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError):
        return None
