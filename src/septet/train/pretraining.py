"""What pretraining does around the loop: read the model, lay out the tokens, keep what was learnt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from septet.core import ConfigError, Run
from septet.kinds import Model, Tokens, read_json
from septet.model.folder import carry, changed
from septet.model.processor import precision_of, repeatable
from septet.model.torch_folder import write_module
from septet.train.batches import Batch, PackedRows
from septet.train.loop import Settings, train
from septet.train.objectives import cross_entropy, mean_loss
from septet.train.optimiser import Decay
from septet.train.trainable import check_trainable, trainable, write_log

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from septet.train.steps import Pretrain

_VALIDATION_ROWS = 64


def pretrain(config: Pretrain, model: Model, tokens: Tokens, run: Run) -> None:
    """Train all weights and write the model. Raises ConfigError when model and tokens do not belong together."""
    check_trainable(model)
    shape = read_json(model.path / "config.json")
    meta = tokens.meta
    if meta["vocabulary"] > shape["vocab_size"]:
        raise ConfigError(
            f"the tokens have a vocabulary of {meta['vocabulary']}, the model one of {shape['vocab_size']}",
            "Pack the tokens with the tokenizer that the model was made with",
        )
    if meta["sequence"] > shape["max_position_embeddings"]:
        raise ConfigError(
            f"rows of {meta['sequence']} tokens are longer than the model's context of {shape['max_position_embeddings']}",
            "Raise the model's context, or lower the sequence of the rows",
        )
    precision = precision_of(config.precision)
    module = trainable(model, precision)
    held_out = min(_VALIDATION_ROWS, math.ceil(meta["rows"] * config.held_out)) if meta["rows"] > config.batch else 0
    data = PackedRows(tokens, config.batch, config.seed, held_out)
    kept_out = data.held_out_rows
    validation = [data.of(kept_out[i : i + config.batch]) for i in range(0, held_out, config.batch)]
    settings = Settings(
        steps=config.steps,
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        decay=Decay(weight_decay=config.weight_decay, clip=config.clip),
        spike=config.spike,
        seed=config.seed,
    )
    run.note(
        f"{config.steps} steps are {config.steps / data.per_epoch:.1f} passes over {data.per_epoch * config.batch} rows"
    )
    before = validation_loss(module, validation)
    trained = train(module, data, cross_entropy(module), settings, run)
    after = validation_loss(module, validation)
    if before is not None and after is not None:
        run.metric("validation_loss", before, 0)
        run.metric("validation_loss", after, config.steps)
        run.note(f"validation loss {before:.2f} -> {after:.2f} on {held_out} rows that were not trained on")
    write_module(module.state_dict(), shape, run.out, precision)
    carry(model.path, run.out, changed(model.card, "pretrained on packed tokens"))
    write_log(trained, {"validation_loss_before": before, "validation_loss_after": after}, run)


def validation_loss(module: PreTrainedModel, batches: list[Batch]) -> float | None:
    """The mean loss per label over some batches; none when there are none."""
    if not batches:
        return None
    total, labels = 0.0, 0
    with repeatable(), torch.no_grad():
        for batch in batches:
            total += float(mean_loss(module, batch)) * batch.weight
            labels += batch.weight
    return total / labels
