"""Batches as pure functions of the step number, so that a resumed run meets the rows that the killed one would have met.

`PackedRows` are memory-mapped rows of tokens that all have a label; `AnswerRows` are conversations where only what the
assistant wrote has one. Both say how many steps an epoch has and give the batch of any step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from septet.core import ConfigError, Run
from septet.kinds import Tokens, write_lines
from septet.model.codec import Codec
from septet.train.objectives import IGNORED

_WINDOW_BATCHES = 16
"""Rows are sorted by length inside windows of so many batches: little padding, and the order stays a random one."""


@dataclass(frozen=True)
class Batch:
    """`ids`, `labels`: (rows, tokens) int64, padded on the right. `rows` names the rows, for messages."""

    ids: torch.Tensor
    labels: torch.Tensor
    num_tokens: int
    rows: tuple[str, ...]


class Batches(Protocol):
    """What the loop asks of its data."""

    @property
    def per_epoch(self) -> int: ...

    def batch(self, step: int) -> Batch: ...


class PackedRows:
    """Rows of packed tokens, in a new order each epoch. Padding has no label."""

    def __init__(self, tokens: Tokens, rows: int, seed: int, held_out: int = 0) -> None:
        meta = tokens.meta
        self._shards = [
            np.memmap(path, np.dtype(meta["dtype"]).newbyteorder("<"), "r").reshape(-1, meta["sequence"])
            for path in tokens.shards
        ]
        self._ends = np.cumsum([len(shard) for shard in self._shards])
        self._pad = int(meta["pad"])
        self._total = int(self._ends[-1])
        self._count = self._total - held_out
        self._rows, self._seed = rows, seed
        if self._count < rows:
            raise ConfigError(
                f"{self._total} rows of tokens are too few for batches of {rows}", "Give more text, or lower batch"
            )

    @property
    def per_epoch(self) -> int:
        return self._count // self._rows

    def batch(self, step: int) -> Batch:
        epoch, position = divmod(step, self.per_epoch)
        order = np.random.default_rng([self._seed, epoch]).permutation(self._count)
        return self.of(order[position * self._rows : (position + 1) * self._rows])

    @property
    def held_out_rows(self) -> range:
        """The last rows, which no step trains on."""
        return range(self._count, self._total)

    def of(self, indices: Iterable[int]) -> Batch:
        """The batch of some rows."""
        chosen = np.array(list(indices))
        rows = np.empty((len(chosen), self._shards[0].shape[1]), np.int64)
        where = np.searchsorted(self._ends, chosen, side="right")
        for shard in np.unique(where):
            mine = where == shard
            rows[mine] = self._shards[shard][chosen[mine] - (self._ends[shard] - len(self._shards[shard]))]
        ids = torch.from_numpy(rows)
        labels = ids.masked_fill(ids == self._pad, IGNORED)
        return Batch(ids, labels, int((labels != IGNORED).sum()), tuple(f"row {index}" for index in chosen))


@dataclass(frozen=True)
class AnswerRow:
    """One conversation as ids, and which of them the assistant wrote."""

    name: str
    ids: tuple[int, ...]
    wrote: tuple[bool, ...]


class AnswerRows:
    """Conversations in batches of rows of like length, padded on the right."""

    def __init__(self, rows: Sequence[AnswerRow], batch: int, seed: int, pad_id: int) -> None:
        self._all, self._batch, self._seed, self._pad = rows, min(batch, len(rows)), seed, pad_id

    @property
    def per_epoch(self) -> int:
        return -(-len(self._all) // self._batch)

    def batch(self, step: int) -> Batch:
        epoch, position = divmod(step, self.per_epoch)
        return self._of(self._order(epoch)[position])

    def _order(self, epoch: int) -> list[list[int]]:
        chance = np.random.default_rng([self._seed, epoch])
        order = chance.permutation(len(self._all)).tolist()
        window = self._batch * _WINDOW_BATCHES
        groups: list[list[int]] = []
        for start in range(0, len(order), window):
            near = sorted(order[start : start + window], key=lambda index: (len(self._all[index].ids), index))
            groups += [near[i : i + self._batch] for i in range(0, len(near), self._batch)]
        return [groups[index] for index in chance.permutation(len(groups))]

    def _of(self, indices: Sequence[int]) -> Batch:
        rows = [self._all[index] for index in indices]
        longest = max(len(row.ids) for row in rows)
        ids = torch.full((len(rows), longest), self._pad, dtype=torch.long)
        labels = torch.full_like(ids, IGNORED)
        for at, row in enumerate(rows):
            values = torch.tensor(row.ids)
            ids[at, : len(values)] = values
            labels[at, : len(values)] = torch.where(torch.tensor(row.wrote), values, IGNORED)
        return Batch(ids, labels, sum(len(row.ids) for row in rows), tuple(row.name for row in rows))


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
    if dropped:
        write_lines(run.out / "dropped.jsonl", dropped)
    for rule in sorted({row["rule"] for row in dropped}):
        run.drop(rule, sum(row["rule"] == rule for row in dropped), "dropped.jsonl")
    return kept
