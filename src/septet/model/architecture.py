"""What a config.json says of a model's kind: a decoder continues a text, an encoder reads one in both directions, an
encoder-decoder reads one and writes another, a speech model writes down what it hears, a
painter draws what a text says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DECODER, ENCODER, ENCODER_DECODER = "decoder", "encoder", "encoder_decoder"
SPEECH, PAINTER = "speech_model", "painter"
PAINTERS = {"tokens": "picture_tokens", "diffusion": "latent_diffusion"}
"""The `model_type` of each kind of `model.image`."""
_ENCODERS = frozenset(
    ("albert", "bert", "camembert", "deberta-v2", "distilbert", "electra", "modernbert", "roberta", "xlm-roberta")
)
_CONTEXTS = ("max_position_embeddings", "n_positions", "max_target_positions")
_ENCODER_DECODERS = frozenset(("bart", "longt5", "marian", "mbart", "mt5", "pegasus", "t5", "umt5"))


def kind(config: Mapping[str, Any]) -> str:
    """`decoder`, `encoder`, `encoder_decoder`, `speech_model` or `painter`: what `architectures` names, else what the model type is
    used for."""
    named = (config.get("architectures") or [""])[0]
    model_type = config.get("model_type")
    if model_type == "whisper":
        return SPEECH
    if model_type in PAINTERS.values():
        return PAINTER
    if named.endswith(("ForCausalLM", "LMHeadModel")):
        return DECODER
    if model_type in _ENCODER_DECODERS or config.get("is_encoder_decoder"):
        return ENCODER_DECODER
    if named.endswith("ForMaskedLM") or model_type in _ENCODERS:
        return ENCODER
    return DECODER


def context(config: Mapping[str, Any]) -> int | None:
    """The longest sequence that a config.json allows, in tokens, or none where it states none."""
    found = next((config[name] for name in _CONTEXTS if config.get(name)), None)
    return None if found is None else int(found)
