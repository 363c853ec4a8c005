"""Values that a sentence states, with their place in the text: numbers with a unit, dates, percentages, money, titles, names,
terms.

Each has a type, so that a wrong option may be another value of the same type, and a key under which two ways to write one value
are the same (`三十日`, `30日`). Sentences are those of running text, in Chinese and English; headings, tables, code and items
of lists that are no sentences are left aside.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from septet.evaluate.verdicts.number import reference_number


class Value(NamedTuple):
    """A value in a text, by characters."""

    start: int
    end: int
    text: str
    type: str
    key: str


class Span(NamedTuple):
    """A stretch of a text, by characters."""

    start: int
    end: int


_NUMERAL = r"[一二三四五六七八九十百千万亿两零〇]"
_BEFORE_ZH = rf"(?<![第之月\d.,．{_NUMERAL[1:-1]}至到-])"
_AFTER_ZH = r"(?![至到-])"
_AMOUNT_ZH = rf"(?:\d(?:[\d,]*\d)?(?:\.\d+)?[百千万亿]*|{_NUMERAL}{{2,}}|[二两三四五六七八九十])"
_UNIT_ZH = (
    "个工作日|工作日|个自然日|个月|周岁|小时|分钟|平方米|立方米|平方公里|公里|千米|厘米|毫米|公斤|千克|公顷|海里"
    "|日|天|年|岁|周|倍|人|名|次|份|级|期|家|米|吨|亩|项|页|字节|位|秒|点"
)
_BODIES = "部门|委员会|法院|检察院|管理局|管理机构|监督局|银行|协会|政府"
_TITLES = "办法|条例|规定|解释|细则|决定|通知|意见|规则|规范|标准|公约|协定|章程|目录|法|表"
# Characters that join words: a body's name does not go over them.
_JOINS = "的或和由经以为应不是在对将及与并按依据受向从被所有者其他"
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_WORDS_EN = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    "|one hundred"
)
_UNIT_EN = (
    "days|day|hours|hour|minutes|minute|seconds|second|weeks|week|months|month|years|year|times|persons|people|copies|characters"
    "|bytes|bits|kB|KB|KiB|MB|MiB|GB|GiB|TB|ms|miles|mile|feet|inches|meters|metres|kilometers|pages|points|basis points|digits"
)
_CAPITAL = r"[A-Z][A-Za-z0-9&'’-]*"
_PATTERNS: dict[str, tuple[tuple[str, str], ...]] = {
    "zh": (
        ("title", r"《[^《》\n]{2,40}》"),
        ("code", r"`[^`\n]{2,30}`"),
        ("date", r"(?<!\d)\d{4}\s?年\s?\d{1,2}\s?月\s?\d{1,2}\s?日"),
        ("date", rf"[一二][〇零○{_NUMERAL[1:-1]}]{{3}}年{_NUMERAL}{{1,3}}月{_NUMERAL}{{1,3}}日"),
        ("month", r"(?<!\d)\d{4}\s?年\s?\d{1,2}\s?月"),
        ("year", r"(?<!\d)(?:19|20)\d\d\s?年"),
        ("percent", rf"{_BEFORE_ZH}(?:百分之{_NUMERAL}+(?:点{_NUMERAL}+)?|\d+(?:\.\d+)?\s?[%％]){_AFTER_ZH}"),
        ("fraction", rf"{_BEFORE_ZH}[二三四五六七八九十]分之{_NUMERAL}{_AFTER_ZH}"),
        ("money", rf"{_BEFORE_ZH}{_AMOUNT_ZH}(?:元|美元|欧元|港元){_AFTER_ZH}"),
        ("quantity", rf"{_BEFORE_ZH}{_AMOUNT_ZH}(?P<unit>{_UNIT_ZH}){_AFTER_ZH}"),
        ("term", r"“[^“”\n，。；、]{2,14}”"),
        (
            "body",
            rf"(?<!中华)(?:国务院|中国|全国|最高人民|县级以上|地方各级|省级|设区的市级)(?:(?![{_JOINS}])[\u4e00-\u9fff]){{0,14}}?"
            rf"(?:{_BODIES})(?![\u4e00-\u9fff]?(?:法|的规定))",
        ),
    ),
    "en": (
        ("date", rf"(?:{_MONTHS})\s+\d{{1,2}},\s+\d{{4}}|(?<!\d)(?:[12]?\d|3[01])\s+(?:{_MONTHS})\s+\d{{4}}"),
        ("date", r"(?<![\d-])\d{4}-\d\d-\d\d(?![\d-])"),
        ("money", r"\$\d(?:[\d,]*\d)?(?:\.\d+)?(?:\s(?:million|billion))?"),
        ("percent", r"(?<![\d.,])\d+(?:\.\d+)?(?:%|\spercent(?![a-z]))"),
        (
            "quantity",
            rf"(?<![\w.,$-])(?:\d(?:[\d,]*\d)?(?:\.\d+)?|{_WORDS_EN})\s(?:(?:business|calendar|consecutive)\s)?"
            rf"(?P<unit>{_UNIT_EN})(?![\w-])",
        ),
        ("year", r"(?<=\bin\s)(?:19|20)\d\d(?![\d-])"),
        ("code", r"`[^`\n]{2,30}`"),
        ("term", r"“[^“”\n,.;]{3,40}”|(?<!\w)\"[^\"\n,.;]{3,40}\"(?!\w)"),
        (
            "name",
            rf"(?<![.!?]\s)(?<![\w'’.-]){_CAPITAL}(?:\s(?:(?:of|for|and|on)\s(?:the\s)?)?{_CAPITAL}){{1,9}}+(?<=[a-z][a-z])"
            r"(?![\w-])",
        ),
    ),
}
_COMPILED = {language: tuple((kind, re.compile(p)) for kind, p in rules) for language, rules in _PATTERNS.items()}
_MARKS = '“”"`《》'
_HEADING = re.compile(r"\s*(?:#{1,6}\s|<!--|\||={3,}|-{3,}|第[一二三四五六七八九十百零\d]+[章节编]\s)")
_BULLET = re.compile(r"\s*(?:[-*+•·]|\d{1,3}[.)、．]|[（(][一二三四五六七八九十\d]{1,3}[)）]|\([a-zA-Z0-9]{1,4}\))\s*")
_LEAD = re.compile(
    r"(?:\*\*)?(?:第[零〇一二两三四五六七八九十百千\d]+条(?:之[一二三四五六七八九十])?|[一二三四五六七八九十]{1,3}、|§\s?[\d.]+)(?:\*\*)?[\s\u3000]*"
)
# A full stop before a small letter is that of an abbreviation.
_TERMINAL = re.compile(r"[。！？]|[.!?](?=\s+[^a-z\s]|\s*$|[\"”')])")
_ABBREVIATION = re.compile(
    r"(?:\b[A-Z]|\b(?:e\.g|i\.e|etc|vs|cf|No|Nos|Mr|Mrs|Dr|St|Inc|Corp|Co|Ltd|U\.S|U\.S\.C|pt|sec|al|ch|p|pp))\.$"
)


def sentences(text: str) -> Iterator[Span]:
    """The sentences of running text, in order: each ends with a mark that ends sentences."""
    for block in _blocks(text):
        start = block.start
        for mark in _TERMINAL.finditer(text, block.start, block.end):
            if mark[0] == "." and _ABBREVIATION.search(text, max(block.start, mark.end() - 8), mark.end()):
                continue
            end = mark.end()
            while end < block.end and text[end] in "”\"')）":
                end += 1
            if end < start:
                continue
            begin = start + (len(text[start:end]) - len(text[start:end].lstrip()))
            lead = _LEAD.match(text, begin, end)
            begin = lead.end() if lead else begin
            if begin < mark.start():
                yield Span(begin, end)
            start = end


def values(text: str, span: Span, language: str) -> list[Value]:
    """The values in a sentence, in order; where two readings overlap, the first of the list of types is it."""
    found: list[Value] = []
    for kind, pattern in _COMPILED["zh" if language == "zh" else "en"]:
        for match in pattern.finditer(text, span.start, span.end):
            start, end = match.start(), match.end()
            if any(start < other.end and other.start < end for other in found):
                continue
            # A capital at the beginning of a sentence is no sign of a name.
            if kind == "name" and (start == span.start or match[0].split()[0] in _NO_NAMES):
                continue
            if text[start] in _MARKS and kind != "title":
                start, end = start + 1, end - 1
            written = text[start:end]
            if kind == "quantity" and _COUNTED.match(written):
                continue
            of = ":".join(
                filter(None, (kind, _class_of(kind, written, match.groupdict().get("unit")), _style(kind, written)))
            )
            found.append(Value(start, end, written, of, _key(written, kind)))
    return sorted(found)


_NO_NAMES = frozenset(
    "This That The These Act Other Such Any Each All No Section Appendix Part Form Model Sample Table Figure Chapter".split()
)
_COUNTED = re.compile(r"(?:一|1)(?![\d.,一二三四五六七八九十百千万])")
_ONES = {
    word: str(number)
    for number, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2)
}
_TENS = {
    word: str(number)
    for word, number in zip(
        "fifteen twenty thirty forty fifty sixty seventy eighty ninety".split(), (15, *range(20, 100, 10)), strict=True
    )
}


def folded(text: str) -> str:
    """A text by which two are compared: width, case and blanks do not count."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def _key(written: str, kind: str) -> str:
    if kind in ("quantity", "money", "percent"):
        spelt = re.sub(r"[a-z]+", lambda match: _ONES.get(match[0], _TENS.get(match[0], match[0])), written)
        number = reference_number(spelt.replace("百分之", ""))
        if number is not None:
            return str(number["value"] if kind != "percent" else number["bare"])
    return folded(written)


def _class_of(kind: str, written: str, unit: str | None) -> str:
    """What values of a kind must share so that one may stand in another's place: the unit, the currency, the head of a name."""
    if kind == "quantity" and unit:
        return _SAME_UNIT.get(unit, unit.removesuffix("s") if unit.isascii() else unit)
    if kind == "money":
        return "$" if "$" in written else next((one for one in ("美元", "欧元", "港元") if written.endswith(one)), "元")
    if kind in ("title", "body"):
        bare = re.sub(r"[》）)]+$|[（(][^（()）]*[）)]》?$", "", written)
        head = re.search(rf"(?:{_TITLES if kind == 'title' else _BODIES})$", bare.rstrip("》"))
        return head[0] if head else "other"
    if kind in ("name", "term"):
        last = written.split()[-1].strip(".,;:") if written.split() else ""
        return last[-1:] if "\u3400" <= last[-1:] <= "\u9fff" else last.lower().removesuffix("s")
    if kind == "code":
        return next(shape for shape, pattern in _SHAPES if re.search(pattern, written))
    return ""


_SHAPES = (
    ("flag", r"^-"),
    ("path", r"/"),
    ("constant", r"^[A-Z0-9_]+$"),
    ("dotted", r"^\w+(?:\.\w+)+$"),
    ("phrase", r"\s"),
    ("section", r"^\[.*\]$"),
    ("word", ""),
)
"""How code looks: a step among steps, a flag among flags."""
_SAME_UNIT = {"工作日": "个工作日", "天": "日", "千米": "公里", "千克": "公斤"}


def _style(kind: str, written: str) -> str:
    """How a number is written: an option in digits among some in words would stand out."""
    if kind in ("title", "body", "name", "term", "code"):
        return ""
    if not re.search(r"[0-9]", written):
        return "words"
    return "sign" if re.search(r"[%％]|\d{4}-\d\d", written) else "digits"


def _blocks(text: str) -> Iterator[Span]:
    """Paragraphs and items of lists: lines that belong together."""
    start = end = -1
    fenced = False
    at = 0
    for line in text.splitlines(keepends=True):
        begin, at = at, at + len(line)
        bare = line.strip()
        fence = bare.startswith(("```", "~~~"))
        bullet = _BULLET.match(line)
        breaks = not bare or fence or fenced or bool(_HEADING.match(line)) or bool(bullet)
        if breaks and start >= 0:
            yield Span(start, end)
            start = -1
        fenced ^= fence
        if bullet and not fenced and bare:
            start, end = begin + bullet.end(), at
        elif not breaks:
            start, end = (begin if start < 0 else start), at
            # A line of Chinese that ends its sentence ends its paragraph: what follows is another article or heading.
            if bare[-1] in "。！？；：":
                yield Span(start, end)
                start = -1
    if start >= 0:
        yield Span(start, end)
