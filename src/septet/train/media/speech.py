"""Training a speech model: the words of each recording after its sound, by the loop and the loss of every other family.

SpecAugment (https://arxiv.org/abs/1904.08779) hides a band of frequencies and a stretch of time, as a function of the step.

Shapes: R recordings, M mel bands, F frames, U tokens of a transcript.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from septet.core import Run, StepFailed
from septet.files import read_json, write_lines
from septet.inference.error_rate import num_errors, rate, units
from septet.inference.transcribe import Transcriber
from septet.kinds import Model, Recordings
from septet.model.folder import carry, changed
from septet.model.processor import precision_of
from septet.model.sound import samples_of
from septet.model.speech import Listener
from septet.model.torch_folder import read_module, write_module
from septet.train.batches import IGNORED, Order
from septet.train.loop import Outcome, Settings, train
from septet.train.objectives import LinearCrossEntropy, output_layer
from septet.train.optimiser import Decay
from septet.train.trainable import to_device, write_log

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from septet.train.steps.media import Speech

_WRITTEN_AT_ONCE = 8
_KEPT = 1000
"""Spectrograms held, of 0.3 to 1 MB each."""


@dataclass(frozen=True)
class Spoken:
    """`features` (R, M, F), `before` (R, U) what the decoder reads, `labels` (R, U) with `IGNORED` where nothing is learnt."""

    features: torch.Tensor
    before: torch.Tensor
    labels: torch.Tensor
    rows: tuple[str, ...]
    num_tokens: int
    weight: int


class SpokenRows:
    """Recordings in an order that changes with each pass, for `train.loop`. `augment`: hide parts of the sound."""

    def __init__(
        self, recordings: Recordings, rows: Sequence[dict[str, Any]], listener: Listener, batch: int, seed: int
    ) -> None:
        self._path, self._rows, self._listener = recordings.path, rows, listener
        self._order, self._seed, self.augment = Order(len(rows), batch, seed), seed, False
        self._heard: dict[str, np.ndarray] = {}

    @property
    def per_epoch(self) -> int:
        return self._order.per_epoch

    def batches(self, step: int) -> list[Spoken]:
        chance = np.random.default_rng([self._seed, step, 1]) if self.augment else None
        return [self.of([self._rows[index] for index in self._order.chosen(step)], chance)]

    def of(self, rows: Sequence[dict[str, Any]], chance: np.random.Generator | None = None) -> Spoken:
        """The batch of some recordings."""
        heard = [self.features(row) for row in rows]
        features = np.stack([_hidden(one, chance) for one in heard] if chance is not None else heard)
        starts = [self._listener.start(row["language"]) for row in rows]
        texts = [[*self.text_ids(row), self._listener.end] for row in rows]
        longest = max(len(start) + len(text) - 1 for start, text in zip(starts, texts, strict=True))
        before = torch.full((len(rows), longest), self._listener.end)
        labels = torch.full((len(rows), longest), IGNORED)
        for row, (start, text) in enumerate(zip(starts, texts, strict=True)):
            read = [*start, *text[:-1]]
            before[row, : len(read)] = torch.tensor(read)
            labels[row, len(start) - 1 : len(read)] = torch.tensor(text)
        weight = sum(map(len, texts))
        names = tuple(str(row["source"]) for row in rows)
        return Spoken(torch.from_numpy(features), before, labels, names, features.shape[2] * len(rows) + weight, weight)

    def features(self, row: dict[str, Any]) -> np.ndarray:
        """The spectrogram of a recording, (M, F)."""
        if row["id"] in self._heard:
            return self._heard[row["id"]]
        found = self._listener.features(samples_of(self._path / row["sound"]))
        if len(self._heard) < _KEPT:
            self._heard[row["id"]] = found
        return found

    def text_ids(self, row: dict[str, Any]) -> list[int]:
        return list(self._listener.tokenizer.encode(row["text"], add_special_tokens=False).ids)


def teach(config: Speech, model: Model, recordings: Recordings, run: Run) -> None:
    """Train all weights and write the model. Raises StepFailed when no recording is short enough for the model."""
    listener = Listener(model)
    kept = _fitting(recordings, listener, run)
    held = round(len(kept) * config.held_out)
    order = np.random.default_rng(config.seed).permutation(len(kept))
    held_out, learnt = [kept[index] for index in order[:held]], [kept[index] for index in sorted(order[held:])]
    if not learnt:
        raise StepFailed("no recording is left to learn from", "Lower held_out, or bring more recordings")
    precision = precision_of(config.precision)
    module = to_device(read_module(model.path, precision))
    rows = SpokenRows(recordings, learnt, listener, config.batch, config.seed)
    rows.augment = config.spec_augment

    def look(step: int) -> dict[str, float]:  # noqa: ARG001 - the loop tells it
        return {"word_error_rate": rate(_errors(module, model, held_out or learnt, rows)).value}

    settings = Settings(
        steps=config.steps,
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        decay=Decay(weight_decay=config.weight_decay),
        spike=config.spike,
        look_every=config.look_every,
        seed=config.seed,
    )
    trained = train(module, rows, objective(module), settings, run, look)
    write_module(module.state_dict(), read_json(model.path / "config.json"), run.out, precision)
    carry(model.path, run.out, changed(model.card, "trained on recordings"))
    found: dict[str, Any] = {}
    for name, some in (("learnt", learnt[: config.asked]), ("held_out", held_out)):
        if some:
            is_ = rate(_errors(module, model, some, rows))
            found[name] = {"value": is_.value, "low": is_.low, "high": is_.high, "recordings": is_.n}
            run.note(f"error rate, {name}: {is_.value:.1%} ({is_.low:.1%} to {is_.high:.1%}, {is_.n} recordings)")
    write_log(trained, {"error_rate": found}, run)


def objective(module: PreTrainedModel) -> Callable[[Spoken], Outcome]:
    """The mean loss over the tokens of the transcripts, the end included."""

    def loss(batch: Spoken) -> Outcome:
        weight_VD, bias_V = output_layer(module)
        where = weight_VD.device
        heard = module.get_encoder()(batch.features.to(where, weight_VD.dtype)).last_hidden_state
        hidden_RUD = module.get_decoder()(
            input_ids=batch.before.to(where), encoder_hidden_states=heard, use_cache=False
        ).last_hidden_state
        kept = batch.labels != IGNORED
        hidden_ND, labels_N = hidden_RUD[kept.to(where)], batch.labels[kept].to(where)
        return Outcome(LinearCrossEntropy.apply(hidden_ND, weight_VD, bias_V, labels_N))

    return loss


def _fitting(recordings: Recordings, listener: Listener, run: Run) -> list[dict[str, Any]]:
    """Recordings whose sound and words the model can take; the others are named in dropped.jsonl."""
    most = listener.config["max_target_positions"]
    kept, dropped = list[dict[str, Any]](), list[dict[str, Any]]()
    for row in recordings.rows():
        length = len(listener.start(row["language"])) + len(listener.tokenizer.encode(row["text"]).ids)
        rule = "longer than the model hears" if row["seconds"] > listener.seconds else ""
        rule = rule or ("more tokens than the model writes" if length > most else "")
        (dropped if rule else kept).append({**row, "rule": rule} if rule else row)
    if dropped:
        write_lines(run.out / "dropped.jsonl", dropped)
        run.drop("recordings that do not fit the model", len(dropped), "dropped.jsonl")
    if not kept:
        raise StepFailed("no recording fits the model", f"It hears {listener.seconds} s at once: make it with more")
    return kept


def _errors(
    module: PreTrainedModel, model: Model, rows: Sequence[dict[str, Any]], spoken: SpokenRows
) -> list[tuple[int, int]]:
    """Errors and words said, of each recording."""
    transcriber, pairs = Transcriber(model, module=module), []
    for at in range(0, len(rows), _WRITTEN_AT_ONCE):
        some = rows[at : at + _WRITTEN_AT_ONCE]
        features = np.stack([spoken.features(row) for row in some])
        for row, text in zip(some, transcriber.batch(features, [row["language"] for row in some]), strict=True):
            said = units(row["text"])
            pairs.append((num_errors(said, units(text)), len(said)))
    return pairs


def _hidden(features_MF: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """With two bands and two stretches at the quietest level there is; at most a quarter and a tenth each."""
    changed_MF, (bands, frames) = features_MF.copy(), features_MF.shape
    low = features_MF.min()
    for _ in range(2):
        size, length = int(chance.integers(0, bands // 4 + 1)), int(chance.integers(0, frames // 10 + 1))
        start, at = int(chance.integers(0, bands - size + 1)), int(chance.integers(0, frames - length + 1))
        changed_MF[start : start + size] = low
        changed_MF[:, at : at + length] = low
    return changed_MF
