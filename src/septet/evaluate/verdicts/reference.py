"""A short answer against references: exact match and F1 as `evaluate.measures` has them, for Chinese and English."""

from __future__ import annotations

import re
from typing import Any

from septet.evaluate import measures
from septet.evaluate.verdicts.verdict import Verdict, nothing, plain

_CUE = re.compile(r"(?:answer\s*(?:is|:)|答案\s*(?:是|为|:))\s*:?\s*", re.IGNORECASE)
_MARK = re.compile(r"\s*\[\d{1,3}\]")


def judge(item: dict[str, Any], output: str) -> Verdict:
    """Exact match as score, F1 in the detail, of what stands after the last `The answer is` or `答案是`, else of the whole."""
    references = item["answers"]
    silent = nothing(output, bool(references))
    if silent is not None:
        return silent
    text = plain(output)
    cues = list(_CUE.finditer(text))
    said = text[cues[-1].end() :].split("\n")[0].strip() if cues else ""
    said = said or text
    # An assistant cites ("8600 [1]"): the marks are no part of the answer, unless the references have them too.
    if not any(_MARK.search(one) for one in references):
        said = _MARK.sub("", said).strip()
    if not references:
        return Verdict("answered", said, None, {})
    exact = measures.exact_match(said, references)
    return Verdict("answered", said, float(exact), {"f1": measures.f1(said, references)})
