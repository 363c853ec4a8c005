"""MuSR (Sprague et al., 2024, arXiv 2310.16049): long stories whose question needs several steps of reasoning.

Reads the published JSON (`murder_mystery.json`: context, questions with choices and the place of the answer) and the hub's CSV
(`murder_mysteries.csv`: narrative, question, choices as a Python list, answer_index). The story is the passage: questions on one
story share a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.reading import UNLABELLED, Reading, Row, Unreadable
from septet.evaluate.readers.values import index_of, list_of, text_of
from septet.evaluate.readers.wording import ENGLISH_OPTIONS

ABOUT = {
    "name": "musr",
    "version": "2024",
    "licence": "MIT",
    "origin": "github.com/Zayne-sprague/MuSR",
}
_NAMES = {
    "murder_mystery": "murder_mysteries",
    "murder_mysteries": "murder_mysteries",
    "object_placements": "object_placements",
    "team_allocation": "team_allocation",
}


def read(folder: Path) -> Benchmark:
    """Read MuSR. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    for path in reading.files(*(f"*{name}*.{end}" for name in _NAMES for end in ("json", "jsonl", "csv", "parquet"))):
        name = next(full for part, full in _NAMES.items() if part in path.name.lower())
        task = reading.task(
            Task(
                f"musr/{name}",
                "en",
                "letter",
                "option",
                subject=name.replace("_", " "),
                layout=ENGLISH_OPTIONS,
                max_tokens=8,
                stop=("\n",),
            )
        )
        for row in reading.rows(path):
            for number, values in enumerate(_questions(row.values)):
                with reading.kept(row):
                    reading.add(_item(task, row, values, number))
    mark_passages(reading.items)
    return reading.benchmark(ABOUT)


def _questions(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The questions of a row, each with its story; a row of the flat form is one."""
    nested = values.get("questions")
    if not isinstance(nested, list) or not nested:
        yield {
            "context": values.get("narrative", values.get("context")),
            **values,
            "answer": values.get("answer_index", values.get("answer")),
        }
    else:
        for one in nested:
            yield {"context": values.get("context"), **(one if isinstance(one, dict) else {})}


def _item(task: Task, row: Row, values: dict[str, Any], number: int) -> dict[str, Any]:
    options = [text_of(one, "choice") for one in list_of(values["choices"], "choices")]
    if len(options) < 2:
        raise Unreadable("fewer than two choices")
    label = index_of(values.get("answer"), len(options))
    return item(
        f"{task.name}/{row.number:04d}" + (f"-{number}" if number else ""),
        task,
        text_of(values["question"], "question"),
        options=options,
        label=label,
        passage=text_of(values["context"], "context"),
        split=UNLABELLED if label is None else "test",
    )
