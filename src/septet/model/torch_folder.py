"""A model folder as a transformers module and back. Safetensors only; code inside a model folder is never run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError, MissingExtra
from septet.files import read_json, refuse_pickle, write_json
from septet.model import architecture

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_AUTO = {
    architecture.DECODER: "AutoModelForCausalLM",
    architecture.ENCODER: "AutoModelForMaskedLM",
    architecture.ENCODER_DECODER: "AutoModelForSeq2SeqLM",
    architecture.SPEECH: "AutoModelForSpeechSeq2Seq",
}


def read_module(folder: Path, precision: str, attention: str = "sdpa") -> PreTrainedModel:
    """The language model in a folder, causal, masked or from sequence to sequence as its config says, on the CPU, in
    evaluation mode.

    `attention`: `sdpa`, torch's own kernel, or `eager`, plain matrix products, which hold all scores of a layer at once.

    Raises ConfigError for pickle files, for models that need code of their own, and for weights that cannot be read or are
    not all there.
    """
    refuse_pickle(folder)
    config = read_json(folder / "config.json")
    if "auto_map" in config:
        raise ConfigError(
            f"the model in {folder} wants to run code of its own (auto_map in config.json)",
            "Use a model of a standard architecture",
        )
    if architecture.kind(config) not in _AUTO:
        raise ConfigError(f"{folder} holds no model of text or speech", "A model that draws is used by septet paint")
    try:
        import torch
        import transformers
        from safetensors import SafetensorError
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "transformers", "models") from error
    try:
        with _quiet():
            module, told = getattr(transformers, _AUTO[architecture.kind(config)]).from_pretrained(
                str(folder),
                output_loading_info=True,
                dtype=getattr(torch, precision),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                attn_implementation=attention,
            )
    except (OSError, ValueError, SafetensorError, RuntimeError) as error:
        raise ConfigError(f"the model in {folder} cannot be read: {error}", "Fetch or make it again") from error
    if told["missing_keys"]:
        raise ConfigError(
            f"the model in {folder} lacks {len(told['missing_keys'])} weights, the first: {min(told['missing_keys'])}",
            "They would be random: use a folder that holds the whole model with its output layer",
        )
    found: PreTrainedModel = module.eval()
    return found


def new_module(config: dict[str, Any], seed: int) -> PreTrainedModel:
    """A model with random weights, the same for the same seed. float32."""
    import torch

    with torch.random.fork_rng(devices=[]), _quiet():
        torch.manual_seed(seed)
        return _made(config)


def empty_module(config: dict[str, Any]) -> PreTrainedModel:
    """A model without memory for its weights, on torch's meta device: to count and name them."""
    import torch

    with torch.device("meta"), _quiet():
        return _made(config)


def _made(config: dict[str, Any]) -> PreTrainedModel:
    import torch
    import transformers

    settings = {key: value for key, value in config.items() if key not in ("model_type", "architectures", "dtype")}
    try:
        built = transformers.AutoConfig.for_model(config["model_type"], **settings)
        auto = getattr(transformers, _AUTO[architecture.kind(config)])
        module: PreTrainedModel = auto.from_config(built, dtype=torch.float32).eval()
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"no model can be made of this config.json: {error}", "Use the config of a standard architecture"
        ) from error
    return module


def write_module(weights: dict[str, torch.Tensor], config: dict[str, Any], folder: Path, precision: str) -> None:
    """config.json and model.safetensors: the same bytes for the same weights. What is tied to another is not written twice."""
    import torch
    from safetensors.torch import save_file

    kind = getattr(torch, precision)
    tied = empty_module(config).all_tied_weights_keys
    kept = {name: weight.detach().to(kind).contiguous() for name, weight in sorted(weights.items()) if name not in tied}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", {**config, "dtype": precision})


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's progress bars: a step reports through its run."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    level = logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
