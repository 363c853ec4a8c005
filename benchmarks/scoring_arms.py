"""One arm of `scoring.py`: scores tasks in the harness's form with one library, and says the log-probabilities and what they cost.

python scoring_arms.py lm_eval|exact|septet FOLDER MODEL TASK,TASK       exact: lm_eval in float64
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def septet(folder: Path, model: Path, names: list[str]) -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    from septet.core import Run
    from septet.evaluate import prompts, score
    from septet.evaluate.form import Benchmark
    from septet.evaluate.readers.lm_eval import read
    from septet.evaluate.steps import Score
    from septet.evaluate.suites import sealed
    from septet.inference.protocol import load
    from septet.kinds import Model

    with tempfile.TemporaryDirectory() as scratch:
        read_all = [read(folder / f"{name}.yaml") for name in names]
        tasks = tuple(task for one in read_all for task in one.tasks)
        items = [item for one in read_all for item in one.items]
        about = {"name": "tasks", "version": "1", "licence": "", "origin": ""}
        suite = sealed(Benchmark(about, tasks, items, []), Run(Path(scratch) / "suite"))
        engine = load(Model(model), "torch-float32")
        # What the step would load itself: read here, so that it counts before the scoring, as it does for the harness.
        score.load = lambda *_: engine  # type: ignore[assignment]
        before = time.process_time()
        report = score.evaluate(Score(), Model(model), suite, None, (), Run(Path(scratch) / "report"))
        cpu = time.process_time() - before
        rows = list(report.items())
    by_name = {task.name: task for task in tasks}
    sizes = {}
    for row in rows:
        task = by_name[row["task"]]
        shots = [item for item in items if item["task"] == task.name and item["split"] == "shots"]
        item = next(item for item in items if item["id"] == row["id"])
        asked = prompts.asked(prompts.build(task, item, shots[: row["shots"]], row["mode"]), engine.codec, False)
        sizes[row["id"]] = [len(one) for one in asked.continuations]
    return {
        "before": before,
        "cpu": cpu,
        "items": {row["id"]: row["log_probabilities"] for row in rows},
        "tokens": sizes,
    }


def exact(folder: Path, model: Path, names: list[str]) -> dict[str, Any]:
    return lm_eval(folder, model, names, "float64")


def lm_eval(folder: Path, model: Path, names: list[str], dtype: str = "float32") -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    reader = HFLM(pretrained=str(model), dtype=dtype, device="cpu", batch_size=8)
    tasks = TaskManager(include_path=str(folder), include_defaults=False).load(names)
    before = time.process_time()
    found = evaluate(lm=reader, task_dict=tasks, bootstrap_iters=0, log_samples=True)
    cpu = time.process_time() - before
    return {
        "before": before,
        "cpu": cpu,
        "items": {
            f"{name}/{sample['doc_id']}": [float(one[0]) for one in sample["filtered_resps"]]
            for name, samples in found["samples"].items()
            for sample in samples
        },
    }


def main() -> None:
    arm, folder, model, names = sys.argv[1:]
    said = {"septet": septet, "lm_eval": lm_eval, "exact": exact}[arm](Path(folder), Path(model), names.split(","))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**said, "memory_mb": memory}))


if __name__ == "__main__":
    main()
