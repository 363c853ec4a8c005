"""FinanceIQ (Duxiaoman, 2023): Chinese finance certificates, four options, five solved examples each.

Reads `dev/` and `test/` CSV files named by the certificate (`经济师.csv`, `精算师-金融数学.csv`), in the columns of CMMLU.
"""

from __future__ import annotations

from pathlib import Path

from septet.evaluate.form import Benchmark, Task
from septet.evaluate.readers.exam import add_choice, split_of
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.reading import Reading
from septet.evaluate.readers.wording import CHINESE_EXAM

ABOUT = {
    "name": "financeiq",
    "version": "2023",
    "licence": "CC BY-NC-SA 4.0",
    "origin": "github.com/Duxiaoman-DI/XuanYuan",
}


def read(folder: Path) -> Benchmark:
    """Read FinanceIQ. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder, fallback="gb18030")
    for path in reading.files("*/dev/*.csv", "*/test/*.csv"):
        task = reading.task(
            Task(
                f"financeiq/{path.stem}",
                "zh",
                "letter",
                "option",
                subject=path.stem,
                group=path.stem.partition("-")[0],
                layout=CHINESE_EXAM,
                shots=5,
                max_tokens=8,
                stop=("\n",),
            )
        )
        for row in reading.rows(path):
            add_choice(reading, task, row, split_of(path))
    mark_passages(reading.items)
    return reading.benchmark(ABOUT)
