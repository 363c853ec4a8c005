"""Septet's side of `data.py`: one job a process, from Parquet to Parquet, with the steps that a recipe names.

python our_jobs.py JOB CORPUS OUT     prints {"cpu": seconds of the job without imports, ...}
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import time
from pathlib import Path

from septet.core import Run
from septet.kinds import Corpus


def neardup(corpus: Corpus, out: Path, chains: bool = False) -> dict[str, float]:
    from septet.data import duplicates  # noqa: F401 - what is imported is not the job
    from septet.data.steps import Deduplicate, deduplicate

    began = time.process_time()
    made = deduplicate(Deduplicate(chains=chains), corpus, run=Run(out / "kept", out / "scratch"))
    return {"cpu": time.process_time() - began, "kept": made.count()}


def chains(corpus: Corpus, out: Path) -> dict[str, float]:
    return neardup(corpus, out, chains=True)


def signals(corpus: Corpus, out: Path) -> dict[str, float]:
    from septet.data.steps import Measure, measure

    began = time.process_time()
    measure(Measure(), corpus, run=Run(out / "kept", out / "scratch"))
    return {"cpu": time.process_time() - began}


def filters(corpus: Corpus, out: Path) -> dict[str, float]:
    from septet.data.steps import Filter, filter_
    from septet.detect import policy

    settled = out / "policy"
    settled.mkdir(parents=True)
    (settled / "policy.json").write_bytes(policy.encode(policy.Policy()))
    from septet.kinds import Policy

    config = Filter(sets=("gopher", "gopher-repetition", "c4", "fineweb"))
    began = time.process_time()
    made = filter_(config, corpus, Policy(settled), run=Run(out / "kept", out / "scratch"))
    return {"cpu": time.process_time() - began, "kept": made.count()}


def sentences(corpus: Corpus, out: Path) -> dict[str, float]:
    from septet.data.steps import DeduplicatePassages, deduplicate_passages

    began = time.process_time()
    config = DeduplicatePassages(unit="sentence", span=3)
    made = deduplicate_passages(config, corpus, run=Run(out / "kept", out / "scratch"))
    return {"cpu": time.process_time() - began, "kept": made.count()}


def personal(corpus: Corpus, out: Path) -> dict[str, float]:
    """Detection alone, as the peer's analyser; what is found is kept to be scored."""
    import pyarrow.parquet as pq

    from septet.detect.pii import detect_all

    texts = [pq.read_table(part, columns=["text"])["text"].combine_chunks() for part in corpus.parts]
    began = time.process_time()
    found = [detect_all(column) for column in texts]
    spent = time.process_time() - began
    lines = []
    row = 0
    for one, column in zip(found, texts, strict=True):
        lines += [[row + place, span.start, span.end, span.kind] for place, span in one.spans()]
        row += len(column)
    out.mkdir(parents=True, exist_ok=True)
    (out / "found.json").write_text(json.dumps(lines), "utf-8")
    return {"cpu": spent, "found": len(lines)}


def contamination(corpus: Corpus, out: Path) -> dict[str, float]:
    """Items made of the corpus itself, so that windows do hit."""
    import pyarrow.parquet as pq

    from septet.data import contamination as work

    column = pq.read_table(corpus.parts[0], columns=["text"])["text"]
    items = [work.Item("exam", str(row), column[row].as_py()[:300]) for row in range(0, len(column), 5)]
    began = time.process_time()
    work.report(corpus.parts, "text", items, 0.5, Run(out / "report", out / "scratch"))
    return {"cpu": time.process_time() - began, "items": len(items)}


if __name__ == "__main__":
    job, source, out = sys.argv[1:4]
    if job not in ("neardup", "chains"):
        # Imports and the loading of compiled code are not the job: once over a few rows first. The others are whole processes.
        few = Corpus.write(Path(out) / "few", itertools.islice(Corpus(Path(source)).rows(), 50))
        globals()[job](few, Path(out) / "first")
    said = globals()[job](Corpus(Path(source)), Path(out))
    said["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(said) + "\n")
