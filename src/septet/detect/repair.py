"""Text that went through the wrong hands: wrong decodings undone, characters that cannot be seen taken out.

UTF-8 read as a Western encoding is undone by ftfy (Speer 2019), and only where its measure of badness finds fault. UTF-8 read as
GBK, the common accident of Chinese systems, is undone where the whole run decodes to Chinese again, which correct Chinese
does not by chance from four characters on.
"""

from __future__ import annotations

import re

from septet.core.errors import MissingExtra

# Soft hyphens, zero-width blanks, direction marks, byte order marks, and control characters above ASCII.
HIDDEN_CHARACTERS = "".join(
    chr(code)
    for low, high in (
        (0x7F, 0x84),
        (0x86, 0x9F),
        (0xAD, 0xAD),
        (0x180E, 0x180E),
        (0x200B, 0x200F),
        (0x2028, 0x202E),
        (0x2060, 0x2069),
        (0xFEFF, 0xFEFF),
    )
    for code in range(low, high + 1)
)
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\U000e0000-\U000e007f"
    + HIDDEN_CHARACTERS.replace("\u200c", "").replace("\u200d", "")
    + "]"
)
# Joiners shape letters of some scripts and emoji; between Latin letters, digits and Chinese characters they only hide.
_JOINERS = re.compile("(?<=[\\x20-\\x7e\\u3000-\\u9fff\\uff00-\\uffef])[\u200c\u200d]+")
_LOST = re.compile("锟斤拷|烫烫烫|屯屯屯|\ufffd{2,}")
_RUN = re.compile("[^\x00-\x7f]{4,}")
_CHINESE = re.compile("[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]")
# What the first bytes of common Chinese characters and marks in UTF-8 become in GBK; rare in Chinese itself. They only call for
# the test that decides.
GBK_SIGNS = "锛銆鐨涓绗鍦鏄浠浜鍚鍏鎴鏈鏂璇浣涔犲ソ鍙鍑鍒鍔鍗杩"
_GBK_SIGNS = re.compile(f"[{GBK_SIGNS}]")


def unhidden(text: str) -> str:
    """The text without characters that cannot be seen."""
    return _JOINERS.sub("", _HIDDEN.sub("", text))


def has_hidden(text: str) -> bool:
    return bool(_HIDDEN.search(text) or _JOINERS.search(text))


def is_garbled(text: str) -> bool:
    """Whether a text looks like a wrong decoding, or like what is left of one."""
    if text.isascii():
        return False
    return _fault(text) or len(_GBK_SIGNS.findall(text)) >= 2 or is_lost(text)


def is_lost(text: str) -> bool:
    """Whether a text holds marks of characters that no decoding brings back."""
    return bool(_LOST.search(text))


def repaired(line: str) -> str:
    """The line with wrong decodings undone, as far as that can be told."""
    try:
        import ftfy
    except ImportError:
        raise MissingExtra("ftfy", "data") from None
    if line.isascii():
        return line
    if _fault(line):
        line = ftfy.fix_encoding(line)
    return _RUN.sub(lambda run: _from_gbk(run[0]), line) if _GBK_SIGNS.search(line) else line


def _fault(text: str) -> bool:
    try:
        from ftfy.badness import is_bad
    except ImportError:
        raise MissingExtra("ftfy", "data") from None
    return bool(is_bad(text))


def _from_gbk(run: str) -> str:
    """A run of characters read as UTF-8 again; itself where that is no Chinese. The last character may have lost a byte."""
    try:
        data = run.encode("gb18030")
        found = data.decode("utf-8")
    except UnicodeEncodeError:
        return run
    except UnicodeDecodeError as error:
        if error.start < max(4, len(data) - 3):
            return run
        found = data[: error.start].decode("utf-8") + "\ufffd"
    return found if len(_CHINESE.findall(found)) >= 0.8 * len(found) else run
