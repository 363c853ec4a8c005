"""What fine-tuning does around the loop: read the model, lay out the conversations, keep what was learnt.

The methods differ in what they put on the model and in what they write; `_fit` is the same for all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from septet.core import ConfigError, Run
from septet.files import read_json
from septet.kinds import Conversations, Model
from septet.model import bottleneck as bottlenecks
from septet.model import sizing
from septet.model.codec import Codec
from septet.model.folder import carry, changed
from septet.model.processor import precision_of
from septet.model.torch_folder import read_module, write_module
from septet.train.attention import ATTENTION, register
from septet.train.batches import AnswerRows, Batch, answer_rows
from septet.train.loop import Settings, train
from septet.train.objectives import cross_entropy
from septet.train.optimiser import Decay
from septet.train.pretraining import validation_loss
from septet.train.trainable import check_trainable, trainable, write_log
from septet.train.tuning import adapters, prompts

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from septet.train.steps.tuning import Bottleneck, FineTune, Ia3, Lora, Prompt, Tuning

_VALIDATION_ROWS = 64
_BETA2 = 0.999
"""Second moment's memory: runs are short and their gradients few."""


def finetune(config: FineTune, model: Model, rows: Conversations, run: Run) -> None:
    """Train all weights and write the model. Raises ConfigError when no row can be trained on."""
    data = _read(config, model, rows, run)
    precision = precision_of(config.precision)
    module = trainable(model, precision)
    _fit(config, model, module, data, run)
    write_module(module.state_dict(), read_json(model.path / "config.json"), run.out, precision)
    carry(model.path, run.out, changed(model.card, "fine-tuned on conversations"))


def lora(config: Lora, model: Model, rows: Conversations, run: Run) -> None:
    """Train low-rank adapters and write them. Raises ConfigError when no row can be trained on, and for a quantised base on a
    machine that cannot hold one."""
    if config.quantised:
        adapters.check_quantised()
    data = _read(config, model, rows, run)
    precision = precision_of(config.precision)
    if config.quantised:
        register()
        module = adapters.quantised_module(model, precision, ATTENTION)
    else:
        module = trainable(model, precision)
    wrapped = adapters.put_on(
        module, config.rank, config.alpha, config.dropout, config.seed, config.targets, config.dora
    )
    _fit(config, model, module, data, run)
    adapters.write_adapter(wrapped, model.card, run.out)


def bottleneck(config: Bottleneck, model: Model, rows: Conversations, run: Run) -> None:
    """Train bottleneck adapters and write them. Raises ConfigError where the architecture has no known place for them."""
    data = _read(config, model, rows, run)
    module = trainable(model, precision_of(config.precision))
    made = bottlenecks.set_in(module, config.placement, config.reduction, config.activation, config.seed)
    _fit(config, model, module, data, run)
    said = bottlenecks.describe(config.placement, config.reduction, config.activation)
    adapters.write_folder(bottlenecks.weights(made), said, model.card, run.out)


def prompt(config: Prompt, model: Model, rows: Conversations, run: Run) -> None:
    """Train virtual tokens or prefixes and write them. Raises ConfigError when no row fits behind them."""
    data = _read(config, model, rows, run, config.virtual_tokens)
    precision = precision_of(config.precision)
    if config.method in prompts.PREFIXES:
        prompts.register_prefixed()
        module = read_module(model.path, precision, prompts.PREFIXED)
    else:
        module = trainable(model, precision)
    prompted = prompts.put_prompt_on(module, config.method, config.virtual_tokens, config.hidden, config.seed)
    _fit(config, model, prompted, data, run)
    adapters.write_adapter(prompted.wrapped, model.card, run.out)


def ia3(config: Ia3, model: Model, rows: Conversations, run: Run) -> None:
    """Train factors and write them. Raises ConfigError where the architecture has no known place for them."""
    data = _read(config, model, rows, run)
    module = trainable(model, precision_of(config.precision))
    wrapped = adapters.put_factors_on(module, config.seed)
    _fit(config, model, module, data, run)
    adapters.write_adapter(wrapped, model.card, run.out)


@dataclass(frozen=True)
class _Data:
    """Rows to train on, and rows that are only measured."""

    rows: AnswerRows
    count: int
    held_out: tuple[Batch, ...]
    num_held_out: int


def _read(config: Tuning, model: Model, rows: Conversations, run: Run, before: int = 0) -> _Data:
    """`before`: tokens of the context that are taken already."""
    check_trainable(model)
    longest = min(config.max_tokens, read_json(model.path / "config.json")["max_position_embeddings"] - before)
    if longest < 1:
        raise ConfigError(f"{before} virtual tokens fill the model's context", "Use fewer")
    kept = answer_rows(rows.rows(), Codec(model.path), longest, run)
    apart = min(_VALIDATION_ROWS, math.ceil(len(kept) * config.held_out), len(kept) - 1)
    order = np.random.default_rng([config.seed, len(kept)]).permutation(len(kept))
    measured, trained = sorted(order[:apart].tolist()), sorted(order[apart:].tolist())
    held_out = AnswerRows(kept, config.batch, config.seed)
    batches = tuple(held_out.of(measured[at : at + config.batch]) for at in range(0, apart, config.batch))
    data = AnswerRows([kept[index] for index in trained], config.batch, config.seed, config.accumulate)
    return _Data(data, len(trained), batches, apart)


def _fit(config: Tuning, model: Model, module: PreTrainedModel | prompts.Prompted, data: _Data, run: Run) -> None:
    """Train what requires a gradient, measure the held-out rows before and after, and write training.json."""
    read: Any = module  # prompts.Prompted is called as a model is

    def held_out_loss() -> float | None:
        return validation_loss(read, data.held_out)

    shape = read_json(model.path / "config.json")
    count = sum(weight.numel() for weight in module.parameters() if weight.requires_grad)
    need = sizing.training_bytes(sizing.num_parameters(shape), count, precision_of(config.precision))
    run.note(
        f"{data.count} rows to train on and {data.num_held_out} held out, {count:,} trained parameters, "
        f"about {sizing.spoken(need)} and activations"
    )
    settings = Settings(
        steps=max(1, round(config.epochs * data.rows.per_epoch)),
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        schedule=config.schedule,
        decay=Decay(weight_decay=config.weight_decay, clip=config.clip, beta2=_BETA2, average=config.average),
        spike=config.spike,
        look_every=config.look_every if data.held_out else 0,
        seed=config.seed,
    )
    module.eval()
    before = held_out_loss()
    trained = train(
        module, data.rows, cross_entropy(read), settings, run, lambda _: {"validation_loss": held_out_loss() or 0.0}
    )
    after = held_out_loss()
    if before is not None and after is not None:
        run.metric("validation_loss", before, 0)
        run.metric("validation_loss", after, settings.steps)
        run.note(f"validation loss {before:.2f} -> {after:.2f} on {data.num_held_out} rows that were not trained on")
    more = {
        "rows": data.count,
        "held_out_rows": data.num_held_out,
        "trained_parameters": count,
        "validation_loss_before": before,
        "validation_loss_after": after,
        "looks": [dict(look) for look in trained.looks],
    }
    write_log(trained, more, run)
