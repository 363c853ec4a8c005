"""WinoGrande (Sakaguchi et al., 2020, arXiv 1907.10641): which of two names fills the blank of a sentence.

Reads `train_<size>.jsonl`, `dev.jsonl`, `test.jsonl`, with the labels of `<name>-labels.lst` where the rows have none, or the hub's
Parquet. An option is the sentence from the blank on, filled: the question is what stands before. Published numbers come from the
likelihood of what stands *after* the blank given the filled beginning (Trinh and Le, 2018), which both options share: it is in
`meta.tail`, and the fillings in `meta.fills`, for a scorer that counts the tail alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.reading import UNLABELLED, Reading, Row, Unreadable
from septet.evaluate.readers.values import text_of
from septet.evaluate.readers.wording import CONTINUED

ABOUT = {
    "name": "winogrande",
    "version": "1.1",
    "licence": "CC BY 4.0",
    "origin": "winogrande.allenai.org",
}
_SHOTS = 5
_SIZES = ("xl", "l", "m", "s", "xs", "debiased")


def read(folder: Path) -> Benchmark:
    """Read WinoGrande; of several training files the largest. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    task = reading.task(
        Task("winogrande", "en", "text", "option", layout=CONTINUED, shots=_SHOTS, max_tokens=8, stop=("\n",))
    )
    paths: list[Path] = []
    for size in _SIZES:
        # The smaller training files are parts of the larger.
        if not paths:
            paths = reading.files(f"*train_{size}.jsonl", f"*winogrande_{size}/train*.parquet")
    if not paths:
        paths = reading.files("*/train*.jsonl", "*/train*.parquet")
    chosen = [("train", path) for path in paths]
    for split, names in (("validation", ("dev", "validation")), ("test", ("test",))):
        found = reading.files(*(f"*/{name}*.{end}" for name in names for end in ("jsonl", "parquet")))
        # The hub repeats the same validation rows in the folder of every size.
        chosen += [(split, path) for path in found if path.suffix == ".jsonl"] or [(split, path) for path in found[:1]]
    for split, path in chosen:
        labels = _labels(reading, path)
        for row in reading.rows(path):
            with reading.kept(row) as values:
                told = str(values.get("answer") or (labels[row.number] if row.number < len(labels) else "")).strip()
                reading.add(_item(task, row, values, split, told))
    return reading.benchmark(ABOUT)


def _labels(reading: Reading, path: Path) -> list[str]:
    """The lines of the file of labels beside a file of rows."""
    found = reading.files(f"*/{path.stem}-labels.lst")
    return reading.text(found[0]).split() if found else []


def _item(task: Task, row: Row, values: dict[str, Any], split: str, told: str) -> dict[str, Any]:
    sentence = text_of(values["sentence"], "sentence")
    before, blank, tail = sentence.partition("_")
    if not blank:
        raise Unreadable("the sentence has no blank '_'")
    if told not in ("", "1", "2"):
        raise Unreadable(f"the answer '{told}' is neither 1 nor 2")
    fills = [text_of(values["option1"], "option1"), text_of(values["option2"], "option2")]
    pair, _, half = str(values.get("qid") or "").rpartition("-")
    named = "shots" if split == "train" and row.number < _SHOTS else split
    return item(
        f"winogrande/{split}/{values.get('qid') or f'{row.number:05d}'}",
        task,
        before.rstrip(),
        options=[fill + tail for fill in fills],
        label=int(told) - 1 if told else None,
        # The two sentences of a pair differ in a word that turns the answer.
        cluster=f"winogrande/{pair}" if pair and half in ("1", "2") else "",
        split=named if told else UNLABELLED,
        meta={"tail": tail, "fills": fills, "sentence": sentence},
    )
