"""The tokens of a text as grounding compares them: words, Chinese characters and numbers, each number in one form.

2,000 = 2000 = 二千 = 2千; 百分之五十 = 50%; March 5 = 3月5日; thirty days = 30 days. Marks part clauses and are no tokens.
"""

import re
from typing import NamedTuple

from septet.detect.normalise import Normalised, normalise

HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_MONTHS = {m: i + 1 for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DATE = re.compile(
    rf"(?P<md>(?<![a-z]){_MONTH}) ?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)|"
    rf"(?<![\d.])(?P<d2>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<dm>{_MONTH})|(?P<my>(?<![a-z]){_MONTH}),? (?=\d{{4}})",
    re.I,
)
_SMALL = {
    word: value
    for value, word in enumerate(
        (
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
            "eighteen nineteen"
        ).split()
    )
} | {
    word: 10 * (place + 2) for place, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())
}
_SCALES = {"hundred": 100, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_WORD_NUMBER = re.compile(
    rf"(?<![a-z])(?:(?:{'|'.join(sorted(_SMALL, key=len, reverse=True))}|a(?= (?:hundred|thousand|million|billion)))"
    rf"(?:(?:[ -]|(?<=hundred) and )(?:{'|'.join([*sorted(_SMALL, key=len, reverse=True), *_SCALES])})(?![a-z]))*)(?![a-z])",
    re.I,
)
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_FOLLOWERS = (
    "年月日号天周岁元块角分万亿个人次条款章节项名位家份张笔件套台部页层米克吨升度点时秒倍成折级届期批种类步行列季%‰小"
    "户辆艘架只座所门间场股平公千美英毫厘海里斤亩欧港"
)
_CHINESE = re.compile(
    r"(?P<of>[百千万])分之(?P<part>[零〇一二两三四五六七八九十百千点\d.]+)|"
    r"(?P<han>[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?)"
)
_OF = {"百": ("percent", "%"), "千": ("permille", "‰"), "万": ("per10000", "‱")}
_NO_NUMBERS = frozenset(("千万", "万一", "一一", "万千", "千百", "万万", "三三", "两两"))
_IDIOM = re.compile(r"十分(?![钟之])|一[般个]?[些样定切旦直致起同共并度时面方]|一个个|一层层|三角|四季|万分|一点")
_ARABIC = re.compile(r"(?<![A-Za-z0-9.])\d+(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?")
_SCALE = re.compile(
    r"\s?(?P<han>[十百千万亿]+)|[ -]?(?P<word>hundred|thousand|million|billion|trillion)s?(?![a-z])", re.I
)
_LETTER = rf"(?![{HAN}])[^\W_]"
_PIECE = re.compile(rf"[{HAN}%‰]|(?!\d){_LETTER}(?:{_LETTER}|'(?=(?!\d){_LETTER}))*")
_MAY_COUNT = re.compile(
    r"\d|[零〇一二两三四五六七八九十百千万亿]|(?<![a-z])(?:"
    + "|".join([*_SMALL, "a (?:hundred|thousand|million|billion)"])
    + ")(?![a-z])",
    re.I,
)
_NEGATED = re.compile(r"^(ca|wo|sha)n't$|^([a-z]{2,6})n't$|^(can)not$")
_WHOLE = {"ca": "can", "wo": "will", "sha": "shall"}
_CLAUSE = re.compile(r"[,，;；:：。！？!?\n|]|\.(?=\s|$)|[()（）]")
_DROPPED = frozenset(("the", "a", "an", "的", "了"))

UNITS: dict[str, str] = {}
"""What is counted or measured, by its writings."""
for _name, _writings in {
    "workday": "工作日|个工作日|business day|business days|working day|working days|banking day|banking days",
    "day": "日|天|day|days|calendar day|calendar days|consecutive calendar days",
    "week": "周|星期|个星期|week|weeks",
    "month": "月|个月|month|months|calendar month|calendar months",
    "quarter": "季度|个季度|quarter|quarters",
    "year": "年|周年|个年度|year|years|calendar year|calendar years",
    "hour": "小时|个小时|hour|hours",
    "minute": "分钟|minute|minutes",
    "second": "秒|秒钟|second|seconds",
    "yuan": "元|人民币|元人民币|块钱|yuan|rmb|cny",
    "dollar": "美元|dollar|dollars|usd|us dollars",
    "euro": "欧元|euro|euros|eur",
    "pound": "英镑|gbp|pounds sterling",
    "yen": "日元|yen|jpy",
    "hkd": "港元|港币|hkd",
    "cent": "分钱|美分|cent|cents",
    "percent": "%|percent|per cent",
    "point": "个百分点|百分点|percentage point|percentage points",
    "basis": "个基点|基点|basis point|basis points|bps",
    "permille": "‰",
    "per10000": "‱",
    "times": "倍|times|x",
    "metre": "米|公尺|m|metre|metres|meter|meters",
    "kilometre": "公里|千米|km|kilometre|kilometres|kilometer|kilometers",
    "centimetre": "厘米|公分|cm|centimetres|centimeters",
    "millimetre": "毫米|mm",
    "mile": "英里|mile|miles",
    "foot": "英尺|foot|feet|ft",
    "inch": "英寸|inch|inches",
    "nautical": "海里",
    "area_km": "平方公里|平方千米|km2|square kilometres|square kilometers",
    "area_m": "平方米|平米|square metres|square meters",
    "acre": "英亩|acre|acres",
    "mu": "亩",
    "hectare": "公顷|hectare|hectares",
    "gram": "克|g|gram|grams",
    "kilogram": "千克|公斤|kg|kilogram|kilograms",
    "tonne": "吨|公吨|tonne|tonnes|ton|tons",
    "jin": "斤",
    "pound_weight": "磅|lb|lbs",
    "litre": "升|公升|litre|litres|liter|liters",
    "degree": "度|摄氏度|°c|degrees",
    "byte": "字节|byte|bytes",
    "kb": "kb|kib",
    "mb": "mb|mib|兆",
    "gb": "gb|gib",
    "bit": "比特|bit|bits",
    "article": "条",
    "chapter": "章",
    "section": "节",
    "paragraph": "款",
    "item": "项",
    "session": "届",
}.items():
    UNITS |= dict.fromkeys(_writings.split("|"), _name)
_UNIT = re.compile(
    "[ -]?(?:"
    + "|".join(
        re.escape(one) + ("(?![a-z0-9])" if one[-1].isascii() and one[-1].isalnum() else "")
        for one in sorted(UNITS, key=len, reverse=True)
    )
    + ")",
    re.I,
)
_MONEY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yuan", "￥": "yuan"}
_CURRENCY = re.compile(r"(?:(?P<sign>[$€£¥￥])|(?P<code>usd|rmb|cny|eur|gbp|hkd|jpy))\s?$", re.I)
_BARE_SCALE = re.compile(
    r"(?<![\d.,] )(?<!\d)(?:in )(millions|thousands|billions)|(?:单位|金额单位)[::]?\s?(?:人民币)?([十百千万亿]+)元",
    re.I,
)
_YEAR = re.compile(r"(?:19|20)\d{2}")
_IN_WORDS = {"millions": 1e6, "thousands": 1e3, "billions": 1e9}


class Number(NamedTuple):
    """A number of a text: its value in one form, the same without its scale word, that scale, its unit or "", its token."""

    value: str
    bare: str
    scale: float
    unit: str
    token: int


class Tokens(NamedTuple):
    """A text cut into tokens: keys in one form, the same without English endings, their places in the view, the clause of each,
    and the numbers among them."""

    view: Normalised
    keys: list[str]
    stems: list[str]
    starts: list[int]
    ends: list[int]
    clauses: list[int]
    numbers: list[Number]


def tokenise(text: str) -> Tokens:
    """The tokens of a text; their places are characters of `view`, which keeps capitals."""
    view = normalise(text, fold_case=False)
    said = view.text
    found: list[tuple[int, int, str]] = []
    numbers: dict[int, Number] = {}
    taken = bytearray(len(said))
    if _MAY_COUNT.search(said):
        for number, start, end in _numbers(said, taken):
            found.append((start, end, f"#{number.value}"))
            numbers[start] = number
            if said[start] in _OF and said[start + 1 : start + 3] == "分之":
                found.append((end, end, _OF[said[start]][1]))
    for match in _PIECE.finditer(said):
        start, end = match.span()
        if taken[start]:
            continue
        word = match[0]
        if end - start == 1:
            found.append((start, end, word.lower()))
            continue
        lowered = word.lower()
        cut = _NEGATED.match(lowered) if lowered[-1] == "t" else None
        if cut is not None:
            verb = cut[1] or cut[2] or cut[3]
            found.append((start, start + len(verb), _WHOLE.get(verb, verb)))
            found.append((start + len(verb), end, "not"))
        else:
            found.append((start, end, lowered.removesuffix("'s")))
    found.sort(key=lambda one: one[0])
    marks = [match.start() for match in _CLAUSE.finditer(said) if not _in_number(said, match.start())]
    keys: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    clauses: list[int] = []
    kept: list[Number] = []
    clause = passed = 0
    for start, end, key in found:
        if passed < len(marks) and marks[passed] < start:
            clause += 1
        while passed < len(marks) and marks[passed] < start:
            passed += 1
        if key in _DROPPED:
            continue
        if start in numbers and key[0] == "#":
            kept.append(numbers[start]._replace(token=len(keys)))
        keys.append(key)
        starts.append(start)
        ends.append(end)
        clauses.append(clause)
    return Tokens(view, keys, [stem(key) for key in keys], starts, ends, clauses, kept)


def stem(word: str) -> str:
    """An English word without its ending; anything else as it is."""
    if len(word) < 4 or not word[0].isalpha():
        return word
    for ending in ("'s", "ing", "ies", "es", "ed", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def scales(said: str) -> set[float]:
    """The scales that a text announces for its bare numbers: `(in millions)`, 单位：万元."""
    found = set()
    for match in _BARE_SCALE.finditer(said):
        if match[1]:
            found.add(_IN_WORDS[match[1].lower()])
        else:
            found.add(float(_scale(match[2])))
    return found


def _in_number(said: str, at: int) -> bool:
    return said[at] in ",:" and said[at - 1 : at].isdigit() and said[at + 1 : at + 2].isdigit()


def _numbers(said: str, taken: bytearray) -> list[tuple[Number, int, int]]:
    found: list[tuple[Number, int, int]] = []

    def add(value: float, start: int, end: int, scale: float = 1.0, unit: str = "", bare: float | None = None) -> None:
        before = _CURRENCY.search(said, max(0, start - 5), start)
        if not unit:
            match = _UNIT.match(said, end)
            unit = UNITS[re.sub(r"^[ -]", "", match[0]).lower()] if match else ""
            if unit == "" and before is None and _YEAR.fullmatch(said, start, end):
                unit = "year"
            if before is not None and unit in ("", "x"):
                unit = _MONEY.get(before["sign"] or "") or UNITS.get((before["code"] or "").lower(), "")
        bare = value / scale if bare is None else bare
        found.append((Number(_canonical(value), _canonical(bare), scale, unit, 0), start, end))
        taken[start:end] = b"\1" * (end - start)

    for match in _DATE.finditer(said):
        month = match["md"] or match["dm"] or match["my"]
        if month.startswith(("may", "mar")) and not match["my"] and not re.match(r",? \d{4}", said[match.end() :]):
            continue
        add(
            _MONTHS[month[:3].lower()],
            *match.span("md" if match["md"] else "dm" if match["dm"] else "my"),
            unit="month",
        )
        if not match["my"]:
            day = "d" if match["md"] else "d2"
            add(float(match[day]), *match.span(day), unit="day")
    for match in _CHINESE.finditer(said):
        if taken[match.start()]:
            continue
        if match["of"]:
            value = _read(match["part"].replace("点", "."))
            if value is not None:
                add(value, match.start(), match.end(), unit=_OF[match["of"]][0])
            continue
        if said[match.start() - 1 : match.start()].isdigit() and match["han"][0] in _UNITS:
            continue
        value = _read(match["han"])
        after = said[match.end() : match.end() + 1]
        if value is not None and (
            (len(match["han"]) > 1 and match["han"] not in _NO_NUMBERS)
            or (
                after and after in _FOLLOWERS and match["han"] not in "万千百" and not _IDIOM.match(said, match.start())
            )
            or said[match.start() - 1 : match.start()] == "第"
        ):
            add(value, match.start(), match.end())
    for match in _ARABIC.finditer(said):
        if taken[match.start()]:
            continue
        start, end = match.span()
        before = said[start - 1 : start]
        if (
            before.isalpha()
            and before.isascii()
            and not re.search(r"(?<![A-Za-z])[A-Za-z]{1,2}$", said[max(0, start - 3) : start])
        ):
            continue
        number = float(match[0].replace(",", ""))
        scale = _SCALE.match(said, end)
        size = 1.0
        if scale is not None:
            size = float(_scale(scale["han"])) if scale["han"] else _SCALES[scale["word"].lower()]
            end = scale.end()
            rest = re.match(r"[零〇]?\d+(?=[千百十]?(?:[^\d.]|$))", said[end:]) if scale["han"] else None
            if rest is not None:
                following = _SCALE.match(said, end + rest.end())
                lower = float(_scale(following["han"])) if following is not None and following["han"] else 1.0
                if lower < size:
                    end += rest.end() + (len(following[0]) if following is not None and lower > 1 else 0)
                    whole = number * size + float(rest[0].lstrip("零〇")) * lower
                    add(whole, start, end, 1.0)
                    continue
        add(number * size, start, end, size)
    for match in _WORD_NUMBER.finditer(said):
        if taken[match.start()]:
            continue
        value, scale_said, bare = _in_english(match[0].lower())
        # "one" is a pronoun more often than a number.
        if match[0].lower() == "one" and _UNIT.match(said, match.end()) is None:
            continue
        add(value, match.start(), match.end(), scale_said, bare=bare)
    return found


def _scale(text: str) -> int:
    size = 1
    for char in text:
        size *= _UNITS[char]
    return size


def _in_english(text: str) -> tuple[float, float, float]:
    """Value, last scale and value without it of a number in words."""
    total = section = 0.0
    last = 1.0
    for word in re.split(r"[ -]", text):
        if word == "and":
            continue
        if word == "a":
            section = 1
        elif word in _SMALL:
            section += _SMALL[word]
        elif word == "hundred":
            section = (section or 1) * 100
        else:
            last = _SCALES[word]
            total, section = total + (section or 1) * last, 0
    value = total + section
    return value, last if section == 0 else 1.0, value / last if section == 0 else value


def _read(text: str) -> float | None:
    """A Chinese numeral: 二〇二五 = 2025, 二十五 = 25, 三万五千 = 35000, 两万五 = 25000, 三点五 = 3.5. None for what is none."""
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text)
    text, _, fraction = text.replace(".", "点").partition("点")
    digits = "".join(str(_DIGITS[c]) for c in fraction if c in _DIGITS)
    part = float(f"0.{digits}") if digits else 0.0
    if all(c in _DIGITS for c in text):
        return float("".join(str(_DIGITS[c]) for c in text)) + part if text else None
    total = section = 0
    digit, last = 0, 1
    for place, char in enumerate(text):
        if char in _DIGITS:
            digit = _DIGITS[char]
            if place == len(text) - 1 and text[place - 1] in _UNITS and last > 10 and char not in "零〇":
                section += digit * last // 10
                digit = 0
        elif char in ("万", "亿"):
            last = _UNITS[char]
            total = (total + section + digit) * last if char == "亿" else total + (section + digit or 1) * last
            section = digit = 0
        elif char in _UNITS:
            last = _UNITS[char]
            section += (digit or 1) * last
            digit = 0
        else:
            return None
    return float(total + section + digit) + part


def _canonical(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def numbers(text: str) -> frozenset[str]:
    """The numbers of a text, each in one form."""
    return frozenset(one.value for one in tokenise(text).numbers)
