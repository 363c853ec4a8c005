"""Personal data by form: numbers with check digits, addresses of machines and mail, secrets; names and postal addresses
by their cues (`detect.identity`).

A compiled scan of the bytes marks anchors: cue words and the shapes of numbers (`kernels.scan`). Only round an anchor is the
text made plain (capitals kept, every style of digit the same), and only the rules of that anchor are tried there; a text
without anchors costs nothing more. `detect` is `detect_all` of one text, so both find the same. Offsets are characters of the
original. Boundaries are ASCII only, because `\\b` does not fire between a digit and a Chinese character. A number of the right
length whose check digit is wrong is somebody's order number, not a finding.

Scores: 0.95 and above carry a check digit or an unmistakable form, 0.8 to 0.95 a form with few look-alikes or a cue,
0.5 to 0.7 a form alone; the policy's threshold decides from where on a finding counts.
"""

import fnmatch
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from septet.detect import anchors, numbers
from septet.detect.normalise import normalise, same_length
from septet.detect.span import Span
from septet.kernels.arrow import texts_of
from septet.kernels.spans import disjoint

# kind -> the tag that stands for it in Chinese and English text
KINDS = {
    "resident_id": ("身份证号", "RESIDENT_ID"),
    "mobile": ("手机号", "MOBILE"),
    "phone": ("电话号码", "PHONE"),
    "bank_card": ("银行卡号", "BANK_CARD"),
    "bank_account": ("银行账号", "BANK_ACCOUNT"),
    "uscc": ("统一社会信用代码", "COMPANY_CODE"),
    "passport": ("护照号", "PASSPORT"),
    "travel_permit": ("通行证号", "TRAVEL_PERMIT"),
    "plate": ("车牌号", "PLATE"),
    "email": ("邮箱", "EMAIL"),
    "ip": ("IP地址", "IP"),
    "mac": ("MAC地址", "MAC"),
    "iban": ("国际银行账号", "IBAN"),
    "swift": ("SWIFT代码", "SWIFT"),
    "ssn": ("美国社会保障号", "SSN"),
    "nino": ("英国国民保险号", "NINO"),
    "national_id": ("证件号", "NATIONAL_ID"),
    "tax_id": ("税号", "TAX_ID"),
    "health_id": ("医保号", "HEALTH_ID"),
    "wallet": ("钱包地址", "WALLET"),
    "account": ("账号名", "ACCOUNT"),
    "secret": ("密钥", "SECRET"),
    "birth_date": ("出生日期", "BIRTH_DATE"),
    "person": ("姓名", "PERSON"),
    "organisation": ("机构名", "ORGANISATION"),
    "place": ("地名", "PLACE"),
    "address": ("地址", "ADDRESS"),
}
"""What `detect` finds. Ages, dates and amounts are quasi-identifiers: `detect.quasi`."""
_KIND_NUMBER = {kind: number for number, kind in enumerate(KINDS)}
_CHINESE_DIGITS = str.maketrans("零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两", "00012345678911234567892")
_CHINESE_DIGIT_RUN = re.compile(
    r"[零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两](?:[ -]?[零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两0-9]){6,}"
)
_CHUNK_BYTES = 16 << 20


class Found(NamedTuple):
    """Findings as arrays of one length, in the order of rows and places; within a row they are disjoint.

    `row` and `start`, `end` (characters) are int64, `kind` and `rule` places in `kinds` and `rules`, `score` float64.
    """

    row: Any
    start: Any
    end: Any
    kind: Any
    score: Any
    rule: Any
    kinds: tuple[str, ...]
    rules: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.row.size)

    def spans(self) -> Iterator[tuple[int, Span]]:
        """Row and span of each finding."""
        columns = (self.row, self.start, self.end, self.kind, self.score, self.rule)
        for row, start, end, kind, score, rule in zip(*(column.tolist() for column in columns), strict=True):
            yield row, Span(start, end, self.kinds[kind], score, self.rules[rule])


def detect(text: str, kinds: Collection[str] = (), threshold: float = 0.0, allow: Collection[str] = ()) -> list[Span]:
    """Disjoint spans of personal data in `text`; all kinds unless `kinds` names some.

    `allow` holds values that may be shown (a hotline, `*@example.org`), compared without case and separators.
    """
    return [span for _, span in detect_all([text], kinds, threshold, allow).spans()]


def detect_all(
    column: Sequence[str] | Any, kinds: Collection[str] = (), threshold: float = 0.0, allow: Collection[str] = ()
) -> Found:
    """As `detect`, for a column of texts: a list of strings or an Arrow array. Null counts as empty."""
    data, offsets = texts_of(column)
    hits = _Hits(frozenset(kinds), threshold)
    for first, last in _chunks(offsets):
        _search(data, offsets[first : last + 1], first, None, hits)
    found = hits.merged()
    allowed = _allowed(tuple(allow))
    if allowed is None or not len(found):
        return found
    shown = []
    at_row, text = -1, ""
    for row, start, end in zip(*(column.tolist() for column in found[:3]), strict=True):
        if row != at_row:
            at_row, text = row, str(data[offsets[row] : offsets[row + 1]].tobytes(), "utf-8")
        shown.append(allowed(_canonical(normalise(text[start:end]).text)))
    keep = np.array([match is None for match in shown])
    return Found(*(column[keep] for column in found[:6]), found.kinds, found.rules)


class _Hits:
    """Findings as they come, in columns: few objects, since a collector that walks millions of tuples costs more than the rules."""

    def __init__(self, kinds: Collection[str], threshold: float):
        self._kinds = kinds
        self._threshold = threshold
        self._names: dict[tuple[str, float, str], int] = {}
        self._columns: tuple[list[int], list[int], list[int], list[int]] = ([], [], [], [])

    def add(self, found: Iterable[tuple[int, int, int, str, float, str]], first: int, views: Any) -> list[Any]:
        """Keep what was found, and return the persons' names; `first` and `views` as `_search` has them."""
        known = self._names
        rows, starts, ends, names = self._columns
        persons = []
        for row, start, end, kind, score, rule in found:
            if kind == "person":
                persons.append((row, start, end, score))
            key = (kind, score, rule)
            name = known.get(key)
            if name is None:
                wanted = score >= self._threshold and (not self._kinds or kind in self._kinds)
                name = known[key] = len(known) if wanted else -1 - len(known)
            if name >= 0:
                if views is not None:
                    row, view = views[row]
                    start, end = view.origin(start, end)
                rows.append(first + row)
                starts.append(start)
                ends.append(end)
                names.append(name)
        return persons

    def merged(self) -> Found:
        """Disjoint findings in order, as `span.merge` makes them."""
        row, start, end, name = (np.array(column, np.int64) for column in self._columns)
        keys = list(self._names)
        scores = np.array([score for _, score, _ in keys] or [0.0])
        alphabetic = np.empty(max(1, len(keys)), np.int64)
        alphabetic[sorted(range(len(keys)), key=lambda at: (keys[at][0], keys[at][2]))] = np.arange(len(keys))
        order = np.lexsort((alphabetic[name], -end, start, row))
        row, start, end, name = row[order], start[order], end[order], name[order]
        count = disjoint(row, start, end, name, scores)
        row, start, end, name = row[:count], start[:count], end[:count], name[:count]
        rules = sorted({f"pii.{kind}.{rule}" for kind, _, rule in keys})
        number = {rule: place for place, rule in enumerate(rules)}
        kinds = np.array([_KIND_NUMBER[kind] for kind, _, _ in keys] or [0], np.int64)
        places = np.array([number[f"pii.{kind}.{rule}"] for kind, _, rule in keys] or [0], np.int64)
        return Found(row, start, end, kinds[name], scores[name], places[name], tuple(KINDS), tuple(rules))


def _chunks(offsets: Any) -> Iterator[tuple[int, int]]:
    """Ranges of rows of some megabytes, so that the work space stays bounded."""
    first, rows = 0, offsets.size - 1
    while first < rows:
        last = int(np.searchsorted(offsets, offsets[first] + _CHUNK_BYTES, side="right")) - 1
        last = min(max(last, first + 1), rows)
        yield first, last
        first = last


def _search(data: Any, offsets: Any, first: int, views: Any, hits: _Hits) -> None:
    """Add the findings of some texts. `views`: how the texts lead back to the originals, where they are views already."""
    marked, slow = anchors.mark(data, offsets)
    if views is None and slow.any():
        marked = marked[slow[marked[:, 0]] == 0]
    if len(marked):
        persons = hits.add(_tried(data, offsets, marked), first, views)
        hits.add(_again(data, offsets, persons), first, views)
    if views is None and slow.any():
        plain = []
        for row in np.flatnonzero(slow).tolist():
            view = normalise(str(data[offsets[row] : offsets[row + 1]].tobytes(), "utf-8"), fold_case=False)
            text = _CHINESE_DIGIT_RUN.sub(lambda match: match[0].translate(_CHINESE_DIGITS), view.text)
            plain.append((row, same_length(view, text)))
        inner = texts_of([view.text for _, view in plain])
        _search(inner.data, inner.offsets, first, plain, hits)


def _tried(data: Any, offsets: Any, marked: Any) -> Iterator[tuple[int, int, int, str, float, str]]:
    """What the rules of each anchor find there: row, start and end character, kind, score, rule."""
    text, origins, bounds, window, position = anchors.views(data, offsets, marked)
    origin = memoryview(origins)
    rules, lows, highs = anchors.RULES, bounds[:, 0].tolist(), bounds[:, 1].tolist()
    where = zip(
        *(column.tolist() for column in (marked[:, 0], marked[:, 1], marked[:, 4], marked[:, 5], window, position)),
        strict=True,
    )
    for row, shape, char, last, at_window, at in where:
        low, high = lows[at_window], highs[at_window]
        if last:  # the scanner knows both ends
            end = at + last - char
            if end > high or origin[end - 1] != last - 1:
                end = next(k for k in range(at + 1, high + 1) if k == high or origin[k] >= last)
            judged = numbers.judge(shape, text, at, end, low)
            if judged:
                yield row, char, last, *judged
            continue
        for find in rules[shape]:
            for start, end, kind, score, rule in find(text, at, low, high):
                yield row, origin[start], origin[end - 1] + 1, kind, score, rule


def _again(
    data: Any, offsets: Any, names: list[tuple[int, int, int, float]]
) -> Iterator[tuple[int, int, int, str, float, str]]:
    """Later mentions of a full name that a cue has shown once. Earlier ones are left: a stream has already gone by them."""
    seen: set[tuple[int, str]] = set()
    at_row, text = -1, ""
    for row, start, end, score in sorted(names):
        if score < 0.75 or end - start < 3:
            continue
        if row != at_row:
            at_row, text = row, str(data[offsets[row] : offsets[row + 1]].tobytes(), "utf-8")
        name = text[start:end]
        if (row, name) in seen or (name.isascii() and " " not in name):
            continue
        seen.add((row, name))
        at = text.find(name, end)
        while at >= 0:
            yield row, at, at + len(name), "person", score, "again"
            at = text.find(name, at + len(name))


@lru_cache(maxsize=16)
def _allowed(patterns: tuple[str, ...]) -> Any:
    if not patterns:
        return None
    joined = "|".join(fnmatch.translate(_canonical(pattern)) for pattern in patterns)
    return re.compile(joined).match


_SEPARATORS = str.maketrans("", "", " -()")


def _canonical(value: str) -> str:
    return value.translate(_SEPARATORS).lower()
