"""C-Eval (Huang et al., 2023, arXiv 2305.08322): 52 subjects of Chinese exams, four options.

Reads `dev/`, `val/` and `test/` CSV files (`logic_val.csv`). `dev` has a column `explanation` that the others lack; the answers of
`test` are not public, so its items are kept as unlabelled. `subject_mapping.json`, where it is there, gives the Chinese names and
the groups; the eight subjects of C-Eval Hard carry the category `hard`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Task
from septet.evaluate.readers.exam import add_choice, split_of
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.reading import Reading, Row
from septet.evaluate.readers.wording import CHINESE_EXAM

ABOUT = {
    "name": "ceval",
    "version": "1.0",
    "licence": "CC BY-NC-SA 4.0",
    "origin": "github.com/hkust-nlp/ceval",
}
HARD = (
    "advanced_mathematics discrete_mathematics probability_and_statistics college_chemistry college_physics "
    "high_school_mathematics high_school_chemistry high_school_physics"
).split()


def read(folder: Path) -> Benchmark:
    """Read C-Eval. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder, fallback="gb18030")
    names = _names(reading)
    for path in reading.files(
        "*_dev.csv", "*_val.csv", "*_test.csv", "*/dev-*.parquet", "*/val-*.parquet", "*/test-*.parquet"
    ):
        split = split_of(path)
        subject = path.stem.removesuffix(f"_{split}") if path.suffix == ".csv" else path.parent.name
        _, chinese, group = names.get(subject, ("", "", ""))
        task = reading.task(
            Task(
                f"ceval/{subject}",
                "zh",
                "letter",
                "option",
                subject=chinese or subject.replace("_", " "),
                group=group,
                layout=CHINESE_EXAM,
                shots=5,
                max_tokens=8,
                stop=("\n",),
            )
        )
        for row in reading.rows(path):
            # The test files have no column for the answer, or an empty one.
            add_choice(reading, task, Row(*row[:3], {"answer": "", **row.values}), split, ("explanation",))
    for one in reading.items:
        one["category"] = "hard" if one["task"].partition("/")[2] in HARD else ""
    mark_passages(reading.items)
    return reading.benchmark(ABOUT)


def _names(reading: Reading) -> dict[str, tuple[str, str, str]]:
    """English name, Chinese name and group of each subject that the mapping names."""
    names: dict[str, tuple[str, str, str]] = {}
    for path in reading.files("*subject_mapping.json"):
        mapping: Any = reading.value(path)
        for subject, told in (mapping if isinstance(mapping, dict) else {}).items():
            if isinstance(told, list) and len(told) >= 3:
                names[subject] = (str(told[0]), str(told[1]), str(told[2]))
            else:
                reading.reject(path.name, str(subject), "is no list of English name, Chinese name and group")
    return names
