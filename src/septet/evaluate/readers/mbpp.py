"""MBPP (Austin et al., 2021, arXiv 2108.07732): short Python tasks in words, each with three assertions.

Reads `mbpp.jsonl` (974 tasks) or `sanitized-mbpp.json` (427, whose words are in `prompt` and imports in `test_imports`), or the
hub's Parquet. The split goes by task_id as published: 1-10 are the examples, 11-510 the test, 511-600 validation, 601-974
training. The question holds the words and the assertions, which name the function.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Layout, Task, item
from septet.evaluate.readers.reading import Reading, Unreadable
from septet.evaluate.readers.values import list_of, text_of

ABOUT = {
    "name": "mbpp",
    "version": "2021",
    "licence": "CC BY 4.0",
    "origin": "github.com/google-research/google-research",
}
_LAYOUT = Layout(
    item="Task: {question}\nSolution:\n```python\n",
    cloze="Task: {question}\nSolution:\n```python\n",
    answer="{answer}\n```",
)


def read(folder: Path) -> Benchmark:
    """Read MBPP. `meta`: prompt, tests, setup, challenge_tests, solution. Raises ConfigError where no file is."""
    reading = Reading(folder)
    whole = reading.files("*mbpp*.jsonl", "*mbpp*.jsonl.gz", "*.parquet", without=("*sanitized*",))
    for path in whole + reading.files("*sanitized*.json", "*sanitized*.jsonl", "*sanitized*.parquet"):
        name = "mbpp-sanitized" if "sanitized" in path.as_posix().lower() else "mbpp"
        task = reading.task(
            Task(
                name,
                "en",
                "generate",
                "code",
                subject="Python",
                layout=_LAYOUT,
                shots=3,
                max_tokens=512,
                stop=("\n```", "\nTask:", "[DONE]"),
            )
        )
        for row in reading.rows(path):
            with reading.kept(row) as values:
                reading.add(_item(task, values))
    return reading.benchmark(ABOUT)


def split_of_task(number: int) -> str:
    """The published split of a task_id. Raises Unreadable for a number that the benchmark does not have."""
    for last, split in ((10, "shots"), (510, "test"), (600, "validation"), (974, "train")):
        if 0 < number <= last:
            return split
    raise Unreadable(f"task_id {number} is not between 1 and 974")


def _item(task: Task, values: dict[str, Any]) -> dict[str, Any]:
    number = int(values["task_id"]) if str(values["task_id"]).isdecimal() else 0
    words = text_of(values.get("text") or values.get("prompt"), "text")
    tests = [str(one) for one in list_of(values["test_list"], "test_list")]
    if not tests:
        raise Unreadable("'test_list' is empty")
    imports = [str(one) for one in values.get("test_imports") or ()]
    setup = "\n".join([*imports, str(values.get("test_setup_code") or "").replace("\r\n", "\n")]).strip()
    code = str(values.get("code") or "").replace("\r\n", "\n")
    return item(
        f"{task.name}/{number:04d}",
        task,
        "\n".join([words, "It must pass:", *tests]),
        answers=[code] if code else [],
        kind="code",
        split=split_of_task(number),
        meta={
            "prompt": words,
            "entry_point": "",
            "test": "",
            "setup": setup,
            "tests": tests,
            "challenge_tests": [str(one) for one in values.get("challenge_test_list") or ()],
            "solution": code,
        },
    )
