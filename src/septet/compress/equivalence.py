"""How far two forms of one model say the same: token ids, greedy continuations, probabilities of given answers.

Quantised weights round, so the forms cannot agree everywhere; what must agree is stated as a tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from septet.files import read_json
from septet.inference.protocol import Completion, Engine, Options, Prompt
from septet.kinds import Model


@dataclass(frozen=True)
class Continuation:
    """What the two forms say after one prompt. `agreement`: see `agreements`."""

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
    first, second = before.generate(asked, options), after.generate(asked, options)
    agreed = agreements(after, asked, first)
    return [
        Continuation(text, one.text, two.text, share)
        for (text, _), one, two, share in zip(prompts, first, second, agreed, strict=True)
    ]


def agreements(after: Engine, prompts: Sequence[Prompt], said: Sequence[Completion]) -> list[float]:
    """Of what one form said after each prompt, the share of tokens, its end included, that another form would have said
    there too. Each is asked with what stands before it: one difference does not count for all that follow."""
    places = [
        (number, Prompt((*prompt.ids, *one.ids[:at])), one.ids[at : at + 1])
        for number, (prompt, one) in enumerate(zip(prompts, said, strict=True))
        for at in range(len(one.ids) + (one.finish == "stop"))
    ]
    made = after.generate([prompt for _, prompt, _ in places], Options(max_tokens=1))
    same: list[list[bool]] = [[] for _ in prompts]
    for (number, _, wanted), one in zip(places, made, strict=True):
        same[number].append(tuple(one.ids) == tuple(wanted))
    return [sum(one) / len(one) if one else 1.0 for one in same]


def perplexity(logs: Sequence[float], lengths: Sequence[int]) -> float:
    """Of texts with summed log-probabilities `logs` and `lengths` tokens."""
    return math.exp(-sum(logs) / sum(lengths))
