"""How many parameters a model has, and what memory training it takes: from its config.json alone, without torch.

`Shape` reads every family's own names for its sizes. Counts are exact to the parameter for the families of `EXACT`; any other
decoder is taken for a gated one of Llama's type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from septet.core import ConfigError
from septet.model import architecture

EXACT = (
    *("llama", "qwen2", "qwen3", "qwen3_moe", "mixtral", "gemma3_text", "gpt2"),
    *("bert", "modernbert", "t5", "bart"),
)
_BYTES = {"float32": 4, "bfloat16": 2}
ADAM_BYTES = 12
"""A float32 copy of the weight and two moments, for each trained parameter."""
_BART_OFFSET = 2
"""BART's tables of positions begin with two rows that nothing reads."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a model under one set of names. `layers` are the encoder's where there is one; `decoder_layers` are those
    that also look at an encoder. `windows`: for each layer the tokens it sees to one side and itself, 0: all."""

    model_type: str
    kind: str
    vocabulary: int
    width: int
    layers: int
    decoder_layers: int
    heads: int
    kv_heads: int
    head_width: int
    feed_forward: int
    gated: bool
    context: int
    tied: bool
    windows: tuple[int, ...]
    experts: int = 0
    experts_per_token: int = 0
    dense_layers: int = 0
    dense_width: int = 0
    """Layers of a mixture that have one feed-forward layer instead of experts, and its width."""

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """Raises ConfigError when the config does not say enough."""
        kind = architecture.kind(config)
        if kind in (architecture.SPEECH, architecture.PAINTER):
            raise ConfigError("the formulas count text models alone", "The card of this model says its parameters")
        layers = _first(config, "num_hidden_layers", "n_layer", "num_layers", "encoder_layers")
        heads = _first(config, "num_attention_heads", "n_head", "num_heads", "encoder_attention_heads")
        width = _first(config, "hidden_size", "n_embd", "d_model")
        model_type = str(config.get("model_type"))
        decoder_layers = 0
        if kind == architecture.ENCODER_DECODER:
            decoder_layers = int(config.get("num_decoder_layers") or config.get("decoder_layers") or layers)
        experts = int(config.get("num_experts") or config.get("num_local_experts") or 0)
        step = int(config.get("decoder_sparse_step") or 1)
        dense = set(config.get("mlp_only_layers") or ()) | {layer for layer in range(layers) if (layer + 1) % step}
        inner = _inner(config, model_type, width)
        return cls(
            model_type=model_type,
            kind=kind,
            vocabulary=_first(config, "vocab_size"),
            width=width,
            layers=layers,
            decoder_layers=decoder_layers,
            heads=heads,
            kv_heads=int((kind == architecture.DECODER and config.get("num_key_value_heads")) or heads),
            head_width=int(config.get("head_dim") or config.get("d_kv") or width // heads),
            feed_forward=int((config.get("moe_intermediate_size") if experts else 0) or inner),
            gated=model_type not in ("gpt2", "bert", "bart")
            and (model_type != "t5" or str(config.get("feed_forward_proj", "relu")).startswith("gated")),
            context=architecture.context(config) or 512,
            tied=_tied(config, model_type),
            windows=_windows(config, layers),
            experts=experts,
            experts_per_token=int(config.get("num_experts_per_tok") or 0),
            dense_layers=len(dense) if experts else 0,
            dense_width=inner if experts else 0,
        )

    @property
    def attention(self) -> int:
        """Matrix elements of one self-attention: queries, keys, values, and the way back."""
        return self.width * self.head_width * (2 * self.heads + 2 * self.kv_heads)

    @property
    def expert(self) -> int:
        """Matrix elements of one feed-forward layer, or of one expert."""
        return (3 if self.gated else 2) * self.width * self.feed_forward


def num_parameters(config: Mapping[str, Any]) -> int:
    """Parameters of a model, from its config.json; a tied table counts once."""
    shape = Shape.of(config)
    total = shape.vocabulary * shape.width * (1 if shape.tied else 2)
    total += shape.layers * (shape.attention + shape.expert * max(1, shape.experts))
    if shape.experts:
        total += shape.layers * shape.experts * shape.width
        dense = (3 if shape.gated else 2) * shape.width * shape.dense_width
        total += shape.dense_layers * (dense - shape.experts * (shape.expert + shape.width))
    total += shape.decoder_layers * (2 * shape.attention + shape.expert)
    return total + _small(shape, config)


def active_parameters(config: Mapping[str, Any]) -> int:
    """Parameters that one token passes through: all but the experts that it is not sent to."""
    shape = Shape.of(config)
    idle = (shape.experts - shape.experts_per_token) * (shape.layers - shape.dense_layers) if shape.experts else 0
    return num_parameters(config) - idle * shape.expert


def training_bytes(num_weights: int, num_trained: int, precision: str) -> int:
    """Weights, gradients and optimiser of a training run, without activations."""
    each = _BYTES[precision]
    return num_weights * each + num_trained * (each + ADAM_BYTES)


def spoken(num_bytes: float) -> str:
    """`1.2 GB`."""
    for unit in ("B", "kB", "MB"):
        if num_bytes < 1000:
            return f"{num_bytes:.0f} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.1f} GB"


def _small(shape: Shape, config: Mapping[str, Any]) -> int:
    """Norms, biases, positions and heads: what is no matrix product of a layer."""
    width, layers, inner = shape.width, shape.layers, shape.feed_forward
    both = layers + shape.decoder_layers
    heads_out = (shape.heads + 2 * shape.kv_heads) * shape.head_width
    biases = 4 * width + inner + width  # of a layer whose every product has one
    match shape.model_type:
        case "gpt2":
            return shape.context * width + layers * (4 * width + biases) + 2 * width
        case "bert":
            tables = (shape.context + int(config.get("type_vocab_size", 2))) * width + 2 * width
            head = width * width + width + 2 * width + shape.vocabulary * (1 if shape.tied else 2)
            return tables + layers * (4 * width + biases) + head
        case "modernbert":
            norms = width * (2 if config.get("norm_bias") else 1)
            own = (heads_out + width if config.get("attention_bias") else 0) + (
                2 * inner + width if config.get("mlp_bias") else 0
            )
            head = width * width + (width if config.get("classifier_bias") else 0) + norms
            head += shape.vocabulary if config.get("decoder_bias", True) else 0
            return (2 * layers + 1) * norms + layers * own + head  # the first layer has no norm before its attention
        case "t5":
            relative = int(config.get("relative_attention_num_buckets", 32)) * shape.heads * 2
            return relative + (2 * layers + 3 * shape.decoder_layers + 2) * width
        case "bart":
            tables = 2 * (shape.context + _BART_OFFSET) * width + 4 * width
            return tables + both * (4 * width + biases) + shape.decoder_layers * (2 * width + 4 * width)
    norms = 4 if shape.model_type == "gemma3_text" else 2
    per_layer = norms * width
    if shape.model_type in ("qwen3", "qwen3_moe", "gemma3_text"):
        per_layer += 2 * shape.head_width
    if shape.model_type == "qwen2" or config.get("attention_bias"):
        per_layer += heads_out
    if shape.model_type != "qwen2" and config.get("attention_bias"):
        per_layer += width
    if config.get("mlp_bias"):
        per_layer += 2 * inner + width
    return layers * per_layer + width


def _first(config: Mapping[str, Any], *names: str) -> int:
    for name in names:
        if config.get(name) is not None:
            return int(config[name])
    raise ConfigError(f"the config.json names no {names[0]}", "Use the config.json of a transformer's folder")


def _inner(config: Mapping[str, Any], model_type: str, width: int) -> int:
    found = [config.get(name) for name in ("intermediate_size", "n_inner", "d_ff", "encoder_ffn_dim")]
    stated = next((int(value) for value in found if value is not None), 0)
    if not stated and model_type != "gpt2":
        raise ConfigError("the config.json names no intermediate_size", "Use the config.json of a transformer's folder")
    return stated or 4 * width


def _tied(config: Mapping[str, Any], model_type: str) -> bool:
    """T5 always ties, whatever its config says; Llama's kin do only when told so."""
    if model_type == "t5":
        return True
    apart = ("llama", "qwen2", "qwen3", "qwen3_moe", "mixtral")
    return bool(config.get("tie_word_embeddings", model_type not in apart))


def _windows(config: Mapping[str, Any], layers: int) -> tuple[int, ...]:
    if config.get("model_type") == "modernbert":
        every = int(config.get("global_attn_every_n_layers", 3))
        kinds = config.get("layer_types") or [
            "sliding_attention" if layer % every else "full_attention" for layer in range(layers)
        ]
        size = int(config.get("local_attention", 128)) // 2 + 1
    elif config.get("use_sliding_window", True) and config.get("sliding_window"):
        kinds = config.get("layer_types") or ["sliding_attention"] * layers
        size = int(config["sliding_window"])
    else:
        return (0,) * layers
    return tuple(size if one == "sliding_attention" else 0 for one in kinds)
