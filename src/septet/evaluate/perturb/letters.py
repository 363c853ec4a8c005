"""English with its capitals gone or everywhere, and with its contractions drawn together or apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from septet.evaluate.perturb import hidden

# A capital inside (CO2, pH, NaCl) or a word of one or two letters (x, Co, US) may say something: such words stay as they are.
_WORD = re.compile(r"(?<![\w'’])[A-Za-z][a-z]{2,}(?:['’][a-z]+)?(?![\w])|(?<![\w'’])I(?=['’][a-z])")


def case(text: str, language: str, draw: Random) -> str:
    """The words in small letters, or in capitals, or each with a capital, as drawn. `language` is not looked at."""
    del language
    text, taken = hidden.fixed(text)
    ways: dict[str, Callable[[str], str]] = {"small": str.lower, "capitals": str.upper, "each": str.capitalize}
    for way in draw.sample(sorted(ways), len(ways)):
        change = ways[way]
        changed = _WORD.sub(lambda match, change=change: change(match[0]), text)  # type: ignore[misc]
        if changed != text:
            return hidden.shown(changed, taken)
    return hidden.shown(text, taken)


_APART = {
    "can't": "cannot", "won't": "will not", "shan't": "shall not", "let's": "let us", "i'm": "i am",
    **{f"{verb}n't": f"{verb} not" for verb in "is are was were do does did has have had could would should must need".split()},
    **{f"{who}'{short}": f"{who} {whole}"
       for short, whole, those in (("re", "are", "you we they"), ("ve", "have", "i you we they"),
                                   ("ll", "will", "i you he she it we they"))
       for who in those.split()},
}  # fmt: skip
_TOGETHER = {apart: short for short, apart in _APART.items()} | {"can not": "can't"}
_EITHER = re.compile(
    "(?<![\\w'’])(?:"
    + "|".join(
        re.escape(one).replace("'", "['’]").replace(r"\ ", "[ ]")
        for one in sorted([*_APART, *_TOGETHER], key=lambda one: (-len(one), one))
    )
    + ")(?![\\w'’])",
    re.IGNORECASE,
)
_PERSON = re.compile(r"[ ](?:i|you|he|she|it|we|they|there|that|this|the|a|an)\b", re.IGNORECASE)
_ENDS = re.compile(r"\s*(?:[.,;:!?)]|$)")
_OWNED = re.compile(
    r" (?:an?|the|to|no|any|some|many|much|more|two|three|four|five|my|your|his|her|its|our|their)\b", re.IGNORECASE
)


def contractions(text: str, language: str, draw: Random) -> str:
    """What is drawn together (don't) drawn apart (do not), and the other way round. Nothing is drawn at random.

    A question's `Don't you` stays, for `do not you` is no English; `as they are.` and `I have a card` do, for nobody draws those
    together.
    """
    del language, draw
    text, taken = hidden.fixed(text)

    def other(match: re.Match[str]) -> str:
        found = match[0].lower().replace("’", "'")
        behind = match.string[match.end() :]
        if found in _APART:
            if found.endswith("n't") and _PERSON.match(behind):
                return match[0]
            new = _APART[found]
        else:
            if not found.endswith("not") and (_ENDS.match(behind) or (found.endswith("have") and _OWNED.match(behind))):
                return match[0]
            new = _TOGETHER[found]
        new = "I" + new[1:] if new.startswith(("i ", "i'")) else new
        if match[0].isupper() and len(match[0]) > 3:
            return new.upper()
        return new[0].upper() + new[1:] if match[0][0].isupper() else new

    return hidden.shown(_EITHER.sub(other, text), taken)
