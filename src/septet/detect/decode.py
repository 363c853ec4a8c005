"""Payloads: text that hides inside a text in another writing, which a model can read and a word list cannot.

`tight` closes up what was pulled apart or written in digits (`b 0 m b`); `payloads` decodes base64, base32, Ascii85,
hexadecimal, binary, Morse, shifted alphabets, reversed writing and Unicode tag characters. A finding in a payload leads
back to the whole encoded run. Everything is capped, so that a hostile text costs no more than a long one.
"""

import base64
import binascii
import functools
import re
from collections.abc import Callable, Iterator

from septet.detect.normalise import Normalised, normalise, same_length, without

MAX_PAYLOADS = 8
MAX_PAYLOAD_CHARACTERS = 8192
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
# Marks that end or divide sentences separate words in honest text; other marks between two Chinese characters rarely do.
_STOPS = "。,!?;:、\n\r\"'()<>《》【】「」…"
_TIGHT = re.compile(
    rf"(?<=[{_HAN}])[^\w{_HAN}{re.escape(_STOPS)}]{{1,3}}(?=[{_HAN}])"  # 炸 弹, 炸*弹
    rf"|(?<![{_HAN}])[{_HAN}](?:([^\w{_HAN}])[{_HAN}]\1)+[{_HAN}](?![{_HAN}])"  # 炸。弹。制
    r"|(?<![^\W_])[^\W_](?:([^\w\n]|_)\2{0,3}[^\W_]){2,}(?![^\W_])"  # k i l l, k.i.l.l
    r"|(?<=\s)\s+"  # blanks in a row
    r"|(?<=[a-z])[*~^|+#=_\u2190-\u2bff\u3012-\u303f\U0001f000-\U0001faff]{1,3}(?=[a-z])"  # bo*mb
)
_LEET_WORD = re.compile(r"(?<![^\W_])(?=[a-z0-9@$!|]*[a-z])(?=[a-z0-9@$!|]*[0-9@$!|])[a-z0-9@$!|]{3,}(?<![!|])")
_LEET = str.maketrans("0134578@$!|", "oieastbasil")
_LEET_L = str.maketrans("0134578@$!|", "oleastbasll")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{16,}|(?:[A-Za-z0-9+/]{60,76}\s+)+[A-Za-z0-9+/]+)={0,2}")
_BASE32 = re.compile(r"(?<![A-Za-z0-9])[A-Z2-7]{24,}={0,6}(?![A-Za-z0-9])")
_HEX = re.compile(r"(?<![A-Za-z0-9])(?:0x)?[0-9a-fA-F]{2}(?:[ ,:]?(?:0x)?[0-9a-fA-F]{2}){7,}(?![A-Za-z0-9])")
_BINARY = re.compile(r"(?<![0-9])[01]{8}(?:[ ,]?[01]{8}){7,}(?![0-9])")
_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")
_COMMON = frozenset(
    "the and you your to of for how all is are not my a in this that with from tell what give me make".split()
)
_WORD = re.compile(r"[a-z]+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SAMPLE = 240  # characters that decide whether a shifted or reversed reading makes more sense
_CAESAR: tuple[Callable[[str], str], ...] = tuple(
    functools.partial(lambda table, text: text.translate(table), str.maketrans(_LETTERS, _LETTERS[n:] + _LETTERS[:n]))
    for n in range(1, 26)
)
_MORSE = re.compile(r"(?<![.\-])[.\-]{1,6}(?:[ /|]+[.\-]{1,6}){6,}(?![.\-])")
_MORSE_CODE = dict(
    zip(
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
        "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.".split(),
        _LETTERS + "0123456789",
        strict=True,
    )
)
_ASCII85 = re.compile(r"<~[\x21-\x75\s]{10,}~>")


def tight(view: Normalised) -> list[Normalised]:
    """The same view closed up and with digits read as letters; empty where nothing changes. `view` is case-folded."""
    closed = without(view, {place for match in _TIGHT.finditer(view.text) for place in _separators(match)})
    if "\n" in closed.text:
        closed = same_length(closed, closed.text.replace("\n", " "))
    found = [] if closed is view else [closed]
    for table in (_LEET, _LEET_L):
        read = _LEET_WORD.sub(lambda m, table=table: m[0].translate(table), closed.text)  # type: ignore[misc]
        if read != closed.text and all(read != other.text for other in found):
            found.append(same_length(closed, read))
    return found


def _separators(match: re.Match[str]) -> list[int]:
    """The places in the text of what pulls the letters of a match apart. Of a doubled blank, which ends a word, one stays."""
    separator = match[1] or match[2]
    places = [i for i in range(*match.span()) if separator is None or match.string[i] == separator]
    doubled = separator is not None and separator.isspace()
    text = match.string
    return [i for i in places if not (doubled and text[i - 1] == separator and text[i - 2] != separator)]


def payloads(text: str, depth: int = 2) -> list[Normalised]:
    """Case-folded views of what is encoded in a text, at most `MAX_PAYLOADS`, payloads inside payloads included."""
    found: list[Normalised] = []
    for start, end, plain in _decodings(text):
        if len(found) == MAX_PAYLOADS:
            break
        found.append(_inside(start, end, normalise(plain).text))
        if depth > 1:
            found += [_inside(start, end, inner.text) for inner in payloads(plain, depth - 1)]
    return found[:MAX_PAYLOADS]


def _inside(start: int, end: int, plain: str) -> Normalised:
    return Normalised(plain, None, lambda: ([start] * len(plain), [end] * len(plain)))


def _decodings(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _TAGS.finditer(text):
        yield match.start(), match.end(), "".join(chr(ord(c) - 0xE0000) for c in match[0])
    visible = normalise(text, fold_case=False)
    for pattern, decoder in (
        (_ASCII85, _ascii85),
        (_BINARY, _binary),
        (_HEX, _hexadecimal),
        (_BASE32, _base32),
        (_BASE64, _base64),
    ):
        for match in pattern.finditer(visible.text):
            raw = decoder(match[0][:MAX_PAYLOAD_CHARACTERS])
            plain = _readable(raw) if raw else None
            if plain:
                yield (*visible.origin(*match.span()), plain)
    for match in _MORSE.finditer(visible.text):
        words = re.split(r"\s*[/|]\s*|\s{2,}", match[0])
        yield (
            *visible.origin(*match.span()),
            " ".join("".join(_MORSE_CODE.get(c, "") for c in word.split()) for word in words),
        )
    whole = visible.text[:MAX_PAYLOAD_CHARACTERS].lower()
    sample = whole[:_SAMPLE]
    if len(sample) >= 12 and _WORD.search(sample):
        here = _commonness(sample)
        readings: tuple[Callable[[str], str], ...] = (_reverse, *_CAESAR)
        for reading in readings:
            if _commonness(reading(sample)) > max(2 * here, 1):
                yield (*visible.origin(0, len(whole)), reading(whole))


def _reverse(text: str) -> str:
    return text[::-1]


def _commonness(text: str) -> int:
    return sum(1 for word in _WORD.findall(text) if word in _COMMON)


def _readable(raw: bytes) -> str | None:
    for encoding in ("utf-8", "gb18030", "utf-16"):
        try:
            plain = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        letters = sum(c.isalnum() or c.isspace() or c in ".,!?'\"-:;/()<>，。？！" for c in plain)
        common = sum(c.isascii() or "\u4e00" <= c <= "\u9fff" or "\u3000" <= c <= "\uffef" for c in plain)
        if len(plain) >= 4 and min(letters, common) >= 0.9 * len(plain):
            return plain
    return None


def _ascii85(run: str) -> bytes | None:
    return _decoded(functools.partial(base64.a85decode, adobe=True), run)


def _base64(run: str) -> bytes | None:
    run = re.sub(r"[\s=]", "", run).replace("-", "+").replace("_", "/")
    return _decoded(base64.b64decode, run + "=" * (-len(run) % 4))


def _base32(run: str) -> bytes | None:
    run = run.rstrip("=")
    return _decoded(base64.b32decode, run + "=" * (-len(run) % 8))


def _hexadecimal(run: str) -> bytes | None:
    return _decoded(bytes.fromhex, re.sub(r"0x|[ ,:]", "", run))


def _binary(run: str) -> bytes | None:
    bits = re.sub(r"[ ,]", "", run)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8))


def _decoded(decoder: Callable[[str], bytes], run: str) -> bytes | None:
    try:
        return decoder(run)
    except (binascii.Error, ValueError):
        return None
