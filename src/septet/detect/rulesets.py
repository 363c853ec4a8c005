"""Named rule sets of the field, read from `rulesets.toml`, and the rules that a language is judged by."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files

import msgspec

from septet.core.errors import ConfigError, nearest
from septet.detect.measures import MEASURES, OF_LANGUAGE, Limit
from septet.detect.quality import Rule


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule of a set: a measure, its range, and the languages it was set for."""

    measure: str
    languages: tuple[str, ...]
    at_least: float | None = None
    at_most: float | None = None


class RuleSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A set: where its figures are from, and its rules."""

    source: str
    rules: tuple[Published, ...]


@cache
def published() -> dict[str, RuleSet]:
    """Every set by name."""
    values = tomllib.loads((files("septet.detect") / "rulesets.toml").read_text("utf-8"))
    return msgspec.convert(values, dict[str, RuleSet])


def rules_of(
    limits: Mapping[str, Mapping[str, Limit]], sets: Sequence[str] = (), only: Sequence[str] = ()
) -> Callable[[str], list[Rule]]:
    """The rules of a language: the policy's limits, under the measure's name, then those of the sets, as `set:measure`.

    A language for which the policy has no table of its own is judged by that for `zh` where it is written in such characters
    (ja, ko), else by that for `en`, but not by what means nothing in it. `only` names the rules to take; empty: all. Raises
    ConfigError for a set or a rule that is not known, with the nearest.
    """
    known = published()
    # A sealed policy is sorted by name: the order of the measures is the one that a reader expects.
    order = {name: place for place, name in enumerate(MEASURES)}
    for name in sets:
        if name not in known:
            raise ConfigError(f"Filter.sets: there is no rule set '{name}'", nearest(name, known))
    named = {measure for table in limits.values() for measure in table}
    named |= {f"{name}:{rule.measure}" for name in sets for rule in known[name].rules}
    for name in only:
        if name not in named:
            raise ConfigError(f"Filter.rules: no limit is set for '{name}'", nearest(name, named))

    @cache
    def of(language: str) -> list[Rule]:
        own = language in limits
        table = limits.get(language if own else "zh" if language in ("ja", "ko", "yue", "lzh") else "en", {})
        found = [
            Rule(measure, measure, limit.at_least, limit.at_most)
            for measure, limit in sorted(table.items(), key=lambda one: order[one[0]])
            if own or measure not in OF_LANGUAGE
        ]
        found += [
            Rule(f"{name}:{rule.measure}", rule.measure, rule.at_least, rule.at_most)
            for name in sets
            for rule in known[name].rules
            if language in rule.languages
        ]
        return [rule for rule in found if not only or rule.name in only]

    return of


def measures_of(limits: Mapping[str, Mapping[str, Limit]], sets: Sequence[str]) -> set[str]:
    """Every measure that these limits and sets look at."""
    found = {measure for table in limits.values() for measure in table}
    return found | {rule.measure for name in sets for rule in published()[name].rules}


assert all(rule.measure in MEASURES for one in published().values() for rule in one.rules)
