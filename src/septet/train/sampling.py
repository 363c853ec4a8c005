"""Text from a module that is being trained: answers for a reward, samples to look at on the way.

Attention is switched from texts that lie end to end to torch's own kernel with a cache of keys and values, and back.

Shapes: R rows, T tokens, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import torch

from septet.model.processor import repeatable
from septet.train.attention import ATTENTION
from septet.train.objectives import output_layer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_LOGIT_ELEMENTS = 1 << 25
"""Logits of a batch held at once: 128 MB in float32. More rows are sampled batch after batch."""

Adjust = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Changes what is sampled from: (hidden states (R, D), log-probabilities (R, V)) to scores (R, V)."""


class Sampled(NamedTuple):
    """A continuation: its ids, the stop that ended it included, and the log-likelihood of each under the module as it
    stands (temperature 1, without what `adjust` adds)."""

    ids: list[int]
    log_likelihoods: list[float]


@contextmanager
def sampling(module: PreTrainedModel) -> Iterator[None]:
    """Inside the block the module reads padded rows with a cache, in evaluation mode and without gradients."""
    trained = module.training
    module.set_attn_implementation("sdpa")
    module.train(False)
    try:
        with torch.no_grad():
            yield
    finally:
        module.set_attn_implementation(ATTENTION)
        module.train(trained)


def sample(
    module: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    temperature: float,
    seed: int,
    stops: Collection[int],
    adjust: Adjust | None = None,
) -> list[Sampled]:
    """Continue each prompt until a stop or for `max_new_tokens`; temperature 0 takes the likeliest token. A function of the
    weights, the prompts in their order and the seed."""
    vocabulary = output_layer(module)[0].shape[0]
    rows = max(1, _LOGIT_ELEMENTS // vocabulary)
    order = sorted(range(len(prompts)), key=lambda index: (len(prompts[index]), index))
    chance = torch.Generator(module.device).manual_seed(seed)
    made: dict[int, Sampled] = {}
    with sampling(module), repeatable():
        for start in range(0, len(order), rows):
            chosen = order[start : start + rows]
            grown = _grow(
                module, [prompts[index] for index in chosen], max_new_tokens, temperature, chance, stops, adjust
            )
            made.update(zip(chosen, grown, strict=True))
    return [made[index] for index in range(len(prompts))]


def _grow(
    module: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    temperature: float,
    chance: torch.Generator,
    stops: Collection[int],
    adjust: Adjust | None,
) -> list[Sampled]:
    """One batch, padded on the left; what stands in the padding is never seen. A prompt that several rows continue is read
    once, and what it left in the cache is dealt out to them."""
    distinct = list(dict.fromkeys(map(tuple, prompts)))
    longest = max(map(len, distinct))
    ids_RT = torch.zeros(len(distinct), longest, dtype=torch.long)
    mask_RT = torch.zeros_like(ids_RT)
    for row, prompt in enumerate(distinct):
        ids_RT[row, longest - len(prompt) :] = torch.tensor(prompt)
        mask_RT[row, longest - len(prompt) :] = 1
    ids_RT, mask_RT = ids_RT.to(module.device), mask_RT.to(module.device)
    positions_RT = (mask_RT.cumsum(-1) - 1).clamp(min=0)
    padded = not bool(mask_RT.all())
    numbers = {prompt: number for number, prompt in enumerate(distinct)}
    read_R = torch.tensor([numbers[tuple(prompt)] for prompt in prompts], device=module.device)
    grown = [Sampled([], []) for _ in prompts]
    open_rows = set(range(len(prompts)))
    body, (weight_VD, bias_V), cache = getattr(module, "base_model", module), output_layer(module), None
    for _ in range(max_new_tokens):
        out = body(
            input_ids=ids_RT,
            attention_mask=mask_RT if padded else None,
            position_ids=positions_RT,
            past_key_values=cache,
            use_cache=True,
        )
        hidden_RD = out.last_hidden_state[:, -1]
        if cache is None:
            hidden_RD, mask_RT, positions_RT = hidden_RD[read_R], mask_RT[read_R], positions_RT[read_R]
            out.past_key_values.batch_select_indices(read_R)
        cache = out.past_key_values
        logs_RV = torch.nn.functional.linear(hidden_RD, weight_VD, bias_V).float().log_softmax(-1)
        scores_RV = logs_RV if adjust is None else adjust(hidden_RD, logs_RV)
        if temperature <= 0:
            next_R = scores_RV.argmax(-1)
        else:
            next_R = torch.multinomial((scores_RV / temperature).softmax(-1), 1, generator=chance)[:, 0]
        chosen = logs_RV.gather(1, next_R[:, None])[:, 0].tolist()
        for row, (token, log) in enumerate(zip(next_R.tolist(), chosen, strict=True)):
            if row in open_rows:
                grown[row].ids.append(token)
                grown[row].log_likelihoods.append(log)
                if token in stops:
                    open_rows.remove(row)
        if not open_rows:
            break
        ids_RT, positions_RT = next_R[:, None], positions_RT[:, -1:] + 1
        mask_RT = torch.cat((mask_RT, mask_RT.new_ones(len(prompts), 1)), -1)
    return grown
