"""Training on preferences without a reward model: what is compared, and what is known of it before and after.

The log-likelihoods of the answers under the model as it was do not change, so they are taken once, before the first step.
Shapes: P pairs, N answers, G texts of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from septet.core import Run
from septet.kinds import Measure, Model, Preferences
from septet.model.codec import Codec
from septet.train.batches import AnswerRow, Batch, Shuffled
from septet.train.loop import Objective, Outcome, Settings, train
from septet.train.objectives import log_likelihoods
from septet.train.optimiser import Decay
from septet.train.preferences import losses as preference_losses
from septet.train.preferences import policy
from septet.train.preferences.measures import told_apart
from septet.train.preferences.rows import Preference, parted, preference_rows
from septet.train.trainable import write_log

if TYPE_CHECKING:
    from septet.train.steps.preferences import Dpo, Kto


@dataclass(frozen=True)
class Compared:
    """Answers with their log-likelihoods under the reference, (G,). Of pairs the chosen come first, then the rejected; of single
    answers they come first, then as many that belong to other prompts."""

    batch: Batch
    reference_G: torch.Tensor
    desirable_N: torch.Tensor
    weight: int

    @property
    def num_tokens(self) -> int:
        return self.batch.num_tokens

    @property
    def rows(self) -> Sequence[str]:
        return self.batch.rows[: self.weight]


def dpo(config: Dpo, model: Model, rows: Preferences, run: Run) -> None:
    """Train on pairs and write the model. Raises ConfigError when no pair can be trained on."""
    found = policy.opened(model, config.rank, config.alpha, config.seed, config.precision)
    most = policy.longest(model, config.max_tokens)
    pairs = preference_rows(rows.rows(), Codec(model.path), most, paired=True, run=run)
    trained_on, held = parted([pair.prompt for pair in pairs], config.held_out, config.seed)
    sides = [[pair.chosen for pair in pairs], [pair.rejected for pair in pairs]]
    answers = [answer for side in sides for answer in side if answer is not None]
    reference_2P = _reference(found, answers, config.batch, run).view(2, -1)

    def of(places: Sequence[int]) -> Compared:
        chosen = [trained_on[place] for place in places]
        both = [answers[place] for place in (*chosen, *(place + len(pairs) for place in chosen))]
        sums_G = reference_2P[:, chosen].flatten()
        return Compared(policy.batch_of(both), sums_G, torch.ones(len(chosen), dtype=torch.bool), len(chosen))

    def objective(part: Compared) -> Outcome:
        logs_N = log_likelihoods(found.module, part.batch)
        better_P, worse_P = (policy.text_sums(logs_N, part.batch) - part.reference_G).view(2, -1)
        loss = preference_losses.dpo(better_P, worse_P, config.beta, config.smoothing)
        if config.supervised:
            loss = loss - config.supervised * logs_N[policy.owners(part.batch) < part.weight].mean()
        margin_P = config.beta * (better_P - worse_P).detach()
        shown = {"margin": margin_P.mean().item(), "preference_accuracy": (margin_P > 0).float().mean().item()}
        return Outcome(loss, shown)

    data = Shuffled(len(trained_on), config.batch, config.seed, config.accumulate, of)
    _trained(config, found, data, objective, [pairs[place] for place in held], run)


def kto(config: Kto, model: Model, rows: Preferences, run: Run) -> None:
    """Train on single answers and write the model. Raises ConfigError when no answer can be trained on."""
    found = policy.opened(model, config.rank, config.alpha, config.seed, config.precision)
    most = policy.longest(model, config.max_tokens)
    kept = preference_rows(rows.rows(), Codec(model.path), most, paired=False, run=run)
    trained_on, held = parted([row.prompt for row in kept], config.held_out, config.seed)
    items = [
        (answer, row.prompt, answer is row.chosen)
        for row in (kept[place] for place in trained_on)
        for answer in row.answers
    ]
    liked = torch.tensor([desirable for _, _, desirable in items])
    run.note(f"{int(liked.sum())} answers were liked, {int((~liked).sum())} were not")
    answers = [answer for answer, _, _ in items]
    others = _mismatched([(answer, prompt) for answer, prompt, _ in items], most, config.seed)
    reference_2N = _reference(found, [*answers, *others], config.batch, run).view(2, -1)

    def of(places: Sequence[int]) -> Compared:
        both = [*(answers[place] for place in places), *(others[place] for place in places)]
        return Compared(policy.batch_of(both), reference_2N[:, places].flatten(), liked[list(places)], len(places))

    def objective(part: Compared) -> Outcome:
        sums_G = policy.text_sums(log_likelihoods(found.module, part.batch), part.batch)
        gain_N, other_N = (sums_G - part.reference_G).view(2, -1)
        anchor = other_N.detach().mean().clamp(min=0)
        loss = preference_losses.kto(
            gain_N, part.desirable_N, anchor, config.beta, config.desirable_weight, config.undesirable_weight
        )
        return Outcome(loss, {"divergence": anchor.item()})

    data = Shuffled(len(items), config.batch, config.seed, config.accumulate, of)
    _trained(config, found, data, objective, [kept[place] for place in held], run)


def _trained(
    config: Dpo | Kto,
    found: policy.Policy,
    data: Shuffled,
    objective: Objective,
    held: Sequence[Preference],
    run: Run,
) -> None:
    """Train, write, and measure on what was held back."""
    settings = Settings(
        steps=max(1, round(config.epochs * data.per_epoch)),
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        decay=Decay(weight_decay=config.weight_decay, clip=config.clip, beta2=0.999),
        spike=config.spike,
        seed=config.seed,
    )
    answers = [answer for row in held for answer in row.answers]
    liked = [answer is row.chosen for row in held for answer in row.answers]
    before = policy.scored(found.module, answers, config.batch) if held else torch.zeros(0)
    # A resumed run has stepped already when the loop begins, never here: adapters and weights are still those of the source.
    trained = train(found.module, data, objective, settings, run)
    measures: dict[str, Measure] = {}
    if held:
        after = policy.scored(found.module, answers, config.batch)
        sizes = [len(row.answers) for row in held]
        measures |= told_apart(before.tolist(), liked, sizes, "preference", "before")
        measures |= told_apart(after.tolist(), liked, sizes, "preference", "after")
        measures |= told_apart((config.beta * (after - before)).tolist(), liked, sizes, "gain")
        measures["kl"] = policy.divergence(found.module, policy.reference(found), answers, config.batch)
    policy.written(found, f"trained on preferences ({type(config).__name__.lower()})", run)
    policy.told(measures, run)
    write_log(trained, {"held_out": len(held), "measures": measures}, run)


def _mismatched(items: Sequence[tuple[AnswerRow, tuple[int, ...]]], most: int, seed: int) -> list[AnswerRow]:
    """For each prompt the answer to another one, cut to the room there is: what the model gains there it gains everywhere, which is
    how the divergence from the reference is estimated. Who gets whose is settled once, so that the reference is read once."""
    order = np.random.default_rng([seed, len(items)]).permutation(len(items)).tolist()
    made: list[AnswerRow | None] = [None] * len(items)
    for position, place in enumerate(order):
        own, prompt = items[place]
        following = (order[(position + shift) % len(order)] for shift in range(1, len(order) + 1))
        other, _ = items[next((one for one in following if items[one][1] != prompt), place)]
        answer = other.ids[other.wrote.index(True) :][: most - len(prompt)]
        wrote = (False,) * len(prompt) + (True,) * len(answer)
        made[place] = AnswerRow(own.name, (*prompt, *answer), wrote)
    return [one for one in made if one is not None]


def _reference(found: policy.Policy, answers: Sequence[AnswerRow], rows: int, run: Run) -> torch.Tensor:
    """The log-likelihood of each answer before training; kept, so that a resumed run need not read them again."""
    path = run.scratch / "reference.safetensors"
    if path.is_file():
        try:
            return load_file(path)["sums"]
        except (SafetensorError, KeyError):
            run.note("the kept log-likelihoods of the reference cannot be read; they are taken again")
    sums = policy.scored(found.module, answers, rows)
    part = path.with_suffix(".part")
    save_file({"sums": sums}, part)
    part.replace(path)
    return sums
