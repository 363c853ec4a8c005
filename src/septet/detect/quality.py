"""Quality signals of a document in one pass, and the limits they are held to.

The signals and their names follow the publications: Gopher (Rae et al. 2021, arXiv:2112.11446, table A1), C4 (Raffel et al.
2020), FineWeb (Penedo et al. 2024) and FineWeb-2. Measuring and judging are apart, so that new limits cost no new pass.
A "word" is a word in Latin script and a single character in Chinese: no segmenter, hence the same number on every machine.
English limits must not be used on Chinese text (FineWeb's short-line rule alone drops 76 % of clean Chinese, measured
2026-11), so limits are kept by language, in the policy.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from septet.core.config import Config, field

_WORD = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\u3041-\u30ff\uac00-\ud7a3]|[^\W_]+(?:['’-][^\W_]+)*")
_TERMINAL = tuple(".!?。！？…\"'”’）)」』:：;；")
_STOPS = {
    "zh": frozenset("的一是在不了有和人这中大为上个国我以要他时来用们"),
    "en": frozenset("the be to of and that have with".split()),
}
_BOILERPLATE = re.compile(
    (
        r"javascript|cookie|privacy policy|terms of use|lorem ipsum|all rights reserved|登录后|"
        r"请先登录|版权所有|点击这里|扫码关注"
    ),
    re.I,
)
_URL = re.compile(r"(?:https?://|www\.)\S+")

# measure -> what it is; the keys of the policy's [quality.<language>] tables
MEASURES = {
    "gopher.words": "words (Chinese: characters)",
    "gopher.word_length": "mean length of the Latin-script words, in characters",
    "gopher.symbols": "'#' and '…' per word",
    "gopher.bullet_lines": "share of lines that begin with a bullet",
    "gopher.ellipsis_lines": "share of lines that end with an ellipsis",
    "gopher.alphabetic_words": "share of words with a letter",
    "gopher.stop_words": "different stop words of the language",
    "gopher.duplicate_lines": "share of lines that stood before",
    "gopher.duplicate_line_characters": "share of characters in lines that stood before",
    "gopher.duplicate_paragraphs": "share of paragraphs that stood before",
    "gopher.top_2gram": "share of characters in the commonest 2-gram of words",
    "gopher.top_3gram": "share of characters in the commonest 3-gram of words",
    "gopher.top_4gram": "share of characters in the commonest 4-gram of words",
    "gopher.duplicate_5gram": "share of word 5-grams that stood before",
    "gopher.duplicate_10gram": "share of word 10-grams that stood before",
    "fineweb.line_punctuation": "share of lines that end with a punctuation mark",
    "fineweb.short_lines": "share of lines of at most 30 characters",
    "fineweb.newlines": "line ends per word",
    "c4.boilerplate_lines": "share of lines that name cookies, scripts, logins or rights",
    "c4.longest_word": "length of the longest word, in characters",
    "nemo.non_alphanumeric": "share of characters that are neither letter nor digit nor space",
    "nemo.digits": "share of characters that are digits",
    "nemo.url_characters": "share of characters in addresses",
    "nemo.white_space": "share of characters that are white space",
    "septet.broken_characters": "share of replacement, private-use and control characters",
    "septet.distinct_characters": "different characters per character, over at most 400 characters",
}


class Limit(Config):
    """The range of one measure; outside of it a document is dropped under the measure's name."""

    at_least: float | None = field(None, "Lowest value kept.")
    at_most: float | None = field(None, "Highest value kept.")


class Broken(msgspec.Struct, frozen=True):
    """A measure outside its limit."""

    rule: str
    value: float
    limit: float


def measure(text: str, language: str = "en") -> dict[str, float]:
    """Every signal of `MEASURES` for one document. Shares are between 0 and 1; an empty text measures 0 throughout."""
    words = _WORD.findall(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    # A fence of code or a rule is markup: it repeats in the best of documents.
    written = [line for line in lines if not line.startswith(("```", "~~~")) and any(map(str.isalnum, line))]
    size, num_words, num_lines = max(1, len(text)), max(1, len(words)), max(1, len(lines))
    latin = [word for word in words if len(word) > 1 or word.isascii()]
    lowered = [word.lower() for word in words]
    stops = _STOPS["zh" if language in ("zh", "mixed") else "en"]
    values = {
        "gopher.words": len(words),
        "gopher.word_length": sum(map(len, latin)) / max(1, len(latin)),
        "gopher.symbols": (text.count("#") + text.count("…") + text.count("...")) / num_words,
        "gopher.bullet_lines": sum(line[0] in "•‣▪●○■-*·" for line in lines) / num_lines,
        "gopher.ellipsis_lines": sum(line.endswith(("…", "...")) for line in lines) / num_lines,
        "gopher.alphabetic_words": sum(not word.isdecimal() for word in words) / num_words,
        "gopher.stop_words": len(stops.intersection(lowered)),
        "gopher.duplicate_lines": sum(count - 1 for count in Counter(written).values()) / num_lines,
        "gopher.duplicate_line_characters": _repeated_characters(written) / size,
        "gopher.duplicate_paragraphs": 1 - len(set(paragraphs)) / max(1, len(paragraphs)) if paragraphs else 0.0,
        "fineweb.line_punctuation": sum(line.endswith(_TERMINAL) for line in lines) / num_lines,
        "fineweb.short_lines": sum(len(line) <= 30 for line in lines) / num_lines,
        "fineweb.newlines": text.count("\n") / num_words,
        "c4.boilerplate_lines": sum(bool(_BOILERPLATE.search(line)) for line in lines) / num_lines,
        "c4.longest_word": max(map(len, words), default=0),
        "nemo.digits": sum(map(str.isdigit, text)) / size,
        "nemo.url_characters": sum(map(len, _URL.findall(text))) / size,
        "septet.broken_characters": sum(
            c == "\ufffd" or "\ue000" <= c <= "\uf8ff" or (c < " " and c not in "\t\n\r\f") for c in text
        )
        / size,
        "septet.distinct_characters": len(set(text[:400])) / max(1, len(text[:400])),
    }
    spaces = sum(map(str.isspace, text))
    values["nemo.white_space"] = spaces / size
    values["nemo.non_alphanumeric"] = (len(text) - spaces - sum(map(str.isalnum, text))) / size
    characters = max(1, sum(map(len, words)))
    for n in (2, 3, 4):
        values[f"gopher.top_{n}gram"] = _top(lowered, n) / characters
    for n in (5, 10):
        grams = list(zip(*(lowered[i:] for i in range(n)), strict=False))
        values[f"gopher.duplicate_{n}gram"] = 1 - len(set(grams)) / len(grams) if grams else 0.0
    return {name: round(float(values[name]), 6) for name in MEASURES}


def judge(values: Mapping[str, float], limits: Mapping[str, Limit]) -> list[Broken]:
    """The measures outside their limits, in the order of the limits; empty: the document is kept."""
    broken = []
    for name, limit in limits.items():
        value = values[name]
        if limit.at_least is not None and value < limit.at_least:
            broken.append(Broken(name, value, limit.at_least))
        elif limit.at_most is not None and value > limit.at_most:
            broken.append(Broken(name, value, limit.at_most))
    return broken


def _repeated_characters(lines: Sequence[str]) -> int:
    return sum((count - 1) * len(line) for line, count in Counter(lines).items() if count > 1)


def _top(words: Sequence[str], n: int) -> int:
    """Characters that the commonest n-gram takes up; one that stands only once takes none."""
    counts = Counter(zip(*(words[i:] for i in range(n)), strict=False))
    if not counts:
        return 0
    most = max(counts.values())
    return 0 if most < 2 else max(most * sum(map(len, gram)) for gram, count in counts.items() if count == most)
