"""Leaving out documents of too little quality: signals are measured or read, limits and rule sets decide afterwards.

Judging is by masks over columns, never by rows. A document is dropped under the first rule that it breaks: the measure's name
for a limit of the policy, `set:measure` for a published set, the scorer's name for a score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from septet.core import ConfigError, Run, StepFailed, nearest
from septet.data import signals as measuring
from septet.data.stream import Sorted, Work, over, split, with_transform
from septet.detect import policy as policies
from septet.detect import rulesets, scorers
from septet.detect.measures import Limit
from septet.detect.quality import Rule, groups_of, judge_all
from septet.files import write_json
from septet.kinds import Corpus, Policy, Scorer, Signals


class ScoreLimit(msgspec.Struct, frozen=True):
    """A scorer's value held to a range, for one language or ("") all; the ends as values or as shares of the documents."""

    score: str
    language: str = ""
    at_least: float | None = None
    at_most: float | None = None
    drop_lowest: float = 0.0
    drop_highest: float = 0.0


def apply(
    corpus: Corpus,
    policy: Policy,
    signals: Signals | None,
    models: Sequence[Scorer],
    limits: bool,
    sets: Sequence[str],
    only: Sequence[str],
    scores: Sequence[ScoreLimit],
    run: Run,
) -> Corpus:
    """Write the documents within every limit; each one left out names the rule and its value.

    With signals no text is read. Raises ConfigError for a set, rule or score that is not known, StepFailed where nothing is
    left.
    """
    tables = policies.load(policy.path).quality if limits else {}
    rulesets.rules_of(tables, sets, only)  # a mistake in the names is said before the work
    folders = [str(model.path) for model in models]
    needed = rulesets.measures_of(tables, sets) | {one.score for one in scores}
    there = set(measuring.read_names(signals)) if signals is not None else set(scorers.names_of(folders))
    for one in scores:
        if one.score not in there:
            raise ConfigError(f"Filter.scores: there is no scorer for '{one.score}'", nearest(one.score, there))
    shared = any(one.drop_lowest or one.drop_highest for one in scores)
    paths: list[str] = []
    if signals is not None:
        paths = [str(part) for part in measuring.checked(signals, corpus, needed)]
    elif shared:
        # A share of the documents is known only when all are measured.
        paths = [str(part) for part in measuring.parts(corpus, groups_of(needed), folders, run)]
    settled = [_settled(one, paths) for one in scores]
    settings = {
        "limits": {tongue: {name: msgspec.to_builtins(one) for name, one in t.items()} for tongue, t in tables.items()},
        "sets": list(sets),
        "only": list(only),
        "scores": [msgspec.to_builtins(one) for one in settled],
        "scorers": [] if paths else folders,
        "needed": sorted(needed),
    }
    passed = over(
        corpus.parts,
        run,
        judging,
        [{**settings, "signals": paths[number] if paths else ""} for number in range(len(corpus.parts))],
    )
    facts = {name.removeprefix("dropped: "): int(n) for name, n in passed.facts.items() if name.startswith("dropped: ")}
    write_json(
        run.out / "filter.json",
        {
            "documents": passed.rows,
            "kept": passed.kept,
            "dropped": passed.dropped,
            "dropped_by_language": facts,
            "policy_limits": limits,
            "sets": {name: rulesets.published()[name].source for name in sets},
            "scores": settings["scores"],
        },
    )
    if not passed.kept:
        commonest = Counter(passed.dropped).most_common(1)
        why = f"; most often by {commonest[0][0]}" if commonest else ""
        raise StepFailed(
            f"the filter left no document of {passed.rows}{why}", "Loosen the policy's limits under [quality]"
        )
    return Corpus(run.out)


def judging(settings: Mapping[str, Any]) -> Work:
    """The work of one part, for `data.stream`."""
    tables = {
        tongue: {name: Limit(**limit) for name, limit in table.items()} for tongue, table in settings["limits"].items()
    }
    rules = _rules(tables, settings["sets"], settings["only"], [ScoreLimit(**one) for one in settings["scores"]])
    groups = groups_of(settings["needed"])
    read = measuring.read_part(settings["signals"], settings["needed"]) if settings["signals"] else None

    def work(table: pa.Table) -> Sorted:
        if read is None:
            languages = measuring.tongues(table["language"], table["text"])
            values = measuring.measured(table["text"], languages, groups, settings["scorers"])
        else:
            rows = table["row"].to_numpy()
            languages = [read[0][row] for row in rows]
            values = {name: column[rows] for name, column in read[1].items()}
        names, found, bounds = judge_all(values, languages, rules)
        keep = names == ""
        gone = np.flatnonzero(~keep)
        said = [f"at {'least' if found[i] < bounds[i] else 'most'} {bounds[i]:g}" for i in gone]
        kept, left = split(table, keep, names[gone].tolist(), found[gone].tolist(), said)
        facts = Counter(f"dropped: {names[i]} ({languages[i]})" for i in gone)
        return Sorted(with_transform(kept, "data.filter"), left, facts)

    return work


def _rules(
    tables: Mapping[str, Mapping[str, Limit]], sets: Sequence[str], only: Sequence[str], scores: Sequence[ScoreLimit]
) -> Callable[[str], list[Rule]]:
    published = rulesets.rules_of(tables, sets, only)

    def of(language: str) -> list[Rule]:
        extra = [
            Rule(one.score, one.score, one.at_least, one.at_most) for one in scores if one.language in ("", language)
        ]
        return [*published(language), *extra]

    return of


def _settled(one: ScoreLimit, paths: Sequence[str]) -> ScoreLimit:
    """The limit with its shares turned into values, over the documents of its language that have a value."""
    if not one.drop_lowest and not one.drop_highest:
        return one
    pieces = []
    for path in paths:
        languages, values = measuring.read_part(path, [one.score])
        chosen = np.array([one.language in ("", language) for language in languages], bool)
        pieces.append(values[one.score][chosen])
    column = np.concatenate(pieces) if pieces else np.zeros(0)
    column = column[column > 0]
    if not column.size:
        return msgspec.structs.replace(one, drop_lowest=0.0, drop_highest=0.0)
    low = float(np.quantile(column, one.drop_lowest)) if one.drop_lowest else None
    high = float(np.quantile(column, 1 - one.drop_highest)) if one.drop_highest else None
    return msgspec.structs.replace(
        one,
        at_least=low if one.at_least is None else max(one.at_least, low if low is not None else one.at_least),
        at_most=high if one.at_most is None else min(one.at_most, high if high is not None else one.at_most),
    )
