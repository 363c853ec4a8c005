"""Items that are likely bad: by the answers of several models, and by what the item itself shows (`flaws`).

From answers, three signs. Strong models miss the item together and with the same option. The models, each weighed by how often it
is right on the other items, hold another option likelier than the key (the rule of Dawid and Skene, 1979, with the key as one more
voice). The better a model is otherwise, the likelier it misses the item. Models are not independent of each other, so their voices
count for less than they would.

An item that is suspected is not yet bad: a person looks at it, the highest score first. Until then both numbers are reported, with
and without such items (`both`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from septet import statistics
from septet.core import ConfigError
from septet.evaluate.growth.flaws import flaws, score
from septet.evaluate.growth.saturation import FEWEST_MODELS, item_rest, turned
from septet.kinds import Measure

FLAGGED = 0.25
"""From this score on an item is masked unless a caller says otherwise."""
_VOICE = 0.5
"""What a model's voice counts, since models err together."""
_KEY = 0.935
"""How often a key is right before any model is asked: 6.5 % of MMLU's items are flawed (MMLU-Redux, arXiv 2406.04127)."""
_FEWEST = 3
"""Models below which answers tell nothing."""


class Suspect(msgspec.Struct, frozen=True):
    """An item with how likely it is bad, from 0 to 1, and why."""

    item: str
    score: float
    reasons: tuple[str, ...]


def suspects(
    items: Sequence[Mapping[str, Any]], answers: Mapping[str, Mapping[str, int | None]] | None = None
) -> list[Suspect]:
    """Every item of which something speaks, the most suspect first. Items are in the form of a `Suite`.

    `answers`: for each model by item the place of the option it chose; None or nothing where it gave no answer that could be read,
    which counts as no voice and not as wrong. Fewer than three models, or items without options, are judged by the item alone. The
    score is that of both sources, taken as independent. Raises ConfigError for ids that are not unique.
    """
    ids = [str(one["id"]) for one in items]
    if len(set(ids)) < len(ids):
        raise ConfigError("two items have the same id", "Give each item an id of its own")
    by_answers = _by_answers(items, answers) if answers and len(answers) >= _FEWEST else {}
    found = []
    for one in items:
        alone = flaws(one)
        chance, reasons = by_answers.get(str(one["id"]), (0.0, []))
        together = 1 - (1 - score(alone)) * (1 - chance)
        if alone or reasons:
            found.append(Suspect(str(one["id"]), together, (*reasons, *(flaw.reason for flaw in alone))))
    return sorted(found, key=lambda one: (-one.score, one.item))


def both(
    ids: Sequence[str], values: Sequence[float], flagged: Sequence[str], clusters: Sequence[str] | None = None
) -> dict[str, Measure]:
    """The mean score on all items, on those that are not flagged, and on those that are: `all`, `unflagged`, `flagged`.

    Flagged names that are not among the ids do not matter. Where no item is left, the measure is of nothing (n = 0).

    Raises ConfigError where ids and values do not pair up.
    """
    if len(ids) != len(values) or (clusters is not None and len(clusters) != len(ids)):
        raise ConfigError(
            f"{len(ids)} items but {len(values)} scores", "Give one score, and one cluster, for each item"
        )
    marked = set(flagged)
    chosen = {
        "all": list(range(len(ids))),
        "unflagged": [at for at, one in enumerate(ids) if one not in marked],
        "flagged": [at for at, one in enumerate(ids) if one in marked],
    }
    return {
        name: statistics.mean(
            [values[at] for at in places], "share", [clusters[at] for at in places] if clusters else None
        )
        for name, places in chosen.items()
    }


def _by_answers(
    items: Sequence[Mapping[str, Any]], answers: Mapping[str, Mapping[str, int | None]]
) -> dict[str, tuple[float, list[str]]]:
    """For each item that models answered: how likely its key is wrong, by their voices, and the reasons that were found."""
    import numpy as np

    asked = [one for one in items if one.get("options") and _labels(one)]
    models = list(answers)
    chosen = [[answers[model].get(str(one["id"])) for model in models] for one in asked]
    right = np.array(
        [
            [math.nan if choice is None else float(choice in _labels(one)) for choice in row]
            for one, row in zip(asked, chosen, strict=True)
        ]
    ).reshape(len(asked), len(models))
    rest = item_rest(right)
    seen = ~np.isnan(right)
    hits, counts = np.where(seen, right, 0).sum(0), seen.sum(0)
    found = {}
    for at, (one, row) in enumerate(zip(asked, chosen, strict=True)):
        if seen[at].sum() < _FEWEST:
            continue
        options = len(one["options"])
        # How often each model is right on the other items, pulled to guessing where it answered few.
        own = np.where(seen[at], right[at], 0)
        skill = np.clip((hits - own + 2 / options) / (counts - seen[at] + 2), 1 / options + 0.01, 0.98)
        found[str(one["id"])] = _judged(one, row, skill.tolist(), float(rest[at]))
    return found


def _judged(
    one: Mapping[str, Any], row: Sequence[int | None], skill: Sequence[float], rest: float
) -> tuple[float, list[str]]:
    options, labels = len(one["options"]), _labels(one)
    voices = [
        (choice, able) for choice, able in zip(row, skill, strict=True) if choice is not None and 0 <= choice < options
    ]
    log = [
        math.log(_KEY / len(labels) if at in labels else (1 - _KEY) / max(1, options - len(labels)))
        for at in range(options)
    ]
    for choice, able in voices:
        for at in range(options):
            log[at] += _VOICE * math.log(able if at == choice else (1 - able) / max(1, options - 1))
    top = max(log)
    weights = [math.exp(each - top) for each in log]
    chance = 1 - sum(weights[at] for at in labels) / sum(weights)
    reasons = []
    best = log.index(top)
    if best not in labels:
        reasons.append(f"the models, weighed by their skill, hold {_letter(best)} and not the key {_named(labels)}")
    strong = [choice for choice, able in voices if able >= sorted(able for _, able in voices)[len(voices) // 2]]
    wrong = Counter(choice for choice in strong if choice not in labels)
    if wrong:
        choice, count = wrong.most_common(1)[0]
        if count >= _FEWEST and count * 3 >= len(strong) * 2:
            reasons.append(
                f"{count} of the {len(strong)} stronger models miss it with the same option {_letter(choice)}"
            )
            chance = max(chance, 0.5 * count / len(strong))
    if len(voices) >= FEWEST_MODELS and turned(rest, len(voices)):
        reasons.append(f"better models miss it more often (correlation {rest:.2f} with the other items)")
        chance = 1 - (1 - chance) * 0.6
    return (chance, reasons) if reasons else (0.0, [])


def _labels(one: Mapping[str, Any]) -> list[int]:
    label = one.get("label")
    return list(one.get("labels") or ([] if label is None else [label]))


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else str(place)


def _named(places: Sequence[int]) -> str:
    return ", ".join(map(_letter, places))
