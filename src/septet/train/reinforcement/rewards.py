"""Rewards that can be checked: functions of an answer, the reference answer and a setting, known by name.

Packages bring more by the entry point group `septet.rewards`. A reward is written `name` or `name:setting`; several are added up
with their weights. Chinese is read as English is: full-width digits, numerals in characters, no blanks between words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from fractions import Fraction

from septet.core import ConfigError, plugins

GROUP = "septet.rewards"
Reward = Callable[[str, str, str], float]
"""(answer, reference, setting) to a number, usually 0 to 1."""

_DIGITS = re.compile(
    r"(?:(?<![\w.)])-)?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:\s*/\s*\d+(?![\d.]))?\s*[千万亿]?", re.ASCII
)
_CHARACTERS = re.compile(r"负?[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?")
_VALUES = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_GROUPS = {"千": 1000, "万": 10**4, "亿": 10**8}
_CUED = re.compile(r"(?:answer|答案|choice|option|选项?|选择)\W{0,4}(?:is|是|为)?\W{0,4}([A-J])(?![A-Za-z])", re.I)
_LETTER = re.compile(r"(?<![A-Za-z'])([A-J])(?![A-Za-z'])")


def combined(names: Sequence[str], weights: Sequence[float]) -> Callable[[str, str], list[float]]:
    """A function of (answer, reference) that gives each reward times its weight. No weights: all count once.

    Raises ConfigError for an unknown reward, a setting that it does not take, and weights that are not as many.
    """
    if weights and len(weights) != len(names):
        raise ConfigError(f"{len(names)} rewards have {len(weights)} weights", "Give each reward one weight")
    parts = [_named(name) for name in names]
    factors = list(weights) or [1.0] * len(parts)

    def score(answer: str, reference: str) -> list[float]:
        return [
            factor * function(answer, reference, setting)
            for factor, (function, setting) in zip(factors, parts, strict=True)
        ]

    return score


def _named(name: str) -> tuple[Reward, str]:
    kind, _, setting = name.partition(":")
    function: Reward = plugins.load(GROUP, kind)
    function("", "", setting)  # a setting that is not understood is told before anything is trained
    return function, setting


def number(answer: str, reference: str, setting: str = "") -> float:
    """1 when the last number of the answer is the last of the reference. Thousands commas, units around it, full-width digits and
    Chinese numerals are read; characters count as numerals only where there are no digits."""
    _no_setting("number", setting)
    found = last_number(answer)
    return float(found is not None and found == last_number(reference))


def exact(answer: str, reference: str, setting: str = "") -> float:
    """1 when both are the same but for case, width, blanks and punctuation."""
    _no_setting("exact", setting)
    return float(bool(bare(reference)) and bare(answer) == bare(reference))


def contains(answer: str, reference: str, setting: str = "") -> float:
    """1 when the answer holds the reference, but for case, width, blanks and punctuation; or the setting, where one is given."""
    wanted = bare(setting or reference)
    return float(bool(wanted) and wanted in bare(answer))


def choice(answer: str, reference: str, setting: str = "") -> float:
    """1 when the letter that the answer chooses is that of the reference: the one after a cue, else the last that stands alone."""
    _no_setting("choice", setting)
    found = _chosen(answer)
    return float(bool(found) and found == _chosen(reference))


def length(answer: str, reference: str, setting: str = "") -> float:  # noqa: ARG001
    """1 when the answer has as many characters as the setting `LOW-HIGH` allows."""
    found = re.fullmatch(r"(\d+)-(\d+)", setting)
    if found is None:
        raise ConfigError(f"the bounds of a length are '{setting}'", "Write length:LOW-HIGH, such as length:1-200")
    return float(int(found[1]) <= len(answer.strip()) <= int(found[2]))


def format(answer: str, reference: str, setting: str = "") -> float:  # noqa: ARG001 - the name of a reward
    """1 when the whole answer matches the setting, a regular expression in which a dot matches line ends too."""
    if not setting:
        raise ConfigError("a format without an expression", "Write format:EXPRESSION")
    try:
        return float(re.fullmatch(setting, answer.strip(), re.S) is not None)
    except re.error as error:
        raise ConfigError(f"the expression '{setting}' cannot be read: {error}", "Correct it") from error


def last_number(text: str) -> Fraction | None:
    """The last number of a text, exactly."""
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-")
    found = [match[0] for match in _DIGITS.finditer(text)]
    if found:
        return _of_digits(found[-1])
    spelt = [match[0] for match in _CHARACTERS.finditer(text)]
    return _of_characters(spelt[-1]) if spelt else None


def bare(text: str) -> str:
    """A text as its letters and digits, of one case and width."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _of_digits(found: str) -> Fraction:
    factor = _GROUPS.get(found[-1], 1)
    whole, _, below = found.rstrip("千万亿 ").replace(",", "").partition("/")
    divisor = int(below) if below.strip() else 1
    return Fraction(whole.strip()) * factor / (divisor or 1)


def _of_characters(found: str) -> Fraction:
    """Chinese numerals: with their units, or digit by digit as years are read."""
    negative, found = found.startswith("负"), found.removeprefix("负")
    whole, _, decimals = found.partition("点")
    if len(whole) > 1 and all(character in _VALUES for character in whole):
        value = int("".join(str(_VALUES[character]) for character in whole))
    else:
        value = _with_units(whole)
    below = Fraction(int("".join(str(_VALUES[one]) for one in decimals)), 10 ** len(decimals)) if decimals else 0
    return Fraction(-(value + below) if negative else value + below)


def _with_units(whole: str) -> int:
    """亿 and 万 multiply all that stands before them in their group; 十, 百 and 千 the digit before them."""
    for character, factor in (("亿", 10**8), ("万", 10**4)):
        if character in whole:
            before, _, after = whole.rpartition(character)
            return (_with_units(before) if before else 1) * factor + (_with_units(after) if after else 0)
    total, digit = 0, 0
    for character in whole:
        if character in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[character], 0
        else:
            digit = _VALUES[character]
    return total + digit


def _chosen(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    cued = _CUED.findall(text)
    if cued:
        return str(cued[-1]).upper()
    alone = _LETTER.findall(text)
    return str(alone[-1]) if alone else text.strip().upper() if len(text.strip()) == 1 else ""


def _no_setting(name: str, setting: str) -> None:
    if setting:
        raise ConfigError(f"the reward '{name}' takes no setting, and was given '{setting}'", f"Write {name}")
