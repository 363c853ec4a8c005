"""Real models on real benchmarks, each number with its interval, next to what their makers published.

    SEPTET_SHARED=FOLDER SEPTET_BENCH_MODELS='FOLDER;FOLDER'  python benchmarks/run.py models_table

Which items are asked is drawn by a seed, the same for every model; `SEPTET_BENCH_SHARE` (1: all) asks fewer. Scores are percent.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from septet.core import Run
from septet.evaluate.steps import ReadBenchmark, Score, benchmark, score
from septet.kinds import Measure, Model

SHARED = Path(os.environ.get("SEPTET_SHARED", Path(__file__).parents[2] / "shared"))
SHARE = float(os.environ.get("SEPTET_BENCH_SHARE", "1"))
SCIENCE = ("*anatomy", "*astronomy", "*biology", "*chemistry", "*physics")
ROWS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("MMLU, 5 examples, letters", "mmlu", {"limit": 25}),
    ("MMLU, no examples, whole texts", "mmlu", {"limit": 25, "mode": "text", "shots": 0}),
    (
        "Science questions of MMLU, no examples, whole texts",
        "mmlu",
        {"limit": 60, "mode": "text", "shots": 0, "tasks": SCIENCE},
    ),
    ("C-Eval (val), 5 examples, letters", "ceval", {"limit": 12}),
    ("C-Eval (val), no examples, whole texts", "ceval", {"limit": 12, "mode": "text", "shots": 0}),
    ("TruthfulQA, one right of several", "truthfulqa", {"limit": 200, "tasks": ("*mc1",)}),
    ("HumanEval, one greedy sample", "humaneval", {"limit": 60, "max_tokens": 256}),
)


def measure() -> list[str]:
    folders = [Path(one) for one in os.environ.get("SEPTET_BENCH_MODELS", "").split(";") if one]
    if not folders or not (SHARED / "benchmarks").is_dir():
        return ["Not measured: name model folders with SEPTET_BENCH_MODELS, and the data with SEPTET_SHARED."]
    models = [Model(folder) for folder in folders]
    names = [str(model.card["name"]) for model in models]
    lines = [
        f"| benchmark | items | chance | {' | '.join(names)} |",
        f"|---|---|---|{'---|' * len(names)}",
    ]
    started = time.process_time()
    with tempfile.TemporaryDirectory(prefix="septet-bench-") as place:
        for number, (title, format_, settings) in enumerate(ROWS):
            limit = max(2, round(settings["limit"] * SHARE))
            suite = benchmark(
                ReadBenchmark(format=format_, path=str(SHARED / "benchmarks" / format_)),
                Run(Path(place) / f"s{number}"),
            )
            cells, asked, chance = [], 0, 0.0
            for at, model in enumerate(models):
                config = Score(**{**settings, "limit": limit})
                report = score(config, model, suite, run=Run(Path(place) / f"r{number}-{at}"))
                rows = list(report.items())
                told = report.content["facts"]["tasks"]
                asked = len(rows)
                chance = sum(told[row["task"]]["chance"] for row in rows) / asked
                cells.append(_cell(report.summary(), rows))
            print(title, cells, file=sys.stderr, flush=True)
            lines.append(f"| {title} | {asked:,} | {100 * chance:.0f} | {' | '.join(cells)} |")
    return [
        *lines,
        "",
        f"{time.process_time() - started:,.0f} CPU seconds. Intervals of 95 %, over passages where items share one.",
    ]


def _cell(summary: dict[str, Measure], rows: list[dict[str, Any]]) -> str:
    name = f"{rows[0]['measure']}.{rows[0]['mode']}"
    found = summary[name]
    lost = sum(row["outcome"] != "answered" for row in rows)
    note = f", {lost} without an answer" if lost else ""
    return f"{100 * found.value:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]{note}"
