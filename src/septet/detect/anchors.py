"""The tables behind the scan for personal data: what each character is, which words are cues, and which rules belong to which.

A character is worked out when it is first met, by the same folding that `detect.normalise` does, so that the scanner needs
no list of full-width or stylised digits.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from septet.detect import forms, identity, numbers, secrets
from septet.detect.form import Cue, Rule
from septet.detect.normalise import folding
from septet.kernels import scan as scanner
from septet.kernels import symbols as s
from septet.kernels import views as stretches

FIRST_CUE = 40
CUES: tuple[Cue, ...] = (*forms.CUES, *secrets.CUES, *identity.CUES)
_FIRST_ROWS = 256
"""Texts that are scanned at first, and four times as many each time: most characters are new there, and are gone over again."""
_REACH_BACK, _REACH = 28, 72
"""Characters that the rules of a shape may read before and behind its anchor: a cue before it, and the longest number."""


def _rules() -> list[tuple[Rule, ...]]:
    rules: list[tuple[Rule, ...]] = [()] * FIRST_CUE
    for shape, rule in (*forms.SHAPES.items(), *identity.SHAPES.items()):
        rules[shape] = (rule,)
    return rules + [cue.rules for cue in CUES]


RULES = _rules()
_PROVINCES = frozenset("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼")
_STREETS = frozenset("路街巷弄同道村里园苑庄屯段")
_CHINESE_DIGITS = frozenset("零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两十百")
_SPELLED = _CHINESE_DIGITS - frozenset("十百")
_SURNAMES = frozenset(identity.SURNAMES) | {name[0] for name in identity.DOUBLE.split("|")}

_MARKED = _PROVINCES | _STREETS | _CHINESE_DIGITS | _SURNAMES | identity.AMBIGUOUS
"""Characters that are more than a symbol."""


class _Tables:
    """Tables by code point that grow with the characters that are met, and the automaton of cue words."""

    def __init__(self) -> None:
        self.classes = np.full(s.LIMIT, s.UNKNOWN, np.uint32)
        self.plain = np.arange(s.LIMIT, dtype=np.int32)
        self.pool: list[int] = []
        self.pool_from: list[int] = [0]
        self.longest = 1.0  # characters that a byte may become
        self._fold = folding(False)
        self._symbols: dict[str, int] = {}
        words: list[list[int]] = []
        kinds: list[int] = []
        for number, cue in enumerate(CUES):
            for word in dict.fromkeys(self._folded(one) for one in cue.words.split("|")):
                words.append([self._symbol(char) for char in word])
                kinds.append(FIRST_CUE + number)
        go, self.out_from, numbers_, self.out_length = s.automaton(words, 128 + len(self._symbols))
        self.steps = s.laid_out(go, self.out_from)
        self.out_class = np.array(kinds, np.int64)[numbers_]
        self.follow = np.array([0] * FIRST_CUE + [cue.follow for cue in CUES], np.int64)
        self.whole = np.array([0] * FIRST_CUE + [cue.edges for cue in CUES], np.int64)
        self.left = np.array([_REACH_BACK] * FIRST_CUE + [cue.back for cue in CUES], np.int64)
        self.right = np.array([_REACH] * FIRST_CUE + [cue.reach for cue in CUES], np.int64)
        for shape in numbers.KINDS:
            self.left[shape], self.right[shape] = 26, 1
        self.meet(range(128))

    def _folded(self, word: str) -> str:
        return "".join(self._fold(char) or "" for char in word).lower()

    def _symbol(self, char: str) -> int:
        if ord(char) < 127:
            return ord(char)
        return self._symbols.setdefault(char, 128 + len(self._symbols))

    def meet(self, codes: Any) -> None:
        """Work out characters that were not met before."""
        for code in codes:
            char = chr(code)
            plain = self._fold(char)
            if plain is None:
                self.classes[code], self.plain[code] = s.SKIP, stretches.DROPPED
                continue
            if len(plain) != 1:
                self.pool += map(ord, plain)
                self.pool_from.append(len(self.pool))
                self.plain[code] = -len(self.pool_from)
                self.longest = max(self.longest, len(plain) / len(char.encode()))
                self.classes[code] = s.SKIP if not plain else 0
                continue
            self.plain[code] = ord(plain)
            self.classes[code] = self._class(plain, char)

    def _class(self, char: str, raw: str) -> int:
        small = char.lower()
        if char.isascii():
            entry = ord(small)
            if char.isdigit():
                entry |= s.DIGIT | s.LOOK
            elif char.isalpha():
                entry |= s.LETTER | (s.UPPER if char != small else 0)
            elif char in "@:" or (raw in "&%\\" and raw == char):
                entry |= s.LOOK
            return entry
        if char == "·":
            return s.MIDDLE_DOT
        entry = self._symbols.get(small, 0)
        if char not in _MARKED:
            return entry | (s.HAN if "\u3400" <= char <= "\u9fff" else 0)
        for holds, flag in (
            ("\u3400" <= char <= "\u9fff", s.HAN),
            (char in _CHINESE_DIGITS, s.CHINESE_DIGIT),
            (char in _SPELLED, s.LOOK),
            (char in _PROVINCES, s.PROVINCE | s.LOOK),
            (char in _STREETS, s.STREET),
            (char in _SURNAMES, s.SURNAME),
            (char in identity.AMBIGUOUS, s.AMBIGUOUS),
        ):
            entry |= flag if holds else 0
        return entry


@cache
def _tables() -> _Tables:
    return _Tables()


class Views(NamedTuple):
    """Plain text round anchors: the text, the original character of each of its characters, start and end of each stretch, and
    of each anchor its stretch and its place in the text."""

    text: str
    origin: Any
    bounds: Any
    window: Any
    position: Any


def mark(data: Any, offsets: Any) -> tuple[Any, Any]:
    """Anchors of texts, sorted by row and place (int64, n x 6: row, class, start byte, end byte, start character, end
    character or 0), and for each text whether it must be read through a view of its own."""
    tables = _tables()
    slow = np.zeros(max(1, offsets.size - 1), np.uint8)
    room = np.empty((max(1024, int(offsets[-1] - offsets[0]) // 24 + 512), 6), np.int64)
    pending = np.ones(slow.size, np.uint8)
    unknown = np.empty(4096, np.int64)
    pieces = []
    row, step = 0, _FIRST_ROWS
    while row < offsets.size - 1:
        after, number, strange = scanner.scan(
            data, offsets[: row + step + 1], row, tables.classes, tables.steps, tables.out_from, tables.out_class,
            tables.out_length, tables.follow, tables.whole, room, slow, pending, unknown,
        )  # fmt: skip
        if number:
            pieces.append(room[:number].copy())
        if strange:  # go over the texts that have them again, knowing all their characters
            tables.meet(np.unique(unknown[:strange]).tolist())
            continue
        step *= 4
        if after == row:
            room = np.empty((room.shape[0] * 4, 6), np.int64)
        row = after
    if not pieces:
        return np.empty((0, 6), np.int64), slow
    marked = np.concatenate(pieces)
    return marked[np.lexsort((marked[:, 2], marked[:, 0]))], slow


def views(data: Any, offsets: Any, marked: Any) -> Views:
    """The plain text round anchors."""
    tables = _tables()
    found = np.empty((len(marked), 4), np.int64)
    window = np.empty(len(marked), np.int64)
    number = stretches.windows(data, offsets, marked, tables.left, tables.right, found, window)
    pool, pool_from = np.array(tables.pool or [0], np.int32), np.array(tables.pool_from, np.int32)
    position = np.empty(len(marked), np.int64)
    bounds = np.empty((number, 2), np.int64)
    room = int((found[:number, 2] - found[:number, 1]).sum() * tables.longest) + number
    out, origin = np.empty(room, np.int32), np.empty(room, np.int64)
    given = (data, found, number, marked, window, tables.plain, pool, pool_from)
    size = stretches.write(*given, out, origin, bounds, position)
    return Views(str(out[:size], "utf-32-le"), origin, bounds, window, position)
