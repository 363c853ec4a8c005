"""MGSM (Shi et al., 2022, arXiv 2210.03057): the first 250 sums of GSM8K's test set in eleven languages.

Reads the published `mgsm_<language>.tsv` (question, number) without the worked examples, which are code (`exemplars.py`) and
are not read, the JSON lines of other carriers (`messages` and `answer`, or `question` and `answer`), and the hub's Parquet. The
cluster is the sum's place in GSM8K (`gsm8k/0012`), so that languages and GSM8K itself can be compared sum by sum.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Layout, Task, item
from septet.evaluate.readers.reading import Reading, Unreadable
from septet.evaluate.readers.values import text_of
from septet.evaluate.readers.wording import CHINESE_QUESTION, ENGLISH_QUESTION

ABOUT = {
    "name": "mgsm",
    "version": "2022",
    "licence": "CC BY-SA 4.0",
    "origin": "github.com/google-research/url-nlp",
}
LANGUAGES = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")


def read(folder: Path) -> Benchmark:
    """Read MGSM. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder, fallback="gb18030")
    for path in reading.files("*mgsm*.tsv", "*mgsm*.jsonl", "*/??/train*.parquet", "*/??/test*.parquet"):
        language = _language(path)
        if not language:
            reading.reject(path.name, "", f"its name names none of the languages {', '.join(LANGUAGES)}")
            continue
        task = reading.task(_task(language))
        split = "shots" if path.stem.lower().startswith("train") or "train" in path.stem.lower() else "test"
        for row in reading.rows(path, ("question", "answer")):
            with reading.kept(row) as values:
                number = str(values.get("answer_number") or values["answer"]).replace(",", "").strip()
                if not re.fullmatch(r"-?\d+(\.\d+)?", number):
                    raise Unreadable(f"the answer '{number[:40]}' is no number")
                own = str(values.get("id", ""))
                place = int(own) if own.isdecimal() else row.number
                reading.add(
                    item(
                        f"{task.name}/{split}/{place:04d}",
                        task,
                        text_of(_question(values), "question"),
                        answers=[number],
                        cluster=f"gsm8k/{place:04d}" if split == "test" else "",
                        split=split,
                        meta={"solution": str(values["answer"])} if split == "shots" and values.get("answer") else {},
                    )
                )
    return reading.benchmark(ABOUT)


def _language(path: Path) -> str:
    words = re.split(r"[_\-.]", path.stem.lower())
    named = [word for word in (*words, path.parent.name.lower()) if word in LANGUAGES]
    return named[0] if named else ""


def _question(values: dict[str, Any]) -> str:
    if values.get("messages"):
        asked = [one["content"] for one in values["messages"] if one.get("role") == "user"]
        return str(asked[0]) if asked else ""
    return str(values["question"])


def _task(language: str) -> Task:
    layout: Layout = CHINESE_QUESTION if language == "zh" else ENGLISH_QUESTION
    stops = ("\n问题：",) if language == "zh" else ("\nQuestion:",)
    return Task(
        f"mgsm/{language}",
        language,
        "generate",
        "number",
        subject="数学" if language == "zh" else "mathematics",
        layout=layout,
        shots=8,
        max_tokens=512,
        stop=stops,
    )
