"""The number that an answer comes to (GSM8K, MGSM): found, read exactly, and compared as a number.

The answer stands after `####` (Cobbe et al., 2021), in a box, or after a cue (`The answer is`, `答案是`, `A:`); else the last
number is it, as every harness takes it. Full-width digits, 万 and 亿, Chinese numerals where there are no digits, fractions,
percent and thousands commas are read.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from septet.evaluate.verdicts.verdict import Verdict, boxed, nothing, plain, said

_SCALES = {"千": 10**3, "万": 10**4, "百万": 10**6, "亿": 10**8, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_NUMBER = re.compile(
    r"(?P<sign>(?<![\w)\]}.])[-+]\s?\$?)?"
    r"(?:\\[dt]?frac\s*\{\s*(?P<over>-?\d+)\s*\}\s*\{\s*(?P<under>\d+)\s*\}"
    r"|(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d{1,300})?(?P<part>\.\d{1,300})?(?:[eE](?P<power>[+-]?\d{1,2})(?![\w.]))?"
    r"(?:(?P<mixed>\s\d+)?\s?[/\u2044]\s?(?P<below>\d+)(?![\d/]))?)"
    r"\s?(?P<scale>百万|[千万亿]|(?:thousand|million|billion)(?![a-z]))?(?P<percent>\s?\\?%)?",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"####|(?:answer|result|total)\s*(?:is|=|:|would be|equals)\s*|(?m:^\s*A\s*:)|(?:答案|结果)\s*(?:应该|应)?(?:是|为|:|=)\s*:?",
    re.IGNORECASE,
)
_NUMERALS = re.compile(
    r"负?[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+|分之[零〇一二两三四五六七八九十百千万亿]+)?"
)
_PARTS = re.compile(r"(\d+)\s*分之\s*(\d+)")
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
# So many of the last cues are looked at: an output that repeats itself has thousands.
_CUES = 20
_UNITS = {"十": 10, "百": 100, "千": 1000}


def judge(item: dict[str, Any], output: str) -> Verdict:
    """Whether the number of the output is that of a reference. `detail.by` names the rule that found it."""
    references = item["answers"]
    silent = nothing(output, bool(references))
    if silent is not None:
        return silent
    found, by = answer(output)
    if found is None:
        return Verdict("unparsed", "", 0.0 if references else None, {"reason": "no number"})
    score = None
    if references:
        keys = [reference_number(one) for one in references]
        score = float(any(key is not None and same(found, key, item["question"]) for key in keys))
    return Verdict("answered", found["text"], score, {"by": by, "value": str(found["value"])})


def reference_number(text: str) -> dict[str, Any] | None:
    """The number of a reference: after `####` where that stands, else the last."""
    return answer(text)[0]


def answer(output: str) -> tuple[dict[str, Any] | None, str]:
    """The number that a text comes to, and by which rule it was found."""
    text = (
        plain(re.sub(r"<<[^<>\n]{0,200}>>", "", output)).replace("\u2212", "-").replace("\\$", "$").replace("{,}", ",")
    )
    text = _PARTS.sub(r"\2/\1", text)
    text = re.sub(r"\\[,!;]|\\text\s*\{\s*", "", text)
    _, mark, marked = said(output).rpartition("####")
    if mark:
        rest = plain(marked).replace("\u2212", "-")
        found = numbers(rest.strip().split("\n")[0]) if rest.strip() else []
        if found:
            return found[0], "mark"
    for content in reversed(boxed(text)):
        found = numbers(content)
        if found:
            return found[-1] if "=" in content else found[0], "box"
    for match in reversed(list(_CUE.finditer(text))[-_CUES:]):
        rest = re.split(r"\n|[.!?]\s|[。！？;；]", text[match.end() :][:300].lstrip(), maxsplit=1)[0]
        found = numbers(rest.rpartition("=")[2]) or numbers(rest)
        if found:
            return found[0], "cue"
        if numeral := _NUMERALS.match(rest):
            return _of_numerals(numeral[0]), "cue"
    found = numbers(text)
    if found:
        return found[-1], "last"
    spelt = _NUMERALS.findall(text)
    return (_of_numerals(spelt[-1]), "numerals") if spelt else (None, "none")


def numbers(text: str) -> list[dict[str, Any]]:
    """Every number of a text, in order: `text`, `value` (with its 万, million...), `bare` (without), `scale`, `percent`."""
    found: list[dict[str, Any]] = []
    ended = -1
    for match in _NUMBER.finditer(text):
        if not (match["whole"] or match["part"] or match["over"]):
            continue
        try:
            bare = _value(match)
        except ZeroDivisionError:
            continue
        if match["sign"] and match["sign"].startswith("-"):
            bare = -bare
        scale = (match["scale"] or "").lower()
        value = bare * _SCALES.get(scale, 1)
        if match.start() == ended and _continues(found[-1], value):
            # `1万2千`, `3亿5000万`: one number in two steps.
            whole = found[-1]["value"] + (value if found[-1]["value"] >= 0 else -value)
            found[-1] |= {"text": found[-1]["text"] + match[0].strip(), "value": whole, "bare": whole, "scale": ""}
            ended = match.end()
            continue
        ended = match.end()
        found.append(
            {
                "text": match[0].strip(),
                "value": value,
                "bare": bare,
                "scale": scale,
                "percent": bool(match["percent"]),
            }
        )
    return found


def _continues(before: dict[str, Any], value: Fraction) -> bool:
    """Whether a number right behind one with a Chinese scale fills the places below that scale."""
    scale = _SCALES[before["scale"]] if before["scale"] in ("千", "万", "百万", "亿") else 0
    return bool(scale) and scale / 10 <= value < scale


def _value(match: re.Match[str]) -> Fraction:
    if match["over"]:
        return Fraction(int(match["over"]), int(match["under"]))
    value = Fraction((match["whole"] or "0").replace(",", "") + (match["part"] or ""))
    if match["power"]:
        value *= Fraction(10) ** int(match["power"])
    if match["below"]:
        over = Fraction(int(match["mixed"]), int(match["below"])) if match["mixed"] else None
        value = value + over if over is not None else value / int(match["below"])
    return value


def same(found: dict[str, Any], key: dict[str, Any], question: str = "") -> bool:
    """Whether two numbers are one. `50%` is 50 and 0.5; `1.8万` is 1.8 too where the question asks in that unit."""
    values = {found["value"]}
    if found["scale"] and found["scale"] in question.lower():
        values.add(found["bare"])
    if found["percent"] != key["percent"]:
        values |= {value / 100 for value in values} if found["percent"] else {value * 100 for value in values}
    return key["value"] in values


def _of_numerals(text: str) -> dict[str, Any]:
    under, parted, over = text.removeprefix("负").partition("分之")
    if parted and (below := _of_numerals(under)["value"]):
        value = _of_numerals(over)["value"] / below * (-1 if text.startswith("负") else 1)
        percent = under == "百"
        bare = value * 100 if percent else value
        return {"text": text, "value": bare, "bare": bare, "scale": "", "percent": percent}
    negative, digits = text.startswith("负"), text.removeprefix("负")
    whole, _, below = digits.partition("点")
    total, section, last = 0, 0, None
    if not any(one in "十百千万亿" for one in whole):
        total = int("".join(str(_DIGITS[one]) for one in whole))
    else:
        for one in whole:
            if one in _DIGITS:
                last = _DIGITS[one]
            elif one in _UNITS:
                section += (1 if last is None else last) * _UNITS[one]
                last = None
            else:
                total = (total + section + (last or 0)) * _SCALES[one]
                section, last = 0, None
        total += section + (last or 0)
    value = Fraction(total)
    if below:
        value += Fraction(int("".join(str(_DIGITS[one]) for one in below)), 10 ** len(below))
    value = -value if negative else value
    return {"text": text, "value": value, "bare": value, "scale": "", "percent": False}
