"""From a function of a text to one of an item: which of its texts are changed, and what in them must stay.

The words of a key stay wherever they stand, for a reference is looked for in what a model writes, and a passage must go on to hold
its answer; so do the words that a verdict needs (`meta`), and options that a question lists in its text. Code, openings to be
continued, pairs and dialogues are not perturbed: there the wording is the item.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from septet.evaluate.perturb import hidden

Change = Callable[[str, str, Random], str]
Make = Callable[[Mapping[str, Any], Random], list[dict[str, Any]]]

_WHOLE = ("code", "opening", "pair", "dialogue")
_LISTED = re.compile(
    r"^[ \t]*(?:Options|选项)[:：].*\Z|^[ \t]*\(?A[.、．:：)][^\n]*\n+[ \t]*\(?B[.、．:：)].*\Z",
    re.MULTILINE | re.DOTALL,
)
_LONGEST = 60
_APART = "\n\x1e\n"


def in_words(change: Change) -> Make:
    """Passage and question changed, each by itself, with the words of the key kept."""

    def make(item: Mapping[str, Any], draw: Random) -> list[dict[str, Any]]:
        if item.get("kind") in _WHOLE:
            return []
        keep = list(_kept(item))
        texts = {}
        for name in ("passage", "question"):
            text, listed = _without_list(item.get(name) or "")
            text, taken = hidden.words(text, keep)
            texts[name] = hidden.shown(change(text, item["language"], draw), taken) + listed
        return _changed(item, texts)

    return make


def before(change: Change) -> Make:
    """The question changed, whatever stands in it."""

    def make(item: Mapping[str, Any], draw: Random) -> list[dict[str, Any]]:
        if item.get("kind") in _WHOLE:
            return []
        return _changed(item, {"question": change(item["question"], item["language"], draw)})

    return make


def in_script(change: Change) -> Make:
    """Passage, question and options changed; a reference counts in either form, for a model answers as it is asked."""

    def make(item: Mapping[str, Any], draw: Random) -> list[dict[str, Any]]:
        if item.get("kind") in (*_WHOLE, "instruction"):
            return []

        def other(text: str) -> str:
            return change(text, item["language"], draw)

        options = item.get("options")
        texts: dict[str, Any] = {name: other(item.get(name) or "") for name in ("passage", "question")}
        texts["options"] = None if options is None else [other(one) for one in options]
        if not (item.get("meta") or {}).get("all_of") or options is not None:
            own = list(item.get("answers") or ())
            texts["answers"] = (
                list(dict.fromkeys([*own, *map(other, own)])) if options is None else [other(one) for one in own]
            )
        return _changed(item, texts)

    return make


def of_people(change: Change) -> Make:
    """Passage, question, options and references changed together, so that a person is the same throughout.

    An item whose `meta` names what is changed stays out: its verdict is about that person or group.
    """

    def make(item: Mapping[str, Any], draw: Random) -> list[dict[str, Any]]:
        if item.get("kind") in _WHOLE:
            return []
        options = item.get("options")
        answers = list(item.get("answers") or ())
        texts = [item.get("passage") or "", item["question"], *(options or ()), *answers]
        # Meta is read for words alone; the draw must not depend on it.
        if any(change(one, item["language"], Random(0)) != one for one in _strings(item.get("meta") or {})):  # noqa: S311
            return []
        new = change(_APART.join(texts), item["language"], draw).split(_APART)
        if len(new) != len(texts):
            return []
        at = 2 + len(options or ())
        changed = new[2:at]
        # Two options must not become one.
        if len(set(changed)) < len(set(options or ())):
            return []
        return _changed(
            item,
            {
                "passage": new[0],
                "question": new[1],
                "options": None if options is None else changed,
                "answers": new[at:],
            },
        )

    return make


def _changed(item: Mapping[str, Any], texts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The item with these texts, or none where what is asked is what it was."""
    new = {name: text for name, text in texts.items() if name in item}
    same = all(new.get(name, item.get(name)) == item.get(name) for name in ("passage", "question", "options"))
    return [] if same else [{**item, **new}]


def _without_list(text: str) -> tuple[str, str]:
    """A question without the options that it lists at its end, and these."""
    match = _LISTED.search(text)
    return (text[: match.start()], text[match.start() :]) if match else (text, "")


def _kept(item: Mapping[str, Any]) -> Iterator[str]:
    """Words that must stay: options and references, the words of references that stand alone, and short texts of `meta`."""
    yield from item.get("options") or ()
    for answer in item.get("answers") or ():
        yield answer
        if not item.get("options") and len(answer) <= 10 * _LONGEST:
            yield from re.findall(r"[A-Za-z]{3,}", answer)
    yield from (one for one in _strings(item.get("meta") or {}) if len(one) <= _LONGEST)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)
