"""A model as the training steps read it, and what they write of a finished training."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from septet.core import ConfigError, Run
from septet.files import read_json, write_json
from septet.kinds import Model
from septet.model import architecture
from septet.model.folder import refuse_carried
from septet.model.processor import device
from septet.model.torch_folder import read_module
from septet.train.attention import ATTENTION, register
from septet.train.fused import fuse
from septet.train.loop import Trained

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_ELSEWHERE = {architecture.SPEECH: "train.speech", architecture.PAINTER: "train.image_codes, then train.image"}


def trainable(model: Model, precision: str, compiled: bool = False) -> PreTrainedModel:
    """The module of a model, with layers that compute in one operation each, attending to the texts of a batch as
    `train.attention` does; an encoder-decoder attends as its library does. `compiled`: torch's compiler makes the layers
    instead of `train.fused`, for which it needs a C++ compiler on a CPU. Raises ConfigError where there is none."""
    if architecture.kind(read_json(model.path / "config.json")) == architecture.ENCODER_DECODER:
        return to_device(read_module(model.path, precision))
    register()
    module = to_device(read_module(model.path, precision, ATTENTION))
    if compiled:
        compile_layers(module)
    else:
        fuse(module)
    return module


def compile_layers(module: PreTrainedModel) -> None:
    """Let torch's compiler make each layer the first time that it is used. Raises ConfigError without a C++ compiler."""
    if device() == "cpu" and not any(map(shutil.which, ("g++", "clang++", "c++"))):
        raise ConfigError(
            "torch's compiler needs a C++ compiler here", "Install one (g++), or leave out compile = true"
        )
    for layer in module.modules():
        if isinstance(layer, torch.nn.ModuleList):
            for one in layer:
                one.compile(dynamic=True)


def to_device(module: PreTrainedModel) -> PreTrainedModel:
    """The module on the device that there is; its bits are the same for the same device only."""
    module.to(device())  # type: ignore[arg-type]
    return module


def check_trainable(model: Model) -> None:
    """Raises ConfigError for a model that cannot be trained, or not on text."""
    model.check()
    if model.form != "safetensors":
        raise ConfigError("a GGUF model is quantised and cannot be trained", "Load it with form = 'safetensors'")
    kind = architecture.kind(read_json(model.path / "config.json"))
    if kind in _ELSEWHERE:
        raise ConfigError("this model does not learn from text alone", f"Train it with {_ELSEWHERE[kind]}")
    refuse_carried(model.path)


def write_log(trained: Trained, more: Mapping[str, object], run: Run) -> None:
    """training.json: the loss of each step. It is a function of the inputs, so it may stand in the artifact."""
    losses = [round(loss, 5) for loss in trained.losses]
    write_json(run.out / "training.json", {"steps": len(losses), "tokens": trained.tokens, "losses": losses, **more})
