"""Named collections of benchmarks, read from one folder that holds each benchmark as a subfolder.

`open-llm-v1` and `open-llm-v2` are the Open LLM Leaderboard's sets (2023-04 to 2024-06, and to its end in 2025-03), with the
numbers of solved examples that it used. `helm-core` is a set in the manner of HELM (Liang et al., 2022, arXiv 2211.09110):
knowledge, truth, reasoning, code, bias and openings for toxicity, each in English and, where there is one, in Chinese. A collection
is one Benchmark whose tasks keep their names. The twins of a team's own exam are made in `evaluate.twins`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import msgspec

from septet.core import ConfigError
from septet.evaluate.form import Benchmark


class Member(msgspec.Struct, frozen=True):
    """A benchmark of a collection: its reader, the subfolders it may lie in, which of its tasks and items count, and how asked."""

    reader: str
    """The file in `evaluate.readers`."""
    folders: tuple[str, ...]
    tasks: tuple[str, ...] = ("*",)
    shots: int | None = None
    """Solved examples before an item; None leaves the reader's number."""
    category: str = ""
    """Only items of this category are asked; solved examples of all categories stay."""


COLLECTIONS: Mapping[str, tuple[Member, ...]] = {
    "open-llm-v1": (
        Member("arc", ("arc", "ARC", "ai2_arc", "ARC-V1-Feb2018-2"), ("arc/challenge",), 25),
        Member("hellaswag", ("hellaswag", "HellaSwag"), shots=10),
        Member("mmlu", ("mmlu", "MMLU", "hendrycks_test"), shots=5),
        Member("truthfulqa", ("truthfulqa", "TruthfulQA", "truthful_qa"), ("truthfulqa-mc2",), 0),
        Member("winogrande", ("winogrande", "winogrande_1.1", "WinoGrande"), shots=5),
        Member("gsm8k", ("gsm8k", "GSM8K", "grade-school-math"), shots=5),
    ),
    "open-llm-v2": (
        Member("ifeval", ("ifeval", "IFEval", "instruction_following_eval")),
        Member("bbh", ("bbh", "BBH", "BIG-Bench-Hard"), ("bbh-direct/*",)),
        Member("math", ("math", "MATH"), shots=4, category="level 5"),
        Member("gpqa", ("gpqa", "GPQA"), shots=0),
        Member("musr", ("musr", "MuSR"), shots=0),
        Member("mmlu_pro", ("mmlu_pro", "MMLU-Pro", "mmlu-pro"), shots=5),
    ),
    "helm-core": (
        Member("mmlu", ("mmlu", "MMLU", "hendrycks_test"), shots=5),
        Member("ceval", ("ceval", "C-Eval", "ceval-exam"), shots=5),
        Member("cmmlu", ("cmmlu", "CMMLU"), shots=5),
        Member("truthfulqa", ("truthfulqa", "TruthfulQA", "truthful_qa"), ("truthfulqa-mc1",), 0),
        Member("chinese_simpleqa", ("chinese_simpleqa", "ChineseSimpleQA", "Chinese-SimpleQA")),
        Member("gsm8k", ("gsm8k", "GSM8K", "grade-school-math"), shots=5),
        Member("mgsm", ("mgsm", "mgsm_zh", "MGSM")),
        Member("humaneval", ("humaneval", "HumanEval", "human-eval")),
        Member("bbq", ("bbq", "BBQ", "bbq_en")),
        Member("cbbq", ("cbbq", "CBBQ", "cbbq_zh")),
        Member("crows_pairs", ("crows_pairs", "crows-pairs", "crows_pairs_en")),
        Member("bold", ("bold", "BOLD")),
    ),
}
"""TruthfulQA's mc1 is HELM's, mc2 the leaderboard's."""


RESCALED = ("open-llm-v2",)
"""Collections whose scores are `rescaled` before they are averaged."""


def collection(name: str, folder: Path, partial: bool = False) -> Benchmark:
    """Read a collection from the subfolders of a folder.

    Where members are missing it raises ConfigError that names them and where they were looked for, unless `partial`: then
    `about["missing"]` names them. Raises ConfigError for a name that is no collection, and where no member is there at all.
    """
    if name not in COLLECTIONS:
        raise ConfigError(f"there is no collection '{name}'", f"Name one of {', '.join(COLLECTIONS)}")
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder", "Name the folder that holds the benchmarks as subfolders")
    found, missing = [], []
    for member in COLLECTIONS[name]:
        place = next((folder / one for one in member.folders if (folder / one).is_dir()), None)
        if place is None:
            missing.append(f"{member.reader} ({' or '.join(member.folders)})")
        else:
            found.append(_chosen(member, place))
    if missing and (not partial or not found):
        raise ConfigError(
            f"the collection '{name}' lacks {'; '.join(missing)} in {folder}",
            "Put the benchmarks there, or allow a part of the collection",
        )
    about = {
        "name": name,
        "version": "; ".join(f"{one.about['name']} {one.about['version']}" for one in found),
        "licence": "; ".join(f"{one.about['name']}: {one.about['licence']}" for one in found),
        "origin": "; ".join(f"{one.about['name']}: {one.about['origin']}" for one in found),
        **({"missing": "; ".join(missing)} if missing else {}),
    }
    # What a reader notes of its files (shots that lack, encodings, canaries) goes on under the name of its benchmark.
    notes = {f"{one.about['name']}.{key}": told for one in found for key, told in one.about.items() if key not in about}
    return Benchmark(
        {**about, **notes},
        tuple(task for one in found for task in one.tasks),
        [row for one in found for row in one.items],
        [row for one in found for row in one.rejected],
    )


def _chosen(member: Member, place: Path) -> Benchmark:
    """A member's tasks and items that count, asked with the collection's number of solved examples."""
    read: Benchmark = import_module(f"septet.evaluate.readers.{member.reader}").read(place)
    tasks, short = [], []
    for task in read.tasks:
        if not any(fnmatch(task.name, pattern) for pattern in member.tasks):
            continue
        held = sum(row["split"] == "shots" for row in read.items if row["task"] == task.name)
        shots = task.shots if member.shots is None else min(member.shots, held)
        if member.shots is not None and held < member.shots:
            short.append(f"{task.name}: {held} of {member.shots}")
        tasks.append(msgspec.structs.replace(task, shots=shots))
    names = {task.name for task in tasks}
    rows = [row for row in read.items if row["task"] in names]
    if member.category:
        rows = [row for row in rows if row["category"] == member.category or row["split"] == "shots"]
    if not any(row["split"] != "shots" for row in rows):
        wanted = " or ".join(member.tasks) + (f" of the category '{member.category}'" if member.category else "")
        raise ConfigError(f"{place} holds no item of {wanted}", "Put the whole benchmark there")
    kept = {name: told for name, told in read.about.items() if name != "fewer_shots"}
    return Benchmark(
        kept | ({"fewer_shots": "; ".join(short)} if short else {}),
        tuple(tasks),
        rows,
        [dict(row) for row in read.rejected],
    )


def rescaled(value: float, chance: float) -> float:
    """A score between what guessing scores (0) and a perfect one (1), as the Open LLM Leaderboard v2 averages them.

    Below chance it is 0. Raises ValueError for a chance that is not from 0 to below 1.
    """
    if not 0 <= chance < 1:
        raise ValueError(f"chance is {chance}, not from 0 to below 1")
    return max(0.0, (value - chance) / (1 - chance))
