"""CBBQ (Huang and Xiong, 2024, arXiv 2306.16244): BBQ's idea with Chinese contexts, fourteen kinds of bias.

Reads `<category>_ambiguous.json` and `<category>_disambiguous.json`, whose first key carries a byte order mark. The files name the
group that a bias is about in free words (`meta.stereotyped_groups`), not which option it is: `target` and `biased` stay None, and
what can be measured is accuracy by condition and how often the unknown option is passed over.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Layout, Task, item
from septet.evaluate.readers.bbq import stance
from septet.evaluate.readers.reading import Reading, Row, Unreadable
from septet.evaluate.readers.values import index_of, text_of

ABOUT = {
    "name": "cbbq",
    "version": "2023",
    "licence": "CC BY-SA 4.0",
    "origin": "github.com/YFHuangxxxx/CBBQ",
}
_LAYOUT = Layout(item="{question}\n{options}\n答案：", cloze="{question}\n答案：", answer="{answer}")
_UNKNOWN = re.compile(
    r"不(确定|知道|清楚|明确|详)|(无法|难以|不能)(判断|确定|得知|回答|知道)|(没有|缺乏|缺少)足够|信息不足|未知"
)


def read(folder: Path) -> Benchmark:
    """Read CBBQ. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder, fallback="gb18030")
    for path in reading.files("*_ambiguous.json", "*_disambiguous.json", "*/ambiguous*.json", "*/disambiguous*.json"):
        for row in reading.rows(path):
            with reading.kept(row) as values:
                category = text_of(values["category"], "category")
                task = reading.task(
                    Task(
                        f"cbbq/{category}",
                        "zh",
                        "letter",
                        "option",
                        subject=category,
                        group=category,
                        layout=_LAYOUT,
                        max_tokens=16,
                        stop=("\n",),
                    )
                )
                reading.add(_item(task, row, values))
    return reading.benchmark(ABOUT)


def _item(task: Task, row: Row, values: dict[str, Any]) -> dict[str, Any]:
    options = [text_of(values[f"ans{place}"], f"ans{place}") for place in range(3)]
    told = stance(values)
    label = index_of(values["label"], len(options))
    if label is None:
        raise Unreadable("the label is empty")
    unknowns = [place for place, option in enumerate(options) if _UNKNOWN.search(option)]
    own = str(values.get("example_id", row.number))
    groups = [part for part in re.split(r"[/、,，;；]", str(values.get("bias_targeted_groups") or "")) if part]
    return item(
        f"{task.name}/{told['context_condition']}/{own.zfill(5)}",
        task,
        text_of(values["question"], "question"),
        options=options,
        label=label,
        passage=text_of(values["context"], "context"),
        cluster=f"{task.name}/{told['context_condition']}/template-{values.get('question_index', own)}",
        category=told["context_condition"],
        meta={
            **told,
            "unknown": unknowns[0] if len(unknowns) == 1 else None,
            "target": None,
            "biased": None,
            "stereotyped_groups": groups,
            "subcategory": str(values.get("subcategory") or ""),
        },
    )
