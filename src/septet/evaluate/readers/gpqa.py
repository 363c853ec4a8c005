"""GPQA (Rein et al., 2023, arXiv 2311.12022): graduate questions that a search does not answer, four options.

Reads `gpqa_diamond.csv`, `gpqa_main.csv`, `gpqa_extended.csv`, each a task; the smaller are parts of the larger. The files name the
right answer first, so the order of the options is drawn by the item's own id: the same in every file, on every machine. The authors
ask that items are not shown in plain text on the net; their canary stands in `about`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.finish import digest
from septet.evaluate.readers.reading import Reading
from septet.evaluate.readers.values import drawn, text_of
from septet.evaluate.readers.wording import ENGLISH_OPTIONS

ABOUT = {
    "name": "gpqa",
    "version": "2023",
    "licence": "CC BY 4.0",
    "origin": "github.com/idavidrein/gpqa",
}


def read(folder: Path) -> Benchmark:
    """Read GPQA. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    about = dict(ABOUT)
    for path in reading.files("*gpqa_*.csv", without=("*experts*",)):
        subset = path.stem.lower().partition("gpqa_")[2]
        task = reading.task(
            Task(
                f"gpqa/{subset}",
                "en",
                "letter",
                "option",
                subject="science",
                layout=ENGLISH_OPTIONS,
                max_tokens=8,
                stop=("\n",),
            )
        )
        for row in reading.rows(path):
            with reading.kept(row) as values:
                reading.add(_item(task, values))
                canary = str(values.get("canary string") or "").strip()
                about |= {"canary": canary} if canary else {}
    return reading.benchmark(about)


def _item(task: Task, values: dict[str, Any]) -> dict[str, Any]:
    question = text_of(values["question"], "question")
    names = ("correct answer", "incorrect answer 1", "incorrect answer 2", "incorrect answer 3")
    options = [text_of(values[name], name) for name in names]
    own = str(values.get("record id") or "").strip() or digest(question)
    order = drawn(own, options)
    explanation = str(values.get("explanation") or "").strip()
    return item(
        f"{task.name}/{own}",
        task,
        question,
        options=[options[place] for place in order],
        label=order.index(0),
        cluster=f"gpqa/{own}",
        category=str(values.get("high-level domain") or "").strip(),
        meta={"subset": task.name, "subdomain": str(values.get("subdomain") or "").strip()}
        | ({"explanation": explanation} if explanation else {}),
    )
