"""What stands before a text and is learnt while the model is not: virtual tokens and prefixes.

Prompt tuning (https://arxiv.org/abs/2104.08691) learns embeddings of virtual tokens, P-tuning
(https://arxiv.org/abs/2103.10385) makes them by a small network. Prefix tuning (https://arxiv.org/abs/2101.00190) learns keys
and values of each layer, made by a small network, and P-tuning v2 (https://arxiv.org/abs/2110.07602) does so without one. PEFT
owns the parameters and the form of the folder, in which the network is not kept.

For training, texts lie end to end. Each is given as many rows of its own before it as there are virtual tokens. A prefix takes
the place of the keys and values that each layer makes of these rows; what the rows themselves become is seen by nobody.

Shapes: T tokens, D width, L layers, K key and value heads, V virtual tokens, W head width.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from septet.core import MissingExtra
from septet.train.attention import ATTENTION, Segments, register

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

PREFIXED = "septet_prefixed"
"""The attention that a module is read with when prefixes are to be learnt: `ATTENTION`, with keys and values set in."""

PREFIXES = ("prefix", "p-tuning-v2")
"""The methods that learn keys and values."""


class _Prefix(NamedTuple):
    """Keys and values to set in, (2 L, K, V, W), and at which rows, (number of texts * V,)."""

    pairs: torch.Tensor
    rows: torch.Tensor


class Prompted(torch.nn.Module):
    """A model that reads texts behind what is learnt. It is called as the model's body is, and gives hidden states of the
    texts alone, so that every objective of a decoder takes it."""

    def __init__(self, wrapped: PeftModel, prefixed: bool) -> None:
        super().__init__()
        self.wrapped = wrapped
        self._prefixed = prefixed
        self._config = wrapped.peft_config["default"]

    def get_output_embeddings(self) -> torch.nn.Module:
        layer: torch.nn.Module = self.wrapped.get_base_model().get_output_embeddings()
        return layer

    def forward(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor,  # noqa: ARG002 - positions count what stands before, so they are made here
        use_cache: bool,
        segments: Segments,
    ) -> SimpleNamespace:
        base = self.wrapped.get_base_model()
        count = self._config.num_virtual_tokens
        lengths = [length for _, number, length in segments.runs for _ in range(number)]
        places = _places(lengths, count, input_ids.device)
        learnt = self.wrapped.prompt_encoder["default"](self.wrapped.prompt_tokens["default"][None, :count])[0]
        embedded_TD = base.get_input_embeddings()(input_ids[0])
        rows_TD = embedded_TD.new_zeros(len(embedded_TD) + count * len(lengths), embedded_TD.shape[1])
        rows_TD = rows_TD.index_copy(0, places.texts, embedded_TD)
        more: dict[str, Any] = {}
        if self._prefixed:
            more["prefix"] = _Prefix(as_pairs(learnt.to(rows_TD.dtype), self._config), places.before)
        else:
            rows_TD = rows_TD.index_copy(0, places.before, learnt.to(rows_TD.dtype).repeat(len(lengths), 1))
        hidden_TD = base.base_model(
            inputs_embeds=rows_TD[None],
            position_ids=places.positions[None],
            use_cache=use_cache,
            segments=Segments.of(places.ends),
            **more,
        ).last_hidden_state[0]
        return SimpleNamespace(last_hidden_state=hidden_TD[places.texts][None])


def put_prompt_on(module: PreTrainedModel, method: str, count: int, hidden: int, seed: int) -> Prompted:
    """Fresh virtual tokens or prefixes. The module is frozen. Embeddings start as those of tokens drawn at random, keys and
    values at zero."""
    try:
        import peft
    except ModuleNotFoundError as error:
        raise MissingExtra("peft", "models") from error
    shape = module.config.get_text_config()
    heads = getattr(shape, "num_key_value_heads", None) or shape.num_attention_heads
    head_width = getattr(shape, "head_dim", None) or shape.hidden_size // shape.num_attention_heads
    common: dict[str, Any] = {"num_virtual_tokens": count, "task_type": "CAUSAL_LM"}
    config: Any
    if method == "prompt":
        config = peft.PromptTuningConfig(prompt_tuning_init="SAMPLE_VOCAB", **common)
    elif method == "p-tuning":
        config = peft.PromptEncoderConfig(encoder_hidden_size=hidden, **common)
    else:
        config = peft.PrefixTuningConfig(
            encoder_hidden_size=hidden,
            prefix_projection=method == "prefix",
            init_weights="zero",
            num_layers=shape.num_hidden_layers,
            token_dim=heads * head_width,
            num_attention_heads=heads,
            **common,
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        wrapped = peft.get_peft_model(module, config, autocast_adapter_dtype=False)
    return Prompted(wrapped, method in PREFIXES)


def as_pairs(prefix_VX: torch.Tensor, config: Any) -> torch.Tensor:
    """Keys and values as PEFT flattens them, (V, 2 L K W), as (2 L, K, V, W): a layer's keys, then its values."""
    heads = config.num_attention_heads
    return prefix_VX.view(len(prefix_VX), config.num_layers * 2, heads, -1).permute(1, 2, 0, 3)


def register_prefixed() -> None:
    """Make `PREFIXED` known to transformers."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    register()
    AttentionInterface.register(PREFIXED, _attend)
    masks: Any = AttentionMaskInterface
    masks.register(PREFIXED, masks()[ATTENTION])


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    prefix: _Prefix,
    **more: Any,
) -> Any:
    from transformers import AttentionInterface

    layer = int(module.layer_idx)  # type: ignore[arg-type]
    texts = len(prefix.rows) // prefix.pairs.shape[2]
    keys, values = (prefix.pairs[2 * layer + at].repeat(1, texts, 1)[None] for at in (0, 1))
    key = key.index_copy(2, prefix.rows, keys)
    value = value.index_copy(2, prefix.rows, values)
    known: Any = AttentionInterface
    return known()[ATTENTION](module, query, key, value, mask, **more)


class _Places(NamedTuple):
    """Where texts, and what stands before each, lie in the longer row."""

    texts: torch.Tensor
    before: torch.Tensor
    positions: torch.Tensor
    ends: list[int]


def _places(lengths: list[int], count: int, device: torch.device) -> _Places:
    texts, before, positions, ends, at = [], [], [], [], 0
    for length in lengths:
        before.append(torch.arange(at, at + count))
        texts.append(torch.arange(at + count, at + count + length))
        positions.append(torch.arange(count + length))
        at += count + length
        ends.append(at)
    return _Places(*(torch.cat(one).to(device) for one in (texts, before, positions)), ends)
