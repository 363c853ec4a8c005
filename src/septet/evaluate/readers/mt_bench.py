"""MT-Bench (Zheng et al., 2023, arXiv 2306.05685): dialogues of two turns, graded by a judge.

Reads `question.jsonl` (question_id, category, turns, and `reference` where the later files have it) and the reference answers of
`reference_answer/*.jsonl`. `judge_prompts.jsonl` is of the judge and is left. Vicuna's 80 questions have one turn.
"""

from __future__ import annotations

from pathlib import Path

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.exam import numbered
from septet.evaluate.readers.reading import Reading
from septet.evaluate.readers.values import text_of
from septet.evaluate.readers.wording import BARE

ABOUT = {
    "name": "mt_bench",
    "version": "2023",
    "licence": "Apache-2.0",
    "origin": "github.com/lm-sys/FastChat",
}


def read(folder: Path) -> Benchmark:
    """Read MT-Bench. `meta`: turns, references (one a turn, or none). Raises ConfigError where the folder holds no such file."""
    reading = Reading(folder)
    task = reading.task(Task("mt_bench", "en", "generate", "judge", layout=BARE, max_tokens=1024))
    references: dict[str, list[str]] = {}
    for path in reading.files("*reference_answer/*.jsonl"):
        for row in reading.rows(path):
            with reading.kept(row) as values:
                references[str(values["question_id"])] = [str(turn) for turn in values["choices"][0]["turns"]]
    known = set()
    for path in reading.files("*question*.jsonl"):
        for row in reading.rows(path):
            with reading.kept(row) as values:
                own = str(values["question_id"])
                known.add(own)
                turns = [text_of(turn, "turn") for turn in values["turns"]]
                told = references.get(own) or [str(turn) for turn in values.get("reference") or ()]
                reading.add(
                    item(
                        f"mt_bench/{numbered(own, row.number)}",
                        task,
                        turns[0],
                        answers=told[:1],
                        category=text_of(values["category"], "category"),
                        kind="dialogue",
                        meta={"turns": turns, "references": told},
                    )
                )
    lone = sorted(set(references) - known)
    return reading.benchmark(ABOUT | ({"references_without_question": ", ".join(lone)} if lone else {}))
