"""MMLU-Pro (Wang et al., 2024, arXiv 2406.01574): harder questions of 14 fields with up to ten options.

Reads the hub's Parquet (`test-00000-of-00001.parquet`, `validation-...`) or JSON lines of the same columns: question_id, question,
options, answer, answer_index, cot_content, category, src. Options `N/A`, which fill up lists, are taken out. The five validation
items of a field are its shots. The published score is of written answers; the Open LLM Leaderboard asked for the letter, as here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from septet.evaluate.form import LETTERS, Benchmark, Task, item
from septet.evaluate.readers.exam import numbered, split_of
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.reading import UNLABELLED, Reading, Row, Unreadable
from septet.evaluate.readers.values import index_of, list_of, place_of, text_of
from septet.evaluate.readers.wording import ENGLISH_EXAM

ABOUT = {
    "name": "mmlu_pro",
    "version": "2024",
    "licence": "MIT",
    "origin": "github.com/TIGER-AI-Lab/MMLU-Pro",
}
_SPLITS = {"validation": "shots", "val": "shots", "dev": "shots", "test": "test"}


def read(folder: Path) -> Benchmark:
    """Read MMLU-Pro. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    for path in reading.files(*(f"*{kind}*.{end}" for kind in _SPLITS for end in ("parquet", "jsonl", "json"))):
        split = split_of(path)
        if split not in _SPLITS:
            reading.reject(path.name, "", "its name says neither validation nor test")
            continue
        for row in reading.rows(path):
            with reading.kept(row) as values:
                reading.add(_item(reading, row, values, split))
    mark_passages(reading.items)
    return reading.benchmark(ABOUT)


def _item(reading: Reading, row: Row, values: dict[str, Any], split: str) -> dict[str, Any]:
    field = text_of(values["category"], "category").lower()
    options = [str(one).strip() for one in list_of(values["options"], "options")]
    if len(options) < 2 or len(options) > len(LETTERS):
        raise Unreadable(f"{len(options)} options")
    label = place_of(values.get("answer"), len(options))
    index = index_of(values.get("answer_index"), len(options))
    if label is not None and index is not None and label != index:
        raise Unreadable(f"the answer {LETTERS[label]} is not the place {index} that answer_index names")
    label = index if label is None else label
    kept = [place for place, option in enumerate(options) if option != "N/A" or place == label]
    task = reading.task(
        Task(
            f"mmlu_pro/{field.replace(' ', '_')}",
            "en",
            "letter",
            "option",
            subject=field,
            group=field,
            layout=ENGLISH_EXAM,
            shots=5,
            max_tokens=8,
            stop=("\n",),
        )
    )
    worked = str(values.get("cot_content") or "").strip()
    return item(
        f"{task.name}/{split}/{numbered(str(values.get('question_id', '')), row.number)}",
        task,
        text_of(values["question"], "question"),
        options=[options[place] for place in kept],
        label=None if label is None else kept.index(label),
        split=UNLABELLED if label is None else _SPLITS[split],
        category=str(values.get("src") or ""),
        meta={"explanation": worked} if worked else {},
    )
