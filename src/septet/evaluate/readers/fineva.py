"""Fin-Eva, the part of Ant Group (2023): Chinese finance and insurance in five groups of tasks.

Reads `<group>/<task>.csv`: id, context (where there), question, A-D (three options in one task, none in those that ask for yes or
no), answer. Two thirds of the published answers are empty; those items are kept as unlabelled.
"""

from __future__ import annotations

from pathlib import Path

from septet.evaluate.form import Benchmark, Task
from septet.evaluate.readers.exam import add_choice
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.reading import Reading, Row
from septet.evaluate.readers.wording import CHINESE_EXAM

ABOUT = {
    "name": "fineva",
    "version": "2023-12",
    "licence": "CC BY 4.0",
    "origin": "github.com/alipay/financial_evaluation_dataset",
}
_YES, _NO = "是", "否"
_ASKS = {
    "信息安全合规": "客服可以回答这个问题吗？",
    "金融事实性": "这个说法符合事实吗？",
    "金融合规性": "这个问题合规吗？",
    "金融问题识别": "这是金融方面的问题吗？",
}
"""What the yes or no of a task is about: the files hold the sentence alone."""


def read(folder: Path) -> Benchmark:
    """Read Fin-Eva. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder, fallback="gb18030")
    for path in reading.files("*.csv"):
        group = path.parent.name if path.parent != reading.root else ""
        name = path.stem
        task = reading.task(
            Task(
                f"fineva/{name}",
                "zh",
                "letter",
                "option",
                subject=name,
                group=group,
                layout=CHINESE_EXAM,
                max_tokens=8,
                stop=("\n",),
            )
        )
        for row in reading.rows(path):
            values = row.values if "a" in row.values else _yes_or_no(row, name)
            add_choice(reading, task, Row(*row[:3], values), "test")
    mark_passages(reading.items)
    return reading.benchmark(ABOUT)


def _yes_or_no(row: Row, name: str) -> dict[str, str]:
    """The row as one with two options; an answer that is neither stays what it is, and the row is rejected."""
    answer = str(row.values.get("answer", "")).strip()
    question = str(row.values.get("question", "")).strip()
    asked = f"{question}\n{_ASKS.get(name, '对吗？')}" if question else ""
    return {**row.values, "question": asked, "a": _YES, "b": _NO, "answer": {_YES: "A", _NO: "B"}.get(answer, answer)}
