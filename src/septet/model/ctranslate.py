"""Whisper weights in CTranslate2's form (version 6 of its binary file), as packages carry them, into a Hugging Face folder.

The file: version, name and revision of the layout, then each weight with name, sizes and type, then names that stand for
others (https://github.com/OpenNMT/CTranslate2, `python/ctranslate2/specs/model_spec.py`). Weights must be float16 or float32.
"""

from __future__ import annotations

import re
import shutil
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError, Run
from septet.files import read_json, write_json
from septet.model import speech
from septet.model.folder import token_ids

if TYPE_CHECKING:
    import numpy as np
    import torch

WEIGHTS = "model.bin"
_BESIDE = ("config.json", "tokenizer.json", "preprocessor_config.json")
_TYPES = ("float32", "int8", "int16", "int32", "float16")
_WHOLE = {
    "encoder/conv1": "encoder.conv1",
    "encoder/conv2": "encoder.conv2",
    "encoder/layer_norm": "encoder.layer_norm",
    "decoder/layer_norm": "decoder.layer_norm",
    "encoder/position_encodings/encodings": "encoder.embed_positions.weight",
    "decoder/position_encodings/encodings": "decoder.embed_positions.weight",
    "decoder/embeddings": "decoder.embed_tokens",
}
_PARTS = {
    "self_attention/layer_norm": ("self_attn_layer_norm",),
    "self_attention/linear_0": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attention/linear_1": ("self_attn.out_proj",),
    "attention/layer_norm": ("encoder_attn_layer_norm",),
    "attention/linear_0": ("encoder_attn.q_proj",),
    "attention/linear_1": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
    "attention/linear_2": ("encoder_attn.out_proj",),
    "ffn/layer_norm": ("final_layer_norm",),
    "ffn/linear_0": ("fc1",),
    "ffn/linear_1": ("fc2",),
}
_LAYER = re.compile(r"(encoder|decoder)/layer_(\d+)/(.+)/(\w+)")


def is_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"


def gathered(weights: Path, files: Sequence[Path]) -> Path:
    """The weights and what a package holds beside them, in one folder. Raises ConfigError where they are of no known form."""
    with weights.open("rb") as file:
        head = file.read(64)
    if b"WhisperSpec" not in head:
        raise ConfigError("the package's weights are neither GGUF nor a Whisper of CTranslate2", "Take another package")
    folder = weights.with_name("ctranslate2")
    folder.mkdir(exist_ok=True)
    weights.replace(folder / WEIGHTS)
    for name in _BESIDE:
        found = next((one for one in files if one.name == name), None)
        if found is not None:
            shutil.copyfile(found, folder / name)
    return folder


def write_folder(source: Path, run: Run) -> dict[str, Any]:
    """Write config, weights (float32), tokenizer and settings. Raises ConfigError for weights that are quantised or broken."""
    from septet.model.torch_folder import write_module

    try:
        held = _read((source / WEIGHTS).read_bytes())
        shape = _shape(held)
    except (struct.error, KeyError, ValueError, IndexError) as error:
        raise ConfigError(f"{WEIGHTS} is no whole Whisper of CTranslate2: {error}", "Fetch it again") from error
    given = read_json(source / "config.json")
    shutil.copyfile(source / "tokenizer.json", run.out / "tokenizer.json")
    ids = token_ids(run.out)
    end, start = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
    shape |= {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end, "decoder_start_token_id": start}
    write_json(run.out / "tokenizer_config.json", {"tokenizer_class": "WhisperTokenizer", "eos_token": "<|endoftext|>"})
    speech.write_preprocessor(run.out, shape["num_mel_bins"], 30)
    several = shape["vocab_size"] >= 51_865  # the English-only ones have one id less
    skipped = {"suppress_tokens": given.get("suppress_ids"), "begin_suppress_tokens": given.get("suppress_ids_begin")}
    write_json(
        run.out / "generation_config.json",
        {**skipped, "is_multilingual": several, "eos_token_id": end, "decoder_start_token_id": start},
    )
    weights = _renamed(held, shape["d_model"])
    write_module(weights, shape, run.out, "float32")
    total = sum(weight.numel() for weight in weights.values())
    changes = ["converted from CTranslate2 to safetensors in float32"]
    return {"name": "Whisper", "parameters": total, "context": shape["max_target_positions"], "changes": changes}


def _read(data: bytes) -> dict[str, np.ndarray]:
    import numpy as np

    place = 0

    def number(form: str) -> int:
        nonlocal place
        (value,) = struct.unpack_from(f"<{form}", data, place)
        place += struct.calcsize(form)
        return int(value)

    def name() -> str:
        nonlocal place
        size = number("H")
        place += size
        return data[place - size : place - 1].decode()

    if number("I") != 6 or name() != "WhisperSpec":
        raise ValueError("another version or another kind of model")
    number("I")
    held = {}
    for _ in range(number("I")):
        called = name()
        sizes = [number("I") for _ in range(number("B"))]
        kind, size = _TYPES[number("B")], number("I")
        held[called] = np.frombuffer(data[place : place + size], kind).reshape(sizes)
        place += size
    return held


def _shape(held: dict[str, np.ndarray]) -> dict[str, Any]:
    bands = held["encoder/conv1/weight"].shape[1]
    vocabulary, width = held["decoder/embeddings/weight"].shape
    sides: dict[str, Any] = {}
    for side in ("encoder", "decoder"):
        layers = {int(match[2]) for name in held if (match := _LAYER.fullmatch(name)) and match[1] == side}
        sides |= {f"{side}_layers": len(layers), f"{side}_attention_heads": int(held[f"{side}/num_heads"])}
        sides[f"{side}_ffn_dim"] = held[f"{side}/layer_0/ffn/linear_0/weight"].shape[0]
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "is_encoder_decoder": True,
        "vocab_size": vocabulary,
        "d_model": width,
        **sides,
        "num_mel_bins": bands,
        "max_source_positions": held["encoder/position_encodings/encodings"].shape[0],
        "max_target_positions": held["decoder/position_encodings/encodings"].shape[0],
        "activation_function": "gelu",
    }


def _renamed(held: dict[str, np.ndarray], width: int) -> dict[str, torch.Tensor]:
    """Under the names of transformers; what was joined (queries, keys, values) is cut apart. Keys have no bias there."""
    import torch

    roles = {"gamma": "weight", "beta": "bias"}
    made = {}
    for name, value in held.items():
        if value.ndim == 0 or name.startswith("decoder/alignment"):
            continue
        if value.dtype.kind != "f":
            raise ConfigError("these Whisper weights are quantised", "Take a package with float16 or float32 weights")
        weight = torch.from_numpy(value.astype("float32"))
        layer = _LAYER.fullmatch(name)
        if layer is None:
            stem, _, role = name.rpartition("/")
            whole = _WHOLE.get(name) or f"{_WHOLE[stem]}.{roles.get(role, role)}"
            made[f"model.{whole}"] = weight
            continue
        side, number, part, role = layer.groups()
        names = _PARTS[part]
        for at, one in enumerate(names):
            if role == "bias" and one.endswith("k_proj"):
                continue
            cut = weight[at * width : (at + 1) * width] if len(names) > 1 else weight
            made[f"model.{side}.layers.{number}.{one}.{roles.get(role, role)}"] = cut
    return made
