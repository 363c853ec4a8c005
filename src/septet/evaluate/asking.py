"""Asking a model a task's questions, by likelihood or by generation, and what came back as it came.

Nothing is judged here. One item that fails (too long, an endpoint that does not answer) fails alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from septet.core import SeptetError
from septet.evaluate import prompts
from septet.evaluate.prompts import Question
from septet.inference.protocol import Completion, Engine, Likelihood, Options, Prompt, Unscored


class Raw(NamedTuple):
    """What came back for an item. `log_probabilities` are by option: the sum over its tokens."""

    output: str = ""
    finish: str = ""
    log_probabilities: Sequence[float] = ()
    bound: bool = False
    tokens: int = 0
    """Tokens written."""
    read: int = 0
    """Tokens of the prompt."""
    failure: str = ""


def likelihoods(engine: Engine, questions: Sequence[Question], chat: bool) -> Iterator[tuple[Question, Raw, float]]:
    """Each question with the likelihoods of its ends, and the processor seconds since the one before: a batch comes at once, and
    its time falls on the first of it."""
    began = time.process_time()
    asked = [prompts.asked(question, engine.codec, chat) for question in questions]
    for place, found in engine.score(asked):
        now = time.process_time()
        yield questions[place], _raw(found)._replace(read=len(asked[place].prompt.ids)), now - began
        began = now


def generated(
    engine: Engine, questions: Sequence[Question], chat: bool, options: Options, batch: int
) -> Iterator[tuple[Question, Raw, float]]:
    """Each question with what the model wrote, and its share of the processor seconds of its batch."""
    # Like lengths together: a batch is as slow as its longest prompt.
    order = sorted(questions, key=lambda question: (len(question.text), question.item["id"]))
    for start in range(0, len(order), batch):
        some = order[start : start + batch]
        began = time.process_time()
        came = completed(engine, [prompts.prompt(question, engine.codec, chat) for question in some], options)
        spent = (time.process_time() - began) / len(some)
        for question, one in zip(some, came, strict=True):
            yield question, as_raw(one), spent


def _raw(found: Sequence[Likelihood] | Unscored) -> Raw:
    if isinstance(found, Unscored):
        return Raw(failure=found.reason)
    sums = [one.total for one in found]
    if not all(math.isfinite(one) for one in sums):
        return Raw(failure="the model's output is not a number")
    return Raw("", "", [round(one, 5) for one in sums], any(one.bound for one in found))


def completed(engine: Engine, asked: Sequence[Prompt], options: Options) -> list[Completion | str]:
    """All together; where that fails, one by one, so that one item's failure is its own: the message of the error."""
    try:
        return list(engine.generate(asked, options))
    except SeptetError as error:
        if len(asked) == 1:
            return [error.message]
        return [completed(engine, [one], options)[0] for one in asked]


def as_raw(came: Completion | str) -> Raw:
    """What was written, or why nothing was."""
    if isinstance(came, str):
        return Raw(failure=came)
    return Raw(came.text, came.finish, tokens=came.tokens, read=came.prompt_tokens)
