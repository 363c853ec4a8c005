"""Reinforcement learning on answers: sample from the policy as it is, score, take a few steps, and again.

The two methods (`group_relative`, `actor_critic`) say what an answer's tokens are worth and what the loss is; all else is here.
Shapes: S samples of an iteration, N tokens of some answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from septet.core import Run
from septet.kinds import Conversations, Measure, Model
from septet.model.codec import Codec
from septet.statistics import difference, mean
from septet.train.batches import AnswerRow
from septet.train.loop import Settings, learning_rate
from septet.train.objectives import log_likelihoods
from septet.train.optimiser import Decay, MasterAdamW
from septet.train.preferences import policy
from septet.train.preferences.rows import parted
from septet.train.reinforcement.actor_critic import ActorCritic
from septet.train.reinforcement.group_relative import GroupRelative
from septet.train.reinforcement.method import Method, Part
from septet.train.reinforcement.questions import Question, Score, questions_of, write_history, write_samples
from septet.train.reinforcement.rounds import rounds
from septet.train.sampling import Sampled, sample
from septet.train.steps.reinforcement import Ppo

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from septet.train.steps.reinforcement import Grpo

_ADDED = 2**31
"""Seeds of samples stay below it."""


def fit(config: Grpo | Ppo, model: Model, rows: Conversations, score: Score, run: Run) -> None:
    """Train a model on questions and write it. Raises ConfigError when no question can be asked."""
    found = policy.opened(model, config.rank, config.alpha, config.seed, config.precision)
    method: Method = ActorCritic(config, found) if isinstance(config, Ppo) else GroupRelative(config, found)
    codec = Codec(model.path)
    room = policy.longest(model, config.max_prompt + config.max_new_tokens) - config.max_new_tokens
    questions = questions_of(rows.rows(), codec, min(config.max_prompt, room), run)
    trained_on, held = parted([question.ids for question in questions], config.held_out, config.seed)
    asked, kept_out = [questions[place] for place in trained_on], [questions[place] for place in held]
    reference = policy.reference(found)
    optimiser = MasterAdamW(method.trained, Decay(weight_decay=config.weight_decay, clip=config.clip, beta2=0.999))
    pace = Settings(
        steps=config.iterations * config.passes * config.steps,
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        schedule=config.schedule,
    )
    group = getattr(config, "group", 1)

    def iteration(number: int) -> Mapping[str, float]:
        chance = np.random.default_rng([config.seed, number])
        chosen = [asked[place] for place in _drawn(len(asked), config.prompts, config.seed, number)]
        chosen = [question for question in chosen for _ in range(group)]
        answers = _answers(found.module, chosen, codec, config, int(chance.integers(_ADDED)))
        scores = score(chosen, [codec.decode(answer.ids) for answer in answers])
        reward_S = torch.tensor([sum(one) for one in scores])
        found.module.train()
        order = chance.permutation(len(answers)).tolist()
        steps = [
            _parts(
                found.module,
                reference if method.wants_reference else None,
                chosen,
                answers,
                places.tolist(),
                config.read,
            )
            for places in np.array_split(order, config.steps)
        ]
        shown = method.judge(steps, reward_S)
        losses, norms = [], []
        for taken in range(config.passes * config.steps):
            total = 0.0
            for part in steps[taken % config.steps]:
                loss = method.loss(part)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.collect()
                total += loss.item()
            losses.append(total)
            norms.append(optimiser.step(learning_rate(pace, number * config.passes * config.steps + taken)))
        return {
            "loss": float(np.mean(losses)),
            "gradient_norm": float(np.max(norms)),
            "reward": reward_S.mean().item(),
            **{f"reward_{place}": float(value) for place, value in enumerate(np.mean(scores, 0)) if len(scores[0]) > 1},
            "answer_tokens": float(np.mean([len(answer.ids) for answer in answers])),
            "cut_off": float(np.mean([answer.ids[-1] not in codec.stop_ids for answer in answers])),
            **shown,
        }

    before = _measured(found.module, kept_out, codec, config, score)
    history = rounds(config.iterations, iteration, optimiser, {}, method.values, run)
    found.module.train(False)
    after = _measured(found.module, kept_out, codec, config, score)
    measures = _compared(before[0], after[0])
    if kept_out:
        moved = [_row(question, answer) for question, answer in zip(kept_out, after[1], strict=True)]
        measures["kl"] = policy.divergence(found.module, reference, moved, config.read)
        write_samples(kept_out, [codec.decode(answer.ids) for answer in after[1]], after[0], run)
    policy.told(measures, run)
    policy.written(found, f"trained by reinforcement ({type(config).__name__.lower()})", run)
    method.write(run)
    write_history(history, {"questions": len(asked), "held_out": len(kept_out), "measures": measures}, run)


def _drawn(count: int, wanted: int, seed: int, number: int) -> list[int]:
    """The questions of an iteration: one pass after another over all, each in a new order."""
    found: list[int] = []
    for at in range(number * wanted, (number + 1) * wanted):
        epoch, position = divmod(at, count)
        found.append(int(np.random.default_rng([seed, count, epoch]).permutation(count)[position]))
    return found


def _answers(
    module: PreTrainedModel, questions: Sequence[Question], codec: Codec, config: Grpo | Ppo, seed: int
) -> list[Sampled]:
    prompts = [question.ids for question in questions]
    return sample(module, prompts, config.max_new_tokens, config.temperature, seed, codec.stop_ids)


def _parts(
    module: PreTrainedModel,
    reference: PreTrainedModel | None,
    questions: Sequence[Question],
    answers: Sequence[Sampled],
    places: Sequence[int],
    read: int,
) -> list[Part]:
    """The answers of a step, some at a time. Likelihoods are taken in the same batches as the steps take them, so that in the first
    one all ratios are exactly 1, in any precision."""
    made = []
    for start in range(0, len(places), read):
        chosen = list(places[start : start + read])
        batch = policy.batch_of([_row(questions[place], answers[place]) for place in chosen])
        with torch.no_grad():
            old_N = log_likelihoods(module, batch)
            theirs_N = None if reference is None else log_likelihoods(reference, batch)
        made.append(Part(batch, chosen, old_N, theirs_N))
    return made


def _row(question: Question, answer: Sampled) -> AnswerRow:
    wrote = (False,) * len(question.ids) + (True,) * len(answer.ids)
    return AnswerRow(question.name, (*question.ids, *answer.ids), wrote)


def _measured(
    module: PreTrainedModel, questions: Sequence[Question], codec: Codec, config: Grpo | Ppo, score: Score
) -> tuple[list[float], list[Sampled]]:
    """The reward of one answer to each held-out question, sampled with the same seed before and after."""
    if not questions:
        return [], []
    answers = _answers(module, questions, codec, config, config.seed)
    scores = score(questions, [codec.decode(answer.ids) for answer in answers])
    return [sum(one) for one in scores], answers


def _compared(before: Sequence[float], after: Sequence[float]) -> dict[str, Measure]:
    if not before:
        return {}
    return {
        "reward_before": mean(before),
        "reward_after": mean(after),
        "reward_gained": difference(before, after),
    }
