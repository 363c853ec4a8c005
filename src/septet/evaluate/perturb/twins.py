"""Twins of a suite's items: each asked again under a perturbation, so that one run of scoring asks both.

A twin is its original with `meta.twin_of` and `meta.perturbation`, and the id `<id>~<kind>`; task, cluster and category stay, so
that the pair is compared item by item and its errors count as one. What a kind does not change has no twin, and is counted.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from septet.core import ConfigError, Run
from septet.core.errors import nearest
from septet.evaluate.perturb.kinds import KINDS
from septet.files import read_lines, write_lines
from septet.kinds import Suite

_NOT_ASKED = ("shots", "unlabelled")


def perturbed(items: Iterable[Mapping[str, Any]], kinds: Sequence[str], seed: int = 1) -> list[dict[str, Any]]:
    """The twins of these items, by item and kind; the originals are not among them.

    Each draw depends on seed, item and kind alone. Solved examples and twins have no twins, and a kind none of an item of a
    language that it is not for. Raises ConfigError for a kind that is not known.
    """
    for name in kinds:
        if name not in KINDS:
            raise ConfigError(f"there is no perturbation '{name}'", nearest(name, KINDS))
    found = []
    for item in items:
        meta = item.get("meta") or {}
        if item.get("split") in _NOT_ASKED or meta.get("twin_of"):
            continue
        for name in dict.fromkeys(kinds):
            kind = KINDS[name]
            if kind.languages and item["language"] not in kind.languages:
                continue
            draw = random.Random(f"{seed}/{item['id']}/{name}")  # noqa: S311 - a draw, not a secret
            made = kind.make(item, draw)
            for number, twin in enumerate(made, 1):
                own = {**(twin.get("meta") or {}), "twin_of": item["id"], "perturbation": name}
                found.append({**twin, "id": f"{item['id']}~{name}{number if len(made) > 1 else ''}", "meta": own})
    return found


def suite(given: Suite, kinds: Sequence[str], seed: int, limit: int, run: Run) -> Suite:
    """The suite with twins of `limit` items a task (0: of all) behind its own items.

    `suite.json` says by kind how many items have twins and how many it left unchanged (`perturbations`). Raises ConfigError for a
    kind that is not known, where no item has a twin, and where an id of a twin is taken.
    """
    items = list(given.items())
    drawn = _drawn(items, seed, limit)
    made = perturbed(drawn, kinds, seed)
    if not made:
        raise ConfigError(
            f"none of {', '.join(kinds) or 'no kinds'} changes an item of this suite",
            f"Name kinds for its languages: {', '.join(KINDS)}",
        )
    taken = {item["id"] for item in items}
    for twin in made:
        if twin["id"] in taken:
            raise ConfigError(
                f"the suite already holds '{twin['id']}'", "Perturb the suite without twins, all kinds at once"
            )
    counts = {}
    for name in dict.fromkeys(kinds):
        of = {twin["meta"]["twin_of"] for twin in made if twin["meta"]["perturbation"] == name}
        counts[name] = {"items": len(of), "unchanged": len(drawn) - len(of)}
        run.note(
            f"{name}: twins of {len(of)} items; {len(drawn) - len(of)} are not changed by it or not in its language"
        )
    rejected = list(read_lines(given.path / "rejected.jsonl"))
    if rejected:
        write_lines(run.out / "rejected.jsonl", rejected)
    about = {**given.about, "perturbations": counts, "perturbed": {"seed": seed, "limit": limit}}
    return Suite.write(run.out, [*items, *made], about)


def _drawn(items: Sequence[dict[str, Any]], seed: int, limit: int) -> list[dict[str, Any]]:
    """The items that are asked, as `evaluate.score` has it: those of the split `test`, or all; of each task so many."""
    by_task: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        if item.get("split") not in _NOT_ASKED and not (item.get("meta") or {}).get("twin_of"):
            by_task.setdefault(str(item.get("task") or ""), []).append(item)
    found = []
    for name, own in by_task.items():
        tests = [item for item in own if item.get("split") == "test"] or own
        if limit and len(tests) > limit:
            places = random.Random(f"{seed} {name}").sample(range(len(tests)), limit)  # noqa: S311 - a draw, not a secret
            tests = [tests[place] for place in sorted(places)]
        found += tests
    return found
