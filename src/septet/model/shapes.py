"""config.json of a new model from a few sizes, for each family that transformers builds here.

Dropout is 0 unless asked for, and never acts on the shares of attention, which the training loop does not drop. A family is
what its paper made of it where a size leaves a choice: GPT (Radford et al. 2019), Llama (https://arxiv.org/abs/2302.13971),
Qwen3 and its mixture of experts (https://arxiv.org/abs/2505.09388), BERT (https://arxiv.org/abs/1810.04805), ModernBERT
(https://arxiv.org/abs/2412.13663), T5 with gated layers (https://arxiv.org/abs/2002.05202), BART
(https://arxiv.org/abs/1910.13461).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError

if TYPE_CHECKING:
    from septet.model.steps import Decoder, Encoder, EncoderDecoder

Named = Mapping[str, int | None]
"""The ids of `bos`, `eos`, `pad` and `mask`, where a tokenizer has them."""


def decoder(config: Decoder, vocabulary: int, named: Named) -> dict[str, Any]:
    """Raises ConfigError for sizes that do not fit each other or the kind."""
    _splits(config.width, config.heads, even=True)
    kv_heads = config.kv_heads or config.heads
    if config.heads % kv_heads:
        raise ConfigError(
            f"{config.heads} heads cannot share {kv_heads} key and value heads", "Let kv_heads divide heads"
        )
    if config.width % 32 or config.feed_forward % 32:
        raise ConfigError("width and feed_forward must be multiples of 32", "Quantised weights come in blocks of 32")
    if config.kind != "gpt" and config.dropout:
        raise ConfigError(
            f"a decoder of the kind {config.kind} has no dropout", "Set dropout = 0, or take kind = 'gpt'"
        )
    if config.kind == "gpt":
        return _gpt(config, vocabulary, named)
    shape: dict[str, Any] = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": vocabulary,
        "hidden_size": config.width,
        "intermediate_size": config.feed_forward or -(-config.width * 8 // 3 // 32) * 32,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": kv_heads,
        "head_dim": config.width // config.heads,
        "hidden_act": "silu",
        "max_position_embeddings": config.context,
        "rms_norm_eps": 1e-05,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "tie_word_embeddings": True,
        **_ends(named),
    }
    if config.kind == "qwen":
        shape |= {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "rms_norm_eps": 1e-06}
    elif config.kind == "moe":
        if config.experts_per_token > config.experts:
            raise ConfigError(
                f"a token cannot ask {config.experts_per_token} of {config.experts} experts",
                "Lower experts_per_token, or raise experts",
            )
        shape |= {
            "architectures": ["Qwen3MoeForCausalLM"],
            "model_type": "qwen3_moe",
            "rms_norm_eps": 1e-06,
            "moe_intermediate_size": shape["intermediate_size"],
            "num_experts": config.experts,
            "num_experts_per_tok": config.experts_per_token,
            "norm_topk_prob": True,
        }
    return shape


def _gpt(config: Decoder, vocabulary: int, named: Named) -> dict[str, Any]:
    if config.kv_heads not in (0, config.heads):
        raise ConfigError("the heads of a GPT share no keys and values", "Set kv_heads = 0, or take kind = 'llama'")
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": vocabulary,
        "n_embd": config.width,
        "n_layer": config.layers,
        "n_head": config.heads,
        "n_inner": config.feed_forward or 4 * config.width,
        "n_positions": config.context,
        "max_position_embeddings": config.context,
        "activation_function": "gelu_new",
        "attn_pdrop": 0.0,
        "embd_pdrop": config.dropout,
        "resid_pdrop": config.dropout,
        "tie_word_embeddings": True,
        **_ends(named),
    }


def encoder(config: Encoder, vocabulary: int, named: Named) -> dict[str, Any]:
    """`named["mask"]` must be an id. Raises ConfigError for sizes that do not fit each other."""
    _splits(config.width, config.heads, even=config.kind == "modernbert")
    shape: dict[str, Any] = {
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": config.width,
        "intermediate_size": config.feed_forward or 4 * config.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "hidden_act": "gelu",
        "max_position_embeddings": config.context,
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": 0.0,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-12,
        "tie_word_embeddings": True,
        "mask_token_id": named["mask"],
        **_ends(named),
    }
    if config.kind == "modernbert":
        for key in ("hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob", "type_vocab_size"):
            del shape[key]
        del shape["layer_norm_eps"]
        window = min(config.window, config.context)
        shape |= {
            "architectures": ["ModernBertForMaskedLM"],
            "model_type": "modernbert",
            # Gated: two products where BERT has one, so that 8/3 of the width holds as many parameters.
            "intermediate_size": config.feed_forward or -(-config.width * 8 // 3 // 32) * 32,
            "hidden_activation": "gelu",
            "attention_dropout": 0.0,
            "embedding_dropout": config.dropout,
            "mlp_dropout": config.dropout,
            "norm_eps": 1e-05,
            "local_attention": window,
            "layer_types": [
                "full_attention" if layer % 3 == 0 else "sliding_attention" for layer in range(config.layers)
            ],
            "rope_parameters": {
                "full_attention": {"rope_type": "default", "rope_theta": 160000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            },
            "cls_token_id": named["bos"],
            "sep_token_id": named["eos"],
        }
    return shape


def encoder_decoder(config: EncoderDecoder, vocabulary: int, named: Named) -> dict[str, Any]:
    """Raises ConfigError for sizes that do not fit each other, and for a dropout that would act on attention."""
    _splits(config.width, config.heads, even=False)
    decoder_layers = config.decoder_layers or config.layers
    if config.kind == "bart":
        feed_forward = config.feed_forward or 4 * config.width
        return {
            "architectures": ["BartForConditionalGeneration"],
            "model_type": "bart",
            "is_encoder_decoder": True,
            "vocab_size": vocabulary,
            "d_model": config.width,
            "encoder_layers": config.layers,
            "decoder_layers": decoder_layers,
            "encoder_attention_heads": config.heads,
            "decoder_attention_heads": config.heads,
            "encoder_ffn_dim": feed_forward,
            "decoder_ffn_dim": feed_forward,
            "activation_function": "gelu",
            "max_position_embeddings": config.context,
            "dropout": config.dropout,
            "attention_dropout": 0.0,
            "activation_dropout": 0.0,
            "tie_word_embeddings": True,
            "decoder_start_token_id": named["eos"],
            "forced_eos_token_id": None,
            "mask_token_id": named["mask"],
            **_ends(named),
        }
    if config.dropout:
        raise ConfigError(
            "the one dropout of a T5 acts on attention too, which is not dropped here",
            "Set dropout = 0, or take kind = 'bart'",
        )
    return {
        "architectures": ["T5ForConditionalGeneration"],
        "model_type": "t5",
        "is_encoder_decoder": True,
        "vocab_size": vocabulary,
        "d_model": config.width,
        "d_kv": config.width // config.heads,
        "d_ff": config.feed_forward or -(-config.width * 8 // 3 // 32) * 32,
        "num_layers": config.layers,
        "num_decoder_layers": decoder_layers,
        "num_heads": config.heads,
        "feed_forward_proj": "gated-gelu",
        "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128,
        "layer_norm_epsilon": 1e-06,
        "max_position_embeddings": config.context,
        "dropout_rate": 0.0,
        "tie_word_embeddings": True,
        "decoder_start_token_id": named["pad"],
        "num_sentinels": config.sentinels,
        **_ends(named),
    }


def _ends(named: Named) -> dict[str, int | None]:
    return {f"{role}_token_id": named[role] for role in ("bos", "eos", "pad")}


def _splits(width: int, heads: int, *, even: bool) -> None:
    if width % heads or (even and (width // heads) % 2):
        raise ConfigError(
            f"a width of {width} does not split into {heads} heads{' of even width' if even else ''}",
            "Change width or heads",
        )
