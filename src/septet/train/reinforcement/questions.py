"""Conversations as questions with a reference answer, and how an answer to one is scored: by rules, by a reward model, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from septet.core import ConfigError, Run
from septet.files import write_json, write_lines
from septet.kinds import Model
from septet.model.codec import Codec
from septet.train.batches import AnswerRow, keep_dropped
from septet.train.preferences import reward_model
from septet.train.reinforcement.rewards import combined

_JUDGED = 8
"""Answers that a reward model reads at once."""


class Question(NamedTuple):
    """The messages up to the reference answer, as ids too."""

    name: str
    messages: tuple[dict[str, str], ...]
    ids: tuple[int, ...]
    reference: str


Score = Callable[[Sequence[Question], Sequence[str]], list[list[float]]]
"""For each answer its rewards, weighted: what is added up is the reward."""


def questions_of(rows: Iterable[Mapping[str, Any]], codec: Codec, max_prompt: int, run: Run) -> list[Question]:
    """The last message of a row is the reference. Rows without one and with a longer prompt are dropped, counted and kept in
    dropped.jsonl. Raises ConfigError when no row is left."""
    kept: list[Question] = []
    dropped: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        name, messages = str(row.get("id", number)), row["messages"]
        if len(messages) < 2 or messages[-1]["role"] != "assistant":
            dropped.append({"id": name, "rule": "no reference answer", "value": 0})
            continue
        ids = codec.prompt(messages[:-1]).ids
        if len(ids) > max_prompt:
            dropped.append({"id": name, "rule": "too long", "value": len(ids)})
        else:
            kept.append(Question(name, tuple(messages[:-1]), ids, messages[-1]["content"]))
    if not kept:
        raise ConfigError(f"none of {len(dropped)} rows is a question", "Check their messages, or raise max_prompt")
    keep_dropped(dropped, run)
    return kept


def scorer(names: Sequence[str], weights: Sequence[float], judge: Model | None, precision: str) -> Score:
    """Scores by the named rewards, and by a reward model where one is given.

    Raises ConfigError when there is neither, and for a model without a reward head.
    """
    if not names and judge is None:
        raise ConfigError("nothing says what a good answer is", "Name rewards, or give a reward model as judge")
    by_rule = combined(names, weights)
    if judge is None:
        return lambda questions, answers: [
            by_rule(answer, question.reference) for question, answer in zip(questions, answers, strict=True)
        ]
    codec, model = Codec(judge.path), reward_model.read(judge, precision)

    def score(questions: Sequence[Question], answers: Sequence[str]) -> list[list[float]]:
        rows = []
        for question, answer in zip(questions, answers, strict=True):
            ids, wrote = codec.conversation([*question.messages, {"role": "assistant", "content": answer}])
            rows.append(AnswerRow(question.name, tuple(ids), tuple(wrote)))
        return [
            [*by_rule(answer, question.reference), judged]
            for question, answer, judged in zip(questions, answers, model.scores(rows, _JUDGED).tolist(), strict=True)
        ]

    return score


def write_samples(questions: Sequence[Question], answers: Sequence[str], rewards: Sequence[float], run: Run) -> None:
    """samples.jsonl: held-out questions with the trained model's answers and what they were worth."""
    write_lines(
        run.out / "samples.jsonl",
        (
            {"id": question.name, "answer": answer, "reference": question.reference, "reward": round(reward, 5)}
            for question, answer, reward in zip(questions, answers, rewards, strict=True)
        ),
    )


def write_history(history: Sequence[Mapping[str, float]], more: Mapping[str, object], run: Run) -> None:
    """training.json: what each iteration said, and the held-out measures."""
    curves = [{name: round(value, 5) for name, value in one.items()} for one in history]
    write_json(run.out / "training.json", {"iterations": curves, **more})
