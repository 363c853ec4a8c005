"""How well grounding tells true sentences from those in which one thing was exchanged, and what it costs.

`python benchmarks/grounding.py swaps --shared FOLDER`: `swaps.py` makes the cases from five real corpora. A case's score is that of
its weakest sentence; the area under the curve is over exchanged sentences against the true ones of the same corpora. Intervals
are percentile bootstraps over cases. `near` measures from where on nothing found is near a question.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import swaps


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("swaps", "near"))
    parser.add_argument("--shared", type=Path, required=True, help="the folder that holds corpora/")
    parser.add_argument("--each", type=int, default=150, help="true sentences of each corpus")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    return of_swaps(given.shared, given.each, given.seed) if given.what == "swaps" else of_nearness(given.shared)


def of_swaps(shared: Path, each: int, seed: int) -> int:
    from septet.detect import grounding

    cases = swaps.make(shared, each, seed)
    scores, held = [], []
    for case in cases:
        checks = grounding.check(case.text, case.contexts)
        scores.append(min((one.score for one in checks), default=0.0))
        held.append(bool(checks) and all(one.supported for one in checks))
    print(f"{len(cases)} cases, seed {seed}\n")
    print("| true sentences | number | held for unsupported |\n|---|---|---|")
    for how in ("verbatim", "reworded", "stated"):
        chosen = [held[n] for n, case in enumerate(cases) if not case.kind and case.origin == how]
        print(f"| {how} | {len(chosen)} | {1 - sum(chosen) / len(chosen):.3f} |")
    for title, part in _parts(cases):
        print(f"\n### {title}\n\n| exchanged | from | number | found | AUC [95 %] |\n|---|---|---|---|---|")
        true = [scores[n] for n, case in enumerate(cases) if part(case) and not case.kind]
        for kind in (*swaps.KINDS, "all"):
            for origin in ("within", "outside", "") if kind != "all" else ("",):
                at = [
                    n
                    for n, c in enumerate(cases)
                    if part(c) and c.kind and kind in (c.kind, "all") and origin in ("", c.origin)
                ]
                if len(at) >= 5:
                    found = sum(not held[n] for n in at) / len(at)
                    area, low, high = _area([scores[n] for n in at], true)
                    print(
                        f"| {kind} | {origin or 'both'} | {len(at)} | {found:.2f} | {area:.3f} [{low:.3f}, {high:.3f}] |"
                    )
    _cost([case for case in cases if not case.kind])
    return 0


def _parts(cases: Sequence[swaps.Case]) -> list[tuple[str, Callable[[swaps.Case], bool]]]:
    found: list[tuple[str, Callable[[swaps.Case], bool]]] = [
        ("all", lambda _: True),
        ("all but questions turned into statements", lambda case: case.how != "stated"),
    ]
    found += [(one, lambda case, one=one: case.language == one) for one in ("zh", "en")]
    return found + [(one, lambda case, one=one: case.corpus == one) for one in dict.fromkeys(c.corpus for c in cases)]


def _area(low_ones: Sequence[float], high_ones: Sequence[float]) -> tuple[float, float, float]:
    """The area under the curve with its interval: how often an exchanged sentence scores below a true one."""
    import numpy as np

    low, high = np.asarray(low_ones), np.asarray(high_ones)
    wins = (low[:, None] < high[None, :]) + 0.5 * (low[:, None] == high[None, :])
    draw = np.random.default_rng(1)
    drawn = [
        wins[draw.integers(0, len(low), len(low))][:, draw.integers(0, len(high), len(high))].mean() for _ in range(300)
    ]
    return float(wins.mean()), *(float(one) for one in np.quantile(drawn, [0.025, 0.975]))


def _cost(cases: Sequence[swaps.Case]) -> None:
    """CPU of making three contexts ready, and of a sentence against them."""
    from septet.detect import grounding

    began = time.process_time()
    ready = [grounding.Evidence([f"{one} " for one in case.contexts]) for case in cases]
    prepared = time.process_time() - began
    began = time.process_time()
    sentences = sum(len(evidence.check(case.text)) for evidence, case in zip(ready, cases, strict=True))
    checked = time.process_time() - began
    characters = sum(len(one) for case in cases for one in case.contexts) / len(cases)
    print(
        f"\nCPU: {1000 * prepared / len(cases):.2f} ms to make three contexts of {characters:.0f} characters ready, once an answer,"
    )
    print(f"and {1000 * checked / sentences:.2f} ms a sentence against them")


def of_nearness(shared: Path) -> int:
    """Which share of answerable, unanswerable and foreign questions the defaults of the policy keep from the model."""
    from septet.assistant.nearness import is_near
    from septet.core import Run
    from septet.data.steps import Knowledge, Read, knowledge, read
    from septet.detect.policy import Grounding
    from septet.knowledge.search import Searcher

    root = Path(__file__).parent.parent
    place = Path(tempfile.mkdtemp())
    pages = Read(paths=(str(root / "docs/handbook"),), licence="Apache-2.0", origin="public")
    searcher = Searcher(
        knowledge(Knowledge(size=450), read(pages, run=Run(place / "read")), run=Run(place / "knowledge"))
    )
    draw = random.Random(3)
    written = [json.loads(one) for one in (root / "recipes/handbook/questions.jsonl").read_text("utf-8").splitlines()]
    trial = json.loads((shared / "corpora/cmrc2018-zh/cmrc2018_trial.json").read_text("utf-8"))["data"]
    tables = json.loads((shared / "corpora/tatqa-en/tatqa_dataset_dev.json").read_text("utf-8"))
    asked = {
        "handbook, answerable, zh": [q["question"] for q in written if q["answers"] and q["language"] == "zh"],
        "handbook, answerable, en": [q["question"] for q in written if q["answers"] and q["language"] == "en"],
        "handbook, unanswerable": [q["question"] for q in written if not q["answers"]],
        "an encyclopedia, zh": draw.sample(
            [q["question"] for e in trial for p in e["paragraphs"] for q in p["qas"]], 250
        ),
        "financial reports, en": draw.sample([q["question"] for entry in tables for q in entry["questions"]], 250),
    }
    print("| questions | number | not put to the model |\n|---|---|---|")
    for name, questions in asked.items():
        far = sum(not is_near(question, searcher.search(question), Grounding()) for question in questions)
        print(f"| {name} | {len(questions)} | {far / len(questions):.3f} |")
    searcher.close()
    shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
