"""Chinese SimpleQA (He et al., 2024, arXiv 2411.07140): short questions of fact with one short answer that does not change.

Reads `chinese_simpleqa.jsonl` (or parts of it, or CSV). A judge grades an answer as right, wrong or not attempted.
"""

from __future__ import annotations

from pathlib import Path

from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.exam import numbered
from septet.evaluate.readers.reading import Reading
from septet.evaluate.readers.values import text_of
from septet.evaluate.readers.wording import CHINESE_QUESTION

ABOUT = {
    "name": "chinese_simpleqa",
    "version": "2024",
    "licence": "MIT in the repository, CC BY-NC-SA 4.0 on the hub",
    "origin": "github.com/OpenStellarTeam/ChineseSimpleQA",
}


def read(folder: Path) -> Benchmark:
    """Read Chinese SimpleQA. `meta`: secondary, urls. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder, fallback="gb18030")
    task = reading.task(
        Task(
            "chinese_simpleqa",
            "zh",
            "generate",
            "judge",
            subject="常识问答",
            layout=CHINESE_QUESTION,
            max_tokens=128,
            stop=("\n问题：",),
        )
    )
    for path in reading.files("*simpleqa*.jsonl", "*simpleqa*.csv", "*simple_qa*.jsonl", "*simple_qa*.csv"):
        for row in reading.rows(path):
            with reading.kept(row) as values:
                urls = values.get("urls") or []
                reading.add(
                    item(
                        f"chinese_simpleqa/{numbered(str(values.get('id') or ''), row.number)}",
                        task,
                        text_of(values["question"], "question"),
                        answers=[text_of(values["answer"], "answer")],
                        category=str(values.get("primary_category") or ""),
                        meta={
                            "secondary": str(values.get("secondary_category") or ""),
                            "urls": [str(url) for url in urls] if isinstance(urls, list) else [str(urls)],
                        },
                    )
                )
    return reading.benchmark(ABOUT)
