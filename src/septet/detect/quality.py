"""Quality signals of a document in one pass, and the limits they are held to.

The signals and their names follow the publications: Gopher (Rae et al. 2021, arXiv:2112.11446, section A.1.1 and table A1), C4
(Raffel et al. 2020), FineWeb and FineWeb-2 (Penedo et al. 2024, 2025), NeMo Curator and data-juicer (their code of 2026).
Measuring and judging are apart, so that new limits cost no new pass. A "word" is a word in Latin script and a single character
in Chinese: no segmenter, hence the same number on every machine; `segmented.*` are on the words of a segmenter.

Where we differ from the publications: a commonest n-gram counts only where it stands twice; fences of code and rules are no
repeated lines; shares of letters and digits go by Unicode, since the English character classes call all Chinese a symbol; the
longest word of C4 is the longest run without blanks and without Chinese characters; sentences end at marks, without a model.

English limits must not be used on Chinese text (FineWeb's short-line rule alone drops 76 % of clean Chinese, measured
2026-11), so limits are kept by language. A mixed document is parted into its Chinese lines and its others: it breaks a limit
where the part in that limit's language does and that part is at least a fifth of the document. Amounts, such as the number of
words, are those of the whole document, held to the limit of the larger part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from septet.detect import segmented
from septet.detect.measures import AMOUNTS, MEASURES, REPETITION, SEGMENTED, Limit
from septet.kernels.arrow import Texts, texts_of
from septet.kernels.scripts import part_by_script
from septet.kernels.signals import NAMES, measure_column

PARTS = ("zh", "en")
_PART = 0.2


class Broken(msgspec.Struct, frozen=True):
    """A measure outside its limit."""

    rule: str
    value: float
    limit: float


class Rule(msgspec.Struct, frozen=True):
    """One measure held to a range, under the name that a dropped document is given."""

    name: str
    measure: str
    at_least: float | None = None
    at_most: float | None = None


def measure(text: str, language: str = "en", groups: Iterable[str] = ()) -> dict[str, float]:
    """Every signal for one document. Shares are between 0 and 1; an empty text measures 0 throughout."""
    values = measure_all([text], [language], groups)
    return {name: float(values[name][0]) for name in MEASURES if name in values}


def measure_all(column: Any, languages: Sequence[str], groups: Iterable[str] = ()) -> dict[str, Any]:
    """Every signal for each document of a column: measure to float64 array.

    `groups` names further passes: `segmented`, `characters`. Where documents are `mixed`, `<measure>@zh` and `<measure>@en`
    hold the values of their parts and `share@zh`, `share@en` the parts' shares of the characters, NaN elsewhere.
    """
    groups = tuple(groups)
    texts = texts_of(column)
    values = _measure(texts, column, np.array([_stops(one) for one in languages], np.uint8), groups)
    mixed = np.flatnonzero(np.array([one == "mixed" for one in languages], bool))
    if mixed.size:
        values.update(_parts(texts, mixed, groups))
    return values


def groups_of(measures: Iterable[str]) -> tuple[str, ...]:
    """The further passes that these measures need."""
    names = set(measures)
    wanted = {"segmented": names & set(SEGMENTED), "characters": names & {REPETITION}}
    return tuple(name for name, found in wanted.items() if found)


def judge(values: Mapping[str, float], limits: Mapping[str, Limit]) -> list[Broken]:
    """The measures outside their limits, in the order of the limits; empty: the document is kept."""
    broken = []
    for name, limit in limits.items():
        value = values[name]
        if limit.at_least is not None and value < limit.at_least:
            broken.append(Broken(name, value, limit.at_least))
        elif limit.at_most is not None and value > limit.at_most:
            broken.append(Broken(name, value, limit.at_most))
    return broken


def judge_all(
    values: Mapping[str, Any], languages: Sequence[str], rules: Callable[[str], Sequence[Rule]]
) -> tuple[Any, Any, Any]:
    """For each document the name of the first rule it breaks ("" for none), the value measured, and the limit that it is beyond:
    an object array and two of float64.

    `rules(language)` gives the rules of a language; it is not asked for `mixed`, whose parts have the rules of theirs.
    """
    tongues = np.array(list(languages), object)
    verdicts = np.full(len(tongues), "", object), np.zeros(len(tongues)), np.zeros(len(tongues))
    for language in sorted(set(languages)):
        rows = np.flatnonzero(tongues == language)
        if language != "mixed":
            for rule in rules(language):
                _mark(verdicts, rows, values[rule.measure][rows], rule, np.True_)
            continue
        larger = values["share@zh"][rows] >= values["share@en"][rows]
        for part in PARTS:
            large_enough = values[f"share@{part}"][rows] >= _PART
            for rule in rules(part):
                whole = rule.measure in AMOUNTS or f"{rule.measure}@{part}" not in values
                measured = values[rule.measure if whole else f"{rule.measure}@{part}"][rows]
                concerned = (larger == (part == "zh")) if whole else large_enough
                _mark(verdicts, rows, measured, rule, concerned)
    return verdicts


def _mark(verdicts: tuple[Any, Any, Any], rows: Any, measured: Any, rule: Rule, concerned: Any) -> None:
    names, found, bounds = verdicts
    for bound, out in (
        (rule.at_least, measured < rule.at_least if rule.at_least is not None else None),
        (rule.at_most, measured > rule.at_most if rule.at_most is not None else None),
    ):
        if out is not None:
            hit = np.flatnonzero(out & concerned & (names[rows] == ""))
            names[rows[hit]] = rule.name
            found[rows[hit]] = measured[hit]
            bounds[rows[hit]] = bound


def _stops(language: str) -> int:
    return {"zh": 1, "mixed": 2}.get(language, 0)


def _measure(texts: Texts, column: Any, languages: Any, groups: Sequence[str]) -> dict[str, Any]:
    values = dict(zip(NAMES, measure_column(texts.data, texts.offsets, languages).T, strict=True))
    if "segmented" in groups:
        values.update(segmented.measure_words(column))
    if "characters" in groups:
        values.update(segmented.measure_characters(column))
    return values


def _parts(texts: Texts, rows: Any, groups: Sequence[str]) -> dict[str, Any]:
    """The values of the two parts of mixed documents, at the places of those documents."""
    sizes = texts.offsets[rows + 1] - texts.offsets[rows]
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    data = np.concatenate([texts.data[texts.offsets[row] : texts.offsets[row + 1]] for row in rows])
    data, ends = part_by_script(data, offsets)
    column = [bytes(data[ends[i] : ends[i + 1]]).decode("utf-8", "replace") for i in range(len(ends) - 1)]
    kinds = np.array([1, 0] * len(rows), np.uint8)
    measured = _measure(Texts(data, ends), column, kinds, groups)
    found: dict[str, Any] = {}
    together = measured["juicer.characters"].reshape(-1, 2).sum(1)
    for side, part in enumerate(PARTS):
        for name, values in measured.items():
            if name not in AMOUNTS:
                found[f"{name}@{part}"] = _at(rows, values[side::2], len(texts))
        share = measured["juicer.characters"][side::2] / np.maximum(1, together)
        found[f"share@{part}"] = _at(rows, np.round(share, 6), len(texts))
    return found


def _at(rows: Any, values: Any, size: int) -> Any:
    out = np.full(size, np.nan)
    out[rows] = values
    return out
