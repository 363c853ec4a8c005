"""What a rule of personal data is made of: a form with its pattern and check, and the cue word from which it is tried.

Knows no form of its own: those stand in `forms`, `national`, `numbers`, `identity` and `secrets`.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from septet.kernels import scan

Found = Iterator[tuple[int, int, str, float, str]]
Rule = Callable[[str, int, int, int], Found]
"""(text, place of the anchor, start and end of the stretch) -> (start, end, kind, score, rule) of each finding."""

_ORDER_CUE = re.compile(
    (
        r"(?:订单|流水|运单|快递|物流|单据|凭证|批次|序列|工单|合同|编|发票|order|invoice|tracking|"
        r"batch|serial|ticket|ref(?:erence)?)\s*(?:号|码|号码|单号|编号|no\.?|number|id|#)?\s*(?:为|"
        r"是|is)?\s*[:#]?\s*$"
    ),
    re.I,
)


class Form(msgspec.Struct, frozen=True):
    kind: str
    rule: str
    score: float
    pattern: re.Pattern[str]
    check: Callable[[re.Match[str]], bool] = lambda _: True
    back: int = 0
    """How many characters before the anchor the form may begin."""


class Cue(msgspec.Struct, frozen=True):
    """Words that announce personal data, what must follow them, and the rules that are tried there."""

    words: str
    rules: tuple[Rule, ...]
    follow: int = scan.NUMBER
    edges: int = 1
    """1: no Latin letter may stand before the word, 2: none behind it, 3: neither, 0: any."""
    reach: int = 96
    """How many characters behind the word its rules may read."""


def rule_of(*forms: Form) -> Rule:
    """One rule that tries these forms."""

    def rule(text: str, at: int, low: int, high: int) -> Found:
        for form in forms:
            if form.back:
                matches = form.pattern.finditer(text, max(low, at - form.back), high)
            elif (match := form.pattern.match(text, at, high)) is None:
                continue
            else:
                matches = iter((match,))
            for match in matches:
                if form.check(match):
                    group = "value" if "value" in form.pattern.groupindex else 0
                    yield match.start(group), match.end(group), form.kind, form.score, form.rule

    return rule


def is_ordered(text: str, start: int) -> bool:
    """Whether what stands before a number says that it counts orders, parcels or papers."""
    return _ORDER_CUE.search(text, max(0, start - 24), start) is not None
