"""What is wrong with an item that the item itself shows, before any model answers it. Chinese and English.

Each finding has a weight, the chance that an item with it is bad as an editor would judge it; they were set by hand. The kinds of
fault follow rules for writing items (Haladyna, Downing and Rodriguez, 2002) and what files do to items: options that were cut in
two, a list that got lost, spreadsheets that made dates of ranges.

What such a look reaches against expert labels (1,200 items of MMLU-Redux, 156 bad; 2026-11-29): AUC 0.57 (0.53 to 0.60); 25 items
score 0.25 or more, of which 72 % are bad, and they are 12 % of the bad ones. Rules were mended after looking at false alarms on the
same items, so that a fresh set may give less. A key that is simply wrong does not show: that takes answers (`suspects`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple


class Flaw(NamedTuple):
    """One thing that is wrong with an item."""

    name: str
    reason: str
    weight: float


_END = r"[\s\.。,，;；:：!！?？'\"“”‘’]*$"
_ALL = re.compile(
    r"^(all|none|both|neither|any) (of )?(the |these |those )?(above|these|those|options|answers|choices|statements)( are)?"
    r"( correct| true| apply)?" + _END,
    re.I,
)
_ALL_ZH = re.compile(
    r"^(以上|上述|前述)?(选项|各项|三项|三者|几项|说法|答案)?(全部|全|都|均|皆|全都)(是|对|正确|不是|不对|不正确|错误|包括|有)"
    + _END
)
_LETTERS = re.compile(
    r"^((both|neither|either|only|all of)\s+)?\(?[a-e]\)?\.?((\s*(,|and|or|nor|&|/)\s*)+\(?[a-e]\)?\.?)+"
    r"(\s+(only|above|are correct))?" + _END,
    re.I,
)
_LETTERS_ZH = re.compile(r"^[A-Ea-e]((和|与|及|、|或)[A-Ea-e])+(都|均|皆)?(是|对|正确|不对)?" + _END)
_TRUTH = re.compile(
    r"^(true|false|yes|no|correct|wrong|right|对|错|正确|错误|是|否)([,，;、/ ]+(true|false|对|错|正确|错误))*" + _END,
    re.I,
)
_COUNT = r"\(?(?:[1-9①-⑨]|[ivx]{1,4})\)?"
_COUNTS = re.compile(rf"^(only )?{_COUNT}((\s*[,，、;]\s*|,?\s*(and|&|和|及)\s*){_COUNT})*( only)?\.?$|^[①-⑨]+$", re.I)
_LISTED = re.compile(r"(^|[\s:：。.;；,，|(（])([1-9ivx]{1,4}\s*[.、:：)）])|[①-⑨Ⅰ-Ⅻ]", re.I | re.M)
_DATE = re.compile(r"^\d{1,2}[-/ ](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*$", re.I)
_FIGURE = re.compile(
    r"(?<![a-z])((in|from|see|to|by|using|of)\s+(the\s+)?(figure|fig\.|diagram|picture|photograph)(?![a-z])"
    r"|(figure|diagram|graph|chart|picture|image|table|map)s?\s+(shown|above|below)"
    r"|shown\s+(above|below|in the (figure|diagram|graph|picture))"
    r"|(the|following|this)\s+(passage|excerpt)(?![a-z])|according to the (passage|text|excerpt|article)(?![a-z]))",
    re.I,
)
_FIGURE_ZH = re.compile(
    r"如[上下右左]?图|[上下右左]图|(?<![\u3400-\u9fff])图[中示]|[如见][上下]?表所|[上下]表中|上文中?|(这|该|本|此|上述|下列)(段|篇)?(短文|文章|材料|段落|选段)"
)
_PICTURE = re.compile(r"<img|!\[|\\includegraphics|\bhttps?://", re.I)
_TIMED = re.compile(
    r"(?<![a-z])(currently|nowadays|at present|to date|these days|(is|are) the latest|incumbent|(is|are) the current)(?![a-z])",
    re.I,
)
_TIMED_ZH = re.compile(r"目前|现任|最新的|近年来|如今|今年")
_ORDER = re.compile(
    r"^(find|calculate|compute|determine|choose|select|identify|evaluate|let|given|assume|consider|suppose|name|describe|explain|"
    r"simplify|solve|state|define|estimate|order|rank|fill|complete|use|give|convert|write|match|show|prove|express|factor|round|"
    r"tell|decide|pick|mark|indicate|answer|read|say|translate|add|divide|multiply|subtract)(?![a-z])",
    re.I,
)
_ASKS = re.compile(
    r"\?|？|_|\.{3}|…|[:：]|[（(]\s*[)）]|(?<![a-z])(which|what|who|whom|whose|when|where|why|how|following|statement)(?![a-z])",
    re.I,
)
_DANGLING = re.compile(r"(?<=\s)(and|or|the|an|than|first(\s+\d{1,3})?)$|[,，、(（]$")
_ROUNDED = re.compile(r"round|decimal|significant|digit|保留|小数|有效数字|精确|近似|约等", re.I)
_BROKEN = re.compile("\ufffd|Ã[\u0080-\u00bf©¨¤¶¼]|â€|&(amp|lt|gt|nbsp|quot|#\\d+);|锟斤拷|烫烫")
_NUMBER = re.compile(r"^([^\d+\-.√π]{0,3}?)([+-]?\d[\d,]*\.?\d*(?:\s*/\s*\d+(?:\.\d+)?)?)\s*(%|[^\d]{0,12})$")


def flaws(item: Mapping[str, Any]) -> list[Flaw]:
    """What is wrong with an item in the form of a `Suite` (question, passage, options, label or labels), the gravest first."""
    question, passage = str(item.get("question") or ""), str(item.get("passage") or "")
    options = [str(one) for one in item["options"]] if item.get("options") is not None else None
    label = item.get("label")
    labels = list(item.get("labels") or ([] if label is None else [label]))
    found = list(_of_question(question, passage, options))
    if options is not None:
        found += [
            *_keys(options, labels),
            *_same(options, labels),
            *_values(question, options, labels),
            *_cut(options),
            *_traps(options),
        ]
    return sorted(found, key=lambda one: -one.weight)


def score(found: Sequence[Flaw]) -> float:
    """How likely an item with these flaws is bad, from 0 to 1, as if each were a cause of its own (noisy or; Pearl, 1988)."""
    good = 1.0
    for flaw in found:
        good *= 1 - flaw.weight
    return 1 - good


def _of_question(question: str, passage: str, options: Sequence[str] | None) -> Iterator[Flaw]:
    text = question.strip()
    everything = f"{passage}\n{text}"
    chinese = _chinese(text)
    if not text:
        yield Flaw("empty question", "the question is empty", 0.95)
        return
    if len(text) < (3 if chinese else 8) and not _ASKS.search(text) and options is None:
        yield Flaw("short question", f"the question is '{text}' and no more", 0.25)
    if _BROKEN.search(" ".join([everything, *(options or ())])):
        yield Flaw("broken characters", "its characters were read in a wrong encoding or are left-over markup", 0.35)
    # What stands in quotation marks is spoken about and speaks of nothing itself.
    own = re.sub('“[^”]*”|「[^」]*」|"[^"]*"', "", text)
    figure = _FIGURE.search(own) or _FIGURE_ZH.search(own)
    # A passage, a picture or a long question can hold what is spoken of.
    if figure and not passage and not _PICTURE.search(text) and len(text) < (80 if chinese else 300):
        yield Flaw("missing reference", f"it speaks of '{figure.group().strip()}', which it does not bring", 0.4)
    if text[-1] in "、(（[-":
        yield Flaw("question cut off", f"the question ends in '{text[-12:]}'", 0.25)
    elif _statement(text, chinese) and not (options and all(map(_truth, options))):
        # A case, and sentences about it to choose from, is a form of its own, if not the clearest.
        grave = 0.1 if options and all(re.search(r"[.!?。]$", one.strip()) for one in options) else 0.2
        yield Flaw("nothing asked", "the question is a statement: it does not say what is asked", grave)
    if text.count("(") + text.count("（") != text.count(")") + text.count("）") and not re.search(
        r"(^|\s)[1-9a-eivx]{1,3}\)", text, re.I
    ):
        yield Flaw("open bracket", "a bracket is not closed, or was not opened", 0.1)
    timed = _TIMED.search(text) or _TIMED_ZH.search(text)
    # In a longer text it tells a story: what is so now is so in the story.
    if timed and len(text) < (40 if chinese else 120):
        yield Flaw("bound to a time", f"its answer changes with time: '{timed.group()}'", 0.2)
    if options and _counting(options) and not _LISTED.search(everything):
        yield Flaw("missing list", "its options count statements that it does not list", 0.6)


def _keys(options: Sequence[str], labels: Sequence[int]) -> Iterator[Flaw]:
    if not labels:
        yield Flaw("no key", "no option is marked as right", 0.9)
    elif any(not 0 <= place < len(options) for place in labels):
        yield Flaw("key outside", f"the key {list(labels)} names none of its {len(options)} options", 0.95)
    if len(options) < 2:
        yield Flaw("one option", f"it has {len(options)} options", 0.9)
    for at, option in enumerate(options):
        if not option.strip():
            yield Flaw("empty option", f"option {_letter(at)} is empty", 0.8)


def _same(options: Sequence[str], labels: Sequence[int]) -> Iterator[Flaw]:
    """Options that say the same: letter for letter, or as the same words in another order."""
    plain = [_folded(option) for option in options]
    turned = []
    for a, b in _pairs(options):
        if plain[a] and plain[a] == plain[b]:
            grave = 0.9 if {a, b} & set(labels) else 0.6
            yield Flaw("same options", f"options {_letter(a)} and {_letter(b)} are the same", grave)
        elif _turned(plain[a], plain[b]):
            turned.append(f"{_letter(a)} and {_letter(b)}")
    if turned:
        # Order is often the point ('A before B'): seldom a fault.
        yield Flaw("paraphrased options", f"options {', '.join(turned)} hold the same words", 0.1)


def _values(question: str, options: Sequence[str], labels: Sequence[int]) -> Iterator[Flaw]:
    """Options that are the same number written twice, as 1/2 and 0.5 are; unless the way of writing is what is asked."""
    if _ROUNDED.search(unicodedata.normalize("NFKC", question)):
        return
    values = [_value(option) for option in options]
    for a, b in _pairs(options):
        if values[a] is not None and values[a] == values[b] and _folded(options[a]) != _folded(options[b]):
            grave = 0.7 if {a, b} & set(labels) else 0.3
            yield Flaw("equal values", f"options {_letter(a)} and {_letter(b)} are one number", grave)


def _cut(options: Sequence[str]) -> Iterator[Flaw]:
    """Options that were cut in two, or that a spreadsheet changed."""
    ends = [one.strip() for one in options]
    dates = [one for one in ends if _DATE.match(one)]
    if dates and len(dates) < len(ends):
        yield Flaw("option made a date", f"'{dates[0]}' was a range, it seems, before a spreadsheet read it", 0.6)
    for at, one in enumerate(ends):
        others = [other for place, other in enumerate(ends) if place != at]
        if _DANGLING.search(one) and len(one) > 12 and not any(_DANGLING.search(other) for other in others):
            yield Flaw("option cut off", f"option {_letter(at)} ends in '{one[-14:]}'", 0.45)
        elif (
            re.search(r"[a-z]$", one)
            and len(others) > 1
            and all(re.search(r"[.。]$", other) and len(other) > 25 for other in others)
        ):
            yield Flaw("option cut off", f"option {_letter(at)} alone has no full stop", 0.1)


def _traps(options: Sequence[str]) -> Iterator[Flaw]:
    """Options that stand for others: they break when options are put in another order, and often more than one is right."""
    others = [bool(_ALL.match(one.strip()) or _ALL_ZH.match(one.strip())) for one in options]
    for at, option in enumerate(options):
        text = option.strip()
        if others[at]:
            grave, where = (0.1, "") if all(others[at:]) else (0.35, ", and others follow it")
            yield Flaw("stands for others", f"option {_letter(at)} is '{text}'{where}", grave)
        elif _LETTERS.match(text) or _LETTERS_ZH.match(text):
            yield Flaw(
                "names other options", f"option {_letter(at)} is '{text}': its meaning hangs on their order", 0.12
            )


def _statement(text: str, chinese: bool) -> bool:
    """Whether the text is a whole statement that asks nothing. Chinese stems leave the gap unmarked too often to tell."""
    if chinese or not text.endswith((".", "!")) or _ASKS.search(text):
        return False
    clauses = re.split(r"(?<=[.!,;])\s+", text)
    return not any(_ORDER.match(clause) for clause in clauses) and not _LISTED.search(text)


def _counting(options: Sequence[str]) -> bool:
    """Whether the options count statements, as '1, 3' or '①②' do: small numbers, several in at least two of them, each once."""
    plain = [unicodedata.normalize("NFKC", one).strip() for one in options]
    if len(options) < 3 or not all(
        _COUNTS.match(one.strip()) or _COUNTS.match(text) for one, text in zip(options, plain, strict=True)
    ):
        return False
    parts = [re.findall(r"[1-9]|[ivx]+", text.lower()) for text in plain]
    return sum(len(part) > 1 for part in parts) >= 2 and all(len(set(part)) == len(part) for part in parts)


def _truth(option: str) -> bool:
    return bool(_TRUTH.match(option.strip()))


def _value(option: str) -> tuple[Fraction, str] | None:
    """The number that an option is, with its unit, exactly; None where it is no plain number."""
    text = unicodedata.normalize("NFKC", option).strip().rstrip(".。").replace("−", "-").replace("$", "")
    found = _NUMBER.match(text)
    if not found:
        return None
    before, number, unit = found.groups()
    number = number.replace(",", "").replace(" ", "")
    if re.search(r",\d{1,2}(\D|$)", found.group(2)) or number.endswith("/0"):
        return None
    upper, _, lower = number.partition("/")
    if lower and not float(lower):
        return None
    value = Fraction(upper.rstrip(".")) / Fraction(lower or "1")
    if unit == "%":
        value, unit = value / 100, ""
    return value, f"{before}{unit}".strip().lower()


def _folded(text: str) -> str:
    """Without width, blanks and marks at the end: what a reader takes for the same. Of case only in prose: Bb is not BB."""
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().rstrip(".。;；,， ")
    words = re.findall(r"[^\W\d_]+", plain)
    prose = any(len(word) > 4 for word in words) and all(
        len(word) > 2 and not re.search("[a-z][A-Z]|[A-Z]{2}", word) for word in words
    )
    return plain.casefold() if prose else plain


def _turned(one: str, other: str) -> bool:
    """Whether two options hold the same words in another order. In formulas and lists order and signs say enough."""
    words = _words(one)
    return len(words) > 3 and not re.search(r"[\d+=<>^,;，；、→]", one) and sorted(words) == sorted(_words(other))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+|[\u3400-\u9fff]", text.lower())


def _pairs(options: Sequence[str]) -> Iterator[tuple[int, int]]:
    return ((a, b) for b in range(len(options)) for a in range(b))


def _chinese(text: str) -> bool:
    return len(re.findall(r"[\u3400-\u9fff]", text)) * 3 > len(text)


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else str(place)
