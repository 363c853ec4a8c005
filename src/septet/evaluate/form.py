"""What a benchmark is once its files have been read: tasks, each with the way it is asked, and items.

A reader makes it of the published files (`evaluate.readers`), a prompt is made of it (`evaluate.prompts`), a verdict says what an
output is worth (`evaluate.verdicts`). Nothing here reads, asks or judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from septet.core import ConfigError

Mode = Literal["letter", "text", "generate"]
"""How an item is asked. `letter`: which option's letter is likeliest. `text`: which option's whole text is likeliest, the options
not being shown. `generate`: the model writes, and the answer is found in what it wrote. Numbers of two modes are never mixed."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words around an item. `{question}` stands for its passage and question, `{options}` for its options, one a line."""

    header: str = ""
    """Stands once at the beginning. `{subject}` is the task's subject."""
    item: str = "{question}\n{options}\nAnswer:"
    cloze: str = "{question}\nAnswer:"
    """The item in the mode `text`, in which the options are not shown."""
    option: str = "{letter}. {text}"
    answer: str = " {answer}"
    """What follows the item: the letter, the text of the option, or the reference, as the mode wants."""
    between: str = "\n\n"


ENGLISH = Layout()
CHINESE = Layout(item="{question}\n{options}\n答案：", cloze="{question}\n答案：", answer="{answer}")


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task of a benchmark: what all its items share."""

    name: str
    """Such as `mmlu/anatomy`."""
    language: str
    mode: Mode
    """The way in which it is asked unless a run says otherwise."""
    verdict: str
    """The name of the function that judges an output (`evaluate.verdicts`)."""
    subject: str = ""
    group: str = ""
    """Such as `STEM`: tasks of a group are averaged."""
    layout: Layout = ENGLISH
    shots: int = 0
    """How many solved examples stand before an item unless a run says otherwise; they are the task's items of the split `shots`."""
    preamble: str = ""
    """A prompt of the benchmark's own, with its examples, that stands in place of header and shots (BIG-Bench Hard)."""
    max_tokens: int = 32
    stop: tuple[str, ...] = ()
    chance: float = 0.0
    """What guessing scores, from 0 to 1: the zero of a rescaled score."""


class Benchmark(msgspec.Struct, frozen=True):
    """What a reader returns. `about`: name, version, licence, origin. `rejected`: source, where, reason of each row not read."""

    about: Mapping[str, str]
    tasks: tuple[Task, ...]
    items: list[dict[str, Any]]
    rejected: list[dict[str, str]]


def item(
    identity: str,
    task: Task,
    question: str,
    *,
    options: Iterable[str] | None = None,
    label: int | None = None,
    labels: Iterable[int] | None = None,
    answers: Iterable[str] = (),
    passage: str = "",
    cluster: str = "",
    category: str = "",
    split: str = "test",
    kind: str = "",
    meta: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An item in the form of a `Suite`.

    `label` is the place of the right option; `labels` where several are right. `passage` stands before the question, `cluster`
    names what several items stand on (a passage, a template): their errors are not independent. `meta` holds what a verdict
    needs besides; its `before`, where there is one, stands before the item just as it is, in place of header and shots. `kind`
    is `choice` where there are options, else `question`, unless given (`code`, `instruction`, `pair`, `opening`, `dialogue`).

    Raises ConfigError for a label that names no option.
    """
    given = None if options is None else [str(one) for one in options]
    right = sorted({*([] if label is None else [label]), *(labels or ())})
    if given is not None and any(not 0 <= place < len(given) for place in right):
        raise ConfigError(f"{identity}: the key {right} is no place among {len(given)} options", "Correct the file")
    return {
        "id": identity,
        "task": task.name,
        "kind": kind or ("question" if given is None else "choice"),
        "language": task.language,
        "passage": passage,
        "question": question,
        "options": given,
        "label": right[0] if right else None,
        "labels": right,
        "answers": [str(one) for one in answers] or ([given[place] for place in right] if given else []),
        "split": split,
        "category": category,
        "cluster": cluster,
        "evidence": None,
        "contexts": [],
        "meta": dict(meta or {}),
    }


def guess(item: Mapping[str, Any]) -> float:
    """What guessing scores on an item with options: one of several; where all right ones are wanted, one set of all sets."""
    count = len(item["options"])
    return 1 / (2**count - 1) if item["meta"].get("all_of") else max(1, len(item["labels"])) / count
