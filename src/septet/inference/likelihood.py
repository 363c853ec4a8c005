"""The log-probability of continuations, each shared stretch of the prompts read once.

Prompts of one task begin alike: the examples, the instruction, at times a passage. They are a tree whose common stems are read
into a cache of keys and values; what is left of a prompt stands in one row with all its continuations behind it, under a mask in
which none sees another. So the probabilities are those of each text alone, to within rounding, for a fraction of the tokens.
Output is computed where it is wanted only.

Layers that attend to all, or to a window, can be read so. For a model with others (state spaces), each continuation is read whole.

Shapes: R rows, T tokens, K keys (what is in the cache and T), N places whose output is wanted,
D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from septet.inference import stems
from septet.inference.protocol import Asked, Likelihood, Unscored

if TYPE_CHECKING:
    from transformers import DynamicCache, PreTrainedModel

_ROW_TOKENS = 1024
"""Tokens of a batch, at most, unless one row alone has more. 512 and 2,048 were as fast (two cores, 2026-11)."""
_OUTPUTS = 1 << 26
"""Numbers that the output of a batch may hold, at most: a quarter of a gigabyte."""
_CACHED = 1 << 27
"""Numbers that the keys and values of a batch may hold, at most: rows share a stem, and each has a copy of it."""
_WORTH = 256
"""Tokens that a stem must save to be read by itself: a call has a price."""


@dataclass(frozen=True)
class _Row:
    """A prompt behind its stem. `places` are into the row, a place and the token that follows it, by continuation."""

    index: int
    ids: tuple[int, ...]
    ends: tuple[tuple[int, ...], ...]


class Scorer:
    """Reads texts with one module. `before` makes the cache that an adapter begins with."""

    def __init__(
        self, module: PreTrainedModel, context: int, num_before: int, before: Callable[[int], Any] | None
    ) -> None:
        self._module = module
        self._context = context
        self._num_before = num_before
        self._before = before
        self._config = module.config.get_text_config()

    def score(self, asked: Sequence[Asked]) -> Iterator[tuple[int, list[Likelihood] | Unscored]]:
        """Each question's place with its continuations' likelihoods, as they come: alike ones together."""
        rows = []
        for index, one in enumerate(asked):
            reason = _unfit(one, self._context)
            if reason:
                yield index, Unscored(reason)
            else:
                rows.append(_Row(index, one.prompt.ids, one.continuations))
        if stems.can_share(self._config):
            yield from self._below(rows, None, 0)
        else:
            for row in rows:
                yield row.index, self._whole(row)

    def _below(self, rows: list[_Row], stem: DynamicCache | None, depth: int) -> Iterator[tuple[int, list[Likelihood]]]:
        """Score rows that share their first `depth` tokens, which `stem` holds."""
        if len(rows) > 1 or (rows and self._before and stem is None):
            shared = _shared(rows, depth)
            if (shared - depth) * (len(rows) - 1) >= _WORTH or (self._before and stem is None):
                stem, depth = self._read(rows[0].ids[depth:shared], stem, depth), shared
        left = []
        for branch in _branches(rows, depth):
            if len(branch) < len(rows) and (_shared(branch, depth) - depth) * (len(branch) - 1) >= _WORTH:
                yield from self._below(branch, stem, depth)
            else:
                left += branch
        # Like lengths together: a batch is as long as its longest row.
        left.sort(key=lambda row: (-_size(row, depth), row.index))
        while left:
            batch, left = self._batch(left, depth)
            yield from self._read_batch(batch, stem, depth)

    def _batch(self, rows: list[_Row], depth: int) -> tuple[list[_Row], list[_Row]]:
        """As many of the rows as fit, the longest first."""
        longest = _size(rows[0], depth)
        heads = getattr(self._config, "num_key_value_heads", None) or self._config.num_attention_heads
        width = getattr(self._config, "head_dim", None) or self._config.hidden_size // self._config.num_attention_heads
        cached = 2 * self._config.num_hidden_layers * heads * width * (depth + self._num_before + longest)
        fit = max(1, min(_ROW_TOKENS // longest, _CACHED // cached))
        outputs = 0
        for at, row in enumerate(rows[:fit]):
            outputs += _wanted(row) * self._config.vocab_size
            if at and outputs > _OUTPUTS:
                return rows[:at], rows[at:]
        return rows[:fit], rows[fit:]

    def _read(self, ids: Sequence[int], stem: DynamicCache | None, depth: int) -> DynamicCache:
        """The stem that is `ids` longer than this one."""
        cache = self._copied(stem, 1)
        if ids:
            tokens_RT = torch.tensor([list(ids)])
            places_RT = torch.arange(depth, depth + len(ids))[None]
            self._forward(tokens_RT, places_RT, torch.zeros_like(places_RT), cache, depth, [(0, 0)])
        return cache

    def _read_batch(
        self, rows: list[_Row], stem: DynamicCache | None, depth: int
    ) -> Iterator[tuple[int, list[Likelihood]]]:
        longest = max(_size(row, depth) for row in rows)
        tokens_RT = torch.zeros(len(rows), longest, dtype=torch.long)
        places_RT = torch.zeros_like(tokens_RT)
        branch_RT = torch.full_like(tokens_RT, -1)
        wanted: list[tuple[int, int]] = []
        following: list[int] = []
        for at, row in enumerate(rows):
            ids, places, branches = (
                list(row.ids[depth:]),
                list(range(depth, len(row.ids))),
                [0] * (len(row.ids) - depth),
            )
            last = len(ids) - 1
            for number, end in enumerate(row.ends, 1):
                start = len(ids)
                ids += end[:-1]
                places += range(len(row.ids), len(row.ids) + len(end) - 1)
                branches += [number] * (len(end) - 1)
                wanted += [(at, last), *((at, start + step) for step in range(len(end) - 1))]
                following += end
            for tensor_RT, values in ((tokens_RT, ids), (places_RT, places), (branch_RT, branches)):
                tensor_RT[at, : len(values)] = torch.tensor(values)
        logs, greedy = self._likelihoods(
            tokens_RT, places_RT, branch_RT, self._copied(stem, len(rows)), depth, wanted, following
        )
        done = 0
        for row in rows:
            found = []
            for end in row.ends:
                stop = done + len(end)
                found.append(Likelihood(tuple(logs[done:stop]), all(greedy[done:stop])))
                done = stop
            yield row.index, found

    def _likelihoods(
        self,
        tokens_RT: torch.Tensor,
        places_RT: torch.Tensor,
        branch_RT: torch.Tensor,
        cache: DynamicCache,
        depth: int,
        wanted: Sequence[tuple[int, int]],
        following: Sequence[int],
    ) -> tuple[list[float], list[bool]]:
        """The log-probability of the token that follows each wanted place, and whether it is the likeliest there."""
        kept = {place: number for number, place in enumerate(dict.fromkeys(wanted))}
        hidden_ND, logits_NV = self._forward(tokens_RT, places_RT, branch_RT, cache, depth, list(kept))
        which = torch.tensor([kept[place] for place in wanted])
        next_ = torch.tensor(list(following))
        chosen = self._exactly(hidden_ND, which, next_)
        logits_NV = logits_NV.float()
        logs = (logits_NV[which, next_] if chosen is None else chosen) - logits_NV.logsumexp(-1)[which]
        return logs.tolist(), (logits_NV.argmax(-1)[which] == next_).tolist()

    def _exactly(self, hidden_ND: torch.Tensor, which: torch.Tensor, next_: torch.Tensor) -> torch.Tensor | None:
        """The logits of the tokens that follow, in float32 where the model computes in bfloat16, which rounds a logit of 40 to a
        quarter: options would come out even that are not. None where a family does more to its logits than one product."""
        head = self._module.get_output_embeddings()
        scaled = any(
            getattr(self._config, name, None) not in (None, 1.0)
            for name in ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")
        )
        if self._module.dtype == torch.float32 or type(head) is not torch.nn.Linear or scaled:
            return None
        chosen = (hidden_ND[which].float() * head.weight[next_].float()).sum(-1)
        return chosen if head.bias is None else chosen + head.bias[next_].float()

    def _forward(
        self,
        tokens_RT: torch.Tensor,
        places_RT: torch.Tensor,
        branch_RT: torch.Tensor,
        cache: DynamicCache,
        depth: int,
        wanted: list[tuple[int, int]],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What goes into the output layer at the wanted places (N, D), and the logits that come of it (N, V). A hook gathers before
        the layer, so that what a family does to its logits afterwards (scaling, capping) is done as ever."""
        rows, columns = (torch.tensor(values) for values in zip(*wanted, strict=True))
        seen: list[torch.Tensor] = []

        def gather(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
            seen.append(given[0][rows, columns])
            return (seen[0][None],)

        hook = self._module.get_output_embeddings().register_forward_pre_hook(gather)
        try:
            out = self._module(
                input_ids=tokens_RT,
                position_ids=places_RT + self._num_before,
                attention_mask=self._masks(places_RT, branch_RT, depth),
                past_key_values=cache,
                use_cache=True,
            )
        finally:
            hook.remove()
        return seen[0], out.logits[0]

    def _masks(self, places_RT: torch.Tensor, branch_RT: torch.Tensor, depth: int) -> Any:
        """Who sees whom: a token sees the stem, what stands before it in its own prompt, and its own continuation."""
        rows, longest = places_RT.shape
        before = self._num_before + depth
        earlier = torch.ones(longest, longest, dtype=torch.bool).tril()
        same = (branch_RT[:, None, :] == branch_RT[:, :, None]) | (branch_RT[:, None, :] == 0)
        # A place that is empty sees itself, lest its row of the softmax has nothing to sum; nobody sees it.
        own = (earlier & same & (branch_RT[:, None, :] >= 0)) | torch.eye(longest, dtype=torch.bool)
        seen_RTK = torch.cat((own.new_ones(rows, longest, before), own), -1)
        keys_RK = torch.cat((torch.arange(before).expand(rows, -1), places_RT + self._num_before), -1)
        return stems.masks(self._config, self._module.dtype, seen_RTK, places_RT + self._num_before, keys_RK)

    def _copied(self, stem: DynamicCache | None, rows: int) -> DynamicCache:
        return stems.copies(stem if stem is not None else self._before(1) if self._before else None, rows)

    def _whole(self, row: _Row) -> list[Likelihood]:
        """Each continuation with its prompt, without a cache."""
        found = []
        for end in row.ends:
            logits_TV = (
                self._module(
                    input_ids=torch.tensor([[*row.ids, *end[:-1]]]),
                    past_key_values=self._before(1) if self._before else None,
                    use_cache=self._before is not None,
                    logits_to_keep=len(end),
                )
                .logits[0, -len(end) :]
                .float()
            )
            next_ = torch.tensor(end)
            logs = torch.log_softmax(logits_TV, -1).gather(-1, next_[:, None])[:, 0]
            found.append(Likelihood(tuple(logs.tolist()), bool((logits_TV.argmax(-1) == next_).all())))
        return found


def _unfit(asked: Asked, context: int) -> str:
    """Why a question cannot be scored."""
    if not asked.prompt.ids:
        return "the prompt is empty"
    if not asked.continuations or not all(asked.continuations):
        return "an empty continuation has no probability"
    size = len(asked.prompt.ids) + max(len(end) for end in asked.continuations)
    return f"prompt and continuation have {size} tokens, the model's context is {context}" if size > context else ""


def _shared(rows: Sequence[_Row], depth: int) -> int:
    """How many tokens all prompts share from the beginning, the last token of each left out: something must be left to read."""
    first, last = (function(row.ids for row in rows) for function in (min, max))
    end = min(len(row.ids) for row in rows) - 1
    at = depth
    while at < end and first[at] == last[at]:
        at += 1
    return at


def _branches(rows: Sequence[_Row], depth: int) -> list[list[_Row]]:
    """Rows parted by the token that follows what they share."""
    found: dict[int, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.ids[depth], []).append(row)
    return list(found.values())


def _size(row: _Row, depth: int) -> int:
    """Tokens of a row behind its stem, its continuations included but for the last token of each, after which nothing is asked."""
    return len(row.ids) - depth + sum(len(end) - 1 for end in row.ends)


def _wanted(row: _Row) -> int:
    return 1 + sum(len(end) - 1 for end in row.ends)
