"""Word error rate: substitutions, deletions and insertions that lead from what was said to what was written, for each word said.

In Chinese, whose words have no blanks between them, it is over characters. Case, width and punctuation do not count, nor does
whether a character is written in its traditional form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from septet import statistics
from septet.detect.normalise import folding
from septet.kinds import Measure

_HAN = re.compile(r"[\u3400-\u9fff]")
_UNIT = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff_]+(?:'[^\W\u3400-\u9fff_]+)*")


def units(text: str) -> list[str]:
    """Chinese characters singly, other runs of letters and digits as words."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    fold = folding(True)
    return _UNIT.findall(_HAN.sub(lambda found: fold(found[0]) or found[0], plain))


def num_errors(said: Sequence[str], written: Sequence[str]) -> int:
    """The edit distance (Levenshtein, 1966)."""
    row = list(range(len(written) + 1))
    for at, one in enumerate(said, 1):
        before, row[0] = row[0], at
        for place, other in enumerate(written, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (one != other))
    return row[-1]


def rate(pairs: Sequence[tuple[int, int]]) -> Measure:
    """The rate over recordings, each with its errors and the units said, with a bootstrap interval over recordings."""
    if not pairs:
        return Measure(0.0, 0.0, 0.0, 0, "share")
    return statistics.resampled(
        len(pairs), lambda at: sum(pairs[one][0] for one in at) / max(1, sum(pairs[one][1] for one in at)), "share"
    )
