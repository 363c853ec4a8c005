"""AGIEval (Zhong et al., 2023, arXiv 2304.06364): entrance and qualification exams in English and Chinese.

Reads `v1/*.jsonl` or `v1_1/*.jsonl` (the newer where both are there) and, where it is there, `few_shot_prompts.csv`, whose cells
hold examples written as Python dicts. `label` is a letter, several letters, or a list of letters; tasks without options (`math`,
`gaokao-mathcloze`) have an `answer` in LaTeX instead. Where several letters are right, all of them are wanted (`meta.all_of`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from septet.evaluate.form import LETTERS, Benchmark, Layout, Task, item
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.reading import UNLABELLED, Reading, Row, Unreadable
from septet.evaluate.readers.values import bare_options, list_of, literal, places_of, text_of
from septet.evaluate.readers.wording import CHINESE_QUESTION, ENGLISH_OPTIONS, ENGLISH_QUESTION

ABOUT = {
    "name": "agieval",
    "version": "v1",
    "licence": "MIT, with the terms of each source; LogiQA CC BY-NC-SA 4.0",
    "origin": "github.com/ruixiangcui/AGIEval",
}
GROUPS = {"lsat": "law", "jec": "law", "sat": "college entrance", "gaokao": "college entrance", "logiqa": "logic"}
_CHINESE_OPTIONS = Layout(
    item="问题：{question}\n{options}\n答案：", cloze="问题：{question}\n答案：", answer="{answer}"
)


def read(folder: Path) -> Benchmark:
    """Read AGIEval. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder, fallback="gb18030")
    newer = reading.files("*v1_1/*.jsonl")
    paths = newer or reading.files("*.jsonl")
    for path in paths:
        _add_file(reading, path)
    absent: set[str] = set()
    for path in reading.files("*few_shot_prompts.csv"):
        absent |= _add_shots(reading, path)
    mark_passages(reading.items)
    # The paper asks with and without examples; without is what is compared most.
    reading.tasks = {name: _settled(task, reading.items) for name, task in reading.tasks.items()}
    told = {"examples_without_items": ", ".join(sorted(absent))} if absent else {}
    return reading.benchmark(ABOUT | {"version": "v1_1" if newer else "v1"} | told)


def is_chinese(name: str) -> bool:
    """Whether a task is in Chinese: the national exams but for the one in English, and the Chinese half of LogiQA."""
    return name.endswith("-zh") or name.startswith("jec-") or (name.startswith("gaokao-") and name != "gaokao-english")


def _task(name: str) -> Task:
    chinese = is_chinese(name)
    cloze = name in ("math", "gaokao-mathcloze")
    layouts = (ENGLISH_OPTIONS, _CHINESE_OPTIONS, ENGLISH_QUESTION, CHINESE_QUESTION)
    return Task(
        f"agieval/{name}",
        "zh" if chinese else "en",
        "generate" if cloze else "letter",
        "math" if cloze else "option",
        subject=name,
        group=GROUPS.get(name.partition("-")[0], "mathematics"),
        layout=layouts[2 * cloze + chinese],
        max_tokens=512 if cloze else 8,
        stop=("\n问题：",) if cloze and chinese else ("\nQuestion:",) if cloze else ("\n",),
    )


def _settled(task: Task, items: list[dict[str, Any]]) -> Task:
    """A task in which often several letters are right at once is answered in writing: one letter cannot say so.

    Often is one item in ten: a few such items in a task of single letters leave it comparable with other reports.
    """
    own = [one for one in items if one["task"] == task.name]
    if sum(len(one["labels"]) > 1 for one in own) > len(own) / 10:
        return msgspec.structs.replace(task, mode="generate", max_tokens=32)
    return task


def _add_file(reading: Reading, path: Path) -> None:
    task = reading.task(_task(path.stem))
    for row in reading.rows(path):
        with reading.kept(row) as values:
            reading.add(_item(task, values, "test", f"{task.name}/test/{row.number:04d}"))


def _add_shots(reading: Reading, path: Path) -> set[str]:
    """Add the examples of the prompt file: a column a task, `sample N` rows and, where there, `explanation N` rows.

    Returns the tasks that have examples but no items in the folder.
    """
    rows = list(reading.rows(path))
    absent: set[str] = set()
    told = {str(row.values.get("", "")).strip().lower(): row for row in rows}
    for head, row in told.items():
        kind, _, number = head.partition(" ")
        if kind != "sample":
            continue
        explained = told.get(f"explanation {number}")
        for name, cell in row.values.items():
            task = reading.tasks.get(f"agieval/{name}")
            if not name or not str(cell or "").strip():
                continue
            if task is None:
                absent.add(name)
                continue
            place = Row(row.source, f"{row.where}, column {name}", row.number, {})
            with reading.kept(place):
                values = literal(cell, name)
                if not isinstance(values, dict):
                    raise Unreadable("the example is no dict")
                made = _item(task, values, "shots", f"{task.name}/shots/{row.number:04d}")
                solution = str(explained.values.get(name) or "").strip() if explained else ""
                made["meta"] |= {"solution": solution} if solution else {}
                reading.add(made)
    return absent


def _parted(options: list[Any]) -> list[Any]:
    """Options of which one cell holds all (`A. one<tab>B. two`), as in some of the published examples."""
    if len(options) != 1:
        return options
    parts = re.split(r"\s+(?=[(（]?[A-Z][)）.．、])", str(options[0]).strip())
    return parts if len(parts) > 1 else options


def _item(task: Task, values: dict[str, Any], split: str, identity: str) -> dict[str, Any]:
    question = text_of(values["question"], "question")
    passage = str(values.get("passage") or "").strip()
    other = values.get("other") if isinstance(values.get("other"), dict) else {}
    meta = {name: str(other[name]) for name in ("source", "solution", "level", "type") if other and other.get(name)}
    category = meta.get("type", "")
    if not values.get("options"):
        if task.verdict != "math":
            raise Unreadable("has no options")
        answer = str(values.get("answer") or values.get("label") or "").strip()
        split = split if answer else UNLABELLED
        answers = [answer] if answer else []
        return item(
            identity, task, question, answers=answers, passage=passage, split=split, category=category, meta=meta
        )
    options = bare_options(_parted(list_of(values["options"], "options")))
    places = places_of(values.get("label"), len(options))
    empty = [LETTERS[place] for place, option in enumerate(options) if not option]
    if empty:
        # A picture in print. Such items count in published scores, so they are kept and named.
        meta["flaw"] = f"option {', '.join(empty)} is empty"
    return item(
        identity,
        task,
        question,
        options=options,
        labels=places,
        passage=passage,
        split=split if places else UNLABELLED,
        category=category,
        meta=meta | ({"all_of": True} if len(places) > 1 or isinstance(values.get("label"), list) else {}),
    )
