"""Scoring an answer against references, in Chinese and in English.

Exact match and F1 as in SQuAD (Rajpurkar et al., 2016) and CMRC 2018 (Cui et al., 2019): case, width, blanks and punctuation
do not count, English articles neither; F1 is over characters where the reference is Chinese and over words elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_HAN = re.compile(r"[\u3400-\u9fff]")
_DROPPED = re.compile(r"(?P<kept>(?<=\d)\.(?=\d)|(?<![^\W_])-(?=\d)|(?<=[a-z])[+#]+(?!\w))|[\W_]")
# A word has to follow: `Vitamin A` and `U.S.A.` end in no article.
_ARTICLES = re.compile(r"(?<![\w.])(?:a|an|the)\b(?=\W+\w)")


def exact_match(answer: str, references: Sequence[str]) -> bool:
    """Whether the answer says just what one of the references says."""
    return any(_folded(answer) == _folded(reference) for reference in references)


def f1(answer: str, references: Sequence[str]) -> float:
    """The best overlap with a reference: harmonic mean of precision and recall of its characters or words."""
    return max((_overlap(answer, reference) for reference in references), default=0.0)


def _overlap(answer: str, reference: str) -> float:
    said, meant = _units(answer), _units(reference)
    if not said or not meant:
        return float(said == meant)
    shared = sum((Counter(said) & Counter(meant)).values())
    return 2 * shared / (len(said) + len(meant))


def _units(text: str) -> list[str]:
    """Chinese characters singly, other runs of letters and digits as words."""
    return re.findall(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff_]+", _spoken(text))


def _folded(text: str) -> str:
    """Without blanks and punctuation, but for what makes another answer of it: a decimal point, a sign before a number, `C++`."""
    spoken = _spoken(text).replace("\u2212", "-")
    return _DROPPED.sub(lambda match: match["kept"] or "", spoken) or spoken.strip()


def _spoken(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return folded if _HAN.search(folded) else _ARTICLES.sub(" ", folded)
