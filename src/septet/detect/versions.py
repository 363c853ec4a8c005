"""Which version of a document this is, from its title, its file's name and its first lines; and what two versions say differently.

A statute names its amendments by date, a manual its version by number, a file often both in its name. Only marks that stand for a
version are taken for one: "2022" in the title of an annual report is its subject.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import msgspec

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join([*_MONTHS, *(month[:3] for month in _MONTHS if month != "may")])
_ISO = r"(?P<y>(?:19|20)\d\d)[-./](?P<m>\d{1,2})[-./](?P<d>\d{1,2})"
_ZH = r"(?P<zy>(?:19|20)\d\d)\s*年(?:\s*(?P<zm>\d{1,2})\s*月(?:\s*(?P<zd>\d{1,2})\s*日)?)?"
_EN = (
    rf"(?:(?P<em>{_MONTH})\.?\s+(?P<ed>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<ey>(?:19|20)\d\d)"
    rf"|(?P<fd>\d{{1,2}})\s+(?P<fm>{_MONTH})\.?,?\s+(?P<fy>(?:19|20)\d\d))"
)
_PLAIN = r"(?P<py>(?:19|20)\d\d)(?P<pm>0[1-9]|1[0-2])(?P<pd>[0-2]\d|3[01])(?!\d)"
_DATE = re.compile(rf"{_ISO}|{_ZH}|{_EN}|(?<!\d){_PLAIN}", re.I)
_CHANGED = re.compile(
    r"修正|修订|修改|通过|公布|发布|颁布|更新|印发|revised|amended|updated|issued|published|modified|version|dated",
    re.I,
)
_IN_FORCE = re.compile(r"施行|生效|实施|effective|in force|applies from", re.I)
_NUMBER = re.compile(
    r"(?<![a-z0-9])(?:v(?:er(?:sion)?)?\.?|rev(?:ision)?\.?|版本(?:号)?[:：]?\s*v?|修订号[:：]?|(?:issue|edition)\s)\s*(\d+(?:\.\d+){0,3})(?![\d-])"
    r"|第\s*([一二三四五六七八九十\d]{1,3})\s*版|(\d+)(?:st|nd|rd|th)\s+edition",
    re.I,
)
_DRAFT = re.compile(r"征求意见稿|送审稿|草案|草稿|讨论稿|(?<![a-z])(draft|proposed|consultation)(?![a-z])", re.I)
_WITHDRAWN = re.compile(r"已?废止|已?失效|(?<![a-z])(repealed|withdrawn|obsolete|deprecated|superseded)(?![a-z])", re.I)
_OPEN, _CLOSE = r"[（(\[【]\s*", r"\s*[)）\]】]"
_AMENDED = r"(?:第?[一二三四五六七八九十]*次?(?:修正|修订|修改)(?:本|版|文本)?)"
_STATE = (
    "征求意见稿|送审稿|草案|草稿|讨论稿|试行|已废止|废止|已失效|失效|现行|有效|旧版|新版|"
    "draft|final|repealed|withdrawn|obsolete|latest|updated"
)
_MARKS = re.compile(
    rf"{_OPEN}(?:{_DATE.pattern.replace('?P<', '?P<q')}|(?:19|20)\d\d)\s*年?\s*(?:{_AMENDED}|版|施行|发布|公布|通过)?{_CLOSE}"
    rf"|{_OPEN}(?:(?:19|20)\d\d\s*年?\s*)?{_AMENDED}{_CLOSE}"
    rf"|{_OPEN}(?:{_STATE}){_CLOSE}",
    re.I,
)
_WORDS = re.compile(
    r"征求意见稿|送审稿|草案|讨论稿|旧版|新版|正式版|修订版|修正本|(?<![a-z])(?:draft|final|latest|updated|revised|copy|new|old)(?![a-z])",
    re.I,
)
# What comes out again and again under one name, each with a date of its own, is no version of the one before.
_PERIODIC = re.compile(
    "[日周旬月季年]报$|报告$|报表$|纪要$|记录$|公报$|简报$|快报$|通知$|公告$|通报$|修正案$|决定$|合同$|发票$|名单$|清单$"
    "|(?:report|minutes|newsletter|bulletin|notes?|statement|invoice|amendment|notice|agenda|summary|results|log|letter)s?$"
)
# What is in force in one version at a time.
_RULES = re.compile(
    "(?:法|条例|规定|办法|细则|规则|解释|通则|准则|章程|制度|标准|规范|指引|守则|手册|政策|条款|须知)$"
    "|(?:act|law|code|regulation|polic(?:y|ies)|manual|handbook|terms|guideline|standard|procedure|rule|guide)s?$"
)
_HEAD = 1500
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")}


class Version(msgspec.Struct, frozen=True):
    """What is known of a document's version. Dates are ISO, "" where unknown; `keys` are the names it goes by without marks."""

    keys: tuple[str, ...]
    date: str = ""
    in_force: str = ""
    number: tuple[int, ...] = ()
    draft: bool = False
    withdrawn: bool = False
    rules: bool = False
    """Whether it goes by the name of rules, which are in force in one version at a time."""


def version_of(title: str, source: str, head: str) -> Version:
    """The version of a document by its title, the name of its file, and its first lines, in this order of trust."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", re.split(r"[\\/]| > ", source)[-1]) if source else ""
    first = next((line.strip("# \t") for line in head.split("\n") if line.strip("# \t")), "")
    names = [title, stem] if title else [stem, first if len(first) <= 80 else ""]
    keys = tuple(dict.fromkeys(key for key in map(base_of, names) if len(key) >= 4 or _is_name(key)))
    head = head[:_HEAD]
    named = [date for name in names for date in dates_of(name)]
    told = list(_told(head, _CHANGED))
    in_force = [*_told(head, _IN_FORCE)]
    numbers = [number for name in (*names, head[:400]) for number in _numbers(name)]
    named_by = " ".join(names)
    periodic = any(_PERIODIC.search(key) for key in keys)
    return Version(
        keys=keys,
        date="" if periodic else max(named or told or in_force, default=""),
        in_force=max(in_force, default=""),
        number=numbers[0] if numbers else (),
        draft=bool(_DRAFT.search(named_by)),
        withdrawn=bool(_WITHDRAWN.search(named_by)),
        rules=any(_RULES.search(key) for key in keys) and not periodic,
    )


def base_of(name: str) -> str:
    """A title without what marks its version, for comparison; "" where nothing is left."""
    text = unicodedata.normalize("NFKC", name).strip()
    text = _MARKS.sub("", text)
    text = _NUMBER.sub("", text)
    text = _WORDS.sub("", text)
    text = re.sub(rf"[-_ .]+(?:{_ISO.replace('?P<', '?P<r')}|{_PLAIN.replace('?P<', '?P<r')})$", "", text)
    text = re.sub(r"^中华人民共和国", "", text)
    return re.sub(r"[\W_]+", "", text).casefold()


def dates_of(text: str) -> list[str]:
    """Every date of a text as ISO; a year or a month alone counts as its beginning."""
    return [date for found in _DATE.finditer(text) if (date := _iso(found))]


def newer(one: Version, other: Version) -> int:
    """1 where `one` is the later version, -1 where the other is, 0 where that cannot be told."""
    if one.draft != other.draft:
        return -1 if one.draft else 1
    for mine, theirs in ((one.date, other.date), (one.number, other.number)):
        if mine and theirs and mine != theirs:
            return 1 if mine > theirs else -1  # type: ignore[operator]
    return 0


_UNIT = "日|天|年|月|周|小时|分钟|元|万|亿|个|人|名|次|倍|份|家|户|件|%|％|以上|以下|以内"
_CHINESE_NUMBER = "[零〇一二三四五六七八九十百千万亿两]+"
_VALUE = re.compile(
    rf"\d+(?:[.,:/-]\d+)*%?|百分之{_CHINESE_NUMBER}|{_CHINESE_NUMBER}分之{_CHINESE_NUMBER}"
    rf"|{_CHINESE_NUMBER}(?=个?(?:{_UNIT}|工作日))"
)
_ARTICLE = re.compile(r"第[零〇一二三四五六七八九十百千\d]+[条章节款项编]|^\s*[(（]?[\d一二三四五六七八九十]+[)）.、]")
_SENTENCE = re.compile(r"[^。！？!?\n；;]+(?:[.。！？!?；;]|$)|[^\n]+")
_ENGLISH_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[A-Z])")


def statements(text: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Sentences that state a number, a date or a share: the sentence without them, those values, and the sentence."""
    for line in text.split("\n"):
        for stretch in _ENGLISH_SENTENCE.split(line):
            for found in _SENTENCE.findall(stretch):
                sentence = found.strip()
                if len(sentence) < 8:
                    continue
                bare = _ARTICLE.sub("", sentence)
                values = tuple(_VALUE.findall(bare))
                if values:
                    frame = re.sub(r"\s+", "", _VALUE.sub("#", bare)).casefold()
                    if len(frame.replace("#", "")) >= 6:
                        yield frame, values, sentence


def _told(text: str, marks: re.Pattern[str]) -> Iterator[str]:
    """Dates that stand with one of the marks, before it or after it, on one line."""
    for line in text.split("\n"):
        for found in _DATE.finditer(line):
            near = line[max(0, found.start() - 24) : found.start()] + " " + line[found.end() : found.end() + 40]
            if marks.search(near) and (date := _iso(found)):
                yield date


def _iso(found: re.Match[str]) -> str:
    parts = {name: value for name, value in found.groupdict().items() if value}
    year = next((parts[name] for name in ("y", "zy", "ey", "fy", "py") if name in parts), "")
    month = next((parts[name] for name in ("m", "zm", "em", "fm", "pm") if name in parts), "1")
    day = next((parts[name] for name in ("d", "zd", "ed", "fd", "pd") if name in parts), "1")
    if not month.isdigit():
        month = str(next(n for n, name in enumerate(_MONTHS, 1) if name.startswith(month.lower()[:3])))
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return ""
    return f"{year}-{int(month):02d}-{int(day):02d}"


def _numbers(text: str) -> Iterator[tuple[int, ...]]:
    for found in _NUMBER.finditer(text):
        plain, chinese, edition = found.groups()
        if plain:
            yield tuple(int(part) for part in plain.split("."))
        else:
            value = _chinese(chinese) if chinese else int(edition)
            if value:
                yield (value,)


def _chinese(text: str) -> int:
    if text.isdigit():
        return int(text)
    tens, _, ones = text.rpartition("十")
    if "十" not in text:
        return _DIGITS.get(text, 0)
    return 10 * (_DIGITS.get(tens, 1) if tens else 1) + _DIGITS.get(ones, 0)


def _is_name(key: str) -> bool:
    """Whether a short key may be the name of a document: two Chinese characters may (宪法, 刑法), two letters may not."""
    return len(key) >= 2 and all("\u4e00" <= character <= "\u9fff" for character in key)
