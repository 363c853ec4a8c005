"""HumanEval (Chen et al., 2021, arXiv 2107.03374): 164 functions to complete, each with its tests.

Reads `HumanEval.jsonl.gz` (or unpacked, or the hub's Parquet), and files of the same form with other problems.
"""

from __future__ import annotations

from pathlib import Path

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.reading import Reading
from septet.evaluate.readers.values import text_of
from septet.evaluate.readers.wording import BARE, CODE_STOPS

ABOUT = {
    "name": "humaneval",
    "version": "2021",
    "licence": "MIT",
    "origin": "github.com/openai/human-eval",
}


def read(folder: Path) -> Benchmark:
    """Read HumanEval. `meta`: prompt, entry_point, test, solution. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    task = reading.task(
        Task("humaneval", "en", "generate", "code", subject="Python", layout=BARE, max_tokens=512, stop=CODE_STOPS)
    )
    for path in reading.files("*humaneval*.jsonl", "*humaneval*.jsonl.gz", "*humaneval*.parquet") or reading.files(
        "*.parquet"
    ):
        for row in reading.rows(path):
            with reading.kept(row) as values:
                own = text_of(values["task_id"], "task_id")
                prompt = text_of(values["prompt"], "prompt") and str(values["prompt"])
                reading.add(
                    item(
                        f"humaneval/{own.rpartition('/')[2].zfill(4)}",
                        task,
                        prompt,
                        kind="code",
                        meta={
                            "task_id": own,
                            "prompt": prompt,
                            "entry_point": text_of(values["entry_point"], "entry_point"),
                            "test": text_of(values["test"], "test") and str(values["test"]),
                            "solution": str(values.get("canonical_solution") or ""),
                            "setup": "",
                            "tests": [],
                        },
                    )
                )
    return reading.benchmark(ABOUT)
