"""A model as the training steps read it, and what they write of a finished training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from septet.core import ConfigError, Run
from septet.kinds import Model, read_json, write_json
from septet.model import architecture
from septet.model.folder import refuse_carried
from septet.model.processor import device
from septet.model.torch_folder import read_module
from septet.train.attention import ATTENTION, register
from septet.train.fused import fuse
from septet.train.loop import Trained

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def trainable(model: Model, precision: str) -> PreTrainedModel:
    """The module of a model, with layers that compute in one operation each, attending to the texts of a batch as
    `train.attention` does; an encoder-decoder attends as its library does."""
    if architecture.kind(read_json(model.path / "config.json")) == architecture.ENCODER_DECODER:
        return to_device(read_module(model.path, precision))
    register()
    module = to_device(read_module(model.path, precision, ATTENTION))
    fuse(module)
    return module


def to_device(module: PreTrainedModel) -> PreTrainedModel:
    """The module on the device that there is; its bits are the same for the same device only."""
    module.to(device())  # type: ignore[arg-type]
    return module


def check_trainable(model: Model) -> None:
    """Raises ConfigError for a model that cannot be trained."""
    model.check()
    if model.form != "safetensors":
        raise ConfigError("a GGUF model is quantised and cannot be trained", "Load it with form = 'safetensors'")
    refuse_carried(model.path)


def write_log(trained: Trained, more: Mapping[str, object], run: Run) -> None:
    """training.json: the loss of each step. It is a function of the inputs, so it may stand in the artifact."""
    losses = [round(loss, 5) for loss in trained.losses]
    write_json(run.out / "training.json", {"steps": len(losses), "tokens": trained.tokens, "losses": losses, **more})
