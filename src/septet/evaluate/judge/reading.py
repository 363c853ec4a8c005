"""The verdict in what a judge wrote, in Chinese or English: found where it is said, or not at all.

In order: the whole output; a stated verdict (`Verdict: 4`, `评分：4 分`, `[[4]]`, `"score": 4`), the last where several are
stated and the last is the end of the output; its last or first line. What the judge quotes, in quotation marks or between the
fences of what it was shown, is not its verdict. A range, a choice of several, a number off the scale and two verdicts that
disagree are none: nothing is guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from septet.evaluate.judge.rubric import Rubric
from septet.evaluate.verdicts.verdict import plain, said

_LINK = (
    r"[\"'\]）)]*\s*(?:\([^()\n]{0,40}\)\s*)?(?:is|was|are|of|[:=]|->|→|应该|应|是|为|给|打)+\s*(?:是|为)?[\s\[({\"'“]*"
)
_CUE = (
    r"(?P<cue>(?:(?:final|overall|my)\s+)?(?:verdict|grade|rating|score|judge?ment|decision|winner|preference)"
    r"|(?:最终|最后|综合|总体|总)?(?:判定|评判|评分|得分|分数|打分|评级|等级|结论|判断|裁决|胜者|给分|判决)(?:结果)?)"
)
_BETTER = (
    r"(?P<better>\s*(?:is|are|was)?\s*(?:the\s+)?(?:clearly\s+|slightly\s+|much\s+)?"
    r"(?:better|best|winner|wins|更好|更优|较好|胜出|获胜))"
)
_NUMBER = (
    r"(?:an?\s+)?(?P<value>[-+]?\d{1,4}(?:\.\d+)?|[零一二三四五六七八九十]{1,3}(?=分|\s|$))"
    r"(?P<over>\s*/\s*\d{1,4}|\s*out of\s+\d{1,4})?"
)
_ALIASES = {
    "CORRECT": ("CORRECT", "RIGHT", "正确", "答对"),
    "INCORRECT": ("INCORRECT", "NOT CORRECT", "WRONG", "不正确", "错误", "答错", "不对"),
    "NOT_ATTEMPTED": (
        "NOT_ATTEMPTED",
        "NOT ATTEMPTED",
        "NOT-ATTEMPTED",
        "UNATTEMPTED",
        "未尝试",
        "未作答",
        "未回答",
        "没有回答",
    ),
    "A": ("A",),
    "B": ("B",),
    "TIE": ("TIE", "DRAW", "EQUAL", "C", "平局", "平手", "不分高下", "不相上下", "一样好"),
}
_CALLED = r"(?:(?:answer|response|option|assistant|model|回答|答案|选项|助手)\s*)?"
_AMONG = re.compile(r"\s*[\]\"'”)]*\s*(?:/|\||,|、|-|~|–|—|至|到|或|和|与|(?:or|to|and)(?![A-Za-z]))\s*[\[\"'“(]*")
_QUOTED = re.compile(r"\"[^\"\n]{0,400}\"|“[^”]{0,400}”|「[^」]{0,400}」|『[^』]{0,400}』|(?m:^\s*>.*$)")
_FENCE = re.compile(r"<<<([0-9a-f]{12})(?![0-9a-f])")
_NUMERALS = {character: value for value, character in enumerate("零一二三四五六七八九")}


def verdict_of(output: str, rubric: Rubric) -> tuple[str, str]:
    """The verdict that an output states, and the rule that found it; '' with the reason where it states none."""
    if not output.strip():
        return "", "empty"
    if not said(output).strip():
        return "", "it ends while thinking"
    text = plain(_without_fenced(said(output)))
    reader = _Reader(rubric)
    alone = reader.alone(text)
    if alone:
        return alone, "whole"
    own = _QUOTED.sub(
        lambda match: " " * len(match[0]) if reader.stated(match[0].strip('"“”「」『』')) else match[0], text
    )
    found = reader.stated(own)
    if found:
        values = {value for value, _, _ in found}
        value, end, final = found[-1]
        rest = own[end:].strip(" \t\n.。!！*_`]})\"'”分")
        if len(values) > 1 and rest and not final:
            return "", f"{len(values)} verdicts that disagree"
        return (value, "stated") if value in rubric.scale else ("", f"'{value}' is not on the scale")
    lines = [line for line in own.splitlines() if line.strip()]
    ends = {reader.alone(line) for line in (lines[-1:] + lines[:1])} - {""}
    if len(ends) == 1:
        return ends.pop(), "line"
    return "", "no verdict"


def _without_fenced(text: str) -> str:
    """A text without what stands between fences: material that was shown, and is given back."""
    kept, at = [], 0
    unclosed: set[str] = set()
    while opening := _FENCE.search(text, at):
        end = -1 if opening[1] in unclosed else text.find(f"{opening[1]}>>>", opening.end())
        if end < 0:
            unclosed.add(opening[1])
            kept.append(text[at : opening.end()])
            at = opening.end()
        else:
            kept.append(text[at : opening.start()])
            at = end + len(opening[1]) + 3
    return " ".join([*kept, text[at:]]) if kept else text


def addresses_judge(answer: str, rubric: Rubric) -> bool:
    """Whether an answer that is judged states a verdict itself, as one does that wants to sway its judge."""
    return bool(_Reader(rubric).stated(plain(answer)))


class _Reader:
    def __init__(self, rubric: Rubric) -> None:
        self._scale = rubric.kind == "scale"
        self._rubric = rubric
        if self._scale:
            label = _NUMBER
        else:
            self._names = {alias: verdict for verdict in rubric.verdicts for alias in _ALIASES[verdict]}
            longest = sorted(self._names, key=len, reverse=True)
            label = rf"{_CALLED}(?<![A-Za-z不])(?P<value>{'|'.join(map(re.escape, longest))})(?P<over>)"
        after = r"(?![A-Za-z\d])(?!\s*%)"
        flags = re.IGNORECASE
        self._label = re.compile(label + after, flags)
        forms = [rf"(?<![A-Za-z]){_CUE}{_LINK}{label}{after}", rf"\[\[\s*{label}\s*\]\]"]
        if rubric.kind == "pair":
            forms.append(rf"{label}{after}{_BETTER}")
        self._forms = [re.compile(form, flags) for form in forms]

    def stated(self, text: str) -> list[tuple[str, int, bool]]:
        """Verdicts that are stated, in their order: each with where it ends and whether it is called final. A value off the scale
        comes as it is written."""
        found = {}
        for form in self._forms:
            for match in form.finditer(text):
                if self._among(text, match):
                    continue
                value = self._value(match)
                cue = (match.groupdict().get("cue") or "").lower()
                found[match.start("value")] = (value, match.end(), cue.startswith(("final", "最终", "最后")))
        return [found[at] for at in sorted(found)]

    def alone(self, text: str) -> str:
        """The verdict that is all a text says; '' where it says more, or none of the rubric's."""
        bare = text.strip(" \t\n.。!！*_`[](){}<>\"'“”:：")
        bare = bare.removesuffix("分").rstrip()
        match = self._label.fullmatch(bare)
        value = self._value(match) if match else ""
        return value if value in self._rubric.scale else ""

    def _among(self, text: str, match: re.Match[str]) -> bool:
        """Whether the label is one of several that are named: a range, or the list of what may be chosen."""
        joined = _AMONG.match(text, match.end())
        return bool(joined and self._label.match(text, joined.end()))

    def _value(self, match: re.Match[str]) -> str:
        written = match["value"]
        if not self._scale:
            return self._names[written.upper()]
        number = _number(written)
        over = re.search(r"\d+", match["over"] or "")
        # 8/10 on a scale to 5 is another scale: nothing is converted.
        if over and over[0] != self._rubric.verdicts[-1]:
            return (written + match["over"]).replace(" ", "")
        return str(int(number)) if number == int(number) else written


def _number(written: str) -> float:
    if written[-1].isdigit():
        return float(written)
    head, ten, tail = written.partition("十")
    if not ten:
        return float("".join(str(_NUMERALS[one]) for one in written))
    if len(head) > 1 or len(tail) > 1 or "十" in tail:
        return -1.0  # no numeral: on no scale
    return (_NUMERALS[head] if head else 1) * 10 + (_NUMERALS[tail] if tail else 0)


def likeliest(log_probabilities: Sequence[float], rubric: Rubric) -> tuple[str, dict[str, float]]:
    """The likeliest verdict, with the probability of each among them (Liu et al., 2023, G-Eval, arXiv 2303.16634)."""
    top = max(log_probabilities)
    weights = [math.exp(one - top) for one in log_probabilities]
    shares = {verdict: weight / math.fsum(weights) for verdict, weight in zip(rubric.verdicts, weights, strict=True)}
    return max(rubric.verdicts, key=lambda verdict: shares[verdict]), shares
