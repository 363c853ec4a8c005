"""A model whose answers are being changed: in all its weights or by low-rank adapters that are folded in at the end, and how far
it has moved from the model that it was.

Shapes: T tokens, N labelled positions, G texts, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch

from septet.core import Run
from septet.files import read_json
from septet.kinds import Measure, Model
from septet.model.folder import carry, changed
from septet.model.processor import precision_of, repeatable
from septet.model.torch_folder import write_module
from septet.statistics import mean
from septet.train.batches import IGNORED, AnswerRow, Batch
from septet.train.objectives import device_of, hidden_states, log_likelihoods, output_layer
from septet.train.trainable import check_trainable, trainable
from septet.train.tuning.adapters import put_on

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

_CHUNK_ELEMENTS = 1 << 24
"""Logits held at once: 64 MB in float32."""


class Policy(NamedTuple):
    """`module` is trained; `adapted` is the same with its adapters, where it has some."""

    source: Model
    module: PreTrainedModel
    adapted: PeftModel | None
    precision: str


def opened(model: Model, rank: int, alpha: int, seed: int, precision: str) -> Policy:
    """A model to be trained by adapters of a rank, or for rank 0 in all its weights. Raises ConfigError for a GGUF model."""
    check_trainable(model)
    precision = precision_of(precision)
    module = trainable(model, precision)
    return Policy(model, module, put_on(module, rank, alpha, 0.0, seed) if rank else None, precision)


def reference(policy: Policy) -> PreTrainedModel:
    """The model as it was, frozen."""
    module = trainable(policy.source, policy.precision)
    module.requires_grad_(requires_grad=False)
    return module


def written(policy: Policy, change: str, run: Run) -> None:
    """The trained model as a folder, its adapters folded in, in float32 until they are rounded once."""
    module = policy.module
    if policy.adapted is not None:
        module.float()  # type: ignore[no-untyped-call]
        module = policy.adapted.merge_and_unload()
    shape = read_json(policy.source.path / "config.json")
    write_module(module.state_dict(), shape, run.out, policy.precision)
    carry(policy.source.path, run.out, changed(policy.source.card, change))


def told(measures: Mapping[str, Measure], run: Run) -> None:
    """A note of each held-out measure with its interval."""
    for name, measure in measures.items():
        what = f"held-out {name.replace('_', ' ')}"
        run.note(f"{what}: {measure.value:.3f} ({measure.low:.3f} to {measure.high:.3f})")


def longest(model: Model, max_tokens: int) -> int:
    """Tokens that a text may have: what was asked for, or the context where that is shorter."""
    return min(max_tokens, int(read_json(model.path / "config.json")["max_position_embeddings"]))


def batch_of(answers: Sequence[AnswerRow]) -> Batch:
    """Some answers, each behind its prompt."""
    return Batch.of([one.ids for one in answers], [one.wrote for one in answers], [one.name for one in answers])


def text_sums(values_N: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Values of the labelled positions added up text by text, (G,)."""
    sums = torch.zeros(len(batch.ends), dtype=values_N.dtype, device=values_N.device)
    return sums.index_add(0, owners(batch), values_N)


def owners(batch: Batch) -> torch.Tensor:
    """The number of the text in which each labelled position stands, (N,)."""
    lengths = torch.tensor([end - start for start, end in batch.spans], device=batch.ids.device)
    numbers = torch.arange(len(lengths), device=batch.ids.device).repeat_interleave(lengths)
    return numbers[batch.labels != IGNORED]


def scored(module: PreTrainedModel, answers: Sequence[AnswerRow], rows: int) -> torch.Tensor:
    """The log-likelihood of each answer, (len(answers),), read `rows` at a time and without gradients."""
    found = []
    with repeatable(), torch.no_grad():
        for batch in _batches(answers, rows):
            found.append(text_sums(log_likelihoods(module, batch), batch))
    return torch.cat(found)


def divergence(module: PreTrainedModel, other: PreTrainedModel, answers: Sequence[AnswerRow], rows: int) -> Measure:
    """KL(module || other) of the next token, in nats, averaged over the tokens of some answers; texts are resampled whole."""
    values: list[float] = []
    texts: list[str] = []
    with repeatable(), torch.no_grad():
        for start, batch in zip(range(0, len(answers), rows), _batches(answers, rows), strict=True):
            values += _divergences(module, other, batch).tolist()
            texts += [str(start + number) for number in owners(batch).tolist()]
    return mean(values, "nats a token", texts)


def _divergences(module: PreTrainedModel, other: PreTrainedModel, batch: Batch) -> torch.Tensor:
    """At each labelled position, (N,)."""
    batch = batch.to(device_of(module))
    kept = batch.labels != IGNORED
    sides = [(hidden_states(one, batch)[kept], *output_layer(one)) for one in (module, other)]
    rows = max(1, _CHUNK_ELEMENTS // sides[0][1].shape[0])
    found = []
    for start in range(0, int(kept.sum()), rows):
        ours, theirs = (
            torch.nn.functional.linear(hidden_ND[start : start + rows], weight_VD, bias_V).float().log_softmax(-1)
            for hidden_ND, weight_VD, bias_V in sides
        )
        found.append((ours.exp() * (ours - theirs)).sum(-1))
    return torch.cat(found)


def _batches(answers: Sequence[AnswerRow], rows: int) -> Iterator[Batch]:
    for start in range(0, len(answers), rows):
        yield batch_of(answers[start : start + rows])
