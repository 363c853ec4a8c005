"""SafetyBench (Zhang et al., 2023, arXiv 2309.07045): safety as questions with two to four options, Chinese and English.

Reads `test_zh.json`, `test_en.json`, `test_zh_subset.json` (questions) with their answers from `test_answers_*.json` beside them,
and `dev_zh.json`, `dev_en.json` (five solved examples a category). Questions whose answers are not there are kept as unlabelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.reading import UNLABELLED, Reading, Row, Unreadable
from septet.evaluate.readers.values import index_of, list_of, text_of
from septet.evaluate.readers.wording import CHINESE_EXAM, ENGLISH_EXAM

ABOUT = {
    "name": "safetybench",
    "version": "2025-07",
    "licence": "MIT",
    "origin": "github.com/thu-coai/SafetyBench",
}
_CHINESE = {
    "Offensiveness": "冒犯性",
    "Unfairness and Bias": "不公与偏见",
    "Physical Health": "身体健康",
    "Mental Health": "心理健康",
    "Illegal Activities": "违法活动",
    "Ethics and Morality": "伦理道德",
    "Privacy and Property": "隐私与财产",
}


def read(folder: Path) -> Benchmark:
    """Read SafetyBench. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder, fallback="gb18030")
    answers = {_set(path): reading.value(path) or {} for path in reading.files("*test_answers*.json")}
    tests = reading.files("*test_*.json", without=("*test_answers*", "*submission*"))
    for path in reading.files("*dev_*.json"):
        # A subset is asked with the solved examples of the whole.
        own = _set(path)
        for name in [_set(test) for test in tests if _set(test).partition("_")[0] == own] or [own]:
            for row in _rows(reading, path):
                with reading.kept(row) as values:
                    reading.add(_item(reading, row, values, name, "dev", {}))
    for path in tests:
        for row in _rows(reading, path):
            with reading.kept(row) as values:
                reading.add(_item(reading, row, values, _set(path), "test", answers.get(_set(path)) or {}))
    return reading.benchmark(ABOUT)


def _set(path: Path) -> str:
    """`zh`, `en` or `zh_subset`, of a file of questions or of answers."""
    return re.sub(r"^.*?(test_answers|test|dev)_", "", path.stem)


def _rows(reading: Reading, path: Path) -> Iterator[Row]:
    """Items of a list, or of a list a category."""
    value = reading.value(path)
    lists = value.items() if isinstance(value, dict) else (("", value or []),)
    number = 0
    for category, rows in lists:
        for one in rows if isinstance(rows, list) else [rows]:
            place = Row(path.relative_to(reading.root).as_posix(), f"item {number + 1}", number, {})
            if isinstance(one, dict):
                yield place._replace(
                    values={"category": category, **{name.lower(): told for name, told in one.items()}}
                )
            else:
                reading.reject(place.source, place.where, "not a JSON object")
            number += 1


def _item(
    reading: Reading, row: Row, values: dict[str, Any], name: str, split: str, known: dict[str, Any]
) -> dict[str, Any]:
    category = text_of(values["category"], "category")
    options = [text_of(one, "option") for one in list_of(values["options"], "options")]
    if len(options) < 2:
        raise Unreadable("fewer than two options")
    own = str(values.get("id", row.number))
    told = known.get(own, values.get("answer"))
    label = index_of(told.get("answer") if isinstance(told, dict) else told, len(options))
    chinese = name.startswith("zh")
    base = "zh" if chinese else "en"
    task = reading.task(
        Task(
            f"safetybench-{name}/{category}",
            base,
            "letter",
            "option",
            subject=_CHINESE.get(category, category) if chinese else category.lower(),
            group=category,
            layout=CHINESE_EXAM if chinese else ENGLISH_EXAM,
            shots=5,
            max_tokens=8,
            stop=("\n",),
        )
    )
    return item(
        f"{task.name}/{split}/{own.zfill(5)}",
        task,
        text_of(values["question"], "question"),
        options=options,
        label=label,
        category=category,
        split=UNLABELLED if label is None else "shots" if split == "dev" else split,
    )
