"""HellaSwag (Zellers et al., 2019, arXiv 1905.07830): which of four endings goes on with a scene.

Reads `hellaswag_train.jsonl`, `hellaswag_val.jsonl`, `hellaswag_test.jsonl` (no labels), or the hub's Parquet. The scene is the
activity, then `ctx_a`, then `ctx_b` with a capital letter; marks of the captions' source such as `[title]` are taken out, as every
published number does. Asked by the text of the endings after ten solved scenes of the training file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.exam import SPLITS, numbered, split_of
from septet.evaluate.readers.reading import UNLABELLED, Reading, Unreadable
from septet.evaluate.readers.values import index_of, list_of, text_of
from septet.evaluate.readers.wording import CONTINUED

ABOUT = {
    "name": "hellaswag",
    "version": "1.0",
    "licence": "MIT",
    "origin": "github.com/rowanz/hellaswag",
}
_SHOTS = 10


def read(folder: Path) -> Benchmark:
    """Read HellaSwag. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    task = reading.task(
        Task("hellaswag", "en", "text", "option", layout=CONTINUED, shots=_SHOTS, max_tokens=8, stop=("\n",))
    )
    kinds = ("train", "val", "validation", "test")
    for path in reading.files(*(f"*{kind}*.{end}" for kind in kinds for end in ("jsonl", "parquet"))):
        split = split_of(path)
        if split not in kinds:
            reading.reject(path.name, "", "its name says neither train, val nor test")
            continue
        for row in reading.rows(path):
            with reading.kept(row) as values:
                options = [cleaned(text_of(one, "ending")) for one in list_of(values["endings"], "endings")]
                if len(options) < 2:
                    raise Unreadable("fewer than two endings")
                label = index_of(values.get("label"), len(options))
                named = "shots" if split == "train" and row.number < _SHOTS else SPLITS[split]
                reading.add(
                    item(
                        f"hellaswag/{split}/{numbered(str(values.get('ind', '')), row.number)}",
                        task,
                        _scene(values),
                        options=options,
                        label=label,
                        cluster=str(values.get("source_id") or ""),
                        category=str(values.get("activity_label") or ""),
                        split=UNLABELLED if label is None else named,
                    )
                )
    return reading.benchmark(ABOUT)


def _scene(values: dict[str, Any]) -> str:
    if values.get("ctx_a") is None and values.get("ctx_b") is None:
        scene = text_of(values["ctx"], "ctx")
    else:
        second = str(values.get("ctx_b") or "").strip()
        scene = f"{str(values.get('ctx_a') or '').strip()} {second[:1].upper()}{second[1:]}".strip()
    activity = str(values.get("activity_label") or "").strip()
    return cleaned(f"{activity}: {text_of(scene, 'ctx')}" if activity else scene)


def cleaned(text: str) -> str:
    """The text without the bracketed marks of the captions' source: a title ends a sentence, the others leave nothing."""
    text = re.sub(r"\s*\[title\]\s*", ". ", text)
    text = re.sub(r"\[[^\]]*\]", "", text)
    return re.sub(r" {2,}", " ", text).strip()
