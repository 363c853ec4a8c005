"""The decoder families that Septet converts between Hugging Face folders and GGUF: names, shapes and their two traps.

Both directions read the same tables, so that a model that came from GGUF goes back to GGUF unchanged.
The traps: Gemma's norms are stored as `weight` by Hugging Face and as `1 + weight` in GGUF; Llama's rotary pairs lie
half a head apart in the one and side by side in the other.

Names: https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/tensor_mapping.py
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from septet.core import ConfigError
from septet.model.gguf_file import GgufFile

_OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_GEMMA_LAYER = _LAYER | {
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
_GEMMA_LOCAL_ROPE = 10000.0
_GEMMA_PATTERN = 6
"""Gemma 3 attends to everything in each sixth layer and to a window in the others; llama.cpp has the 6 built in."""


@dataclass(frozen=True)
class Family:
    """One architecture under its two names."""

    gguf: str
    model_type: str
    architecture: str
    layer: Mapping[str, str] = field(default_factory=lambda: _LAYER)
    norm_shift: float = 0.0
    paired_rotary: bool = False


FAMILIES = (
    Family("llama", "llama", "LlamaForCausalLM", paired_rotary=True),
    Family("qwen2", "qwen2", "Qwen2ForCausalLM"),
    Family("gemma3", "gemma3_text", "Gemma3ForCausalLM", _GEMMA_LAYER, norm_shift=1.0),
)


def of_gguf(file: GgufFile) -> Family:
    """The family of a GGUF file. Raises ConfigError for one that is not known."""
    name = file.get("general.architecture")
    for family in FAMILIES:
        if family.gguf == name:
            return family
    raise ConfigError(
        f"{file.path.name} has the architecture '{name}'",
        f"Of GGUF, these decoders are read: {', '.join(f.gguf for f in FAMILIES)}; bring others in as a folder of safetensors",
    )


def of_config(config: Mapping[str, Any]) -> Family:
    """The family of a Hugging Face config. Raises ConfigError for one that is not known."""
    for family in FAMILIES:
        if family.model_type == config.get("model_type"):
            return family
    raise ConfigError(
        f"the model type '{config.get('model_type')}' has no GGUF form here",
        f"These have: {', '.join(f.model_type for f in FAMILIES)}",
    )


def hf_name(family: Family, name: str) -> str:
    """`blk.3.attn_q.weight` -> `model.layers.3.self_attn.q_proj.weight`."""
    base, _, suffix = name.rpartition(".")
    if base in _OUTER:
        return f"{_OUTER[base]}.{suffix}"
    block, _, inner = base.partition(".")
    layer, _, part = inner.partition(".")
    if block != "blk" or part not in family.layer:
        raise ConfigError(
            f"the tensor '{name}' is not part of a {family.gguf} model as it is read here",
            "Use a model without extensions of its architecture",
        )
    return f"model.layers.{layer}.{family.layer[part]}.{suffix}"


def gguf_name(family: Family, name: str) -> str:
    """The other way round."""
    base, _, suffix = name.rpartition(".")
    for short, long in _OUTER.items():
        if base == long:
            return f"{short}.{suffix}"
    layer, _, part = base.removeprefix("model.layers.").partition(".")
    for short, long in family.layer.items():
        if part == long:
            return f"blk.{layer}.{short}.{suffix}"
    raise ConfigError(
        f"the tensor '{name}' has no GGUF name in a {family.gguf} model",
        "Export a model without extensions of its architecture",
    )


def to_hf(family: Family, name: str, array: np.ndarray, config: Mapping[str, Any]) -> np.ndarray:
    """A GGUF tensor in the layout of Hugging Face."""
    if family.norm_shift and "norm" in name:
        return array - family.norm_shift
    if family.paired_rotary and (heads := _rotary_heads(name, config)):
        return array.reshape(heads, array.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(array.shape)
    return array


def to_gguf(family: Family, name: str, array: np.ndarray, config: Mapping[str, Any]) -> np.ndarray:
    """A Hugging Face tensor, named as in GGUF, in the layout of GGUF."""
    if family.norm_shift and "norm" in name:
        return array + family.norm_shift
    if family.paired_rotary and (heads := _rotary_heads(name, config)):
        return array.reshape(heads, 2, array.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(array.shape)
    return array


def hf_config(family: Family, file: GgufFile) -> dict[str, Any]:
    """config.json of a GGUF file's model, without what only weights can tell (vocabulary size, tied tables)."""
    if (
        any(info.name.startswith("rope_freqs") for info in file.tensors)
        or file.get("{arch}.rope.scaling.type", "none") != "none"
    ):
        raise ConfigError(
            f"{file.path.name} stretches its rotary positions",
            "Models without rope scaling are read; load the Hugging Face folder instead",
        )
    heads = int(_needed(file, "{arch}.attention.head_count"))
    width = int(_needed(file, "{arch}.embedding_length"))
    num_layers = int(_needed(file, "{arch}.block_count"))
    theta = float(file.get("{arch}.rope.freq_base", 10000.0))
    config: dict[str, Any] = {
        "architectures": [family.architecture],
        "model_type": family.model_type,
        "dtype": "bfloat16",
        "hidden_size": width,
        "intermediate_size": int(_needed(file, "{arch}.feed_forward_length")),
        "num_hidden_layers": num_layers,
        "num_attention_heads": heads,
        "num_key_value_heads": int(file.get("{arch}.attention.head_count_kv", heads)),
        "head_dim": int(file.get("{arch}.attention.key_length", width // heads)),
        "max_position_embeddings": int(_needed(file, "{arch}.context_length")),
        "rms_norm_eps": round(float(_needed(file, "{arch}.attention.layer_norm_rms_epsilon")), 12),
        "rope_parameters": {"rope_type": "default", "rope_theta": theta},
        "bos_token_id": file.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": file.get("tokenizer.ggml.eos_token_id"),
        "pad_token_id": file.get("tokenizer.ggml.padding_token_id"),
    }
    if family.model_type == "gemma3_text":
        config["sliding_window"] = int(_needed(file, "{arch}.attention.sliding_window"))
        config["query_pre_attn_scalar"] = config["head_dim"]
        config["hidden_activation"] = "gelu_pytorch_tanh"
        config["layer_types"] = [
            "sliding_attention" if (i + 1) % _GEMMA_PATTERN else "full_attention" for i in range(num_layers)
        ]
        config["rope_parameters"] = {
            "full_attention": {"rope_type": "default", "rope_theta": theta},
            "sliding_attention": {"rope_type": "default", "rope_theta": _GEMMA_LOCAL_ROPE},
        }
    else:
        config["hidden_act"] = "silu"
    return config


def gguf_metadata(family: Family, config: Mapping[str, Any]) -> dict[str, Any]:
    """The architecture keys of a GGUF file, from config.json. Raises ConfigError for what the GGUF form cannot say."""
    rope = config.get("rope_parameters") or {"rope_theta": config.get("rope_theta", 10000.0)}
    heads = int(config["num_attention_heads"])
    head_width = int(config.get("head_dim") or config["hidden_size"] // heads)
    metadata: dict[str, Any] = {
        "context_length": int(config["max_position_embeddings"]),
        "embedding_length": int(config["hidden_size"]),
        "block_count": int(config["num_hidden_layers"]),
        "feed_forward_length": int(config["intermediate_size"]),
        "attention.head_count": heads,
        "attention.head_count_kv": int(config.get("num_key_value_heads") or heads),
        "attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "attention.key_length": head_width,
        "attention.value_length": head_width,
    }
    if family.model_type == "gemma3_text":
        types = config.get("layer_types") or []
        expected = ["sliding_attention" if (i + 1) % _GEMMA_PATTERN else "full_attention" for i in range(len(types))]
        if types != expected:
            raise ConfigError(
                "this Gemma model mixes its attention layers in its own order",
                "Its GGUF form would be wrong; serve the safetensors form",
            )
        metadata["attention.sliding_window"] = int(config["sliding_window"])
        rope = rope.get("full_attention", rope)
    else:
        metadata["rope.dimension_count"] = head_width
        metadata["vocab_size"] = int(config["vocab_size"])
    if rope.get("rope_type", "default") != "default":
        raise ConfigError(
            f"the rotary positions are of type '{rope['rope_type']}'",
            "Its GGUF form would be wrong; serve the safetensors form",
        )
    metadata["rope.freq_base"] = float(rope["rope_theta"])
    return metadata


def _rotary_heads(name: str, config: Mapping[str, Any]) -> int:
    part = name.rsplit(".", 2)[-2]
    if part == "attn_q":
        return int(config["num_attention_heads"])
    return int(config.get("num_key_value_heads") or config["num_attention_heads"]) if part == "attn_k" else 0


def _needed(file: GgufFile, key: str) -> Any:
    value = file.get(key)
    if value is None:
        name = key.replace("{arch}", str(file.get("general.architecture")))
        raise ConfigError(f"{file.path.name} lacks the key '{name}'", "Fetch the file again, or convert the model anew")
    return value
