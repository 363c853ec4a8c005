"""Options in another order; the key, and all that names an option by its place, follows.

One order drawn (as HELM and robustness suites do), or every turn of the circle (CircularEval of MMBench, Liu et al., 2023, arXiv
2307.06281, as OpenCompass has it), in which a model knows an item only where it is right each time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

_PLACES = ("unknown", "target", "biased", "corrected")
"""Keys of `meta` that hold places of options (BBQ, MMLU-Redux)."""
_BY_OPTION = ("groups", "fills")
"""Keys of `meta` that hold a value for each option (BBQ, WinoGrande)."""
_OF_OTHERS = re.compile(
    r"以上|上述|前述|前面|其余|选项|[A-H]\s*[和与或、及]\s*[A-H]|都(?:对|不对|是|不是|正确|错)|均(?:对|不对|是|不是|正确|错)"
    r"|\b(?:all|none|both|neither|any|either|two|one) of (?:the|these|those|them)\b|\b(?:above|below|preceding|foregoing)\b"
    r"|\b(?:both|neither|either) \(?[A-H]\)? (?:and|nor|or) \(?[A-H]\b|^\W*\(?[A-H]\)?\s*(?:,|and|or|&)\s*\(?[A-H]\)?\W*$"
    r"|\boptions? \(?[A-H]\b",
    re.IGNORECASE,
)


def drawn(item: Mapping[str, Any], draw: Random) -> list[dict[str, Any]]:
    """The item with its options in an order in which the first right one stands elsewhere; [] where order has a meaning."""
    if not _free(item):
        return []
    count = len(item["options"])
    right = item["labels"][0] if item.get("labels") else 0
    order = list(range(count))
    while order.index(right) == right:
        draw.shuffle(order)
    return [ordered(item, order)]


def circle(item: Mapping[str, Any], draw: Random) -> list[dict[str, Any]]:
    """The item turned by one place, by two, and so on; with the item itself these are all turns. Nothing is drawn."""
    del draw
    if not _free(item):
        return []
    count = len(item["options"])
    return [ordered(item, [(place + turn) % count for place in range(count)]) for turn in range(1, count)]


def ordered(item: Mapping[str, Any], order: Sequence[int]) -> dict[str, Any]:
    """The item with its options in this order (old places in their new sequence)."""
    new_place = {old: new for new, old in enumerate(order)}
    labels = sorted(new_place[old] for old in item.get("labels") or ())
    label = item.get("label")
    meta = dict(item.get("meta") or {})
    for key in _PLACES:
        value = meta.get(key)
        if isinstance(value, int) and value in new_place:
            meta[key] = new_place[value]
        elif isinstance(value, list) and value and all(isinstance(one, int) and one in new_place for one in value):
            meta[key] = sorted(new_place[one] for one in value)
    for key in _BY_OPTION:
        value = meta.get(key)
        if isinstance(value, list) and len(value) == len(order):
            meta[key] = [value[old] for old in order]
    changed = {
        **item,
        "options": [item["options"][old] for old in order],
        "label": None if label is None else new_place[label],
        "meta": meta,
    }
    return changed | ({"labels": labels} if "labels" in item else {})


def _free(item: Mapping[str, Any]) -> bool:
    """Whether the order of the options says nothing: none speaks of the others, and the item is no pair."""
    options = item.get("options") or []
    return len(options) > 1 and item.get("kind") != "pair" and not any(_OF_OTHERS.search(one) for one in options)
