"""Open and closed twins of a team's own choice items: an exam in the shape of SuperCLUE.

SuperCLUE (Xu et al., 2023, arXiv 2307.15020) has three parts: CArena, votes of users on pairs of answers; OPEN, open questions of
one or more turns graded by a judge; CLOSE, questions with options that share the stems of the open ones. Its questions are not
public, and none are here: this makes OPEN and CLOSE out of questions that a team holds, so that a model which recognises an answer
can be told from one that can give it. Votes (CArena) are a matter of users, not of items.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from septet.core import ConfigError
from septet.evaluate.form import CHINESE, ENGLISH, Benchmark, Layout, Task, guess, item


def twins(questions: Iterable[Mapping[str, Any]], name: str = "exam", seed: int = 1) -> Benchmark:
    """Each choice item asked with its options (CLOSE), and again without them (OPEN).

    `questions` are items as the reader `own` yields them (`question`, `options`, `label` or `labels`; `passage`, `category`,
    `language`, `id` where there). The task `<name>-close/<language>` is asked by letter; its options are put in an order drawn by
    `seed` and the item. `<name>-open/<language>` is written, with the right options as references for a judge. Twins share their
    cluster. What cannot be a twin (no options, no key, or an option that speaks of the others, such as "all of the above") is
    rejected with its reason. Raises ConfigError where no twin can be made.
    """
    tasks: dict[str, Task] = {}
    items: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    for number, given in enumerate(questions):
        own = str(given.get("id") or f"{number:04d}")
        options = [str(one) for one in given.get("options") or ()]
        places = sorted({*(given.get("labels") or ()), *([] if given.get("label") is None else [int(given["label"])])})
        reason = _no_twin(str(given.get("question") or ""), options, places)
        if reason:
            rejected.append({"source": name, "where": own, "reason": reason})
            continue
        language = str(given.get("language") or "en")
        close, written = (tasks.setdefault(one.name, one) for one in _twin_tasks(name, language, len(places) > 1))
        order = list(range(len(options)))
        random.Random(f"{seed}/{own}").shuffle(order)  # noqa: S311 - an order, not a secret
        common: dict[str, Any] = {
            "passage": str(given.get("passage") or ""),
            "category": str(given.get("category") or ""),
            "cluster": str(given.get("cluster") or "") or f"{name}/{hashlib.sha256(own.encode()).hexdigest()[:12]}",
        }
        items.append(
            item(
                f"{close.name}/{own}",
                close,
                str(given["question"]),
                options=[options[place] for place in order],
                labels=[order.index(place) for place in places],
                meta={"twin": f"{written.name}/{own}"} | ({"all_of": True} if len(places) > 1 else {}),
                **common,
            )
        )
        items.append(
            item(
                f"{written.name}/{own}",
                written,
                str(given["question"]),
                answers=[options[place] for place in places],
                meta={"twin": f"{close.name}/{own}"} | ({"all_of": True} if len(places) > 1 else {}),
                **common,
            )
        )
    if not items:
        raise ConfigError(f"no question of '{name}' can be made a twin", _why(rejected))
    about = {
        "name": name,
        "version": "own",
        "licence": "the team's",
        "origin": "the team's questions, as open and closed twins",
    }
    return Benchmark(about, tuple(_with_chance(task, items) for task in tasks.values()), items, rejected)


_OF_OTHERS = (
    "以上",
    "上述",
    "前述",
    "all of the above",
    "none of the above",
    "both a and",
    "all of these",
    "none of these",
)


def _no_twin(question: str, options: Sequence[str], places: Sequence[int]) -> str:
    """Why a question cannot be asked both ways, or ''."""
    if not question.strip():
        return "the question is empty"
    if len(options) < 2:
        return "it has no options"
    if not places:
        return "it has no key"
    if any(not 0 <= place < len(options) for place in places):
        return f"the key {list(places)} is no place among {len(options)} options"
    speaking = next((one for one in options if any(words in one.lower() for words in _OF_OTHERS)), "")
    return f"the option '{speaking[:40]}' speaks of the others" if speaking else ""


def _twin_tasks(name: str, language: str, several: bool) -> tuple[Task, Task]:
    chinese = language == "zh"
    suffix = f"{language}-several" if several else language
    close = Task(
        f"{name}-close/{suffix}",
        language,
        "generate" if several else "letter",
        "option",
        group="close",
        layout=CHINESE if chinese else ENGLISH,
        max_tokens=32 if several else 8,
        stop=("\n",),
    )
    bare = "问题：{question}\n回答：" if chinese else "Question: {question}\nAnswer:"
    layout = Layout(item=bare, cloze=bare, answer="{answer}" if chinese else " {answer}")
    return close, Task(
        f"{name}-open/{suffix}", language, "generate", "judge", group="open", layout=layout, max_tokens=512
    )


def _with_chance(task: Task, items: Iterable[dict[str, Any]]) -> Task:
    chances = [guess(row) for row in items if row["task"] == task.name and row["options"]]
    return msgspec.structs.replace(task, chance=round(sum(chances) / len(chances), 6)) if chances else task


def _why(rejected: Sequence[Mapping[str, str]]) -> str:
    first = f" ({rejected[0]['where']}: {rejected[0]['reason']})" if rejected else ""
    return f"Give questions with options and a key{first}"
