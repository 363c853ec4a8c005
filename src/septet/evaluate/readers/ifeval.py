"""IFEval (Zhou et al., 2023, arXiv 2311.07911): prompts with instructions that a program can check.

Reads `input_data.jsonl` (key, prompt, instruction_id_list, kwargs), or files of the same form in other languages.
"""

from __future__ import annotations

from pathlib import Path

from septet.detect.language import language
from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.readers.exam import numbered
from septet.evaluate.readers.reading import Reading, Unreadable
from septet.evaluate.readers.values import text_of
from septet.evaluate.readers.wording import BARE

ABOUT = {
    "name": "ifeval",
    "version": "2023",
    "licence": "Apache-2.0",
    "origin": "github.com/google-research/google-research",
}


def read(folder: Path) -> Benchmark:
    """Read IFEval. `meta.instructions`: a list of id and kwargs. Raises ConfigError where the folder holds no such file."""
    reading = Reading(folder, fallback="gb18030")
    named = reading.files("*input_data*.jsonl", "*ifeval*.jsonl", without=("*response*",))
    for path in named or reading.files("*.jsonl", "*.parquet"):
        rows = list(reading.rows(path))
        # The English set holds single prompts that speak of other languages: the file decides.
        chinese = sum(language(str(row.values.get("prompt"))) in ("zh", "mixed") for row in rows) > len(rows) / 2
        task = reading.task(
            Task(
                "ifeval/zh" if chinese else "ifeval",
                "zh" if chinese else "en",
                "generate",
                "instructions",
                layout=BARE,
                max_tokens=1280,
            )
        )
        for row in rows:
            with reading.kept(row) as values:
                names, settings = values["instruction_id_list"], values["kwargs"]
                if not names or len(names) != len(settings):
                    raise Unreadable(f"{len(settings)} settings for {len(names)} instructions")
                # The hub's files fill the settings of all other instructions with nulls.
                instructions = [
                    {
                        "id": str(one),
                        "kwargs": {key: value for key, value in (given or {}).items() if value is not None},
                    }
                    for one, given in zip(names, settings, strict=True)
                ]
                reading.add(
                    item(
                        f"{task.name}/{numbered(str(values.get('key', '')), row.number)}",
                        task,
                        text_of(values["prompt"], "prompt"),
                        kind="instruction",
                        meta={"instructions": instructions},
                    )
                )
    return reading.benchmark(ABOUT)
