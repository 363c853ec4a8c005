"""MATH (Hendrycks et al., 2021, arXiv 2103.03874): competition problems of seven fields and five levels; the answer is boxed.

Reads the published folders (`MATH/test/algebra/12.json`: problem, level, type, solution), JSON lines of the same keys or with
`answer` and `subject` (MATH-500), and the hub's Parquet. Each level is the category, so that level 5 alone can be asked. The first
four training problems of a field are its shots.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Layout, Task, item
from septet.evaluate.readers.exam import split_of
from septet.evaluate.readers.reading import Reading, Row, Unreadable
from septet.evaluate.readers.values import text_of

ABOUT = {
    "name": "math",
    "version": "2021",
    "licence": "MIT",
    "origin": "github.com/hendrycks/math",
}
_SHOTS = 4
_LAYOUT = Layout(item="Problem: {question}\nSolution:", cloze="Problem: {question}\nSolution:")


def read(folder: Path) -> Benchmark:
    """Read MATH. `meta.solution` is the worked solution. Raises ConfigError where the folder holds none of its files."""
    reading = Reading(folder)
    shown: dict[str, int] = {}
    paths = reading.files("*/train/*/*.json", "*/test/*/*.json", "*.jsonl", "*.parquet")
    for path in sorted(paths, key=_natural):
        split = split_of(path)
        for row in reading.rows(path):
            with reading.kept(row) as values:
                made = _item(reading, row, values, "train" if split == "train" else "test", path)
                if made["split"] == "train" and shown.get(made["task"], 0) < _SHOTS:
                    made["split"] = "shots"
                    shown[made["task"]] = shown.get(made["task"], 0) + 1
                reading.add(made)
    return reading.benchmark(ABOUT)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Files by the numbers in their names: 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.as_posix()) if part]


def boxed(solution: str) -> str:
    """What the last `\\boxed{...}` of a solution holds, nested braces and all, or ''. Also `\\fbox{...}` and `\\boxed 5`."""
    starts = list(re.finditer(r"\\(?:boxed|fbox)\s*", solution))
    if not starts:
        return ""
    rest = solution[starts[-1].end() :]
    if not rest.startswith("{"):
        bare = re.match(r"[^\s$.]+", rest)
        return bare[0] if bare else ""
    depth = 0
    for place, letter in enumerate(rest):
        escaped = place > 0 and rest[place - 1] == "\\" and not rest[:place].endswith("\\\\")
        depth += 0 if escaped else (letter == "{") - (letter == "}")
        if depth == 0:
            return rest[1:place].strip()
    return ""


def _item(reading: Reading, row: Row, values: dict[str, Any], split: str, path: Path) -> dict[str, Any]:
    field = text_of(values.get("type") or values.get("subject") or path.parent.name, "type")
    solution = str(values.get("solution") or "")
    answer = str(values.get("answer") or "").strip() or boxed(solution)
    if not answer:
        raise Unreadable("the solution boxes no answer")
    level = re.sub(r"\D", "", str(values.get("level") or ""))
    slug = re.sub(r"\W+", "_", field.lower().replace("&", "and")).strip("_")
    task = reading.task(
        Task(
            f"math/{slug}",
            "en",
            "generate",
            "math",
            subject=field.lower(),
            group=field,
            layout=_LAYOUT,
            shots=_SHOTS,
            max_tokens=1024,
            stop=("\nProblem:",),
        )
    )
    own = str(values.get("unique_id") or "").removesuffix(".json").rpartition("/")[2]
    number = own or (path.stem if path.suffix == ".json" else f"{row.number:05d}")
    return item(
        f"{task.name}/{split}/{number.zfill(5)}",
        task,
        text_of(values["problem"], "problem"),
        answers=[answer],
        split=split,
        category=f"level {level}" if level else "",
        meta={"solution": solution} if solution else {},
    )
