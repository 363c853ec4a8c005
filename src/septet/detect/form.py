"""What a rule of personal data is made of: a form with its pattern and check, and the cue word from which it is tried.

Knows no form of its own: those stand in `forms`, `national`, `numbers`, `identity` and `secrets`.
"""

import re
from collections.abc import Callable, Iterable, Iterator

import msgspec

from septet.kernels import scan

Found = Iterator[tuple[int, int, str, float, str]]
Rule = Callable[[str, int, int, int], Iterable[tuple[int, int, str, float, str]]]
"""(text, place of the anchor, start and end of the stretch) -> (start, end, kind, score, rule) of each finding."""

_ORDER_CUE = re.compile(
    (
        r"(?:订单|流水|运单|快递|物流|单据|凭证|批次|序列|工单|合同|编|发票|order|invoice|tracking|"
        r"batch|serial|ticket|ref(?:erence)?)\s*(?:号|码|号码|单号|编号|no\.?|number|id|#)?\s*(?:为|"
        r"是|is)?\s*[:#]?\s*$"
    ),
    re.I,
)

# The characters that such a cue may end with: most numbers stand behind another one.
_ORDER_ENDS = frozenset(" :#\t\n.:：号码单据运流水递流件证次列同编票rgehltfodm为是s")


class Form(msgspec.Struct, frozen=True):
    kind: str
    rule: str
    score: float
    pattern: re.Pattern[str]
    check: Callable[[re.Match[str]], bool] | None = None
    back: int = 0
    """How many characters before the anchor the form may begin."""


class Cue(msgspec.Struct, frozen=True):
    """Words that announce personal data, what must follow them, and the rules that are tried there."""

    words: str
    rules: tuple[Rule, ...]
    follow: int = scan.NUMBER
    edges: int = 1
    """1: no Latin letter may stand before the word, 2: none behind it, 3: neither, 0: any."""
    back: int = 28
    reach: int = 96
    """How many characters before the word its rules may read, and how many behind."""


def rule_of(*forms: Form) -> Rule:
    """One rule that tries these forms."""
    tried = [
        (form.pattern, form.check, form.pattern.groupindex.get("value", 0), form.back, form.kind, form.score, form.rule)
        for form in forms
    ]

    def rule(text: str, at: int, low: int, high: int) -> list[tuple[int, int, str, float, str]]:
        found = []
        for pattern, check, group, back, kind, score, name in tried:
            if back:
                for match in pattern.finditer(text, max(low, at - back), high):
                    if check is None or check(match):
                        found.append((*match.span(group), kind, score, name))
            elif (match := pattern.match(text, at, high)) and (check is None or check(match)):
                found.append((*match.span(group), kind, score, name))
        return found

    return rule


def also_behind(marks: str, rule: Rule) -> Rule:
    """A rule that is tried once more behind an opening mark at its anchor: a bracket or a colon that is none of the number's."""

    def tried(text: str, at: int, low: int, high: int) -> Iterable[tuple[int, int, str, float, str]]:
        found = list(rule(text, at, low, high))
        return found if found or text[at : at + 1] not in marks else rule(text, at + 1, low, high)

    return tried


def is_ordered(text: str, start: int) -> bool:
    """Whether what stands before a number says that it counts orders, parcels or papers."""
    return text[start - 1 : start] in _ORDER_ENDS and _ORDER_CUE.search(text, max(0, start - 24), start) is not None
