"""BBQ (Parrish et al., 2022, arXiv 2110.08193): questions whose context does or does not say who did it, to measure social bias.

Reads `data/*.jsonl`, one file a category. Each item names which option is the unknown one, which the group that the stereotype is
about, and which answer would follow the stereotype: the target where the question is negative, the other where it is not. The
cluster is the template that the item was written from.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from septet.evaluate.form import Benchmark, Layout, Task, item
from septet.evaluate.readers.reading import Reading, Row, Unreadable
from septet.evaluate.readers.values import index_of, text_of

ABOUT = {
    "name": "bbq",
    "version": "2022",
    "licence": "CC BY 4.0",
    "origin": "github.com/nyu-mll/BBQ",
}
_LAYOUT = Layout(item="{question}\n{options}\nAnswer:", cloze="{question}\nAnswer:")
_POLARITY = {"neg": "neg", "nonneg": "nonneg", "non_neg": "nonneg"}
_CONDITION = {"ambig": "ambig", "disambig": "disambig", "ambiguous": "ambig", "disambiguous": "disambig"}


def read(folder: Path) -> Benchmark:
    """Read BBQ. Raises ConfigError where the folder holds none of its files.

    `meta`: context_condition (ambig, disambig), question_polarity (neg, nonneg), unknown, target and biased (places of options, or
    None where the tags do not tell), stereotyped_groups, groups (the tag of each option).
    """
    reading = Reading(folder)
    for path in reading.files("*.jsonl", without=("*preds_*", "*predictions*", "*results*")):
        for row in reading.rows(path):
            with reading.kept(row) as values:
                category = text_of(values["category"], "category")
                task = reading.task(
                    Task(
                        f"bbq/{category}",
                        "en",
                        "letter",
                        "option",
                        subject=category.replace("_", " "),
                        group=category,
                        layout=_LAYOUT,
                        max_tokens=16,
                        stop=("\n",),
                    )
                )
                reading.add(_item(task, row, values))
    _settle_by_template(reading.items)
    untold = sum(one["meta"]["target"] is None for one in reading.items)
    return reading.benchmark(ABOUT | ({"without_target": str(untold)} if untold else {}))


def stance(values: dict[str, Any]) -> dict[str, str]:
    """Condition and polarity in one spelling. Raises Unreadable for words that the format does not have."""
    found = {}
    for name, known in (("context_condition", _CONDITION), ("question_polarity", _POLARITY)):
        if values[name] not in known:
            raise Unreadable(f"'{name}' is '{values[name]}', none of {', '.join(known)}")
        found[name] = known[values[name]]
    return found


def _item(task: Task, row: Row, values: dict[str, Any]) -> dict[str, Any]:
    options = [text_of(values[f"ans{place}"], f"ans{place}") for place in range(3)]
    tags = [[str(one) for one in values["answer_info"][f"ans{place}"]] for place in range(3)]
    told = stance(values)
    more = values.get("additional_metadata") or {}
    stereotyped = [str(one) for one in more.get("stereotyped_groups") or ()]
    unknown = next((place for place, tag in enumerate(tags) if tag[-1] == "unknown"), None)
    target = _target(tags, stereotyped, unknown)
    label = index_of(values["label"], len(options))
    if label is None:
        raise Unreadable("the label is empty")
    own = str(values.get("example_id", row.number))
    return item(
        f"{task.name}/{own.zfill(5)}",
        task,
        text_of(values["question"], "question"),
        options=options,
        label=label,
        passage=text_of(values["context"], "context"),
        cluster=f"{task.name}/template-{values.get('question_index', own)}",
        category=told["context_condition"],
        meta={
            **told,
            "unknown": unknown,
            "target": target,
            "biased": _biased(told["question_polarity"], target, unknown),
            "stereotyped_groups": stereotyped,
            "groups": [tag[-1] for tag in tags],
        },
    )


_SAME = {"woman": "f", "women": "f", "girl": "f", "man": "m", "men": "m", "boy": "m"}
"""Tags of the gender files whose groups are `F` and `M`."""


def _folded(word: str) -> str:
    bare = re.sub(r"[\s_]+", "", word.lower())
    return _SAME.get(bare, bare)


def _parts(tag: list[str]) -> set[str]:
    """The parts of a joined tag: `lowSES-F-Black` is of a poor black woman."""
    return {_folded(part) for part in tag[-1].split("-")}


def _target(tags: list[list[str]], stereotyped: list[str], unknown: int | None) -> int | None:
    """The one option whose tag or name is one of the stereotyped groups, whole or else as a part of its joined tag."""
    groups = {_folded(group) for group in stereotyped}
    for words in ([{_folded(word) for word in tag} for tag in tags], [_parts(tag) for tag in tags]):
        fits = [place for place in range(len(tags)) if place != unknown and words[place] & groups]
        if len(fits) == 1:
            return fits[0]
    return None


def _settle_by_template(items: list[dict[str, Any]]) -> None:
    """Find the targets of items whose two people are of one race and differ in gender or means.

    The files of two traits name the race alone; the other trait of a template's target is the one that its targets share where
    the races do differ.
    """
    shared: dict[str, set[str]] = {}
    for one in items:
        meta = one["meta"]
        if meta["target"] is not None and "-" in meta["groups"][meta["target"]]:
            parts = _parts([meta["groups"][meta["target"]]])
            shared[one["cluster"]] = shared.get(one["cluster"], parts) & parts
    for one in items:
        meta, common = one["meta"], shared.get(one["cluster"])
        if meta["target"] is None and meta["unknown"] is not None and common:
            fits = [
                place
                for place, group in enumerate(meta["groups"])
                if place != meta["unknown"] and common <= _parts([group])
            ]
            if len(fits) == 1:
                meta["target"] = fits[0]
                meta["biased"] = _biased(meta["question_polarity"], fits[0], meta["unknown"])


def _biased(polarity: str, target: int | None, unknown: int | None) -> int | None:
    if target is None or unknown is None:
        return None
    return target if polarity == "neg" else next(place for place in range(3) if place not in (target, unknown))
