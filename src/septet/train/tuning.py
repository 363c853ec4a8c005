"""What fine-tuning does around the loop: read the model, lay out the conversations, keep what was learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from septet.core import Run
from septet.kinds import Conversations, Model, read_json
from septet.model import sizing
from septet.model.codec import Codec
from septet.model.processor import precision_of
from septet.train import adapters
from septet.train.batches import AnswerRows, answer_rows
from septet.train.loop import Settings, train
from septet.train.objectives import cross_entropy
from septet.train.optimiser import Decay
from septet.train.trainable import check_trainable, trainable, write_log

if TYPE_CHECKING:
    from septet.train.steps import Lora


def lora(config: Lora, model: Model, rows: Conversations, run: Run) -> None:
    """Train adapters and write them. Raises ConfigError when no row can be trained on."""
    check_trainable(model)
    shape = read_json(model.path / "config.json")
    codec = Codec(model.path)
    longest = min(config.max_tokens, shape["max_position_embeddings"])
    kept = answer_rows(rows.rows(), codec, longest, run)
    data = AnswerRows(kept, config.batch, config.seed)
    precision = precision_of(config.precision)
    module = trainable(model, precision)
    wrapped = adapters.put_on(module, config.rank, config.alpha, config.dropout, config.seed)
    count = sum(weight.numel() for weight in module.parameters() if weight.requires_grad)
    need = sizing.training_bytes(sizing.num_parameters(shape), count, precision)
    run.note(
        f"{len(kept)} rows, {count / 1e6:.1f} million trained parameters, about {sizing.spoken(need)} and activations"
    )
    settings = Settings(
        steps=max(1, round(config.epochs * data.per_epoch)),
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        decay=Decay(weight_decay=config.weight_decay, clip=config.clip, beta2=0.999),
        spike=config.spike,
        seed=config.seed,
    )
    trained = train(module, data, cross_entropy(module), settings, run)
    adapters.write_adapter(wrapped, model.card, run.out)
    write_log(trained, {"rows": len(kept)}, run)
