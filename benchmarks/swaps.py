"""True sentences about real passages, and the same sentences with one thing exchanged: made by a seed, by rules of their own.

What is exchanged is found without the detector under test: by a Chinese tagger (LAC), by the answers that a data set marks, and
by patterns that are written here. A true sentence is the passage's own, or reworded: numbers in another form, synonyms, another
order of clauses, a frame round it, a question turned into a statement.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

KINDS = ("number", "date", "name", "organisation", "unit", "negation", "role")
_DIGITS = "零一二三四五六七八九"


class Case(NamedTuple):
    """A sentence, the contexts it is held against, what was exchanged ("" for a true one), and from where."""

    text: str
    contexts: tuple[str, ...]
    kind: str
    origin: str
    """`within` the passage, `outside`, or for a true sentence `verbatim`, `reworded`, `stated`."""
    language: str
    corpus: str
    how: str
    """How the true sentence was made."""


def make(shared: Path, each: int, seed: int) -> list[Case]:
    """Cases of all corpora: about `each` true sentences of every corpus, and one exchange of every kind that each allows."""
    draw = random.Random(seed)
    cases: list[Case] = []
    for corpus, language, passages in _corpora(shared, draw):
        pool = _pool(passages, language)
        made = 0
        for place in draw.sample(range(len(passages)), len(passages)):
            passage, stated = passages[place]
            near = [passages[(place + step) % len(passages)][0] for step in (1, 2)]
            contexts = tuple(draw.sample([passage, *near], 3))
            true = _true(passage, stated, language, draw)
            if true is None:
                continue
            base, how = true
            cases.append(Case(base, contexts, "", how, language, corpus, how))
            for kind in KINDS:
                for origin in ("within", "outside"):
                    changed = _exchange(kind, origin, base, passage, pool, language, draw)
                    if changed and changed != base and not any(_bare(changed) in _bare(one) for one in contexts):
                        cases.append(Case(changed, contexts, kind, origin, language, corpus, how))
            made += 1
            if made == each:
                break
    return cases


def _corpora(shared: Path, draw: random.Random) -> Iterator[tuple[str, str, list[tuple[str, list[str]]]]]:
    folder = shared / "corpora"
    laws: list[tuple[str, list[str]]] = []
    for path in sorted((folder / "zh-laws").rglob("*.md")):
        if path.name != "README.md":
            body = path.read_text("utf-8").partition("<!-- INFO END -->")[2]
            articles = [one.strip() for one in re.split(r"\n(?=第[一二三四五六七八九十百零]+条)", body)]
            laws += [(one, []) for one in articles if one.startswith("第") and 40 <= len(one) <= 500]
    at = draw.randrange(max(1, len(laws) - 4000))
    yield "zh-laws", "zh", laws[at : at + 4000]
    read: list[tuple[str, list[str]]] = []
    for name in ("cmrc2018_trial.json", "cmrc2018_dev_part.json"):
        for entry in json.loads((folder / "cmrc2018-zh" / name).read_text("utf-8"))["data"]:
            for one in entry["paragraphs"]:
                said = [_state_zh(q["question"], q["answers"][0]["text"]) for q in one["qas"]]
                read.append((one["context"], [text for text in said if text]))
    yield "cmrc2018-zh", "zh", read
    rules = []
    for line in (folder / "us-bank-regulations" / "paragraphs.jsonl").read_text("utf-8").splitlines():
        text = json.loads(line)["text"]
        if 120 <= len(text) <= 1200:
            rules.append((text, []))
    yield "us-bank-regulations", "en", rules
    points: list[tuple[str, list[str]]] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            text = " ".join([str(node.get("text", "")), *(str(s.get("text", "")) for s in node.get("subpoints", []))])
            if 100 <= len(text) <= 1200:
                points.append((text.strip(), []))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(json.loads((folder / "eu-gdpr" / "gdpr.json").read_text("utf-8")))
    yield "eu-gdpr", "en", points
    tables = []
    for entry in json.loads((folder / "tatqa-en" / "tatqa_dataset_dev.json").read_text("utf-8")):
        rows = "\n".join(" | ".join(cell for cell in row) for row in entry["table"]["table"])
        prose = " ".join(one["text"] for one in entry["paragraphs"])
        said = [_state_en(q) for q in entry["questions"]]
        tables.append((f"{prose}\n{rows}", [text for text in said if text]))
    yield "tatqa-en", "en", tables


def _state_zh(question: str, answer: str) -> str:
    """A question and its answer as a statement; empty where no rule fits."""
    question, answer = question.rstrip("？?。 "), answer.strip("。，； ")
    if not 1 <= len(answer) <= 16:
        return ""
    for pattern in (r"多少[\u4e00-\u9fff]{0,2}(?=$|[，内后前])", r"哪一?[年个位家种座部]\w{0,2}", r"什么(?:名字|时候|地方)?",
                    r"谁", r"哪里|哪儿|何处", r"何时", r"几[年月日个名位]"):  # fmt: skip
        found = list(re.finditer(pattern, question))
        if len(found) == 1:
            return f"{question[: found[0].start()]}{answer}{question[found[0].end() :]}。"
    return ""


def _state_en(asked: dict[str, Any]) -> str:
    if asked["answer_type"] not in ("span", "arithmetic") or asked["answer_type"] == "arithmetic":
        return ""
    answer = asked["answer"][0] if isinstance(asked["answer"], list) and len(asked["answer"]) == 1 else ""
    match = re.fullmatch(r"(?:What|Who|When) (is|was|were|are) (.+?)\?", asked["question"])
    if not match or not answer or len(answer.split()) > 7:
        return ""
    scale = asked["scale"] if asked["scale"] in ("million", "thousand", "billion") else ""
    return f"{match[2].strip()} {match[1]} {answer}{' ' + scale if scale else ''}."


# True sentences -----------------------------------------------------------------------------------------------------------------

_SYNONYMS = {
    "zh": [
        ("应当", ("应该", "必须", "须")), ("不得", ("禁止", "不能", "不可以")), ("可以", ("能够", "可")),
        ("按照", ("依照", "根据")),
        ("以及", ("和", "及")), ("并且", ("而且",)), ("如果", ("若", "假如")), ("但是", ("不过", "可是")), ("由于", ("因为",)),
        ("位于", ("坐落于",)), ("获得", ("取得", "得到")), ("进行", ("开展",)), ("自", ("从",)), ("出生于", ("生于",)),
        ("担任", ("出任",)), ("没有", ("未",)), ("是", ("为",)), ("给予", ("给",)), ("开始", ("起",)), ("主要", ("大多",)),
        ("及时", ("尽快",)), ("规定", ("要求",)), ("提供", ("给出",)), ("发现", ("察觉",)),
    ],
    "en": [
        ("shall not", ("must not", "may not")), ("shall", ("must", "has to")), ("prior to", ("before",)),
        ("in order to", ("to",)),
        ("provide", ("give", "supply")), ("obtain", ("get",)), ("approximately", ("about", "roughly")), ("purchase", ("buy",)),
        ("in accordance with", ("under", "according to")), ("such as", ("for example",)), ("is not", ("isn't",)),
        ("does not", ("doesn't",)), ("cannot", ("can't", "can not")), ("however", ("but",)), ("receive", ("get",)),
        ("require", ("demand",)), ("includes", ("covers",)), ("primarily", ("mainly",)), ("concerning", ("about",)),
        ("pursuant to", ("under",)), ("may not", ("must not", "is not allowed to")), ("percent", ("%",)),
        ("commence", ("begin",)),
    ],
}  # fmt: skip
_FRAMES = {
    "zh": ("根据资料，", "简单来说，", "按照规定，", "资料显示，"),
    "en": ("According to the documents, ", "In short, ", "The text says that ", "Under these rules, "),
}


def _true(passage: str, stated: Sequence[str], language: str, draw: random.Random) -> tuple[str, str] | None:
    if stated and draw.random() < 0.5:
        return draw.choice(list(stated)), "stated"
    ends = r"(?<=[。！？；])" if language == "zh" else r"(?<=[.!?])\s+(?=[A-Z(])"
    whole = [one.strip() for one in re.split(ends, passage) if one]
    limits = (14, 120) if language == "zh" else (50, 320)
    fitting = [one for one in whole if limits[0] <= len(one) <= limits[1] and "|" not in one and "\n" not in one]
    if not fitting:
        return None
    text = draw.choice(fitting)
    if draw.random() < 0.35:
        return text, "verbatim"
    return reword(text, language, draw), "reworded"


def reword(text: str, language: str, draw: random.Random) -> str:
    """The same said otherwise."""
    for word, others in _SYNONYMS[language]:
        if draw.random() < 0.6:
            pattern = word if language == "zh" else rf"\b{word}\b"
            text = re.sub(pattern, lambda _, others=others: draw.choice(others), text, count=1)  # type: ignore[misc]
    if draw.random() < 0.8:
        text = _numbers_otherwise(text, language, draw)
    if language == "zh" and draw.random() < 0.25:
        parts = text.rstrip("。；").split("，")
        if len(parts) >= 3 and len(parts[0]) > 5:
            text = "，".join([*parts[1:], parts[0]]) + "。"
    if draw.random() < 0.3:
        frame = draw.choice(_FRAMES[language])
        text = frame + (text if language == "zh" or text[1:2].isupper() else text[0].lower() + text[1:])
    return text


def _numbers_otherwise(text: str, language: str, draw: random.Random) -> str:
    if language == "zh":
        text = re.sub(
            r"(?<![\d.,])(\d{4})年", lambda m: "".join("〇一二三四五六七八九"[int(d)] for d in m[1]) + "年", text
        )
        text = re.sub(r"(?<![\d.,年])(\d{1,2})(?=[月日天个名人次])", lambda m: _han(int(m[1])), text)
        text = re.sub(
            r"(?<![第之\d零〇一二三四五六七八九十百千万亿])([一二三四五六七八九十百千]{1,7})(万?)(?=[元日])(?!日前)",
            lambda m: _arabic(m[1]) + m[2],
            text,
        )
        return re.sub(r"百分之([一二三四五六七八九十]{1,3})", lambda m: _arabic(m[1]) + "%", text)
    words = "one two three four five six seven eight nine ten".split()
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text) if draw.random() < 0.5 else text
    text = re.sub(
        r"\b(\d{1,2}) (days|months|years)",
        lambda m: f"{words[int(m[1]) - 1]} {m[2]}" if 2 <= int(m[1]) <= 10 else m[0],
        text,
    )
    text = re.sub(
        r"\b(two|three|four|five|six|seven|eight|nine|ten) (\w+)", lambda m: f"{words.index(m[1]) + 1} {m[2]}", text
    )
    return re.sub(r"\b([A-Z][a-z]{2,8}) (\d{1,2}), (\d{4})", lambda m: f"{m[2]} {m[1]} {m[3]}", text)


def _han(value: int) -> str:
    if value < 10:
        return _DIGITS[value]
    tens, ones = divmod(value, 10)
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def _arabic(text: str) -> str:
    total, digit = 0, 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS.index(char)
        else:
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[char]
            digit = 0
    return str(total + digit)


# Exchanges ----------------------------------------------------------------------------------------------------------------------

_NUMBERS = {
    "zh": re.compile(
        r"(?<![\d.第])(?:\d+(?:,\d{3})*(?:\.\d+)?|[一二三四五六七八九十百千万]{1,6})"
        r"(?=万?[元名人个次家户辆条款倍米公%％]|万|亿|个)"
    ),
    "en": re.compile(r"(?<![\w.,§-])\$? ?\d+(?:,\d{3})*(?:\.\d+)?(?![\w,-]|\.\d)(?= ?(?:%|percent|million|billion|\w))|"
                     r"\b(?:two|three|four|five|six|seven|eight|ten|twelve|thirty|sixty|ninety)\b(?= \w)"),
}  # fmt: skip
_DATES = {
    "zh": re.compile(
        r"(?:\d{4}|[〇零一二三四五六七八九]{4})年(?:\d{1,2}月(?:\d{1,2}日)?)?|\d{1,2}月\d{1,2}日|"
        r"[一二三四五六七八九十]{1,3}月[一二三四五六七八九十]{1,3}日"
    ),
    "en": re.compile(
        r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{1,2}(?:, \d{4})?"
        r"|\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December)(?: \d{4})?"
        r"|(?<=\bin )(?:19|20)\d{2}\b|\b(?:fiscal|year) (?:19|20)\d{2}\b"
    ),
}
_UNITS = {
    "zh": [("个月", ("天", "年")), ("万元", ("亿元", "元")), ("美元", ("元", "欧元")), ("元", ("美元", "万元")),
           ("日", ("个月", "年")),
           ("天", ("小时", "个月")), ("年", ("个月", "日")), ("小时", ("分钟", "天")), ("分钟", ("秒", "小时")),
           ("公里", ("米", "英里")),
           ("平方公里", ("亩", "平方米")), ("米", ("公里", "厘米")), ("%", ("倍", "‰")), ("公斤", ("吨", "克")),
           ("吨", ("公斤",)), ("倍", ("%",))],
    "en": [("days", ("months", "hours")), ("months", ("days", "years")), ("years", ("months", "days")),
           ("hours", ("days", "minutes")),
           ("million", ("billion", "thousand")), ("billion", ("million",)), ("thousand", ("million",)),
           ("percent", ("basis points",)),
           ("%", (" basis points",)), ("year", ("month",)), ("month", ("week",)), ("day", ("hour",)), ("dollars", ("euros",))],
}  # fmt: skip
_NO_DATE = (
    r"(?<![\d〇一二三四五六七八九]{3})(?<![月年]\d)(?<![月年]\d\d)(?<![月年][一二三四五六七八九十])"
    r"(?<![月年]十[一二三四五六七八九])(?<=[\d一二三四五六七八九十])"
)
_ORGANISATION_EN = re.compile(
    r"\b(?:[A-Z][a-z]+ (?:of |for |on |and "
    r")?){0,4}(?:Bureau|Commission|Board|Agency|Authority|Parliament|Council|Union|Department|"
    r"Committee|Bank|Corporation|Company|Inc|Group|Court|Administration|Ministry|Association|Member State|FASB|SEC|IRS|"
    r"HUD|CFPB|FDIC)\b"
)
_NAME_EN = re.compile(r"(?<=[a-z,] )(?:[A-Z][a-z]{2,}|[A-Z]{2,5})(?: [A-Z][a-z]{2,}){0,2}\b(?! (?:\d|Act))")
_ORGANISATION_ZH = re.compile(
    r"(?:国务院|中国|省级|县级|市级|人民|地方|上级|有关)?(?:[\u4e00-\u9fff]{2,8}?)(?:主管部门|监督管理机构|管理部门|"
    r"委员会|人民政府|人民法院|人民检察院|公安机关|银行|交易所|公司)"
)
_ROLE_ZH = (
    "保险人 投保人 被保险人 受益人 债权人 债务人 委托人 受托人 代理人 贷款人 借款人 出租人 承租人 买受人 出卖人 "
    "用人单位 劳动者 消费者 "
    "经营者 申请人 当事人 投资者 发行人 证券公司 银行 客户 主管部门 人民政府 人民法院 人民检察院 公安机关 公司 股东 "
    "董事会 监事会 承运人 托运人"
).split()
_ROLE_EN = (
    "creditor consumer controller processor bank applicant cardholder issuer lender borrower institution customer "
    "servicer seller "
    "buyer lessee lessor employer employee recipient sender Commission Board Bureau Company registrant debtor agent principal"
).split()
_NEGATE = {
    "zh": [("不得", "可以"), ("不能", "能"), ("不应", "应"), ("没有", "有"), ("无权", "有权"), ("未经", "经"),
           ("不予", "予以"), ("应当", "不得"),
           ("可以", "不得"), ("必须", "不必"), ("能够", "不能"), ("禁止", "允许"), ("有权", "无权"), ("不是", "是"),
           ("是", "不是"), ("曾", "从未"),
           ("被", "未被"), ("获得", "未获得"), ("位于", "不位于"),
           ("属于", "不属于"), ("负责", "不负责"), ("适用", "不适用")],
    "en": [(" shall not ", " shall "), (" may not ", " may "), (" is not ", " is "), (" are not ", " are "),
           (" does not ", " does "),
           (" do not ", " do "), (" did not ", " did "), (" without ", " with "), (" cannot ", " can "),
           (" shall ", " shall not "),
           (" must ", " must not "), (" may ", " may not "), (" is ", " is not "), (" are ", " are not "),
           (" was ", " was not "),
           (" were ", " were not "), (" will ", " will not "), (" has ", " has not "), (" have ", " have not "),
           (" can ", " cannot ")],
}  # fmt: skip
Pool = dict[str, list[str]]


def _exchange(
    kind: str, origin: str, text: str, passage: str, pool: Pool, language: str, draw: random.Random
) -> str | None:
    finders: dict[str, Callable[[str], list[tuple[int, int]]]] = {
        "number": lambda t: [s for s in _spans(_NUMBERS[language], t) if not _in_date(t, s, language)],
        "date": lambda t: _spans(_DATES[language], t),
        "name": lambda t: names(t, language, "name"),
        "organisation": lambda t: names(t, language, "organisation"),
    }
    if kind in finders:
        spans = finders[kind](text)
        if not spans:
            return None
        start, end = draw.choice(spans)
        old = text[start:end]
        source = [passage[a:b] for a, b in finders[kind](passage)] if origin == "within" else pool[kind]
        others = sorted({one for one in source if not _alike(one, old, text if origin == "within" else passage)})
        if kind == "date":
            others = [one for one in others if _shape(one) == _shape(old)]
        if kind == "number" and origin == "outside":
            others = [_other_number(old, draw)]
        if not others:
            return None
        return text[:start] + draw.choice(others) + text[end:]
    if origin == "within" and kind != "role":
        return None
    if kind == "unit":
        number = (
            r"(?<=[\d一二三四五六七八九十百千万])"
            if language == "zh"
            else r"(?<=[\d%] )|(?<=\d)|(?<=\b(?:two|ten|six) )|(?<=three )"
        )
        found = []
        for unit, others in _UNITS[language]:
            tail = r"(?![期末初底月前代度美])" if language == "zh" else r"(?!\w)"
            place = _NO_DATE if language == "zh" and unit in ("年", "日", "月") else number
            spans = [m.span() for m in re.finditer(f"(?:{place}){re.escape(unit)}{tail}", text)]
            found += [(span, draw.choice(others)) for span in spans if not _in_date(text, span, language)]
        if not found:
            return None
        (start, end), other = draw.choice(found)
        return text[:start] + other + text[end:]
    if kind == "negation":
        fitting = [
            (was, now) for was, now in _NEGATE[language] if was in text and not (now.strip() in text and was in now)
        ]
        if not fitting:
            return None
        was, now = fitting[0] if draw.random() < 0.5 else draw.choice(fitting)
        changed = text.replace(was, now, 1)
        return None if re.search(r"不得不|不不|不未|\bnot not\b|\bnot no\b|\bno .{0,9}not ", changed) else changed
    if origin == "outside":
        return None
    words = _ROLE_ZH if language == "zh" else _ROLE_EN
    present = [w for w in words if text.count(w) == 1 and not any(w in o and w != o and o in text for o in words)]
    spans = [(text.find(w), text.find(w) + len(w)) for w in present]
    spans += [s for k in ("name", "organisation") for s in names(text, language, k)]
    spans = sorted(set(spans))
    pairs = [
        (a, b)
        for a in spans
        for b in spans
        if a[1] < b[0] and text[a[0] : a[1]] != text[b[0] : b[1]] and _verb_between(text[a[1] : b[0]], language)
    ]
    if not pairs:
        return None
    a, b = draw.choice(pairs)
    return text[: a[0]] + text[b[0] : b[1]] + text[a[1] : b[0]] + text[a[0] : a[1]] + text[b[1] :]


def _spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    return [m.span() for m in pattern.finditer(text) if m[0].strip()]


def _in_date(text: str, span: tuple[int, int], language: str) -> bool:
    return any(a < span[1] and span[0] < b for a, b in _spans(_DATES[language], text))


def _alike(one: str, old: str, text: str) -> bool:
    return one == old or one in old or old in one or one in text or _bare(one) == _bare(old)


def _shape(date: str) -> str:
    """Which parts a date has: a day of one is no exchange for a year of another."""
    return re.sub(
        r"[A-Z][a-z]+", "M", re.sub(r"[\d〇零一二三四五六七八九十]+", lambda m: "y" if len(m[0]) == 4 else "d", date)
    )


def _bare(text: str) -> str:
    words = "zero one two three four five six seven eight nine ten".split()
    text = text.casefold().strip().replace("〇", "零")
    text = "".join(str(_DIGITS.index(c)) if c in _DIGITS else c for c in text)
    return str(words.index(text)) if text in words else re.sub(r"[\W_]", "", text)


def _verb_between(text: str, language: str) -> bool:
    """Whether more than a conjunction or a possessive stands between two names, in one clause."""
    if language == "zh":
        return (
            2 <= len(text) <= 24
            and not re.search(r"[，。；、：]", text)
            and not re.fullmatch(r".{0,2}[和与或及的]+.{0,2}", text)
        )
    return (
        bool(re.search(r"[a-z]{3,}", text))
        and len(text) <= 80
        and not re.search(r"[,;.:]| (?:and|or) ?$|^ (?:and|or) ", text)
    )


def _other_number(old: str, draw: random.Random) -> str:
    digits = [place for place, char in enumerate(old) if char.isdigit()]
    if digits:
        place = draw.choice(digits)
        least = 1 if place == digits[0] else 0
        return old[:place] + draw.choice([str(d) for d in range(least, 10) if str(d) != old[place]]) + old[place + 1 :]
    han = [place for place, char in enumerate(old) if char in _DIGITS]
    if han:
        place = draw.choice(han)
        return old[:place] + draw.choice([d for d in _DIGITS[2:] if d != old[place]]) + old[place + 1 :]
    if old.isascii():
        return draw.choice([w for w in ("two", "three", "five", "nine", "fifteen", "forty") if w != old])
    return old + "五" if old.endswith("十") else "三" + old


def _pool(passages: Sequence[tuple[str, list[str]]], language: str) -> Pool:
    sample = [text for text, _ in passages[:: max(1, len(passages) // 250)]]
    found: Pool = {"number": [], "date": [], "name": [], "organisation": []}
    for text in sample:
        found["number"] += [text[a:b] for a, b in _spans(_NUMBERS[language], text)]
        found["date"] += [text[a:b] for a, b in _spans(_DATES[language], text)]
        for kind in ("name", "organisation"):
            found[kind] += [text[a:b] for a, b in names(text[:300], language, kind)]
    return found


_TAGGED: dict[str, list[tuple[int, int, str]]] = {}


def names(text: str, language: str, kind: str) -> list[tuple[int, int]]:
    """Names of people and places, or of organisations: by LAC in Chinese, by capitals in English."""
    if language == "en":
        organisations = [m.span() for m in _ORGANISATION_EN.finditer(text)]
        if kind == "organisation":
            return organisations
        spans = [m.span() for m in _NAME_EN.finditer(text)]
        return [s for s in spans if not any(a < s[1] and s[0] < b for a, b in organisations)]
    if text not in _TAGGED:
        from septet.detect.names import _tagger

        spans, at = [], 0
        for piece in re.findall(r"[^。！？；]+[。！？；]?", text):
            for word, tag in _tagger().run(piece[:200]):
                start = text.find(word, at)
                if start >= 0:
                    at = start + len(word)
                    spans.append((start, at, tag))
        _TAGGED[text] = spans
    wanted = ("PER", "LOC") if kind == "name" else ("ORG",)
    spans = [(a, b) for a, b, tag in _TAGGED[text] if tag in wanted and b - a >= 2 and "\n" not in text[a:b]]
    if kind == "organisation":
        spans += [
            m.span()
            for m in _ORGANISATION_ZH.finditer(text)
            if not any(a < m.end() and m.start() < b for a, b in spans)
        ]
    return spans
