"""MMLU (Hendrycks et al., 2021, arXiv 2009.03300): 57 subjects, four options, five solved examples each.

Reads the published CSV files, which have no header and quote newlines (`test/anatomy_test.csv`, `val/`, `dev/`), and the hub's
Parquet (`anatomy/test-00000-of-00001.parquet` or `all/` with a column `subject`).
"""

from __future__ import annotations

import re
from pathlib import Path

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.exam import SPLITS, add_choice, split_of
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.reading import UNLABELLED, Reading
from septet.evaluate.readers.values import index_of, list_of, place_of, text_of
from septet.evaluate.readers.wording import ENGLISH_EXAM

ABOUT = {
    "name": "mmlu",
    "version": "2021",
    "licence": "MIT",
    "origin": "github.com/hendrycks/test",
}
GROUPS = {
    "STEM": "abstract_algebra astronomy college_biology college_chemistry college_computer_science college_mathematics "
    "college_physics computer_security conceptual_physics electrical_engineering elementary_mathematics high_school_biology "
    "high_school_chemistry high_school_computer_science high_school_mathematics high_school_physics high_school_statistics "
    "machine_learning",
    "humanities": "formal_logic high_school_european_history high_school_us_history high_school_world_history "
    "international_law jurisprudence logical_fallacies moral_disputes moral_scenarios philosophy prehistory professional_law "
    "world_religions",
    "social sciences": "econometrics high_school_geography high_school_government_and_politics high_school_macroeconomics "
    "high_school_microeconomics high_school_psychology human_sexuality professional_psychology public_relations "
    "security_studies sociology us_foreign_policy",
    "other": "anatomy business_ethics clinical_knowledge college_medicine global_facts human_aging management marketing "
    "medical_genetics miscellaneous nutrition professional_accounting professional_medicine virology",
}
GROUP_OF = {subject: group for group, subjects in GROUPS.items() for subject in subjects.split()}
_HEADER = ("question", "a", "b", "c", "d", "answer")


def subject_task(benchmark: str, subject: str, shots: int = 5) -> Task:
    """The task of one of the 57 subjects, also of benchmarks that repair MMLU."""
    return Task(
        f"{benchmark}/{subject}",
        "en",
        "letter",
        "option",
        subject=subject.replace("_", " "),
        group=GROUP_OF.get(subject, "other"),
        layout=ENGLISH_EXAM,
        shots=shots,
        max_tokens=8,
        stop=("\n",),
    )


def read(folder: Path) -> Benchmark:
    """Read MMLU. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    for path in reading.files("*_dev.csv", "*_val.csv", "*_test.csv"):
        split = split_of(path)
        task = reading.task(subject_task("mmlu", path.stem.removesuffix(f"_{split}")))
        for row in reading.rows(path, _HEADER):
            add_choice(reading, task, row, split)
    if not reading.items:
        _read_parquet(reading)
    mark_passages(reading.items)
    return reading.benchmark(ABOUT)


def _read_parquet(reading: Reading) -> None:
    patterns = ("*dev*.parquet", "*validation*.parquet", "*test*.parquet")
    # The hub has every subject a second time under `all`.
    for path in reading.files(*patterns, without=("*/all/*",)) or reading.files(*patterns):
        split = split_of(path)
        for row in reading.rows(path):
            with reading.kept(row) as values:
                subject = re.sub(r"\W+", "_", str(values.get("subject") or path.parent.name).strip().lower())
                task = reading.task(subject_task("mmlu", subject))
                options = [str(one) for one in list_of(values["choices"], "choices")]
                answer = values["answer"]
                read_as = place_of if isinstance(answer, str) and answer.isalpha() else index_of
                label = read_as(answer, len(options))
                reading.add(
                    item(
                        f"{task.name}/{split}/{row.number:04d}",
                        task,
                        text_of(values["question"], "question"),
                        options=options,
                        label=label,
                        split=SPLITS[split] if label is not None else UNLABELLED,
                    )
                )
