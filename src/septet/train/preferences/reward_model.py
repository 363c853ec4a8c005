"""A reward model (https://arxiv.org/abs/2203.02155): a decoder, and a head that reads one number off the last token of an answer.

The numbers are shifted so that the answers it was trained on have a mean of zero.
Shapes: G texts, T tokens, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from septet.core import Run
from septet.kinds import Measure, Model, Preferences
from septet.model.codec import Codec
from septet.model.processor import precision_of, repeatable
from septet.statistics import mean, share
from septet.train.batches import AnswerRow, Batch, Shuffled
from septet.train.loop import Outcome, Settings, train
from septet.train.objectives import hidden_states, output_layer
from septet.train.optimiser import Decay
from septet.train.preferences import heads, policy
from septet.train.preferences.losses import bradley_terry
from septet.train.preferences.rows import Preference, parted, preference_rows
from septet.train.trainable import check_trainable, trainable, write_log

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from septet.train.steps.preferences import Reward

_HEAD = "reward"
_CENTRED = 512
"""Pairs of which the mean is taken."""


class RewardModel(torch.nn.Module):
    """A decoder with a head of one output in float32."""

    def __init__(self, body: PreTrainedModel, weight_1D: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.body = body
        self.weight = torch.nn.Parameter(weight_1D)
        self.bias = torch.nn.Parameter(bias, requires_grad=False)

    def forward(self, batch: Batch) -> torch.Tensor:
        """A number for each text, (G,)."""
        last = torch.tensor(batch.ends, device=batch.ids.device) - 1
        hidden_GD = hidden_states(self.body, batch)[last].float()
        return torch.nn.functional.linear(hidden_GD, self.weight, self.bias)[:, 0]

    def scores(self, answers: Sequence[AnswerRow], rows: int) -> torch.Tensor:
        """A number for each answer behind its prompt, (len(answers),), without gradients."""
        found = []
        with repeatable(), torch.no_grad():
            for start in range(0, len(answers), rows):
                found.append(self(policy.batch_of(answers[start : start + rows])).cpu())
        return torch.cat(found)


@dataclass(frozen=True)
class _Pairs:
    """A batch of chosen answers, then of rejected ones."""

    batch: Batch
    weight: int

    @property
    def num_tokens(self) -> int:
        return self.batch.num_tokens

    @property
    def rows(self) -> Sequence[str]:
        return self.batch.rows[: self.weight]


def read(model: Model, precision: str) -> RewardModel:
    """A reward model that `train.reward` made, frozen. Raises ConfigError for a model without the head."""
    check_trainable(model)
    head = heads.read(model.path, _HEAD, "train.reward")
    made = RewardModel(trainable(model, precision_of(precision)), head["weight"], head["bias"])
    return made.requires_grad_(requires_grad=False)


def fit(config: Reward, model: Model, rows: Preferences, run: Run) -> None:
    """Train and write. Raises ConfigError when no pair can be trained on."""
    found = policy.opened(model, config.rank, config.alpha, config.seed, config.precision)
    pairs = preference_rows(
        rows.rows(), Codec(model.path), policy.longest(model, config.max_tokens), paired=True, run=run
    )
    trained_on, held = parted([pair.prompt for pair in pairs], config.held_out, config.seed)
    width = output_layer(found.module)[0].shape[1]
    chance = torch.Generator().manual_seed(config.seed)
    module = RewardModel(found.module, torch.randn(1, width, generator=chance) / (width + 1) ** 0.5, torch.zeros(1))

    def of(places: Sequence[int]) -> _Pairs:
        return _Pairs(policy.batch_of(_sides([pairs[trained_on[place]] for place in places])), len(places))

    def objective(part: _Pairs) -> Outcome:
        chosen_P, rejected_P = module(part.batch).view(2, -1)
        right = (chosen_P > rejected_P).float().mean().item()
        return Outcome(bradley_terry(chosen_P, rejected_P), {"preference_accuracy": right})

    data = Shuffled(len(trained_on), config.batch, config.seed, config.accumulate, of)
    settings = Settings(
        steps=max(1, round(config.epochs * data.per_epoch)),
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        decay=Decay(weight_decay=config.weight_decay, clip=config.clip, beta2=0.999),
        spike=config.spike,
        seed=config.seed,
    )
    kept_out = [pairs[place] for place in held]
    before = _measured(module, kept_out, config.batch, "before")
    trained = train(module, data, objective, settings, run)
    seen = [pairs[place] for place in trained_on[:_CENTRED]]
    with torch.no_grad():
        module.bias.sub_(module.scores(_sides(seen), config.batch).mean())
    after = _measured(module, kept_out, config.batch, "after")
    policy.told({**before, **after}, run)
    policy.written(found, "trained as a reward model; it is not to be asked for answers", run)
    heads.write(run.out, _HEAD, {"weight": module.weight, "bias": module.bias})
    write_log(trained, {"rows": len(trained_on), "held_out": len(held), "measures": {**before, **after}}, run)


def _sides(pairs: Sequence[Preference]) -> list[AnswerRow]:
    """The chosen answers, then the rejected ones."""
    sides = [[pair.chosen for pair in pairs], [pair.rejected for pair in pairs]]
    return [answer for side in sides for answer in side if answer is not None]


def _measured(module: RewardModel, pairs: Sequence[Preference], rows: int, when: str) -> dict[str, Measure]:
    """How often the chosen answer gets the higher number, and by how much."""
    if not pairs:
        return {}
    chosen, rejected = module.scores(_sides(pairs), rows).view(2, -1)
    return {
        f"preference_accuracy_{when}": share(int((chosen > rejected).sum()), len(pairs)),
        f"margin_{when}": mean((chosen - rejected).tolist()),
    }
