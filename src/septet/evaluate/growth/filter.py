"""What may not stay in an exam: doubles, items that give themselves away, items that training data held. Each goes with its
reason.

These filters need no model; `growth.solve` has those that ask one. An exam's options are balanced by drawing
(`growth.generate`); here it is measured whether a rule that reads no question, such as always taking the longest option, does
better than chance.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from septet import statistics
from septet.evaluate.growth.spans import folded
from septet.kinds import Measure, Report

GRAM = 5
NEAR = 0.8
Item = dict[str, Any]
Rejected = dict[str, str]
Sieved = tuple[list[Item], list[Rejected]]
"""What stays, and what goes: source, where, reason."""


def rejected(item: Mapping[str, Any], reason: str) -> Rejected:
    """The record of an item that goes."""
    evidence = item.get("evidence") or {}
    return {"source": str(evidence.get("source") or ""), "where": str(item["id"]), "reason": reason}


def duplicates(items: Iterable[Item], earlier: Iterable[Mapping[str, Any]] = (), near: float = NEAR) -> Sieved:
    """Without items whose question is one that stands before, or in an `earlier` exam: to the letter, or nearly.

    Nearly is a Jaccard index of character 5-grams from `near` on. A gap is filled first, so that one sentence is not asked
    twice over two gaps. A choice and a written question are no doubles of each other.
    """
    index = _Index(near)
    for one in earlier:
        index.add(_task_kind(one), str(one["id"]), _asked(one))
    kept, gone = [], []
    for item in items:
        kind, text = _task_kind(item), _asked(item)
        like = index.find(kind, text)
        if like is None:
            index.add(kind, str(item["id"]), text)
            kept.append(item)
            continue
        other, likeness = like
        how = (
            f"the same question as {other}"
            if likeness == 1
            else f"nearly the question {other} (likeness {likeness:.2f})"
        )
        gone.append(rejected(item, how))
    return kept, gone


def ambiguous(items: Iterable[Item]) -> Sieved:
    """Without items whose evidence does not hold the answer or holds another option, and those with two options that are one."""
    kept, gone = [], []
    for item in items:
        reason = _ambiguity(item)
        if reason:
            gone.append(rejected(item, reason))
        else:
            kept.append(item)
    return kept, gone


def contaminated(items: Iterable[Item], report: Report) -> Sieved:
    """Without items that a scan of training data found there. What it says of the others stands in `meta.contamination`; an item
    that was too short to be told is `not testable`, and stays."""
    said = {str(row["id"]): str(row["verdict"]) for row in report.items()}
    kept, gone = [], []
    for item in items:
        verdict = said.get(item["id"], "not scanned")
        if verdict == "contaminated":
            gone.append(rejected(item, f"it stands in the data of the report '{report.name}'"))
        else:
            kept.append({**item, "meta": {**item["meta"], "contamination": verdict}})
    return kept, gone


def untold(items: Sequence[Item], seed: int = 1) -> Sieved:
    """Without as many items as it takes, of each task, that the longest option is right no more often than chance; and the
    shortest.

    Only where the measured share lies above chance beyond its interval. Which items go is drawn by their ids.
    """
    going: dict[str, str] = {}
    by_task: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item["options"] and item["label"] is not None:
            by_task[item["task"]].append(item)
    for own in by_task.values():
        for name, sign in (("longest", 1), ("shortest", -1)):
            left = [item for item in own if item["id"] not in going]
            hits = sorted((item for item in left if _tell(item, sign) == 1), key=lambda item: _order(seed, item["id"]))
            while hits:
                measure, chance = _share([_tell(item, sign) for item in left]), _chance(left)
                if measure.low <= chance:
                    break
                # Just as many as bring the share to chance: (hits - n) / (all - n) = chance.
                surplus = max(1, int((measure.value - chance) * len(left) / (1 - chance)))
                for item in hits[:surplus]:
                    going[item["id"]] = f"its right option is the {name}, as in too many items of {item['task']}"
                hits = hits[surplus:]
                left = [item for item in left if item["id"] not in going]
    return [item for item in items if item["id"] not in going], [
        rejected(item, going[item["id"]]) for item in items if item["id"] in going
    ]


def placed(items: Sequence[Item], seed: int = 1) -> list[Item]:
    """The items with their options in an order drawn so that, in each task, the right one stands at each place equally often."""
    by_size: dict[tuple[str, int], list[Item]] = defaultdict(list)
    for item in items:
        if item["options"] and item["label"] is not None:
            by_size[item["task"], len(item["options"])].append(item)
    places: dict[str, int] = {}
    for (task, size), own in by_size.items():
        draw = random.Random(f"{seed} {task} {size}")  # noqa: S311 - an order, not a secret
        order = [at % size for at in range(len(own))]
        draw.shuffle(order)
        places.update(zip((item["id"] for item in own), order, strict=True))
    return [_placed(item, places[item["id"]], seed) if item["id"] in places else item for item in items]


def tells(items: Sequence[Item]) -> dict[str, Measure]:
    """What rules that read no question score on the choice items: the `longest` option, the `shortest`, the `commonest` right
    answer of the exam's options, the best `place`; and `chance`. Ties are split evenly."""
    own = [item for item in items if item["options"] and item["label"] is not None]
    if not own:
        return {}
    common = Counter(folded(option) for item in own for option in item["options"])
    found = {
        "longest": _share([_tell(item, 1) for item in own]),
        "shortest": _share([_tell(item, -1) for item in own]),
        "commonest": _share([_picked(item, [common[folded(one)] for one in item["options"]]) for item in own]),
    }
    places = Counter(item["label"] for item in own)
    found["place"] = statistics.share(max(places.values()), len(own))
    chance = _chance(own)
    return found | {"chance": Measure(chance, chance, chance, len(own), "share")}


class _Index:
    """Texts that were seen, found again by what they share. Two texts with a Jaccard index from `near` on share one of the first
    (1 - near) of their grams in any order that is common to both (prefix filtering, Bayardo et al., 2007)."""

    def __init__(self, near: float) -> None:
        self._near = near
        self._grams: dict[tuple[str, str], frozenset[str]] = {}
        self._holders: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._exact: dict[tuple[str, str], str] = {}

    def add(self, kind: str, identity: str, text: str) -> None:
        grams = _grams(text)
        self._grams[kind, identity] = grams
        self._exact.setdefault((kind, text), identity)
        for gram in self._first(grams):
            self._holders[kind, gram].append(identity)

    def find(self, kind: str, text: str) -> tuple[str, float] | None:
        """The likest text that was added, where one is near, and how near."""
        if (kind, text) in self._exact:
            return self._exact[kind, text], 1.0
        grams = _grams(text)
        best: tuple[float, str] | None = None
        for identity in {one for gram in self._first(grams) for one in self._holders.get((kind, gram), ())}:
            other = self._grams[kind, identity]
            likeness = len(grams & other) / len(grams | other) if grams or other else 0.0
            if likeness >= self._near and (best is None or (-likeness, identity) < (-best[0], best[1])):
                best = (min(likeness, 0.999), identity)
        return (best[1], best[0]) if best else None

    def _first(self, grams: frozenset[str]) -> list[str]:
        # Any common order will do; that of a hash spreads the texts evenly over the index.
        order = sorted(
            grams, key=lambda gram: hashlib.blake2b(gram.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        )
        return order[: len(order) - int(-(-len(order) * self._near // 1)) + 1]


def _grams(text: str) -> frozenset[str]:
    return frozenset(text[at : at + GRAM] for at in range(max(1, len(text) - GRAM + 1)))


def _asked(item: Mapping[str, Any]) -> str:
    """The question by which two items are compared: with its answer in the gap, for two gaps of one sentence are two
    questions."""
    question = str(item["question"]).split("\n")[-1] if "____" in str(item["question"]) else str(item["question"])
    answers = item.get("answers") or [""]
    return folded(re.sub("_{3,}", f"<{answers[0]}>", question))


def _task_kind(item: Mapping[str, Any]) -> str:
    return f"{item['language']} {'choice' if item.get('options') else 'written'}"


def _ambiguity(item: Mapping[str, Any]) -> str:
    evidence = folded(str((item.get("evidence") or {}).get("quote") or ""))
    if not any(folded(str(answer)) in evidence for answer in item["answers"]):
        return "the evidence does not hold the answer"
    options = [folded(str(one)) for one in item["options"] or ()]
    if len(set(options)) < len(options):
        return "two options are the same"
    for place, option in enumerate(options):
        if place in item["labels"]:
            continue
        if not option:
            return "an option is empty"
        if option in evidence:
            return f"the option '{item['options'][place]}' stands in the evidence too"
    return ""


def _placed(item: Item, place: int, seed: int) -> Item:
    right = item["options"][item["label"]]
    others = [one for at, one in enumerate(item["options"]) if at != item["label"]]
    others.sort(key=lambda one: _order(seed, f"{item['id']} {one}"))
    others.insert(place, right)
    return {**item, "options": others, "label": place, "labels": [place]}


def _tell(item: Mapping[str, Any], sign: int) -> float:
    return _picked(item, [sign * len(folded(one)) for one in item["options"]])


def _picked(item: Mapping[str, Any], worth: Sequence[int]) -> float:
    """What taking the option of most worth scores; of several that are worth as much, one is drawn."""
    best = max(worth)
    return float(worth[item["label"]] == best) / sum(one == best for one in worth)


def _chance(items: Sequence[Mapping[str, Any]]) -> float:
    return sum(1 / len(item["options"]) for item in items) / len(items)


def _share(scores: Sequence[float]) -> Measure:
    """A mean of scores with the interval of a share of as many items."""
    value = sum(scores) / len(scores)
    bounds = statistics.share(round(value * len(scores)), len(scores))
    return Measure(value, min(bounds.low, value), max(bounds.high, value), len(scores), "share")


def _order(seed: int, value: str) -> str:
    return hashlib.sha256(f"{seed}\x00{value}".encode("utf-8", "surrogatepass")).hexdigest()
