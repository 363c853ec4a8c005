"""How far two forms of one model say the same: token ids, greedy continuations, probabilities of given answers.

Quantised weights round, so the forms cannot agree everywhere; what must agree is stated as a tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from septet.inference.protocol import Engine, Options, Prompt
from septet.kinds import Model, read_json

LEAST_AGREEMENT = 0.5
"""Share of greedy tokens before the first difference, averaged over prompts, below which 8-bit weights are
broken rather than rounded. Measured: 0.9 and more for models from 0.01 to 0.3 billion parameters (2026-11)."""
LARGEST_RISE = 0.02
"""Rise of the perplexity of reference answers, as a share, that 8-bit weights may cause."""


@dataclass(frozen=True)
class Continuation:
    """What the two forms say after one prompt. `agreement`: the share of tokens before the first difference."""

    prompt: str
    before: str
    after: str
    agreement: float


def golden_prompts(model: Model) -> list[tuple[str, list[int]]]:
    """The golden prompts: text and ids."""
    return [(one["text"], one["ids"]) for one in read_json(model.path / "golden.json")]


def same_ids(before: Engine, after: Engine, model: Model) -> list[bool]:
    """For each golden prompt, whether both codecs give the ids that were kept when the model was made."""
    kept = read_json(model.path / "golden.json")
    return [
        list(before.codec.prompt(one["messages"]).ids) == one["ids"] == list(after.codec.prompt(one["messages"]).ids)
        for one in kept
    ]


def continuations(
    before: Engine, after: Engine, prompts: Sequence[tuple[str, Prompt]], num_tokens: int
) -> list[Continuation]:
    """Greedy continuations of prompts, given with their texts, by both forms."""
    asked = [prompt for _, prompt in prompts]
    options = Options(max_tokens=num_tokens)
    pairs = zip(before.generate(asked, options), after.generate(asked, options), strict=True)
    return [
        Continuation(text, one.text, two.text, agreement(one.ids, two.ids))
        for (text, _), (one, two) in zip(prompts, pairs, strict=True)
    ]


def agreement(one: Sequence[int], two: Sequence[int]) -> float:
    """The share of the longer one that stands before the first difference. 1 for two empty ones."""
    longest = max(len(one), len(two))
    same = next(
        (at for at, pair in enumerate(zip(one, two, strict=False)) if pair[0] != pair[1]), min(len(one), len(two))
    )
    return same / longest if longest else 1.0


def perplexity(logs: Sequence[float], lengths: Sequence[int]) -> float:
    """Of texts with summed log-probabilities `logs` and `lengths` tokens."""
    return math.exp(-sum(logs) / sum(lengths))
