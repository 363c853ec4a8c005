"""BBQ (Parrish et al., 2022, arXiv 2110.08193): questions whose context does or does not say who did it, to measure social bias.

Reads `data/*.jsonl`, one file a category. Each item names which option is the unknown one, which the group that the stereotype is
about, and which answer would follow the stereotype: the target where the question is negative, the other where it is not. The
cluster is the template that the item was written from.
"""

from __future__ import annotations

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


def _target(tags: list[list[str]], stereotyped: list[str], unknown: int | None) -> int | None:
    """The option whose tag or name is one of the stereotyped groups, whole or as a part of a joined tag (`F-Black`)."""
    groups = {group.lower() for group in stereotyped}
    for split in (False, True):
        fits = []
        for place, tag in enumerate(tags):
            words = {word.lower() for word in tag} | (
                {part.lower() for word in tag for part in word.split("-")} if split else set()
            )
            if place != unknown and words & groups:
                fits.append(place)
        if len(fits) == 1:
            return fits[0]
    return None


def _biased(polarity: str, target: int | None, unknown: int | None) -> int | None:
    if target is None or unknown is None:
        return None
    return target if polarity == "neg" else next(place for place in range(3) if place not in (target, unknown))
