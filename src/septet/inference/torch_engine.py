"""The engine that is always there: transformers modules on the CPU, a cache of keys and values, batches of like length.

Shapes: R rows, T tokens, V vocabulary.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any

import torch

from septet.core import ConfigError
from septet.files import read_json
from septet.inference import stems
from septet.inference.likelihood import Scorer
from septet.inference.protocol import Asked, Completion, Likelihood, Options, Piece, StopText, Unscored
from septet.kinds import Adapter, Model
from septet.model.adapter import Adapted, adapted
from septet.model.codec import Codec, Prompt
from septet.model.folder import carried, check_chats
from septet.model.processor import precision_of, repeatable
from septet.model.torch_folder import read_module

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_BATCH = 8
_WORTH = 0.5
"""The share of all tokens that a stem must save to be read by itself. A mask of one's own costs a little at every step, and the
few words that all questions to an assistant begin with are not worth it."""


class TorchEngine:
    """A model in safetensors form, in bfloat16 where the processor multiplies it."""

    name = "torch"

    def __init__(self, model: Model, precision: str = "auto", batch: int = _BATCH) -> None:
        if model.form != "safetensors":
            raise ConfigError("torch runs the safetensors form of a model, this one is GGUF", "Use the engine llamacpp")
        check_chats(model.path)
        self.codec = Codec(model.path)
        self._adapted = Adapted(read_module(model.path, precision_of(precision)))
        self._context = int(read_json(model.path / "config.json")["max_position_embeddings"])
        self._batch = batch
        self._adapter: Adapter | None = None
        self._lock = threading.Lock()
        own = carried(model.path)
        if own is not None:
            self._put_on(own)

    def with_adapter(self, adapter: Adapter) -> TorchEngine:
        """An engine of this model with an adapter of any method on it, unmerged. It shares the weights, and its turn, with this
        one; each is closed by itself. Raises ConfigError for an adapter of another model."""
        with self._lock:
            made = copy(self)
            made._put_on(adapter)
        return made

    def generate(self, prompts: Sequence[Prompt], options: Options) -> list[Completion]:
        order = sorted(range(len(prompts)), key=lambda index: (len(prompts[index].ids), index))
        made: dict[int, Completion] = {}
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            rows = [_Row(self.codec, prompts[index], options, self._context) for index in chosen]
            with self._lock:
                for _ in self._steps(rows, options):
                    pass
            made.update((index, row.completion()) for index, row in zip(chosen, rows, strict=True))
        return [made[index] for index in range(len(prompts))]

    def stream(self, prompt: Prompt, options: Options) -> Generator[Piece, None, None]:
        row = _Row(self.codec, prompt, options, self._context)
        shown = 0
        with self._lock:
            for _ in self._steps([row], options):
                if len(row.text) > shown:
                    yield Piece(row.text[shown:])
                    shown = len(row.text)
        yield Piece(row.text[shown:], row.finish)

    def score(self, asked: Sequence[Asked]) -> Iterator[tuple[int, list[Likelihood] | Unscored]]:
        before = self._adapted.before
        scores = Scorer(self._module, self._context, self._adapted.num_before, before).score(asked)
        while True:
            with self._lock, _settled():  # a batch at a time: others may want their turn
                found = next(scores, None)
            if found is None:
                return
            yield found

    def close(self) -> None:
        del self._adapted

    def _put_on(self, adapter: Adapter) -> None:
        if self._adapter:
            raise ConfigError("an adapter cannot stand on another", "Put it on the model without one")
        self._adapter = adapter
        self._adapted = adapted(self._adapted.module, adapter)
        self._context -= self._adapted.num_before
        if self._adapted.num_before:  # padding would stand between a text and what was learnt to stand before it
            self._batch = 1

    @property
    def _module(self) -> PreTrainedModel:
        return self._adapted.module

    def _before(self, rows: int) -> Any:
        """The cache that an adapter begins with, where it has one."""
        return self._adapted.before(rows) if self._adapted.before else None

    def _steps(self, rows: list[_Row], options: Options) -> Iterator[None]:
        """Extend every row by a token a step, until all are done. What all prompts begin with is read once where that is worth
        it; the rest is padded on the left."""
        depth = self._shared([row.prompt.ids for row in rows])
        longest = max(len(row.prompt.ids) for row in rows) - depth
        ids_RT = torch.full((len(rows), longest), self.codec.pad_id)
        mask_RK = torch.zeros_like(ids_RT)
        for at, row in enumerate(rows):
            size = len(row.prompt.ids) - depth
            ids_RT[at, longest - size :] = torch.tensor(row.prompt.ids[depth:])
            mask_RK[at, longest - size :] = 1
        chance = [torch.Generator().manual_seed(options.seed) for _ in rows]
        positions_RT = (mask_RK.cumsum(-1) - 1).clamp(min=0) + self._adapted.num_before + depth
        stem_RK = torch.arange(depth).expand(len(rows), -1)
        mask_RK = torch.cat((torch.ones_like(stem_RK), mask_RK), -1)
        keys_RK = torch.cat((stem_RK, positions_RT), -1)
        cache = None
        padded = not bool(mask_RK.all())
        while not all(row.finish for row in rows):
            with _settled():  # inside the step: between two pieces of a stream the caller's own torch settings hold
                if cache is None:
                    cache = self._stem(rows[0].prompt.ids[:depth], len(rows)) if depth else self._before(len(rows))
                out = self._module(
                    input_ids=ids_RT,
                    attention_mask=self._seen(mask_RK, positions_RT, keys_RK) if depth else mask_RK if padded else None,
                    position_ids=positions_RT,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
                logits_RV = out.logits[:, -1].float()
                for at, row in enumerate(rows):
                    if not row.finish:
                        row.take(_choose(logits_RV[at], options, chance[at]))
            cache = out.past_key_values
            yield
            ids_RT = torch.tensor([[row.last] for row in rows])
            positions_RT = positions_RT[:, -1:] + 1
            mask_RK = torch.cat((mask_RK, mask_RK.new_ones(len(rows), 1)), -1)
            keys_RK = torch.cat((keys_RK, positions_RT), -1)

    def _shared(self, prompts: Sequence[Sequence[int]]) -> int:
        """How many tokens of the beginning are read once for all: those that all share but the last of each, or none."""
        if len(prompts) == 1 or self._adapted.num_before or not stems.can_share(self._module.config.get_text_config()):
            return 0
        first, last = min(prompts), max(prompts)
        end = min(map(len, prompts)) - 1
        shared = next((at for at in range(end) if first[at] != last[at]), end)
        return shared if shared * (len(prompts) - 1) >= _WORTH * sum(map(len, prompts)) else 0

    def _stem(self, ids: Sequence[int], rows: int) -> Any:
        """The cache of what all rows begin with."""
        out = self._module(
            input_ids=torch.tensor([list(ids)]), past_key_values=stems.copies(None, 1), use_cache=True, logits_to_keep=1
        )
        return stems.copies(out.past_key_values, rows)

    def _seen(self, mask_RK: torch.Tensor, positions_RT: torch.Tensor, keys_RK: torch.Tensor) -> Any:
        """The mask of the tokens that are read now, which are the last keys: each sees what stands before it and is no padding."""
        keys_K = torch.arange(keys_RK.shape[1])
        tokens_T1 = keys_K[-positions_RT.shape[1] :, None]
        # Padding sees itself, lest its row of the softmax has nothing to sum; nobody sees it.
        seen_RTK = (mask_RK[:, None, :].bool() & (keys_K <= tokens_T1)) | (keys_K == tokens_T1)
        return stems.masks(self._module.config.get_text_config(), self._module.dtype, seen_RTK, positions_RT, keys_RK)


@contextmanager
def _settled() -> Iterator[None]:
    with repeatable(), torch.inference_mode():
        yield


class _Row:
    """One continuation as it grows."""

    def __init__(self, codec: Codec, prompt: Prompt, options: Options, context: int) -> None:
        if len(prompt.ids) >= context:
            raise ConfigError(
                f"the prompt has {len(prompt.ids)} tokens, the model's context is {context}",
                "Give fewer or shorter contexts",
            )
        self.prompt = prompt
        self.ids: list[int] = []
        self.text = ""
        self.finish = ""
        self.last = codec.pad_id
        self._stop_ids = codec.stop_ids
        self._limit = min(options.max_tokens, context - len(prompt.ids))
        self._decoder = codec.decoder()
        self._stop = StopText(options.stop)
        if self._limit < 1:
            self.finish = "length"

    def take(self, token: int) -> None:
        self.last = token
        if token in self._stop_ids:
            self._end("stop")
            return
        self.ids.append(token)
        self.text += self._stop.feed(self._decoder(token))
        if self._stop.stopped:
            self._end("stop")
        elif len(self.ids) >= self._limit:
            self._end("length")

    def _end(self, finish: str) -> None:
        self.text += self._stop.rest()
        self.finish = finish

    def completion(self) -> Completion:
        return Completion(self.text, tuple(self.ids), self.finish, len(self.prompt.ids))


def _choose(logits_V: torch.Tensor, options: Options, chance: torch.Generator) -> int:
    if options.temperature <= 0:
        return int(logits_V.argmax())
    probabilities, order = torch.sort(torch.softmax(logits_V / options.temperature, -1), descending=True, stable=True)
    before = probabilities.cumsum(-1) - probabilities
    probabilities = probabilities.masked_fill(before >= options.top_p, 0.0)
    return int(order[torch.multinomial(probabilities, 1, generator=chance)])


def make(model: Model) -> TorchEngine:
    """The entry point."""
    return TorchEngine(model)


def make_exact(model: Model) -> TorchEngine:
    """The entry point of the engine that computes in float32 wherever it runs: what two harnesses can be compared in."""
    return TorchEngine(model, "float32")
