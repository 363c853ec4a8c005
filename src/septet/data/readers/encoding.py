"""Bytes to text: byte order mark, UTF-8, UTF-16, then GB18030, Big5, Shift-JIS and Windows-1252 where the text looks like one.

The East Asian encodings share byte ranges: the one whose characters are the commoner ones is taken (levels 1 of GB 2312,
Big5 and JIS X 0208). Windows-1252 accepts nearly everything, so its letters must stand between Latin ones. WHATWG Encoding
Standard for the names that pages declare.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from septet.data.readers.row import Unreadable, cleaned

BROKEN = "\udcff"
"""Stands where bytes mean nothing in a stream's encoding; a record that holds it is rejected."""
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# A text in another encoding than UTF-8 must look like one by so much (share of common characters; chosen 2026-11: wrong
# pairings of Chinese, Japanese and Western samples stay below 0.45, right ones above 0.8).
_PLAUSIBLE = 0.5
_LOOKED_AT = 200_000
_BINARY = bytes(set(range(32)) - {9, 10, 12, 13, 27})
_DECLARED = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "iso-8859-1": "cp1252", "latin1": "cp1252"}
_DECLARED |= {"us-ascii": "cp1252", "ascii": "cp1252", "shift_jis": "cp932", "big5": "big5hkscs"}
_WESTERN = "“”‘’–—…•€£§°©®™«»·¿¡×"


def _broken(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BROKEN, error.end


codecs.register_error("septet-broken", _broken)


def decode(data: bytes, declared: str = "") -> str:
    """Bytes to text, by the declared encoding where it holds. Line ends become `\\n`. Raises Unreadable for what is no text."""
    if declared and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return cleaned(data.decode(known(declared)))
        except (LookupError, UnicodeDecodeError):
            pass
    encoding = sniff(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"begins as {encoding.upper()} and is not (wrong at byte {error.start})", "encoding") from None
    if encoding.startswith(("utf-16", "utf-32")) and not _readable(text[:_LOOKED_AT]):
        raise Unreadable(f"begins as {encoding.upper()} and is not: it decodes to no characters in use", "encoding")
    return cleaned(text)


def _readable(text: str) -> bool:
    return sum(one.isprintable() or one.isspace() or one == "\ufeff" for one in text) >= 0.9 * len(text)


def known(declared: str) -> str:
    """Python's name of a declared character set, taken as browsers take it. Raises LookupError for none."""
    name = declared.strip().strip("\"'").lower()
    return codecs.lookup(_DECLARED.get(name, name)).name


def sniff(data: bytes, whole: bool = True) -> str:
    """The encoding of a text from its bytes, or from its first ones (`whole=False`). Raises Unreadable for what is no text."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    wide = _wide(data)
    if wide:
        return wide
    if b"\x00" in data or len(data) - len(data.translate(None, _BINARY)) > 0.02 * len(data) + 2:
        raise Unreadable("is binary, not text", "binary")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if not whole and error.start >= len(data) - 4 and error.reason == "unexpected end of data":
            return "utf-8"
        place = error.start
    else:
        return "utf-8"
    found = _guess(data, place, whole)
    if found:
        return found
    names = "GB18030 nor Big5 nor Shift-JIS nor Windows-1252 text"
    raise Unreadable(f"is neither UTF-8 (wrong at byte {place}) nor {names}", "encoding")


def _guess(data: bytes, place: int, whole: bool) -> str:
    """The East Asian or Western encoding in which a text looks most like one, from about `place` on; or an empty text."""
    best, found = _PLAUSIBLE, ""
    sample = data[max(0, place - 1000) :][:_LOOKED_AT]
    for encoding, likeness in _GUESSES:
        try:
            data.decode(encoding, "strict" if whole else "ignore")
        except UnicodeDecodeError:
            continue
        score = likeness(sample.decode(encoding, "ignore"))
        if score > best:
            best, found = score, encoding
    return found


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: zeros in every second byte, or Chinese that is common when read so."""
    sample = data[:4096]
    if len(data) % 2 and len(data) < 4096:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if even + odd == 0:
        return ""
    if min(even, odd) * 8 < max(even, odd) and max(even, odd) > len(sample) / 50:
        encoding = "utf-16-le" if odd > even else "utf-16-be"
        text = sample[: len(sample) // 2 * 2].decode(encoding, "ignore")
        printable = sum(character.isprintable() or character in "\r\n\t" for character in text)
        if text and printable > 0.95 * len(text) and _simplified(text) + _traditional(text) > 0.9:
            return encoding
    return ""


def _outside(text: str) -> list[str]:
    return [character for character in text if ord(character) > 127]


def _share(text: str, encoding: str, common: Callable[[bytes], bool]) -> float:
    outside = _outside(text)
    if not outside:
        return 1.0
    return sum(common(character.encode(encoding, "ignore")) for character in outside) / len(outside)


def _simplified(text: str) -> float:
    return _share(text, "gb2312", lambda two: len(two) == 2 and (0xB0 <= two[0] <= 0xD7 or two[0] in (0xA1, 0xA3)))


def _traditional(text: str) -> float:
    return _share(text, "big5", lambda two: len(two) == 2 and (0xA4 <= two[0] <= 0xC6 or two[0] == 0xA1))


def _japanese(text: str) -> float:
    # Half-width katakana are single bytes here: Chinese text read as Shift-JIS is full of them.
    return _share(text, "cp932", lambda two: len(two) == 2 and (0x88 <= two[0] <= 0x97 or 0x81 <= two[0] <= 0x83))


def _western(text: str) -> float:
    outside = len(_outside(text))
    letters = len(re.findall(r"(?<![À-ÿ])[À-ÖØ-öø-ÿŒœŠšŽžŸ]{1,2}(?![À-ÿ])", text))
    near = len(re.findall(r"(?:(?<=[A-Za-z ])[À-ÿŒœŠšŽž](?=[A-Za-z .,;:)'\n-])|\b[À-Ý](?=[a-z]))", text))
    marks = sum(map(text.count, _WESTERN))
    return (min(letters, near) + marks) / outside if outside and outside < 0.3 * len(text) else 0.0


_GUESSES: tuple[tuple[str, Callable[[str], float]], ...] = (
    ("gb18030", _simplified),
    ("big5", _traditional),
    ("cp932", _japanese),
    ("cp1252", _western),
)


def sniff_lines(head: bytes) -> str:
    """The encoding of a file of lines, some of which may be broken: what most lines outside ASCII are."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    wide = _wide(head)
    if wide:
        return wide
    if len(head) > 512 and head.count(0) > len(head) / 20:
        raise Unreadable("is binary, not text", "binary")
    odd = []
    outside = 0
    for line in head.split(b"\n"):
        if not line.isascii():
            outside += 1
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                odd.append(line.translate(None, _BINARY))
    # A line of another encoding is hardly ever valid UTF-8 by chance: a tenth of them tells that the others are broken.
    # The last line may be cut by the end of the head.
    if outside - len(odd) >= outside / 10 or (len(odd) == 1 and len(head) > 4096):
        return "utf-8"
    # Where nothing is likely, each line that is not UTF-8 is rejected on its own.
    return _guess(b"\n".join(odd), 0, whole=False) or "utf-8"
