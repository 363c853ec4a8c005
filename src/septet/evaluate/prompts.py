"""From an item of a benchmark to the text that a model reads, and the continuations whose likelihood is compared.

A base model reads one text: header, solved examples, the item. A chat model reads the same as the user's message. Text and
continuation are cut into tokens together, as lm-evaluation-harness does (Gao et al., 2021), so that the two compare: a blank at
the end of the text moves to the continuation. What stands before the first token is what the tokenizer itself puts there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from septet.core import ConfigError
from septet.evaluate.form import LETTERS, Mode, Task
from septet.inference.protocol import Asked, Prompt
from septet.model.codec import Codec

_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Question:
    """An item as it is asked: the text, and what may follow it (empty where the model writes)."""

    item: Mapping[str, Any]
    task: Task
    mode: Mode
    text: str
    ends: tuple[str, ...]
    shots: int

    @property
    def digest(self) -> str:
        """What the model was asked, exactly: two runs asked the same when this is the same."""
        whole = "\x00".join((self.mode, self.text, *self.ends))
        return "sha256:" + hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def build(task: Task, item: Mapping[str, Any], shots: Sequence[Mapping[str, Any]], mode: Mode) -> Question:
    """The question. Raises ConfigError for a mode that the item cannot be asked in."""
    options = item["options"]
    if mode != "generate" and not options:
        raise ConfigError(
            f"{item['id']} has no options to compare by likelihood", f"Ask the task {task.name} with mode = 'generate'"
        )
    if mode != "text" and any(len(one["options"] or ()) > len(LETTERS) for one in (item, *shots)):
        raise ConfigError(
            f"{item['id']} or an example before it has more options than there are letters", "Ask it with mode = 'text'"
        )
    solved = [_filled(task, shot, mode) + _answer(task, shot, mode) for shot in shots]
    header = task.preamble or _put(task.layout.header, {"subject": task.subject})
    text = task.layout.between.join(filter(None, (header, *solved, _filled(task, item, mode))))
    before = (item.get("meta") or {}).get("before")
    if before is not None:
        shots, text = (), before + _filled(task, item, mode)
    ends: tuple[str, ...] = ()
    if mode != "generate":
        given = LETTERS[: len(options)] if mode == "letter" else options
        ends = tuple(_put(task.layout.answer, {"answer": one}) for one in given)
    return Question(item, task, mode, text, ends, len(shots))


def fitted(
    question: Question, shots: Sequence[Mapping[str, Any]], codec: Codec, chat: bool, room: int
) -> Question | None:
    """The question with as many of its examples as fit into `room` tokens, or None when it does not fit without."""
    for count in range(question.shots, -1, -1):
        tried = (
            question if count == question.shots else build(question.task, question.item, shots[:count], question.mode)
        )
        if tried.ends:
            one = asked(tried, codec, chat)
            size = len(one.prompt.ids) + max(len(ids) for ids in one.continuations)
        else:
            size = len(prompt(tried, codec, chat).ids)
        if size <= room:
            return tried
    return None


def prompt(question: Question, codec: Codec, chat: bool) -> Prompt:
    """What an engine is given to continue."""
    if chat:
        return codec.prompt(_messages(question))
    return Prompt((*codec.begins_with, *codec.encode(question.text)))


def asked(question: Question, codec: Codec, chat: bool) -> Asked:
    """What an engine is given to score: one prompt, and the question's ends behind it.

    Where the last characters of the text and the first of an end make one token, that token belongs to every end: all options
    are weighed from the same place on.
    """
    if chat:
        messages = _messages(question)
        return Asked(
            codec.prompt(messages), tuple(tuple(codec.continuation(messages, end.strip())) for end in question.ends)
        )
    text = question.text.rstrip()
    own, *whole = codec.encode_all([text, *(question.text + end for end in question.ends)])
    shared = min((_agree(own, ids) for ids in whole), default=len(own))
    # Nothing stands before a sentence that is scored by itself; a model wants some token there.
    start = (*codec.begins_with, *own[:shared]) or (codec.stop_ids or (codec.pad_id,))[:1]
    return Asked(Prompt(start), tuple(tuple(ids[shared:]) for ids in whole))


def _agree(one: Sequence[int], two: Sequence[int]) -> int:
    """How many ids two texts share from the beginning."""
    return next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))


def _messages(question: Question) -> list[dict[str, str]]:
    return [{"role": "user", "content": question.text}]


def _filled(task: Task, item: Mapping[str, Any], mode: Mode) -> str:
    options = item["options"] or []
    lines = [
        _put(task.layout.option, {"letter": letter, "text": option})
        for letter, option in zip(LETTERS, options, strict=False)
    ]
    asked_for = "\n".join(filter(None, (item.get("passage", ""), item["question"])))
    # Where there is nothing to ask before the options (two sentences that are compared), nothing is written.
    if not asked_for and mode == "text":
        return ""
    layout = task.layout.cloze if mode == "text" else task.layout.item
    if not lines:
        layout = layout.replace("\n{options}", "").replace("{options}", "")
    return _put(layout, {"question": asked_for, "options": "\n".join(lines)})


def _answer(task: Task, shot: Mapping[str, Any], mode: Mode) -> str:
    if mode == "text" or not shot["options"]:
        solved = (shot.get("meta") or {}).get("solution") or (shot["answers"] or [""])[0]
    else:
        solved = "".join(LETTERS[place] for place in shot.get("labels") or [shot["label"]])
    return _put(task.layout.answer, {"answer": solved})


def _put(layout: str, values: Mapping[str, str]) -> str:
    """One pass: what is put in may hold braces of its own."""
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), layout)
