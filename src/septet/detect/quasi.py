"""Quasi-identifiers: ages, dates and amounts. None is personal by itself; together they single a person out.

They are looked for only where a policy names their kinds in `[pii.actions]`, since nearly every text holds some.
"""

import re
from collections.abc import Collection

from septet.detect.normalise import normalise
from septet.detect.span import Span, merge

KINDS = {"age": ("年龄", "AGE"), "date": ("日期", "DATE"), "amount": ("金额", "AMOUNT")}
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_FORMS = {
    "age": re.compile(
        r"(?<![0-9.])(?P<value>1?\d{1,2})(?=\s?(?:周岁|岁|years? old|-year-old|y/o))"
        r"|(?:年龄|(?<![A-Za-z])(?i:age|aged))\s?(?:为|是|is|:)?\s?(?P<cued>1?\d{1,2})(?![0-9.%])"
    ),
    "date": re.compile(
        r"(?<![0-9])(?P<value>(?:18|19|20)\d{2}(?:\s?年\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?[日号])?|([-/.])\d{1,2}\2\d{1,2}(?![0-9]))"
        rf"|(?i:\d{{1,2}}(?:st|nd|rd|th)? (?:{_MONTHS})[a-z]*\.?,? |(?:{_MONTHS})[a-z]*\.? \d{{1,2}}(?:st|nd|rd|th)?,? )"
        r"(?:18|19|20)\d{2}(?![0-9]))"
    ),
    "amount": re.compile(
        r"(?P<value>(?:[$€£¥￥]|(?<![A-Za-z])(?:RMB|USD|EUR|CNY|GBP)) ?\d[\d,]*(?:\.\d+)?(?:\s?(?:万|亿|[mM]illion|[bB]illion))?"
        r"|(?<![0-9.,])\d[\d,]*(?:\.\d+)?\s?(?:万|亿|千)?(?:元|美元|欧元|英镑|dollars|euros|pounds|yuan))"
    ),
}


def detect(text: str, kinds: Collection[str]) -> list[Span]:
    """Disjoint spans of these kinds."""
    view = normalise(text, fold_case=False)
    spans = []
    for kind in kinds:
        for match in _FORMS[kind].finditer(view.text):
            group = "cued" if match.groupdict().get("cued") else "value"
            spans.append(Span(*view.origin(*match.span(group)), kind, 0.8, f"quasi.{kind}"))
    return merge(spans)


def generalise(value: str, kind: str, detail: str) -> str:
    """The coarser value: an age or an amount as a band, a date as month, quarter, year or decade. `detail` says how coarse."""
    plain = normalise(value, fold_case=False).text
    if kind == "age":
        width = int(detail or 10)
        low = int(re.sub(r"\D", "", plain)) // width * width
        return f"{low}-{low + width - 1}"
    if kind == "amount":
        return _band(plain, int(detail or 10))
    return _date(plain, detail or "month")


def _band(plain: str, factor: int) -> str:
    """The power of `factor` below and above the amount, with its unit."""
    match = re.search(r"\d[\d,]*(?:\.\d+)?", plain)
    assert match is not None
    number = float(match[0].replace(",", ""))
    low = 1
    while low * factor <= number:
        low *= factor
    low, high = (0, 1) if number < 1 else (low, low * factor)
    return f"{plain[: match.start()]}{low}-{high}{plain[match.end() :]}"


def _date(plain: str, detail: str) -> str:
    year_match = re.search(r"(?:18|19|20)\d{2}", plain)
    if year_match is None:
        return "[DATE]"
    year, chinese = int(year_match[0]), "年" in plain
    month = _month(plain)
    if detail == "decade":
        return f"{year // 10 * 10}年代" if chinese else f"{year // 10 * 10}s"
    if detail == "year" or month == 0:
        return f"{year}年" if chinese else str(year)
    if detail == "quarter":
        return f"{year}年第{(month + 2) // 3}季度" if chinese else f"{year}-Q{(month + 2) // 3}"
    return f"{year}年{month}月" if chinese else f"{year}-{month:02d}"


def _month(plain: str) -> int:
    if match := re.search(rf"(?i)\b({_MONTHS})", plain):
        return _MONTHS.split("|").index(match[1].lower()) + 1
    match = re.search(r"\d{4}\s?[-/.年]\s?(\d{1,2})", plain)
    return int(match[1]) if match and 1 <= int(match[1]) <= 12 else 0
