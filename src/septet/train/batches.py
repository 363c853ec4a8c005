"""Batches as pure functions of the step number, so that a resumed run meets the rows that the killed one would have met.

Texts lie end to end in one row of tokens, without padding; attention keeps them apart (`train.attention`). `PackedRows` are
memory-mapped rows of documents where every token has a label; `AnswerRows` are conversations where only what the assistant
wrote has one. A step's rows are split into `accumulate` batches whose gradients are added up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from septet.core import ConfigError, Run
from septet.files import write_lines
from septet.kinds import Tokens
from septet.model.codec import Codec
from septet.train.attention import Segments

IGNORED = -100
"""The label of a position that is not trained on."""


@dataclass(frozen=True)
class Batch:
    """`ids`, `labels`: (tokens,) int64. The label of a position is what the model must say there: for a decoder the next
    token of the same text, so that labels are shifted already. `ends`: where each text ends. `rows` names the rows."""

    ids: torch.Tensor
    labels: torch.Tensor
    ends: tuple[int, ...]
    rows: tuple[str, ...]

    @property
    def num_tokens(self) -> int:
        return len(self.ids)

    @cached_property
    def weight(self) -> int:
        """Positions with a label."""
        return int((self.labels != IGNORED).sum())

    @cached_property
    def segments(self) -> Segments:
        return Segments.of(self.ends)

    @cached_property
    def positions(self) -> torch.Tensor:
        """Each token's place in its own text, (tokens,)."""
        return torch.cat([torch.arange(end - start) for start, end in self.spans]).to(self.ids.device)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Start and end of each text."""
        return list(zip((0, *self.ends[:-1]), self.ends, strict=True))

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return (
            self
            if self.ids.device == device
            else Batch(self.ids.to(device), self.labels.to(device), self.ends, self.rows)
        )

    @classmethod
    def of(cls, texts: Sequence[Sequence[int]], wrote: Sequence[Sequence[bool]] | None, rows: Sequence[str]) -> Batch:
        """A decoder's batch of texts. `wrote`: which tokens are to be learnt; none: all. A text's first token never is."""
        ids = torch.tensor([token for text in texts for token in text])
        ends = tuple(np.cumsum([len(text) for text in texts]).tolist())
        said = None if wrote is None else torch.tensor([flag for flags in wrote for flag in flags])
        return cls(ids, shifted(ids, ends, said), ends, tuple(rows))


def shifted(ids: torch.Tensor, ends: Sequence[int], wrote: torch.Tensor | None) -> torch.Tensor:
    """Labels of a decoder: at each position the next token of its text, where it is to be learnt."""
    labels = torch.full_like(ids, IGNORED)
    labels[:-1] = ids[1:] if wrote is None else torch.where(wrote[1:], ids[1:], IGNORED)
    labels[torch.tensor(ends) - 1] = IGNORED
    return labels


class Order:
    """The numbers of some items in a new order each epoch, so many a step. The last step of an epoch may have fewer, or with
    `whole` there is none such: what is left over is another part each epoch."""

    def __init__(self, count: int, batch: int, seed: int, whole: bool = False) -> None:
        self._count, self._batch, self._seed, self._whole = count, min(batch, count), seed, whole
        self._of_epoch = (-1, np.empty(0, np.int64))

    @property
    def per_epoch(self) -> int:
        return self._count // self._batch if self._whole else -(-self._count // self._batch)

    def chosen(self, step: int) -> np.ndarray:
        """The numbers of a step's items."""
        epoch, position = divmod(step, self.per_epoch)
        if self._of_epoch[0] != epoch:  # shuffling millions of rows takes as long as a small step
            self._of_epoch = epoch, np.random.default_rng([self._seed, epoch]).permutation(self._count)
        return self._of_epoch[1][position * self._batch : (position + 1) * self._batch]


class PackedRows:
    """Rows of packed documents, in a new order each epoch. Erased documents, and rows that hold nothing else, are left out."""

    def __init__(self, tokens: Tokens, rows: int, seed: int, held_out: int = 0, accumulate: int = 1) -> None:
        meta = tokens.meta
        self._shards = [
            np.memmap(path, np.dtype(meta["dtype"]).newbyteorder("<"), "r").reshape(-1, meta["sequence"])
            for path in tokens.shards
        ]
        self._ends = np.cumsum([len(shard) for shard in self._shards])
        placed = pq.read_table(tokens.path / "documents.parquet", columns=["document", "row", "start", "end"])
        placed = placed.filter(pc.not_equal(placed["document"], Tokens.ERASED))
        placed = placed.sort_by([("row", "ascending"), ("start", "ascending")])
        self._row, self._from, self._to = (placed[name].to_numpy() for name in ("row", "start", "end"))
        self._filled = np.unique(self._row)
        self._total = len(self._filled)
        self._count = self._total - held_out
        self._accumulate = accumulate
        if self._count < rows:
            raise ConfigError(
                f"{self._total} rows of tokens are too few for batches of {rows}", "Give more text, or lower batch"
            )
        if rows % accumulate:
            raise ConfigError(
                f"a batch of {rows} rows does not split into {accumulate} equal parts", "Let accumulate divide batch"
            )
        self._order = Order(self._count, rows, seed, whole=True)

    @property
    def per_epoch(self) -> int:
        return self._order.per_epoch

    def batches(self, step: int) -> list[Batch]:
        return [self.of(part) for part in np.split(self._order.chosen(step), self._accumulate)]

    @property
    def held_out_rows(self) -> range:
        """The last rows, which no step trains on."""
        return range(self._count, self._total)

    def of(self, indices: Iterable[int]) -> Batch:
        """The batch of some rows: their documents end to end, their padding left out."""
        chosen = self._filled[list(indices)]
        texts: list[np.ndarray] = []
        shard = np.searchsorted(self._ends, chosen, side="right")
        for row, which in zip(chosen.tolist(), shard.tolist(), strict=True):
            line = self._shards[which][row - (self._ends[which] - len(self._shards[which]))]
            first, last = np.searchsorted(self._row, (row, row + 1))
            texts += [line[start:end] for start, end in zip(self._from[first:last], self._to[first:last], strict=True)]
        ids = torch.from_numpy(np.concatenate(texts).astype(np.int64))
        ends = tuple(np.cumsum([len(text) for text in texts]).tolist())
        return Batch(ids, shifted(ids, ends, None), ends, tuple(f"row {index}" for index in chosen))


@dataclass(frozen=True)
class AnswerRow:
    """One conversation as ids, and which of them the assistant wrote."""

    name: str
    ids: tuple[int, ...]
    wrote: tuple[bool, ...]


class Shuffled:
    """Batches of numbered items in such an order, made by `of` from their numbers."""

    def __init__(self, count: int, batch: int, seed: int, accumulate: int, of: Callable[[Sequence[int]], Any]) -> None:
        self._order, self._accumulate, self._of = Order(count, batch, seed), accumulate, of

    @property
    def per_epoch(self) -> int:
        return self._order.per_epoch

    def batches(self, step: int) -> list[Any]:
        parts = np.array_split(self._order.chosen(step), self._accumulate)
        return [self._of(part.tolist()) for part in parts if len(part)]


class AnswerRows:
    """Conversations, in a new order each epoch."""

    def __init__(self, rows: Sequence[AnswerRow], batch: int, seed: int, accumulate: int = 1) -> None:
        self._all = rows
        self._order = Shuffled(len(rows), batch, seed, accumulate, self.of)

    @property
    def per_epoch(self) -> int:
        return self._order.per_epoch

    def batches(self, step: int) -> list[Batch]:
        return self._order.batches(step)

    def of(self, indices: Iterable[int]) -> Batch:
        """The batch of some conversations."""
        rows = [self._all[index] for index in indices]
        return Batch.of([row.ids for row in rows], [row.wrote for row in rows], [row.name for row in rows])


def answer_rows(rows: Iterable[Mapping[str, Any]], codec: Codec, max_tokens: int, run: Run) -> list[AnswerRow]:
    """Conversations as ids. A row without an answer or longer than `max_tokens` is dropped and counted, never cut:
    half a context teaches to answer from nothing. What was dropped is kept in dropped.jsonl.

    Raises ConfigError when no row is left.
    """
    kept: list[AnswerRow] = []
    dropped: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        name = str(row.get("id", number))
        ids, wrote = codec.conversation(row["messages"])
        if not any(wrote):
            dropped.append({"id": name, "rule": "no answer", "value": 0})
        elif len(ids) > max_tokens:
            dropped.append({"id": name, "rule": "too long", "value": len(ids)})
        else:
            kept.append(AnswerRow(name, tuple(ids), tuple(wrote)))
    if not kept:
        raise ConfigError(f"none of {len(dropped)} rows can be trained on", "Check their messages, or raise max_tokens")
    keep_dropped(dropped, run)
    return kept


def keep_dropped(dropped: Sequence[Mapping[str, Any]], run: Run) -> None:
    """Keep what was left out, each row with its `id`, `rule` and `value`, in dropped.jsonl, and count it by rule."""
    if dropped:
        write_lines(run.out / "dropped.jsonl", dropped)
    for rule, count in sorted(Counter(row["rule"] for row in dropped).items()):
        run.drop(rule, count, "dropped.jsonl")
