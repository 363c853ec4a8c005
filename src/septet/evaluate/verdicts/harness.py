"""The verdict of a task of lm-evaluation-harness (0.4.13) on what a model wrote: its filters, then exact match.

An item's `meta.filters` holds the pipelines of filters, each with what exact match is to ignore. The first pipeline gives the
score; what each of them found and scored stands in the detail. A filter `regex` that finds nothing gives its fallback, and the
outcome is then `unparsed`; it scores as the harness scores it.
"""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from septet.core import ConfigError
from septet.evaluate.form import LETTERS
from septet.evaluate.verdicts.verdict import Outcome, Verdict

_FREE = ("take_first", "majority_vote", "take_first_k")
"""Filters that choose among several outputs; there is one."""


_NUMBER = r"#### (\-?[0-9\.\,]+)"
"""What a filter looks for that names no pattern."""


class Pipeline(msgspec.Struct, frozen=True):
    """Filters in their order, and what exact match ignores."""

    name: str
    filters: list[dict[str, Any]]
    ignore_case: bool = False
    ignore_punctuation: bool = False
    ignore_numbers: bool = False
    regexes_to_ignore: list[str] = []


def pipelines(config: Mapping[str, Any]) -> list[Pipeline]:
    """The pipelines of a task's settings. Raises ConfigError for a filter that is not known and a pattern that is none."""
    match: dict[str, Any] = next(
        (one for one in config.get("metric_list") or () if one.get("metric") == "exact_match"), {}
    )
    ignored = match.get("regexes_to_ignore") or []
    ignored = [ignored] if isinstance(ignored, str) else [str(one) for one in ignored]
    told = config.get("filter_list") or [{"name": "none", "filter": [{"function": "take_first"}]}]
    found = []
    for one in told:
        filters = [dict(step) for step in one.get("filter") or ()]
        for step in filters:
            _check(step, str(config.get("task")))
        switches = {key: bool(match.get(key)) for key in ("ignore_case", "ignore_punctuation", "ignore_numbers")}
        found.append(Pipeline(str(one.get("name") or "none"), filters, regexes_to_ignore=ignored, **switches))
    for pattern in ignored:
        _pattern(pattern, str(config.get("task")))
    return found


def judge(item: dict[str, Any], output: str) -> Verdict:
    """Exact match of the filtered output with one of the references."""
    kept = (item.get("meta") or {}).get("filters") or [Pipeline("none", [])]
    found: dict[str, Any] = {}
    first: tuple[str, float, Outcome] | None = None
    choices = json.loads((item.get("meta") or {}).get("doc") or "{}").get("choices")
    for pipeline in msgspec.convert(kept, list[Pipeline]):
        said, missing = filtered(pipeline, output, choices if isinstance(choices, list) else [])
        exact = float(any(_plain(pipeline, said) == _plain(pipeline, one) for one in item["answers"]))
        found[pipeline.name] = {"extracted": said, "exact_match": exact}
        first = first or (said, exact, "unparsed" if missing and not exact else "answered")
    said, exact, outcome = first or ("", 0.0, "unparsed")
    return Verdict(outcome, said, exact if item["answers"] else None, {"filters": found})


def filtered(pipeline: Pipeline, output: str, choices: Sequence[str] = ()) -> tuple[str, bool]:
    """What the filters leave of an output, and whether a pattern was not found in it. `choices` are the document's own."""
    missing = False
    for step in pipeline.filters:
        name = step["function"]
        if name == "regex":
            output, lacks = _found(step, output)
            missing |= lacks
        elif name == "multi_choice_regex":
            output, lacks = _choice(step, output, [str(one) for one in choices])
            missing |= lacks
        elif name == "remove_whitespace":
            output = output.strip()
        elif name == "lowercase":
            output = output.lower()
        elif name == "uppercase":
            output = output.upper()
        elif name == "map":
            output = str((step.get("mapping_dict") or {}).get(output, step.get("default_value")))
    return output, missing


def _found(step: Mapping[str, Any], output: str) -> tuple[str, bool]:
    fallback = str(step.get("fallback", "[invalid]"))
    matches = re.findall(str(step.get("regex_pattern", _NUMBER)), output)
    at = int(step.get("group_select", 0))
    if not -len(matches) <= at < len(matches):
        return fallback, True
    chosen = matches[at]
    return (next((part for part in chosen if part), fallback) if isinstance(chosen, tuple) else chosen).strip(), False


def _choice(step: Mapping[str, Any], output: str, choices: Sequence[str]) -> tuple[str, bool]:
    """The letter of a choice, as `(A)`: by the pattern, else by a choice's own text, else by a letter behind a colon."""
    at = int(step.get("group_select", 0))
    by_pattern = _match(str(step.get("regex_pattern", _NUMBER)), output, at)
    if by_pattern:
        return by_pattern, False
    texts = {_ignored(step, one.strip()): f"({letter})" for letter, one in zip(LETTERS, choices, strict=False)}
    letters = "|".join(LETTERS[: len(choices)])
    # The longest first: a choice that begins another is not to hide it.
    longest = "|".join(re.escape(one) for one in sorted(texts, key=len, reverse=True))
    by_text = _match(longest, _ignored(step, output), at) if choices else ""
    if by_text:
        return texts.get(by_text, by_text), False
    by_letter = _match(rf":\s*({letters})", output, at) if choices else ""
    return (f"({by_letter})", False) if by_letter else (str(step.get("fallback", "[invalid]")), True)


def _match(pattern: str, text: str, at: int) -> str:
    matches = re.findall(pattern, text)
    if not -len(matches) <= at < len(matches):
        return ""
    chosen = matches[at]
    return (next((part for part in chosen if part), "") if isinstance(chosen, tuple) else chosen).strip()


def _ignored(step: Mapping[str, Any], text: str) -> str:
    for pattern in step.get("regexes_to_ignore") or ():
        text = re.sub(pattern, "", text)
    text = text.lower() if step.get("ignore_case") else text
    if step.get("ignore_punctuation"):
        text = "".join(one for one in text if not unicodedata.category(one).startswith("P"))
    return text


def _plain(pipeline: Pipeline, text: str) -> str:
    for pattern in pipeline.regexes_to_ignore:
        text = re.sub(pattern, "", text)
    if pipeline.ignore_case:
        text = text.lower()
    for wanted, characters in (
        (pipeline.ignore_punctuation, string.punctuation),
        (pipeline.ignore_numbers, string.digits),
    ):
        if wanted:
            text = text.translate(str.maketrans("", "", characters))
    return text


def _check(step: Mapping[str, Any], task: str) -> None:
    name = step.get("function")
    if name == "take_first_k" and int(step.get("k", 1)) > 1:
        raise ConfigError(f"the task '{task}' wants several outputs of each item (take_first_k)", "One is made")
    if name not in (*_FREE, "regex", "multi_choice_regex", "remove_whitespace", "lowercase", "uppercase", "map"):
        raise ConfigError(f"the task '{task}': the filter '{name}' is not known", "Leave the task out")
    for pattern in (
        *([step["regex_pattern"]] if "regex_pattern" in step else []),
        *(step.get("regexes_to_ignore") or ()),
    ):
        _pattern(str(pattern), task)


def _pattern(pattern: str, task: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"the task '{task}': {pattern!r} is no pattern: {error}", "Correct it") from None
