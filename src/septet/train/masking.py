"""What an encoder and an encoder-decoder learn from in packed rows: hidden tokens, and hidden spans.

Masked tokens (https://arxiv.org/abs/1810.04805): of the chosen ones eight in ten become the mask, one a random token, one
stays. Span corruption (T5, https://arxiv.org/abs/1910.10683): spans become sentinels, and the target names each sentinel with
what it hides; infilling (BART, https://arxiv.org/abs/1910.13461): a span becomes one mask, and the target is the whole text.
What is hidden is a function of the seed, the step and the part of it.

Shapes: T tokens of texts end to end, R texts, S source tokens, U target tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from septet.train.batches import IGNORED, Batch, PackedRows

_MASKED, _RANDOM = 0.8, 0.9


@dataclass(frozen=True)
class Pairs:
    """Sources and targets, padded on the right: an encoder-decoder's attention has no way to keep texts apart.

    `source` (R, S), `seen` (R, S) true where there is a token, `labels` (R, U) with `IGNORED` in the padding.
    """

    source: torch.Tensor
    seen: torch.Tensor
    labels: torch.Tensor
    rows: tuple[str, ...]
    num_tokens: int
    weight: int

    def to(self, device: torch.device) -> Pairs:
        """The same pairs on a device."""
        if self.source.device == device:
            return self
        moved = (one.to(device) for one in (self.source, self.seen, self.labels))
        return Pairs(*moved, self.rows, self.num_tokens, self.weight)

    @classmethod
    def of(cls, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], rows: Sequence[str]) -> Pairs:
        source = torch.zeros(len(sources), max(map(len, sources)), dtype=torch.long)
        seen = torch.zeros_like(source, dtype=torch.bool)
        labels = torch.full((len(targets), max(map(len, targets))), IGNORED)
        for row, (given, wanted) in enumerate(zip(sources, targets, strict=True)):
            source[row, : len(given)] = torch.tensor(given)
            seen[row, : len(given)] = True
            labels[row, : len(wanted)] = torch.tensor(wanted)
        weight = sum(map(len, targets))
        return cls(source, seen, labels, tuple(rows), sum(map(len, sources)) + weight, weight)


Hide = Callable[[Batch, np.random.Generator], "Batch | Pairs"]


class HiddenRows:
    """Packed rows of which something is hidden, for `train.loop`."""

    def __init__(self, rows: PackedRows, hide: Hide, seed: int) -> None:
        self._rows, self._hide, self._seed = rows, hide, seed

    @property
    def per_epoch(self) -> int:
        return self._rows.per_epoch

    def batches(self, step: int) -> list[Batch | Pairs]:
        return [
            self._hide(part, np.random.default_rng([self._seed, step, number]))
            for number, part in enumerate(self._rows.batches(step))
        ]

    def of(self, indices: Sequence[int]) -> Batch | Pairs:
        """The batch of some rows, hidden the same way each time."""
        return self._hide(self._rows.of(indices), np.random.default_rng([self._seed, *indices]))


def masked(batch: Batch, chance: np.random.Generator, share: float, mask: int, vocabulary: int) -> Batch:
    """Hide a share of the tokens, at least one of each text; labels stand where something was chosen. `vocabulary`: of the
    tokenizer, whose ids stand in for the masked."""
    chosen = chance.random(batch.num_tokens) < share
    chosen[[int(chance.integers(start, end)) for start, end in batch.spans if not chosen[start:end].any()]] = True
    how = chance.random(batch.num_tokens)
    ids = batch.ids.numpy().copy()
    ids[chosen & (how < _MASKED)] = mask
    swapped = chosen & (how >= _MASKED) & (how < _RANDOM)
    ids[swapped] = chance.integers(0, vocabulary, int(swapped.sum()))
    labels = torch.where(torch.from_numpy(chosen), batch.ids, IGNORED)
    return Batch(torch.from_numpy(ids), labels, batch.ends, batch.rows)


def corrupted(batch: Batch, chance: np.random.Generator, share: float, span: float, sentinels: Sequence[int]) -> Pairs:
    """Spans of `span` tokens on the mean become sentinels; the last sentinel of a target ends it."""
    sources, targets = [], []
    for start, end in batch.spans:
        text = batch.ids[start:end].tolist()
        hidden = spans(len(text), chance, share, span, len(sentinels) - 1)
        source, target, at = [], list[int](), 0
        for number, (low, high) in enumerate(hidden):
            source += [*text[at:low], sentinels[number]]
            target += [sentinels[number], *text[low:high]]
            at = high
        sources.append(source + text[at:])
        targets.append([*target, sentinels[len(hidden)]])
    return Pairs.of(sources, targets, batch.rows)


def infilled(batch: Batch, chance: np.random.Generator, share: float, span: float, mask: int) -> Pairs:
    """Spans of `span` tokens on the mean become one mask each; the target is the whole text."""
    sources, targets = [], []
    for start, end in batch.spans:
        text = batch.ids[start:end].tolist()
        source, at = [], 0
        for low, high in spans(len(text), chance, share, span, len(text)):
            source += [*text[at:low], mask]
            at = high
        sources.append(source + text[at:])
        targets.append(text)
    return Pairs.of(sources, targets, batch.rows)


def spans(length: int, chance: np.random.Generator, share: float, span: float, most: int) -> list[tuple[int, int]]:
    """Spans that hide about `share` of a text, each with a token before the next: lengths are drawn as a random division of
    what is hidden, and so are the gaps between them. A text of one token is hidden whole."""
    if length < 2:
        return [(0, length)]
    hidden = min(length - 1, max(1, round(length * share)))
    count = min(most, hidden, length - hidden, max(1, round(hidden / span)))
    sizes = _divided(hidden, count, chance)
    gaps = _divided(length - hidden, count, chance)
    found, at = [], 0
    for gap, size in zip(gaps, sizes, strict=True):
        found.append((at + gap, at + gap + size))
        at += gap + size
    return found


def _divided(total: int, parts: int, chance: np.random.Generator) -> list[int]:
    """A total as a sum of positive numbers, every division as likely as another."""
    cuts = np.sort(chance.choice(total - 1, parts - 1, replace=False)) + 1 if parts > 1 else np.empty(0, int)
    return [int(size) for size in np.diff([0, *cuts, total])]
