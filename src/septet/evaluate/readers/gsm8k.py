"""GSM8K (Cobbe et al., 2021, arXiv 2110.14168): sums told in words; the answer stands after `####` in the worked solution.

Reads `test.jsonl` and `train.jsonl` (or parts of them such as `train_first1000.jsonl`), or the hub's Parquet under `main/`. The
first eight of the training file are the shots. The Socratic files hold the same sums and are left.
"""

from __future__ import annotations

from pathlib import Path

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.reading import Reading, Unreadable
from septet.evaluate.readers.values import text_of
from septet.evaluate.readers.wording import ENGLISH_QUESTION

ABOUT = {
    "name": "gsm8k",
    "version": "2021",
    "licence": "MIT",
    "origin": "github.com/openai/grade-school-math",
}
_SHOTS = 8


def read(folder: Path) -> Benchmark:
    """Read GSM8K. `meta.solution` is the worked solution as published. Raises ConfigError where the folder holds no such file."""
    reading = Reading(folder)
    task = reading.task(
        Task(
            "gsm8k",
            "en",
            "generate",
            "number",
            subject="mathematics",
            layout=ENGLISH_QUESTION,
            shots=5,
            max_tokens=512,
            stop=("\nQuestion:",),
        )
    )
    for split in ("train", "test"):
        patterns = (f"*/{split}*.jsonl", f"*/{split}*.jsonl.gz", f"*/gsm8k_{split}*.jsonl", f"*/{split}-*.parquet")
        for path in reading.files(*patterns, without=("*socratic*",)):
            for row in reading.rows(path):
                with reading.kept(row) as values:
                    worked = text_of(values["answer"], "answer")
                    _, found, answer = worked.rpartition("####")
                    if not found or not answer.strip():
                        raise Unreadable("the solution states no answer after '####'")
                    reading.add(
                        item(
                            f"gsm8k/{split}/{row.number:04d}",
                            task,
                            text_of(values["question"], "question"),
                            answers=[answer.strip().replace(",", "")],
                            cluster=f"gsm8k/{row.number:04d}" if split == "test" else "",
                            split="shots" if split == "train" and row.number < _SHOTS else split,
                            meta={"solution": worked},
                        )
                    )
    return reading.benchmark(ABOUT)
