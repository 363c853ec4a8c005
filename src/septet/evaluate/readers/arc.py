"""ARC, the AI2 Reasoning Challenge (Clark et al., 2018, arXiv 1803.05457): school science questions, easy and challenge.

Reads the published JSON lines (`ARC-Challenge-Test.jsonl`: question.stem, question.choices, answerKey) and the hub's Parquet
(`ARC-Challenge/test-00000-of-00001.parquet`: question, choices.text, choices.label). Keys are letters or numbers, options three to
five. Asked by the text of the options, which are not shown, after 25 solved questions of the training file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.exam import SPLITS, split_of
from septet.evaluate.readers.reading import UNLABELLED, Reading, Unreadable
from septet.evaluate.readers.values import list_of, text_of
from septet.evaluate.readers.wording import ENGLISH_OPTIONS

ABOUT = {
    "name": "arc",
    "version": "1.0",
    "licence": "CC BY-SA 4.0",
    "origin": "allenai.org/data/arc",
}
_SHOTS = 25


def read(folder: Path) -> Benchmark:
    """Read ARC: the tasks `arc/challenge` and `arc/easy`. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    for level in ("challenge", "easy"):
        for path in reading.files(
            f"*arc*{level}*.jsonl", f"*arc*{level}*.parquet", f"*/{level}/*.jsonl", f"*/{level}/*.parquet"
        ):
            split = split_of(path)
            if split not in ("train", "dev", "validation", "val", "test"):
                reading.reject(path.name, "", "its name says neither train, dev nor test")
                continue
            task = reading.task(
                Task(
                    f"arc/{level}",
                    "en",
                    "text",
                    "option",
                    subject="science",
                    group=level,
                    layout=ENGLISH_OPTIONS,
                    shots=_SHOTS,
                    max_tokens=8,
                    stop=("\n",),
                )
            )
            for row in reading.rows(path):
                with reading.kept(row) as values:
                    stem, options, labels = _parts(values)
                    key = str(values.get("answerkey") or "").strip()
                    if key and key not in labels:
                        raise Unreadable(f"the key '{key}' is none of {', '.join(labels)}")
                    own = str(values.get("id") or f"{row.number:04d}")
                    # ARC's dev file is for validation; its shots come from the training file.
                    named = "validation" if split == "dev" else SPLITS[split]
                    if named == "train" and row.number < _SHOTS:
                        named = "shots"
                    reading.add(
                        item(
                            f"{task.name}/{split}/{own}",
                            task,
                            stem,
                            options=options,
                            label=labels.index(key) if key else None,
                            split=named if key else UNLABELLED,
                        )
                    )
    return reading.benchmark(ABOUT)


def _parts(values: dict[str, Any]) -> tuple[str, list[str], list[str]]:
    """Stem, options and their labels, from either form."""
    question, choices = values["question"], values.get("choices")
    if isinstance(question, dict):
        question, choices = question["stem"], question["choices"]
    if isinstance(choices, dict):
        options, labels = list_of(choices["text"], "choices"), list_of(choices["label"], "labels")
    else:
        options = [one["text"] for one in choices or ()]
        labels = [one["label"] for one in choices or ()]
    if len(options) < 2 or len(options) != len(labels):
        raise Unreadable(f"{len(options)} options with {len(labels)} labels")
    return (
        text_of(question, "question"),
        [text_of(one, "option") for one in options],
        [str(one).strip() for one in labels],
    )
