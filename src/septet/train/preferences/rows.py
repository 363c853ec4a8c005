"""Preferences as token ids: what is compared, what was left out, and which rows are held back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from septet.core import ConfigError, Run
from septet.model.codec import Codec
from septet.train.batches import AnswerRow, keep_dropped


class Preference(NamedTuple):
    """A prompt with the answer that was liked, the one that was not, or both. In an answer's ids its prompt comes first, and only
    the answer is marked as written. `reward` is the number that the chosen answer got, where one is known."""

    name: str
    prompt: tuple[int, ...]
    chosen: AnswerRow | None
    rejected: AnswerRow | None
    reward: float | None = None

    @property
    def answers(self) -> list[AnswerRow]:
        return [one for one in (self.chosen, self.rejected) if one is not None]


def preference_rows(
    rows: Iterable[Mapping[str, Any]], codec: Codec, max_tokens: int, paired: bool, run: Run
) -> list[Preference]:
    """Preferences as ids. Dropped and counted, never cut: rows without an answer, rows of which an answer is longer than
    `max_tokens` with its prompt, pairs of equal answers, and where `paired` is asked for rows with one answer. What was
    dropped is kept in dropped.jsonl.

    Raises ConfigError when no row is left.
    """
    kept: list[Preference] = []
    dropped: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        name = str(row.get("id", number))
        prompt, before = codec.prompt(row["prompt"]).ids, len(codec.conversation(row["prompt"])[0])
        chosen, rejected = (_answer(row, key, name, before, codec) for key in ("chosen", "rejected"))
        found = Preference(name, prompt, chosen, rejected, row.get("reward"))
        longest = max((len(one.ids) for one in found.answers), default=0)
        if not found.answers or not all(any(one.wrote) for one in found.answers):
            dropped.append({"id": name, "rule": "no answer", "value": 0})
        elif paired and len(found.answers) < 2:
            dropped.append({"id": name, "rule": "one answer only", "value": 1})
        elif chosen and rejected and chosen.ids == rejected.ids:
            dropped.append({"id": name, "rule": "equal answers", "value": 0})
        elif longest > max_tokens:
            dropped.append({"id": name, "rule": "too long", "value": longest})
        else:
            kept.append(found)
    if not kept:
        raise ConfigError(f"none of {len(dropped)} rows can be trained on", "Check their answers, or raise max_tokens")
    keep_dropped(dropped, run)
    return kept


def parted(prompts: Sequence[tuple[int, ...]], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Places of the rows to train on and of those held back. A prompt that stands in several rows is on one side only.

    Raises ConfigError when nothing is left to train on.
    """
    found = list(dict.fromkeys(prompts))
    order = np.random.default_rng([seed, len(found)]).permutation(len(found))
    held = {found[index] for index in order[: round(share * len(found))]}
    trained = [place for place, prompt in enumerate(prompts) if prompt not in held]
    if not trained:
        raise ConfigError(f"of {len(found)} prompts none is left to train on", "Lower held_out, or give more rows")
    return trained, [place for place, prompt in enumerate(prompts) if prompt in held]


def _answer(row: Mapping[str, Any], key: str, name: str, before: int, codec: Codec) -> AnswerRow | None:
    if not row.get(key):
        return None
    ids, wrote = codec.conversation([*row["prompt"], *row[key]])
    return AnswerRow(name, tuple(ids), (False,) * before + tuple(wrote[before:]))
