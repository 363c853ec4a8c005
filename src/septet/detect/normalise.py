"""The views of a text that detectors look at, each with its way back to the original offsets.

`normalise` undoes what hides a word from a program but not from a reader: width, case, invisible and combining characters,
look-alike letters, stylised letters and digits, traditional characters, character references. `compact` also drops what
stands between the characters. Views are made for looking only: nothing here changes the text that is stored or shown.

The table follows Unicode NFKC (UAX 15) and the character names of the Unicode database, so that styles nobody listed here
fold too. NFKC is applied to single characters; sequences that compose (Hangul jamo, kana marks) stay as they are.
Traditional characters fold through OpenCC where it is installed; without it only those of `TRADITIONAL`.
"""

import functools
import html
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from importlib.util import find_spec

Offsets = tuple[Sequence[int], Sequence[int]]

# The look-alikes that no Unicode property reveals: Cyrillic, Greek, Armenian and Cherokee letters read as Latin ones.
LOOKALIKES = dict(
    zip(
        "аеорсухіјѕԁԛԝһӏвнкмтгзъьпиѵꙅԍүАЕОРСУХІЈЅВНКМТҮΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεηικνορτυχωϲϳօսոհցզᎪᏴᏟᎠᎬᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᏃ",
        "aeopcyxijsdqwhlbhkmtr3bbnuvsgyAEOPCYXIJSBHKMTYABEZHIKMNOPTYXaenikvoptuxwcjounhgqABCDEHJKLMPRSTVZ",
        strict=True,
    )
)
PUNCTUATION = {
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‘’‚‛‹›′`´", "'"),
    **dict.fromkeys("–—―‐‑‒−⁃", "-"),
    **dict.fromkeys("・•∙⋅‧", "·"),
}
# A reduction for installations without OpenCC: the traditional forms of the characters that the default policy,
# the attack rules and the PII cues use most.
TRADITIONAL = dict(
    zip(
        "國會發現電話證號碼銀卡賬帳戶貸款額請問麼這個們來說對時間關於與無過還進開後從當應該讓給為學習網絡機構員業務經"
        "辦處報導環境資訊數據庫檔案製作爆炸彈藥槍殺傷販賣詐騙偽造錢幣賭場絕種族視頻圖軟體系統設定規則忽視執行輸內容"
        "條歷審覈覆複雜單據轉賬兌換買購聯繫繳費稅險護駕駛車輛產權屬區縣鎮鄉街邨樓層門東馬劉陳楊黃趙吳孫許鄧馮葉蔣鄭"
        "謝韓蘇盧譚陸嚴龍萬錢湯賀賴龔齊喬顧寧簡顏華張",
        "国会发现电话证号码银卡账账户贷款额请问么这个们来说对时间关于与无过还进开后从当应该让给为学习网络机构员业务经"
        "办处报导环境资讯数据库档案制作爆炸弹药枪杀伤贩卖诈骗伪造钱币赌场绝种族视频图软体系统设定规则忽视执行输内容"
        "条历审核覆复杂单据转账兑换买购联系缴费税险护驾驶车辆产权属区县镇乡街村楼层门东马刘陈杨黄赵吴孙许邓冯叶蒋郑"
        "谢韩苏卢谭陆严龙万钱汤贺赖龚齐乔顾宁简颜华张",
        strict=True,
    )
)
_NAMED_LETTER = re.compile(
    r"(?:LATIN|INDICATOR SYMBOL|SQUARED|CIRCLED|TORTOISE).*?LETTER (?:SMALL CAPITAL |TURNED |"
    r"REVERSED |OPEN |SCRIPT |DOTLESS |INVERTED )*"
    r"([A-Z])(?: WITH .*)?$"
)
_INVISIBLE = {0x115F, 0x1160, 0x3164, 0xFFA0, 0x17B4, 0x17B5}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REFERENCE = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,31});|(?:%[0-9a-fA-F]{2})+|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}"
)


class Normalised:
    """A view of a text. `origin(start, end)` leads a piece of the view back to the original text.

    The offset map is made on first use: most texts have no finding, and then nobody asks for it.
    """

    __slots__ = ("_make", "_offsets", "_parent", "text")

    def __init__(self, text: str, parent: "Normalised | None" = None, make: Callable[[], Offsets] | None = None):
        self.text = text
        self._parent = parent
        self._make = make
        self._offsets: Offsets | None = None

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in the original text of a non-empty piece of this view."""
        if self._make is not None:
            if self._offsets is None:
                self._offsets = self._make()
            starts, ends = self._offsets
            start, end = starts[start], ends[end - 1]
        return self._parent.origin(start, end) if self._parent is not None else (start, end)

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """For each character of the view, the piece of the original text that it came from."""
        return [self.origin(i, i + 1) for i in range(len(self.text))]


class _Table(dict[int, str | None]):
    """A translation table that works out each character when it is first met: nothing to build at import."""

    def __init__(self, fold_case: bool, simplify: Callable[[str], str]):
        super().__init__()
        self._fold_case = fold_case
        self._simplify = simplify

    def __missing__(self, code: int) -> str | None:
        folded = _fold(chr(code), self._simplify)
        if folded is not None and self._fold_case:
            folded = folded.lower()
            folded = "".join(LOOKALIKES.get(c, c) for c in folded)
        self[code] = folded
        return folded


def _fold(char: str, simplify: Callable[[str], str]) -> str | None:
    if "\u4e00" <= char <= "\u9fff":  # most of a Chinese text, and none of the cases below
        return simplify(char)
    category, code = unicodedata.category(char), ord(char)
    if code < 0x80 and (category != "Cc" or char in "\t\n\r"):
        return char
    if category in ("Cf", "Cc") or code in _INVISIBLE or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
        return None
    if char in LOOKALIKES:
        return LOOKALIKES[char]
    if char in PUNCTUATION:
        return PUNCTUATION[char]
    if category == "Zs":
        return " "
    name = unicodedata.name(char, "")
    if category in ("Mn", "Me"):
        return None if name.startswith("COMBINING") and "KATAKANA" not in name else char
    digit = unicodedata.digit(char, None) if category[0] == "N" else None
    if digit is not None:
        return str(digit)
    if category[0] in "LS" and (letter := _NAMED_LETTER.search(name)):
        return letter[1].lower() if "SMALL LETTER" in name else letter[1]
    plain = unicodedata.normalize("NFKC", char)
    if plain != char:
        return "".join(_fold(c, simplify) or "" for c in plain)
    if category == "Lo" and code >= 0x3400:
        return simplify(char)
    if category in ("Ll", "Lu"):
        base = unicodedata.normalize("NFD", char)[0]
        return LOOKALIKES.get(base, base)
    return char


@functools.cache
def _table(fold_case: bool) -> _Table:
    if find_spec("opencc") is None:
        return _Table(fold_case, lambda char: TRADITIONAL.get(char, char))
    import opencc

    convert = opencc.OpenCC("t2s").convert

    def simplify(char: str) -> str:
        simple = convert(char)
        return simple if len(simple) == 1 else char

    return _Table(fold_case, simplify)


def folding(fold_case: bool) -> Callable[[str], str | None]:
    """What a single character becomes: None where it disappears, at times several characters."""
    table = _table(fold_case)
    return lambda char: table[ord(char)]


def normalise(text: str, fold_case: bool = True) -> Normalised:
    """The text as a reader sees it, in plain letters and digits. `fold_case=False` keeps capitals (for codes and names)."""
    whole = Normalised(text)
    if "&" in text or "%" in text or "\\" in text:
        whole = _dereferenced(whole)
    text = whole.text
    if text.isascii() and not _CONTROL.search(text):
        return Normalised(text.lower(), whole) if fold_case else whole
    table = _table(fold_case)
    folded = text.translate(table)
    if folded == text:
        return whole
    return Normalised(folded, whole, lambda: _folded_to_offsets(text, table))


def without(view: Normalised, dropped: Collection[int]) -> Normalised:
    """The view without the characters at these places."""
    if not dropped:
        return view
    kept = [i for i in range(len(view.text)) if i not in dropped]
    return Normalised("".join([view.text[i] for i in kept]), view, lambda: (kept, [i + 1 for i in kept]))


def compact(view: Normalised) -> Normalised:
    """The letters and digits of a view alone, without what separates them."""
    return without(view, {i for i, c in enumerate(view.text) if not c.isalnum()})


def same_length(view: Normalised, text: str) -> Normalised:
    """A view whose characters stand one for one for those of `view`."""
    return Normalised(text, view)


def substitute(
    view: Normalised, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str | None]
) -> Normalised:
    """A view with each match replaced. Every character of a replacement leads back to the whole match; None keeps it."""
    pieces: list[tuple[int, int, str]] = []
    for match in pattern.finditer(view.text):
        new = replace(match)
        if new is not None and match.end() > match.start():
            pieces.append((match.start(), match.end(), new))
    if not pieces:
        return view
    out: list[str] = []
    at = 0
    for start, end, new in pieces:
        out += (view.text[at:start], new)
        at = end
    out.append(view.text[at:])
    return Normalised("".join(out), view, lambda: _pieces_to_offsets(pieces, len(view.text)))


def _dereferenced(view: Normalised) -> Normalised:
    once = substitute(view, _REFERENCE, _reference)
    return once if once is view else substitute(once, _REFERENCE, _reference)  # %2541 is a reference inside a reference


def _reference(match: re.Match[str]) -> str | None:
    raw = match[0]
    if raw[0] == "&":
        char = html.unescape(raw)
        return char if char != raw else None
    if raw[0] == "%":
        try:
            return bytes.fromhex(raw.replace("%", "")).decode("utf-8")
        except UnicodeDecodeError:
            return None
    code = int(raw[2:], 16)
    return chr(code) if not 0xD800 <= code <= 0xDFFF else None


def _pieces_to_offsets(pieces: Sequence[tuple[int, int, str]], size: int) -> Offsets:
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for start, end, new in pieces:
        starts += range(at, start)
        ends += range(at + 1, start + 1)
        starts += [start] * len(new)
        ends += [end] * len(new)
        at = end
    starts += range(at, size)
    ends += range(at + 1, size + 1)
    return starts, ends


def _folded_to_offsets(text: str, table: _Table) -> Offsets:
    # A text has many characters and few different ones.
    lengths = {char: len(table[ord(char)] or "") for char in set(text)}
    if all(length == 1 for length in lengths.values()):
        return range(len(text)), range(1, len(text) + 1)
    starts = [i for i, n in enumerate(map(lengths.__getitem__, text)) for _ in range(n)]
    return starts, [i + 1 for i in starts]
