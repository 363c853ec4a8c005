"""BIG-Bench Hard (Suzgun et al., 2022): an answer given directly, or after a chain of thought that ends `So the answer is X.`

The key says what is looked for: a letter in brackets (the options stand in the question), a word of a closed pair (yes and no, True
and False, valid and invalid), a number, brackets, or words in order.
"""

from __future__ import annotations

import re
from typing import Any

from septet.evaluate.form import LETTERS
from septet.evaluate.verdicts import number, option
from septet.evaluate.verdicts.verdict import Verdict, boxed, nothing, plain

_PAIRS = (("yes", "no"), ("true", "false"), ("valid", "invalid"))
_PAIR_WORDS = {"是": "yes", "否": "no", "不是": "no", "对": "true", "错": "false", "有效": "valid", "无效": "invalid"}
_CUE = re.compile(r"(?:the\s+)?(?:final\s+)?answer\s*(?:is|:)\s*:?\s*|答案\s*(?:是|为|:)\s*:?\s*", re.IGNORECASE)
_NEXT = re.compile(r"\n\s*\n?Q:")
_OPTION = re.compile(r"(?m)^\s*\(([A-Z])\)\s*(.*?)\s*$")


def judge(item: dict[str, Any], output: str) -> Verdict:
    """Whether the output comes to the key. Words after the answer (a next question, a reason) do not count."""
    keys = item["answers"]
    silent = nothing(output, bool(keys) or item["label"] is not None)
    if silent is not None:
        return silent
    options = item["options"] or _options(item["question"])
    key = f"({LETTERS[item['label']]})" if item["label"] is not None else keys[0] if keys else ""
    text = _NEXT.split(plain(output).removeprefix("A:"), maxsplit=1)[0].strip()
    answer = _stated(text)
    lettered = re.fullmatch(r"\(([A-Z])\)", key.strip())
    if lettered and options:
        found, by = option.named(answer, options) if answer else ([], "")
        if not found:
            found, by = option.named(text, options)
        if not found and (bare := re.match(r"\(([A-Z])\)|([A-Z])[.)]?$", answer)):
            # The letter of an option that the question does not have is an answer, and a wrong one.
            letter = bare[1] or bare[2]
            return Verdict("answered", f"({letter})", float(letter == lettered[1]), {"by": "letter"})
        if not found:
            return Verdict("unparsed", "", 0.0, {"reason": by})
        extracted = f"({LETTERS[found[0]]})"
        return Verdict("answered", extracted, float(extracted == key.strip()), {"by": by})
    extracted, known = _like(key, answer or text, bool(answer))
    if not extracted:
        return Verdict("unparsed", "", 0.0 if key else None, {"reason": "nothing of the kind of the key"})
    return Verdict("answered", extracted, float(_folded(extracted) == _folded(known)) if key else None, {})


def _options(question: str) -> list[str]:
    """The options that stand in a question, if their letters run from A without a gap."""
    found = _OPTION.findall(question)
    letters = "".join(letter for letter, _ in found)
    return [text for _, text in found] if letters and letters == LETTERS[: len(letters)] else []


def _stated(text: str) -> str:
    """What stands after the last cue, to the end of its line; a whole answer of one line is its own statement."""
    inside = boxed(text)
    cues = list(_CUE.finditer(text))
    if cues:
        rest = text[cues[-1].end() :].strip()
        return (boxed(rest) or [rest.split("\n")[0].strip()])[0] if rest else ""
    return inside[-1] if inside else text if "\n" not in text else ""


def _like(key: str, text: str, stated: bool) -> tuple[str, str]:
    """What of the text is of the key's kind, with the key written the same way."""
    folded = key.strip().casefold()
    for pair in _PAIRS:
        if folded in pair:
            return _of_pair(text, pair, stated), folded
    if re.fullmatch(r"-?[\d,]+(?:\.\d+)?", folded):
        wanted, (found, _) = number.reference_number(key), number.answer(text)
        return (str(found["value"]) if found else ""), str(wanted["value"]) if wanted else folded
    if folded and not re.search(r"\w", folded):
        kept = set(folded) | set("()[]{}<> ")
        marks = "".join(one for one in text if one in kept)
        return marks.strip(), key
    line = text if stated else text.split("\n")[-1]
    return re.sub(r"[.。]\s*$", "", line.strip()), re.sub(r"[.。]\s*$", "", key.strip())


def _of_pair(text: str, pair: tuple[str, str], stated: bool) -> str:
    """The word of the pair that the text says: its first where it begins a statement, else the only one there is."""
    words = re.findall(r"[a-z]+|不是|有效|无效|[是否对错]", text.casefold())
    said = [word if word in pair else _PAIR_WORDS.get(word, "") for word in words]
    said = [word for word in said if word in pair]
    if words and said and stated and (words[0] in pair or _PAIR_WORDS.get(words[0]) in pair):
        return said[0]
    return said[0] if len(set(said)) == 1 and not {"not", "isn", "neither"} & set(words) else ""


def _folded(text: str) -> str:
    kept = re.findall(r"[^\W_]+", text.casefold())
    return " ".join(kept) if kept and not re.fullmatch(r"-?\d+(?:/\d+)?", text.strip()) else re.sub(r"\s+", "", text)
