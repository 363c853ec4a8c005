"""TruthfulQA (Lin et al., 2022, arXiv 2109.07958): questions that people often answer falsely.

Reads `mc_task.json` (`mc1_targets`, `mc2_targets`: answer -> 1 or 0, or lists of choices and labels as on the hub) and
`TruthfulQA.csv` (reference answers parted by semicolons). Three ways of asking, each a task: `truthfulqa-mc1` (one true answer),
`truthfulqa-mc2` (several; the score is the share of likelihood on them), `truthfulqa-gen` (written, for a judge). The files name
true answers first; the order here is drawn by the question, so that no place is always right. No solved examples: the paper's
prompt is its own text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.reading import Reading, Row, Unreadable
from septet.evaluate.readers.values import drawn, text_of
from septet.evaluate.readers.wording import ENGLISH_OPTIONS, ENGLISH_QUESTION

ABOUT = {
    "name": "truthfulqa",
    "version": "2022",
    "licence": "Apache-2.0",
    "origin": "github.com/sylinrl/TruthfulQA",
}


def read(folder: Path) -> Benchmark:
    """Read TruthfulQA. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    categories: dict[str, str] = {}
    for path in reading.nearest("*truthfulqa*.csv", "*generation/*.parquet", without=("*demo*",)):
        task = reading.task(
            Task(
                "truthfulqa-gen",
                "en",
                "generate",
                "judge",
                layout=ENGLISH_QUESTION,
                max_tokens=64,
                stop=("\nQuestion:",),
            )
        )
        for row in reading.rows(path):
            with reading.kept(row) as values:
                made = _written(task, row, values)
                categories[made["question"]] = made["category"]
                reading.add(made)
    for path in reading.nearest("*mc_task*.json", "*multiple_choice/*.parquet"):
        for number, verdict in (("mc1", "option"), ("mc2", "mass")):
            task = reading.task(
                Task(f"truthfulqa-{number}", "en", "text", verdict, layout=ENGLISH_OPTIONS, max_tokens=8, stop=("\n",))
            )
            for row in reading.rows(path):
                with reading.kept(row) as values:
                    reading.add(_chosen(task, row, values, number, categories))
    return reading.benchmark(ABOUT)


def _chosen(task: Task, row: Row, values: dict[str, Any], number: str, categories: dict[str, str]) -> dict[str, Any]:
    question = text_of(values["question"], "question")
    targets = values[f"{number}_targets"]
    pairs = zip(targets["choices"], targets["labels"], strict=True) if "labels" in targets else targets.items()
    options, truths, empty = [], [], 0
    for text, true in pairs:
        if int(true) not in (0, 1):
            raise Unreadable(f"{number}: {true} is neither 1 nor 0")
        if not str(text).strip():
            # An empty text has the best likelihood there is: it would win each time.
            empty += 1
            continue
        options.append(str(text))
        truths.append(bool(int(true)))
    if not any(truths) or all(truths):
        raise Unreadable(f"{number}: true and false answers do not both occur")
    order = drawn(question, options)
    return item(
        f"{task.name}/{row.number:04d}",
        task,
        question,
        options=[options[place] for place in order],
        labels=[new for new, place in enumerate(order) if truths[place]],
        cluster=f"truthfulqa/{row.number:04d}",
        category=categories.get(question, ""),
        meta={"empty_options": empty} if empty else {},
    )


def _written(task: Task, row: Row, values: dict[str, Any]) -> dict[str, Any]:
    question = text_of(values["question"], "question")
    best = text_of(values.get("best answer") or values.get("best_answer"), "best answer")
    right = _parted(values.get("correct answers") or values.get("correct_answers"))
    wrong = _parted(values.get("incorrect answers") or values.get("incorrect_answers"))
    return item(
        f"{task.name}/{row.number:04d}",
        task,
        question,
        answers=[best, *(one for one in right if one != best)],
        cluster=f"truthfulqa/{row.number:04d}",
        category=str(values.get("category") or ""),
        meta={"incorrect": wrong, "type": str(values.get("type") or ""), "source": str(values.get("source") or "")},
    )


def _parted(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else str(value or "").split(";")
    return [str(part).strip() for part in parts if str(part).strip()]
