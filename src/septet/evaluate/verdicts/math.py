r"""Whether two mathematical answers are the same (MATH, Hendrycks et al., 2021; AGIEval's cloze tasks), Chinese and English.

The answer is what the last `\boxed{...}` holds, else what stands after `The answer is`, else the last formula. Both sides are
brought to one writing (spaces, sizes, units, `\dfrac`, degrees, a leading `x =`, thousands commas, mixed numbers), then compared:
as text, by value, at a few points where letters stand in them, part by part where they are intervals, tuples, sets or lists.
Nothing of an answer is ever run.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import Any

from septet.evaluate.verdicts import arithmetic
from septet.evaluate.verdicts.verdict import READ, Verdict, boxed, nothing, said

_CUE = re.compile(
    r"(?:answer|result)\s*(?:is|:|=)\s*:?|(?:答案|结果)\s*(?:应该|应)?(?:是|为|[:：])\s*[:：]?", re.IGNORECASE
)
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_LISTED = re.compile(r"\$[^$]+\$(?:\s*(?:[,;，；、和或]|and|or)\s*\$[^$]+\$)+")
_PROSE = re.compile(r"[\u3400-\u9fff]{3}|[A-Za-z]{2,}\s+[A-Za-z]{2,}\s+[A-Za-z]{2,}")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:\s*/\s*\d+)?\s*%?")
_SPACING = re.compile(
    r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|limits|quad|qquad|tiny|small|large)(?![a-zA-Z])|(?<!\\)\\[!,;:> ]|~"
)
_WORDS = re.compile(r"\\(?:text|textbf|textrm|textit|mathrm|mathbf|mathit|mbox|operatorname|rm|bf)\s*\{([^{}]*)\}")
_SIGNS = {
    "²": "^2", "³": "^3", "½": r"\frac{1}{2}", "⁄": "/", "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "π": r"\pi ",
    "√": r"\sqrt ", "∞": r"\infty ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ",
    "±": r"\pm ", "°": r"^\circ ", "，": ",", "（": "(", "）": ")", "｛": "{", "｝": "}", "：": ":", "；": ";", "、": ",",
    "。": ".",
}  # fmt: skip
_NAMES = {
    r"\cdot": "*", r"\times": "*", r"\div": "/", r"\pi": " pi ", r"\infty": " inf ", r"\leq": r"\le", r"\geq": r"\ge",
    r"\neq": r"\ne", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]", r"\ln": " ln ", r"\log": " log ",
    r"\sin": " sin ", r"\cos": " cos ", r"\tan": " tan ", r"\cot": " cot ", r"\sec": " sec ", r"\csc": " csc ", r"\exp": " exp ",
}  # fmt: skip
_KNOWN = {"pi", "inf", "sqrt", "sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp", "abs", "mod"}
_POINTS = (
    Fraction(7, 5),
    Fraction(23, 9),
    Fraction(3, 11),
    Fraction(31, 7),
    Fraction(17, 13),
    Fraction(9, 4),
    Fraction(41, 10),
)
_OPENING, _CLOSING = "([{", ")]}"


def judge(item: dict[str, Any], output: str) -> Verdict:
    """Whether the answer of the output is one of the references."""
    references = item["answers"]
    silent = nothing(output, bool(references))
    if silent is not None:
        return silent
    found = answer(said(output)[-READ:])
    if not found:
        return Verdict("unparsed", "", 0.0 if references else None, {"reason": "no answer is found"})
    keys = [(boxed(one) or [one])[-1] for one in references]
    score = float(any(same(found, key) for key in keys)) if references else None
    return Verdict("answered", found, score, {"normal": normal(found)})


def answer(text: str) -> str:
    """The final answer of a solution; "" where there is none."""
    boxes = [one for one in boxed(text) if one.strip()]
    if boxes:
        return boxes[-1].strip()
    cues = list(_CUE.finditer(text))
    if cues:
        rest = text[cues[-1].end() :].strip().replace("**", "")
        formula, listed = _FORMULA.match(rest), _LISTED.match(rest)
        stated = re.split(r"[.。](?:\s|$)", rest.split("\n")[0], maxsplit=1)[0]
        if listed:
            stated = listed[0]
        elif formula:
            stated = str(next(filter(None, formula.groups())))
        if stated.strip():
            return stated.strip()
    formulas = [str(next(filter(None, match.groups()))) for match in _FORMULA.finditer(text)]
    if formulas:
        return formulas[-1].rpartition("=")[2].strip() or formulas[-1].strip()
    numbers = _NUMBER.findall(text)
    if "\n" not in text.strip() and len(text.strip()) <= 40 and not (numbers and _PROSE.search(text)):
        return text.strip().rstrip("。.")
    return numbers[-1].strip().rstrip(",") if numbers else ""


def same(one: str, two: str) -> bool:
    """Whether two answers say the same."""
    left, right = normal(one), normal(two)
    return bool(left) and (_same(left, right) or _same(_bare(left), _bare(right)))


def _bare(text: str) -> str:
    """Without `x =`, `x \\in`, `f(x) =` before it."""
    match = re.fullmatch(r"[a-zA-Z](?:_\w+|_\{\w+\})?(?:\([a-zA-Z]\))?(?:=|\\in)([^=<>]+)", text)
    return match[1] if match else text


def _same(left: str, right: str, depth: int = 0) -> bool:
    if left == right or left.casefold() == right.casefold():
        return True
    if depth > 6:
        return False
    if ("%" in left) != ("%" in right):
        with_sign, without = (left, right) if "%" in left else (right, left)
        plain, other = arithmetic.value(with_sign.replace("%", "")), arithmetic.value(without)
        return (
            plain is not None
            and other is not None
            and (arithmetic.equal(plain, other) or arithmetic.equal(plain / 100, other))
        )
    left, right = left.replace("%", ""), right.replace("%", "")
    one, two = _enclosed(left), _enclosed(right)
    if one and two and ("{" in (one[0], two[0])) == (one[0] == two[0] == "{"):
        if one[0] == "{":
            return _same_lists(one[1], two[1], depth)
        if len(one[1]) > 1 or len(two[1]) > 1:
            alike = len(one[1]) == len(two[1]) and one[0] + one[2] == two[0] + two[2]
            return alike and all(_same(a, b, depth + 1) for a, b in zip(one[1], two[1], strict=True))
    parted = [_parts(_both_signs(text)) for text in (left, right)]
    if max(len(parts) for parts in parted) > 1:
        return _same_lists(parted[0], parted[1], depth)
    for divider in ("=", r"\cup"):
        sides = [text.split(divider) for text in (left, right)]
        if all(len(side) == 2 for side in sides):
            pair = [_same(a, b, depth + 1) for a, b in zip(*sides, strict=True)]
            return all(pair) or (divider == r"\cup" and _same_lists(sides[0], sides[1], depth))
    return _same_values(left, right)


def _same_lists(left: list[str], right: list[str], depth: int) -> bool:
    """The same parts in any order."""
    waiting = list(right)
    for part in left:
        match = next((one for one in waiting if _same(_bare(part), _bare(one), depth + 1)), None)
        if match is None:
            return False
        waiting.remove(match)
    return not waiting


def _both_signs(text: str) -> str:
    """`a \\pm b` as the list of both."""
    return (
        f"{text.replace(chr(92) + 'pm', '+')},{text.replace(chr(92) + 'pm', '-')}" if text.count(r"\pm") == 1 else text
    )


def _same_values(left: str, right: str) -> bool:
    names = sorted(arithmetic.letters(left) | arithmetic.letters(right))
    if len(names) > len(_POINTS):
        return False
    compared = 0
    for turn in range(3 if names else 1):
        at = {name: _POINTS[(place + 2 * turn) % len(_POINTS)] + turn for place, name in enumerate(names)}
        one, two = arithmetic.value(left, at), arithmetic.value(right, at)
        if one is None or two is None:
            return False
        if not arithmetic.equal(one, two):
            return False
        compared += 1
    return compared > 0


def _enclosed(text: str) -> tuple[str, list[str], str] | None:
    r"""What one pair of brackets around the whole text holds, part by part: `(`, `[` or `{`, the parts, the closing bracket."""
    inner = text.replace(r"\{", "{").replace(r"\}", "}")
    if len(inner) < 2 or inner[0] not in _OPENING or inner[-1] not in _CLOSING:
        return None
    depth = 0
    for place, one in enumerate(inner):
        depth += (one in _OPENING) - (one in _CLOSING)
        if depth == 0 and place < len(inner) - 1:
            return None
    return inner[0], _parts(inner[1:-1]), inner[-1]


def _parts(text: str) -> list[str]:
    """Parted at commas, semicolons, `and`, `or` that stand in no brackets."""
    found, depth, start = [], 0, 0
    for match in re.finditer(r"[([{]|[)\]}]|[,;]|\\(?:and|or)", text):
        if match[0] in _OPENING:
            depth += 1
        elif match[0] in _CLOSING:
            depth -= 1
        elif depth == 0:
            found.append(text[start : match.start()])
            start = match.end()
    return [one for one in [*found, text[start:]] if one] or [""]


def normal(text: str) -> str:
    """An answer in the one writing in which answers are compared."""
    for sign, written in _SIGNS.items():
        text = text.replace(sign, written)
    text = unicodedata.normalize("NFKC", text).strip()
    text = re.sub(r"\\\$|\$|\\\(|\\\)|\\\[|\\\]|\*\*", "", text)
    text = re.sub(r"\{,\}|\\[,!]\s*,\s*\\[,!]|,\\!", ",", text)
    text = _SPACING.sub(" ", text)
    text = re.sub(r"(?<=[\d}])\s*\\(?:text|mathrm|mbox|rm)\s*\{\s*(?:and|or|和|或|与)\s*\}", r" \\or ", text)
    text = re.sub(r"(?<=[\d}])\s*\\(?:text|mathrm|mbox|rm)\s*\{[^{}]*\}(?:\^\{?\d\}?)?\s*$", "", text)
    text = _WORDS.sub(r" \1 ", text)
    text = re.sub(r"\^\s*\{?\s*\\circ\s*\}?|\\degree|(?<=\d)\s*degrees?\b|(?<=\d)\s*度$", "", text)
    text = text.replace("\\%", "%").strip()
    if not re.search(r"[({\[]", text.replace(r"\frac{", "").replace("{,}", "")):
        text = re.sub(r"(?<![\d,])(\d{1,3})((?:,\d{3})+)(?![\d,])", lambda found: found[0].replace(",", ""), text)
    text = _without_unit(text)
    text = re.sub(r"(?<!\\)\b(?:and|or)\b|[和或与]", r"\\or ", text) if re.search(r"\d", text) else text
    text = _fractions(text)
    for name, written in _NAMES.items():
        text = re.sub(re.escape(name) + r"(?![a-zA-Z])", written.replace("\\", r"\\"), text)
    text = re.sub(r"\^\s*\{([^{}]*)\}", r"^(\1)", text)
    text = re.sub(r"_\s*\{([^{}]*)\}", r"_\1", text)
    text = re.sub(r"(?<!\\)([{}])", lambda found: "(" if found[0] == "{" else ")", text)
    text = re.sub(r"\|([^|]+)\|", r"abs(\1)", text)
    text = re.sub(r"\s+", "", text).rstrip(".;,")
    return re.sub(r"^\(([A-Za-z])\)$", r"\1", text)


def _without_unit(text: str) -> str:
    """Words after a number are its unit: `5 cm^2`, `18 元`."""
    match = re.fullmatch(
        r"((?:[a-zA-Z]\s*=\s*)?[-+]?(?:\d[\d,.]*|[\d.]*\s*\\[dtc]?frac\s*\{[^{}]*\}\s*\{[^{}]*\}|\d+\s*/\s*\d+)(?:\s*\\?pi)?)"
        r"\s*((?:[A-Za-z\u3400-\u9fff]+[\s./]*)+)(?:\^\{?\d\}?)?",
        text.strip(),
    )
    if match is None:
        return text
    words = match[2].split()
    long = any(len(word) > 1 and word.lower() not in _KNOWN for word in words) or re.match(r"[\u3400-\u9fff]", words[0])
    return match[1] if long and not {"and", "or", *_KNOWN} & {word.lower() for word in words} else text


def _fractions(text: str) -> str:
    r"""`\frac{a}{b}` as `((a)/(b))`, `\sqrt{a}` as `sqrt(a)`, mixed numbers as sums."""
    text = re.sub(r"\\[dtc]frac", r"\\frac", text)
    text = re.sub(r"\\frac\s*(\d)\s*(\d)(?!\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac\s*(\d|[a-z])\s*\{", r"\\frac{\1}{", text)
    text = re.sub(r"(\\frac\s*\{[^{}]*\})\s*(\d|[a-z])", r"\1{\2}", text)
    text = re.sub(r"\\sqrt\s*(\d+|[a-zA-Z])(?![\]}])", r"\\sqrt{\1}", text)
    text = re.sub(r"(?<![\d.)/])(\d+)\s*\\frac\s*\{(\d+)\}\s*\{(\d+)\}", r"(\1+\\frac{\2}{\3})", text)
    text = re.sub(r"(?<![\d./])(\d+)\s+(\d+)\s*/\s*(\d+)(?!\d)", r"(\1+\2/\3)", text)
    for _ in range(12):
        before = text
        text = re.sub(r"\\sqrt\s*\[([^\[\]{}]*)\]\s*\{([^{}]*)\}", r"((\2)^(1/(\1)))", text)
        text = re.sub(r"\\sqrt\s*\{([^{}]*)\}", r" sqrt(\1)", text)
        text = re.sub(r"\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"((\1)/(\2))", text)
        text = re.sub(r"\^\s*\{([^{}]*)\}", r"^(\1)", text)
        if text == before:
            break
    return text
