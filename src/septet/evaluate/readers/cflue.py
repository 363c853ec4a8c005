"""CFLUE (Zhu et al., 2024, arXiv 2405.10542): Chinese finance exams, and tasks on finance texts.

Reads `knowledge/*.json` (名称, task, question, choices as a Python dict in a string, answer in letters or 对/错, analysis) and
`application/*.json` (task, sub_task, instruction, output). Questions with one right option are asked by letter; those of several
(多项选择题) are written, and all letters are wanted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from septet.evaluate.form import LETTERS, Benchmark, Task, item
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.reading import UNLABELLED, Reading, Row, Unreadable
from septet.evaluate.readers.values import literal, places_of, text_of
from septet.evaluate.readers.wording import CHINESE_EXAM, CHINESE_MANY, CHINESE_QUESTION

ABOUT = {
    "name": "cflue",
    "version": "2024",
    "licence": "CC BY-NC-SA 4.0",
    "origin": "github.com/aliyun/cflue",
}
_SEVERAL = "多项选择题"


def read(folder: Path) -> Benchmark:
    """Read CFLUE. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder, fallback="gb18030")
    for path in reading.files("*.json", without=("*submission*",)):
        for row in reading.rows(path):
            with reading.kept(row) as values:
                if "choices" in values:
                    reading.add(_exam(reading, row, values, path.stem))
                elif "instruction" in values:
                    reading.add(_text(reading, row, values, path.stem))
                else:
                    raise Unreadable("has neither 'choices' nor 'instruction'")
    mark_passages(reading.items)
    return reading.benchmark(ABOUT)


def _exam(reading: Reading, row: Row, values: dict[str, Any], stem: str) -> dict[str, Any]:
    name = str(values.get("名称") or "").strip()
    kind = str(values.get("task") or "").strip()
    choices = literal(values["choices"], "choices")
    if not isinstance(choices, dict) or sorted(choices) != list(LETTERS[: len(choices)]) or len(choices) < 2:
        raise Unreadable("'choices' is no dict of the letters from A")
    options = [text_of(choices[letter], f"option {letter}") for letter in LETTERS[: len(choices)]]
    answer = str(values.get("answer") or "").strip()
    places = [options.index(answer)] if answer in options else places_of(answer, len(options))
    several = kind == _SEVERAL or len(places) > 1
    task = reading.task(
        Task(
            f"cflue/{kind or '选择题'}",
            "zh",
            "generate" if several else "letter",
            "option",
            subject="金融考试",
            group="knowledge",
            layout=CHINESE_EXAM if not several else CHINESE_MANY,
            max_tokens=32 if several else 8,
            stop=("\n",),
        )
    )
    analysis = str(values.get("analysis") or "").strip()
    return item(
        f"{task.name}/{stem}/{row.number:05d}",
        task,
        text_of(values["question"], "question"),
        options=options,
        labels=places,
        split="test" if places else UNLABELLED,
        category=name,
        meta=({"all_of": True} if several else {}) | ({"explanation": analysis} if analysis else {}),
    )


def _text(reading: Reading, row: Row, values: dict[str, Any], stem: str) -> dict[str, Any]:
    name = str(values.get("sub_task") or values.get("task") or "").strip()
    task = reading.task(
        Task(
            f"cflue-text/{name}",
            "zh",
            "generate",
            "reference",
            subject=name,
            group="application",
            layout=CHINESE_QUESTION,
            max_tokens=256,
        )
    )
    answer = str(values.get("output") or "").strip()
    words = [text_of(values["instruction"], "instruction"), str(values.get("input") or "").strip()]
    return item(
        f"{task.name}/{stem}/{row.number:05d}",
        task,
        "\n".join(word for word in words if word),
        answers=[answer] if answer else [],
        split="test" if answer else UNLABELLED,
        category=str(values.get("task") or ""),
    )
