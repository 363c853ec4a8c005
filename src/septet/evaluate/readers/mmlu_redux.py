"""MMLU-Redux (Gema et al., 2024, arXiv 2406.04127): MMLU items that experts looked through, with the kind of error in each.

The files differ: comma or semicolon, UTF-8 or Windows-1252, columns in any order, choices written as Python or JSON lists, labels
spelt `Wrong Groundtruth`, `wrong_groundtruth` or `OK `. The label stays MMLU's own; `meta.error_type` is one of `ERRORS`, and
`meta.corrected` holds the places that the experts hold right, where they name any (`meta.correction` is their text).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from septet.evaluate.form import LETTERS, Benchmark, item
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.mmlu import subject_task
from septet.evaluate.readers.reading import Reading, Unreadable
from septet.evaluate.readers.values import index_of, list_of, text_of

ABOUT = {
    "name": "mmlu_redux",
    "version": "2024",
    "licence": "CC BY 4.0",
    "origin": "github.com/aryopg/mmlu-redux",
}
ERRORS = (
    "ok",
    "bad_question_clarity",
    "bad_options_clarity",
    "no_correct_answer",
    "multiple_correct_answers",
    "wrong_groundtruth",
    "expert",
)
"""`expert`: the annotator wants one who knows the field."""


def read(folder: Path) -> Benchmark:
    """Read MMLU-Redux. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    for path in reading.files("*mmlu_*.csv", "*.parquet"):
        subject = path.stem.removeprefix("mmlu_")
        if path.suffix == ".parquet":
            subject = path.parent.name
        first = reading.text(path).partition("\n")[0] if path.suffix == ".csv" else ""
        task = reading.task(subject_task("mmlu_redux", subject, shots=0))
        for row in reading.rows(path, delimiter=";" if first.count(";") > first.count(",") else ","):
            with reading.kept(row) as values:
                options = [str(one) for one in list_of(values["choices"], "choices")]
                label = index_of(values["answer"], len(options))
                if label is None:
                    raise Unreadable("the answer is empty")
                reading.add(
                    item(
                        f"{task.name}/test/{row.number:04d}",
                        task,
                        text_of(values["question"], "question"),
                        options=options,
                        label=label,
                        category=error_type(values["error_type"]),
                        meta=_meta(values, len(options)),
                    )
                )
    mark_passages(reading.items)
    return reading.benchmark(ABOUT)


def error_type(label: Any) -> str:
    """The label in one spelling. Raises Unreadable for one that the benchmark does not have."""
    folded = re.sub(r"[\s_\-]+", "_", str(label or "").strip().lower())
    if folded not in ERRORS:
        raise Unreadable(f"'{label}' is none of the kinds of error: {', '.join(ERRORS)}")
    return folded


def corrected(text: str, count: int) -> list[int]:
    """The places in a corrected answer: `2`, `C`, `1, 3`, `0 or 2`. What is not all places (a figure, a sentence) names none."""
    words = [
        word
        for word in re.split(r"[\s,;/]+|(?<=\d)and(?=\d)", text.strip())
        if word.lower() not in ("and", "or", "either")
    ]
    places = [
        LETTERS.index(word) if len(word) == 1 and word in LETTERS else int(word) if word.isdecimal() else -1
        for word in words
    ]
    return sorted(set(places)) if places and all(0 <= place < count for place in places) else []


def _meta(values: dict[str, Any], count: int) -> dict[str, Any]:
    correction = str(values.get("correct_answer") or "").strip()
    meta: dict[str, Any] = {"error_type": error_type(values["error_type"])}
    if correction:
        meta |= {"correction": correction, "corrected": corrected(correction, count)}
    for name in ("source", "potential_reason"):
        if str(values.get(name) or "").strip():
            meta[name] = str(values[name]).strip()
    return meta
