"""What pretraining does around the loop: read the model, lay out the tokens for its family, keep what was learnt.

A decoder learns the next token, an encoder the hidden ones, an encoder-decoder the hidden spans. Continued pretraining is the
same on a model that has learnt already.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from septet.core import ConfigError, Run
from septet.files import read_json
from septet.kinds import Model, Tokens
from septet.model import architecture
from septet.model.codec import Codec
from septet.model.flops import flops
from septet.model.folder import carry, changed
from septet.model.processor import peak_flops, precision_of, repeatable
from septet.model.torch_folder import write_module
from septet.train import masking
from septet.train.batches import Batch, PackedRows
from septet.train.loop import Settings, train
from septet.train.masking import HiddenRows, Pairs
from septet.train.objectives import cross_entropy, mean_loss
from septet.train.optimiser import Decay
from septet.train.sampling import sample
from septet.train.trainable import check_trainable, trainable, write_log

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from septet.train.steps import Pretrain

_VALIDATION_ROWS = 64
_SAMPLE_PROMPT, _SAMPLE_TOKENS = 8, 24


def pretrain(config: Pretrain, model: Model, tokens: Tokens, run: Run) -> None:
    """Train all weights and write the model. Raises ConfigError when model and tokens do not belong together."""
    check_trainable(model)
    shape = read_json(model.path / "config.json")
    _belong_together(shape, tokens)
    precision = precision_of(config.precision)
    data = _data(config, shape, tokens)
    module = trainable(model, precision, config.compile)
    if config.checkpointing:
        module.gradient_checkpointing_enable({"use_reentrant": False})
    run.note(
        f"{config.steps} steps are {config.steps / data.rows.per_epoch:.1f} passes over "
        f"{data.rows.per_epoch * config.batch} rows"
    )
    validation = list(data.validation(config.batch))

    def look(step: int) -> Mapping[str, float]:
        loss = validation_loss(module, validation)
        if architecture.kind(shape) == architecture.DECODER:
            run.note(f"after {step} steps: {_sample(module, model, data.rows)}")
        return {} if loss is None else {"validation_loss": loss}

    with repeatable():
        peak = peak_flops(precision)
    settings = Settings(
        steps=config.steps,
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        schedule=config.schedule,
        decay=Decay(weight_decay=config.weight_decay, clip=config.clip, average=config.average),
        spike=config.spike,
        look_every=config.look_every,
        seed=config.seed,
        flops=flops(shape, tokens.meta["sequence"], checkpointing=config.checkpointing).training,
        peak_flops=peak,
    )
    before = validation_loss(module, validation)
    trained = train(module, data.batches, cross_entropy(module), settings, run, look)
    after = validation_loss(module, validation)
    if before is not None and after is not None:
        run.metric("validation_loss", before, 0)
        run.metric("validation_loss", after, config.steps)
        run.note(f"validation loss {before:.2f} -> {after:.2f} on {data.num_held_out} rows that were not trained on")
    write_module(module.state_dict(), shape, run.out, precision)
    carry(model.path, run.out, changed(model.card, "pretrained on packed tokens"))
    write_log(trained, {"validation_loss_before": before, "validation_loss_after": after}, run)


def validation_loss(module: PreTrainedModel, batches: Sequence[Batch | Pairs]) -> float | None:
    """The mean loss per label over some batches; none when there are none."""
    if not batches:
        return None
    total, labels = 0.0, 0
    with repeatable(), torch.no_grad():
        for batch in batches:
            total += float(mean_loss(module, batch)) * batch.weight
            labels += batch.weight
    return total / labels


@dataclass(frozen=True)
class _Data:
    """Rows, and the batches that a family learns from."""

    rows: PackedRows
    batches: PackedRows | HiddenRows
    num_held_out: int

    def validation(self, batch: int) -> Any:
        kept = self.rows.held_out_rows
        for at in range(0, len(kept), batch):
            yield self.batches.of(kept[at : at + batch])


def _data(config: Pretrain, shape: Mapping[str, Any], tokens: Tokens) -> _Data:
    meta = tokens.meta
    held_out = min(_VALIDATION_ROWS, math.ceil(meta["rows"] * config.held_out)) if meta["rows"] > config.batch else 0
    rows = PackedRows(tokens, config.batch, config.seed, held_out, config.accumulate)
    hide = _hiding(config, shape, meta["vocabulary"])
    return _Data(rows, HiddenRows(rows, hide, config.seed) if hide else rows, held_out)


def _hiding(config: Pretrain, shape: Mapping[str, Any], vocabulary: int) -> masking.Hide | None:
    """What is hidden from this family; none: a decoder learns to go on."""
    kind = architecture.kind(shape)
    if kind == architecture.DECODER:
        return None
    mask = shape.get("mask_token_id")
    if kind == architecture.ENCODER:
        if mask is None:
            raise _without("mask_token_id")
        return partial(masking.masked, share=config.hidden, mask=mask, vocabulary=vocabulary)
    if mask is not None:
        return partial(masking.infilled, share=config.hidden, span=config.span, mask=mask)
    if not shape.get("num_sentinels"):
        raise _without("num_sentinels")
    top = shape["vocab_size"] - 1
    sentinels = range(top, top - shape["num_sentinels"], -1)
    return partial(masking.corrupted, share=config.hidden, span=config.span, sentinels=sentinels)


def _without(key: str) -> ConfigError:
    return ConfigError(
        f"config.json of the model has no {key}, so nothing can be hidden", f"Add {key} to it, or make the model here"
    )


def _belong_together(shape: Mapping[str, Any], tokens: Tokens) -> None:
    meta = tokens.meta
    if meta["vocabulary"] > shape["vocab_size"]:
        raise ConfigError(
            f"the tokens have a vocabulary of {meta['vocabulary']}, the model one of {shape['vocab_size']}",
            "Pack the tokens with the tokenizer that the model was made with",
        )
    longest = architecture.context(shape)
    if longest is not None and meta["sequence"] > longest:
        raise ConfigError(
            f"rows of {meta['sequence']} tokens are longer than the model's context of {longest}",
            "Raise the model's context, or lower the sequence of the rows",
        )


def _sample(module: PreTrainedModel, model: Model, rows: PackedRows) -> str:
    """How the module goes on from the beginning of a text, one that was held out where there is one."""
    codec = Codec(model.path)
    row = next(iter(rows.held_out_rows), 0)
    prompt = rows.of([row]).ids[:_SAMPLE_PROMPT].tolist()
    made = sample(module, [prompt], _SAMPLE_TOKENS, 0.0, 0, codec.stop_ids)[0].ids
    return f"{codec.tokenizer.decode(prompt)!r} goes on {codec.tokenizer.decode(made)!r}"
