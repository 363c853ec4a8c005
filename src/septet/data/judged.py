"""Documents shown to a judge: a detector, often a model behind an endpoint, that marks what is false or no longer so.

The judge is a plugin of the group `septet.detectors`; its spans of a kind `judge.*` count. All documents are shown, or a sample
drawn by the hash of their id, so that the same documents are drawn whatever the order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from septet.core import Run, StepFailed, plugins
from septet.data.stream import Sorted, Work, over, split, with_transform
from septet.detect import detectors
from septet.detect import policy as policies
from septet.files import read_lines, write_lines
from septet.kinds import Corpus, Policy

_TEXT = 300


def apply(
    corpus: Corpus, policy: Policy, detector: str, share: float, at_least: float, action: str, seed: int, run: Run
) -> Corpus:
    """Write the corpus without the documents that the judge finds fault with (`drop`), or with all (`review`); its findings are
    in `review.jsonl` either way."""
    detectors.resolve([detector], plugins.load, policies.load(policy.path))  # a wrong name is said before the work
    folder = run.scratch / "judged"
    folder.mkdir(exist_ok=True)
    settings = {
        "policy": str(policy.path),
        "detector": detector,
        "share": share,
        "at_least": at_least,
        "drop": action == "drop",
        "seed": seed,
    }
    passed = over(
        corpus.parts,
        run,
        make,
        [{**settings, "review": str(folder / f"{n:05d}.jsonl")} for n in range(len(corpus.parts))],
    )
    write_lines(run.out / "review.jsonl", (row for file in sorted(folder.glob("*.jsonl")) for row in read_lines(file)))
    shown, found = int(passed.facts.get("shown", 0)), int(passed.facts.get("found", 0))
    run.note(f"{shown} of {passed.rows} documents shown to '{detector}'; it finds fault with {found}")
    if not passed.kept:
        raise StepFailed(
            f"'{detector}' finds fault with all of {passed.rows} documents", "Raise at_least, or review them"
        )
    return Corpus(run.out)


def make(settings: Mapping[str, Any]) -> Work:
    """The work of one part, for `data.stream`."""
    rules = policies.load(Path(settings["policy"]))
    (detect,) = detectors.resolve([settings["detector"]], plugins.load, rules).values()
    review: list[dict[str, Any]] = []

    def work(table: pa.Table) -> Sorted:
        facts: Counter[str] = Counter()
        gone = np.zeros(table.num_rows, bool)
        said, values, details = [], [], []
        for place, row in enumerate(table.select(["id", "text", "source", "where"]).to_pylist()):
            if not _drawn(row["id"], settings["share"], settings["seed"]):
                continue
            facts["shown"] += 1
            text = row["text"] or ""
            spans = [one for one in detect(text) if one.kind.startswith("judge.") and one.score >= settings["at_least"]]
            if not spans:
                continue
            facts["found"] += 1
            worst = max(spans, key=lambda one: (one.score, -one.start))
            for one in spans:
                review.append(
                    {
                        "id": row["id"],
                        "source": row["source"],
                        "where": row["where"] or "",
                        "kind": one.kind,
                        "score": one.score,
                        "rule": one.rule,
                        "start": one.start,
                        "end": one.end,
                        "text": one.of(text)[:_TEXT],
                    }
                )
            if settings["drop"]:
                gone[place] = True
                said.append(worst.kind)
                values.append(worst.score)
                details.append(worst.rule)
        write_lines(Path(settings["review"]), review)
        kept, left = split(table, ~gone, said, values, details)
        return Sorted(with_transform(kept, "data.judge"), left, facts)

    return work


def _drawn(identity: str, share: float, seed: int) -> bool:
    mark = hashlib.sha256(f"{seed}\n{identity}".encode()).digest()
    return int.from_bytes(mark[:6], "big") < share * (1 << 48)
