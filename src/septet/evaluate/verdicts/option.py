r"""Which option a generated answer names: by its letter or by its text, in Chinese and in English.

In order: the whole answer is a letter or an option; the last statement (`The answer is (B)`, `答案：B`, `故选 C`, `\boxed{D}`); a
statement the other way round (`B is correct`, `B 正确`); a line that is a letter or an option; one letter in brackets; one option's
text. A letter inside a word, an article `A`, a list of the options, `not B`, `A or B` name nothing. Where two readings disagree the
output is `unparsed`: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from septet.evaluate.form import LETTERS
from septet.evaluate.verdicts.verdict import Verdict, boxed, nothing, plain

_TOKENS = re.compile(r"(?<![\w.])[-\u2212]?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*|[\u3400-\u9fff]|[^\W\d\u3400-\u9fff_]+")
_ARTICLES = ("a", "an", "the")
# What follows a letter and never an article.
_NO_NOUN = {
    "because",
    "since",
    "as",
    "is",
    "and",
    "for",
    "due",
    "given",
    "with",
    "which",
    "by",
    "over",
    "rather",
    "but",
    "not",
    "so",
}
_NEGATIONS = {"not", "isn", "never", "no", "nor", "neither", "不", "非", "没", "无", "否"}
_IS = r"(?:\s*(?:is|was|are|be|would be|should be|must be|will be|has to be)\b|\s*[\"']?\s*[:=]|\s*(?:->|→|⇒))"
_SURE = r"(?:\s*(?:therefore|thus|clearly|indeed|definitely|most likely|likely|probably|simply|then)\b,?)?\s*[:\"']?\s*"
_TOLD = re.compile(
    r"(?:answers?|(?<![A-Za-z])ans|(?:correct|right|best)\s+(?:choices|options)|choice|option|selection|response|conclusion)"
    r"(?:\s+(?:letter|choice|option))?"
    rf"(?:\s+(?:to|for|of)\s+(?:this|the|that|your|my|question|problem|\d)[^.:\n=]{{0,60}}?)?{_IS}{_SURE}"
    r"|(?:(?<![A-Za-z])(?:choose|chose|pick|select|go with|going with|opt for))(?:\s*:)?\s+"
    r"|(?:答案|正确选项|正确的选项|正确答案|最终选择|结论)】?(?:(?:应该|应当|应|就|只能|便)?(?:是|为|选择|选)|\s*[:=])*\s*"
    r"|选项(?:应该|应当|应|就)?(?:是|为|\s*[:=])\s*"
    r"|(?:正确|符合题意|最合适|最佳|最恰当)的(?:一项)?(?:是|为)\s*[:]?\s*"
    r"|(?<![不未别勿非没可])应?(?:选择|选)(?:的?是|为)?\s*[:]?\s*",
    re.IGNORECASE,
)
# Said in passing: they count where nothing is stated.
_PASSING = re.compile(
    r"(?<![A-Za-z])(?:it(?:'s|\s+is|\s+must\s+be|\s+should\s+be)|I\s+(?:think|believe)|(?:I'd|I\s+would)\s+say|result\s+is)"
    rf"{_SURE}|(?:而是|应该是|应当是|应是|只能是|认为是|就是)\s*",
    re.IGNORECASE,
)
_SIMPLE = str.maketrans("選擇項應該當為確題對錯無論結終", "选择项应该当为确题对错无论结终")
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.IGNORECASE | re.DOTALL)
_REVERSED = re.compile(
    r"(?<![A-Za-z0-9'])\(?([A-Z])\)?(?:[.:]?\s*[^.\n;,]{0,80}?)?\s*(?:is|are)\s+(?:indeed\s+|clearly\s+)?"
    r"(?:the\s+)?(?:(?:correct|right|best|most appropriate|final)(?:\s+(?:answer|option|choice))?|answer)(?![A-Za-z])"
    r"|(?<![A-Za-z0-9'])\(?([A-Z])\)?\s*(?:选项|项)?\s*(?:是|为)?(?:正确|对的|符合题意)(?:的|答案|选项)?"
    r"|\(([a-z])\)\s+is\s+(?:the\s+)?(?:correct|right)"
)
# What takes back a letter in brackets: before it, and after it.
_RULED_OUT = re.compile(r"(?:eliminate|rule out|exclude|not|排除|不选|不是)\s*[(\[\"“]?$", re.IGNORECASE)
_DISMISSED = re.compile(
    r"[)\]\"”]?\s*(?:(?:is|are|was|can be|seems?)\s+(?:also\s+|clearly\s+)?(?:incorrect|wrong|false|not|ruled|eliminated|excluded)"
    r"|(?:isn't|doesn't|cannot|does not)|[选项]{0,2}(?:是|为|也)?(?:错|不))",
    re.IGNORECASE,
)
_LEAD = r"[\s(\[{\"'“”‘’「『【$\\]*(?:(?:option|choice|letter|answer|选项|选)\s*)?[\s(\[{\"'“”‘’「『【$]*(?:text\s*\{\s*\(?)?"
_JOIN = r"[)\]]?\s*(?:[,、;&+/]\s*(?:and\s+)?[(\[]?|and\s+[(\[]?|[和与及][(\[]?|(?<=[)\] ])[(\[])"
_LINE = re.compile(r"[(\[]?([A-Za-z])(?:[)\]][.:,]?|[.:、,]|\s*$)\s*(.*)")
_SIGNS = re.compile(r"[=<>+*^→±≤≥≠∈∪∩|\\]|[\w)\]]\s?[-\u2212/]\s?\d|\d\s?[-\u2212/]\s?[\w(]")
_WORDY = re.compile(r"[^\W\d_]{2}|[\u3400-\u9fff]")
# What may follow an option that a statement begins with: not an operator, with which the formula would go on.
_ENDS = re.compile(r"$|\s*[.,;:!?)\]}'、，。；：！？]|\s(?!\s*[-=<>+*/^→])|[\u3400-\u9fff]")
_BRACKETED = re.compile(r"[(\[\"“'‘]([A-Z])[)\]\"”'’]|(?:[Oo]ption|[Cc]hoice|选项)\s*\(?([A-Z])\)?(?![A-Za-z'])")


def judge(item: dict[str, Any], output: str) -> Verdict:
    """Which of the item's options the output names. Several right options must all be named, and no other."""
    options = item["options"] or []
    right = list(item["labels"])
    silent = nothing(output, bool(right))
    if silent is not None:
        return silent
    several = len(right) > 1 or bool(item["meta"].get("multiple"))
    found, by = named(plain(output), options, several)
    if not found:
        return Verdict("unparsed", "", 0.0 if right else None, {"reason": by})
    extracted = "".join(LETTERS[place] for place in found)
    return Verdict("answered", extracted, float(found == sorted(right)) if right else None, {"by": by, "places": found})


def named(text: str, options: Sequence[str], several: bool = False) -> tuple[list[int], str]:
    """The places of the options that a text names, with the rule that found them; none, with the reason, where that is open.

    `text` is plain (`verdict.plain`). Not `several`: a statement of two options is open.
    """
    text = text.translate(_SIMPLE)
    reader = _Reader([option.translate(_SIMPLE) for option in options], several)
    whole = reader.whole(text)
    if whole:
        return whole, "whole"
    told = [(match.start(), reader.begins(text[match.end() : match.end() + 400])) for match in _TOLD.finditer(text)]
    told += [(match.start(), reader.whole(plain(match[1]))) for match in _TAGGED.finditer(text)]
    at = 0
    for content in boxed(text):
        at = text.index(content, at)
        told.append((at, reader.whole(_unwrapped(content)) or reader.begins(_unwrapped(content))))
    stated = [places for _, places in sorted(told, key=lambda one: one[0]) if places]
    if stated:
        last = stated[-1]
        return (last, "statement") if len(last) == 1 or several else ([], "it states several options")
    passing = [reader.begins(text[match.end() : match.end() + 400]) for match in _PASSING.finditer(text)]
    last = next((places for places in reversed(passing) if places), [])
    for by, seen in (
        ("statement in passing", last),
        ("reversed statement", reader.reversed(text)),
        ("line", reader.lines(text)),
        ("bracket", reader.bracketed(text)),
    ):
        if len(seen) == 1 or (seen and several and by == "line"):
            phrase = reader.mentioned(text)
            if by == "bracket" and phrase and phrase != seen:
                return [], "letter and text disagree"
            return seen, by
        if seen:
            return [], f"several options by {by}"
    phrase = reader.mentioned(text)
    if len(phrase) == 1 or (phrase and several):
        return phrase, "text"
    return [], "several options are mentioned" if phrase else "no option is named"


def _unwrapped(content: str) -> str:
    return re.sub(r"\\(?:text|mathrm|mathbf|textbf|rm)\s*\{([^{}]*)\}", r"\1", content).replace("$", "").strip()


class _Reader:
    """The options of one item, as tokens, and the ways to find them in a text."""

    def __init__(self, options: Sequence[str], several: bool) -> None:
        self.several = several
        self.letters = LETTERS[: len(options)]
        self.texts = [_tokens(option) for option in options]
        # A text that another option says too, or that has no word, names nothing.
        self.told = [bool(words) and self.texts.count(words) == 1 for words in self.texts]
        self.written = [_written(option) for option in options]
        # Signs between letters and numbers (`n-1`, `a < b`) are lost among words: such texts are compared as they are written.
        self.wordy = [bool(_WORDY.search(text)) and not _SIGNS.search(text) for text in self.written]
        one = f"[{self.letters}]" if options else "(?!)"
        blank = r"|\s" if several else ""
        self._letter = re.compile(
            rf"{_LEAD}({one}(?:(?:{_JOIN}{blank}){one}(?![A-Za-z'’]))*|{one}{{2,}})(?![A-Za-z0-9'’])"
        )
        self._either = re.compile(rf"\s*[)\]]?\s*(?:or|或者?|还是)\s*\(?{one}(?![A-Za-z])")
        self._one = one

    def whole(self, text: str) -> list[int]:
        """The text is a letter, letters, a letter with its option, or an option, and nothing else."""
        words, written = _tokens(text), _written(text)
        for place, told in enumerate(self.texts):
            alike = self.told[place] and words == told and (self.wordy[place] or not _SIGNS.search(written))
            if alike or (written and written == self.written[place] and self.written.count(written) == 1):
                # An option may be a letter itself: then its text and the letter could mean two options.
                other = self._bare(text)
                return [place] if not other or other == [place] else []
        return self._bare(text) or self._labelled(text)

    def _bare(self, text: str) -> list[int]:
        kept = re.sub(
            r"[\s()\[\]{}.,:;、。!?\"'“”‘’「」『』【】*$\\/&+]|\band\b|选项?|[和与及]|^option\b|^answer\b",
            "",
            text,
            flags=re.I,
        )
        letters = kept.upper()
        if not letters or len(set(letters)) != len(letters) or any(one not in self.letters for one in letters):
            return []
        if len(letters) > 1 and (not self.several or (re.search(r"[A-Za-z]{2}", text) and not kept.isupper())):
            return []
        return sorted(self.letters.index(one) for one in letters)

    def _labelled(self, line: str) -> list[int]:
        """A letter with just its own option after it."""
        match = _LINE.fullmatch(line)
        if match is None or match[1].upper() not in self.letters:
            return []
        place = self.letters.index(match[1].upper())
        rest = _tokens(match[2])
        return [place] if not rest or rest == self.texts[place] or _written(match[2]) == self.written[place] else []

    def begins(self, content: str) -> list[int]:
        """What a statement goes on with: letters, or the text of an option."""
        phrase = self._starts_with_text(content)
        match = self._letter.match(content)
        if match is None or not self._is_letter(content, match):
            small = re.match(r"[\s\"']*\(?([a-z])(?:\)|[.,;\"'}]|\s*(?:\n|$))", content)
            if small and small[1].upper() in self.letters and not phrase:
                return [self.letters.index(small[1].upper())]
            return phrase
        if self._either.match(content[match.end() :]):
            return []
        if phrase and self.written[phrase[0]].lstrip("([").startswith(match[1][0].casefold()):
            # The letter is the beginning of an option's text (`D minor`); where it is all of it, it could mean either.
            if len(self.written[phrase[0]]) > 1:
                return phrase
            return phrase if phrase == [self.letters.index(match[1][0])] else []
        places = sorted({self.letters.index(one) for one in re.findall(self._one, match[1])})
        after = re.sub(r"^[\s)\]}.:,、\"'*]*(?:-\s+)?", "", content[match.end() :])
        shown = self._starts_with_text(after)
        if len(places) == 1 and shown and shown != places and content[match.end() : match.end() + 3].strip(" )]"):
            return []
        return places

    def _is_letter(self, content: str, match: re.Match[str]) -> bool:
        """Not the article `A`, the pronoun `I`, nor a run of letters that is a word."""
        found = match[1]
        if len(found) > 1 and found.isalpha():
            return self.several and "".join(sorted(set(found))) == found
        if len(found) > 1 and not re.search(r"[,、;&+/]|and|和|与|及", found):
            return self.several
        before = content[: match.start(1)]
        after = content[match.end() :]
        if (
            found not in ("A", "I")
            or before.rstrip().endswith(("(", "[", '"', "'", "“", "{"))
            or not after[:1].isspace()
        ):
            return True
        following = re.match(r"\s+([A-Za-z]+)", after)
        if following is None or "\n" in after[: following.start(1)]:
            return True
        return following[1].lower() in _NO_NOUN or self._starts_with_text(after) == [self.letters.index(found)]

    def _starts_with_text(self, content: str) -> list[int]:
        """The option that the content begins with: as it is written, signs and all; else by its words."""
        said = _written(content)
        exact = [
            (len(text), place)
            for place, text in enumerate(self.written)
            if text and self.written.count(text) == 1 and said.startswith(text) and _ENDS.match(said[len(text) :])
        ]
        if exact:
            return [max(exact)[1]]
        words = _tokens(content)
        fits = [
            (len(told), place)
            for place, told in enumerate(self.texts)
            if self.told[place] and self.wordy[place] and words[: len(told)] == told
        ]
        return [max(fits)[1]] if fits else []

    def reversed(self, text: str) -> list[int]:
        """`B is the correct answer`. The last one counts where it says `answer`, else there must be but one."""
        found = []
        for match in _REVERSED.finditer(text):
            letter = match[1] or match[2] or match[3].upper()
            if letter in self.letters and not re.search(r"(?<![A-Za-z])not(?![A-Za-z])|n't|不", match[0]):
                found.append(self.letters.index(letter))
        return sorted(set(found))

    def lines(self, text: str) -> list[int]:
        """Lines that are a letter, or a letter with its option, or an option."""
        kept = [line.strip() for line in text.splitlines() if line.strip()]
        alone = {place for line in kept for place in self._bare(line) if len(self._bare(line)) == 1}
        if len(alone) == 1:
            return list(alone)
        full = {place for line in kept for place in (self.whole(line) or self._opening(line))}
        return sorted(full | alone)

    def _opening(self, line: str) -> list[int]:
        """A line that begins with a letter and its option and goes on."""
        match = _LINE.match(line)
        if match is None or match[1] not in self.letters:
            return []
        place = self.letters.index(match[1])
        told = self.texts[place]
        return [place] if told and _tokens(match[2])[: len(told)] == told else []

    def bracketed(self, text: str) -> list[int]:
        """Letters in brackets or after `option`, unless they are dismissed there."""
        letters = {
            match[1] or match[2]
            for match in _BRACKETED.finditer(text)
            if not _RULED_OUT.search(text[: match.start()]) and not _DISMISSED.match(text[match.end() :])
        }
        return sorted(self.letters.index(one) for one in letters if one in self.letters)

    def mentioned(self, text: str) -> list[int]:
        """Options whose text stands in the text, not inside a longer one's, not after a negation. Bare numbers do not count."""
        words = _tokens(text)
        spans: list[tuple[int, int, int]] = []
        for place, told in enumerate(self.texts):
            if (
                self.told[place]
                and self.wordy[place]
                and any(not re.fullmatch(r"-?[\d.,]+|[a-z]", word) for word in told)
            ):
                spans += [
                    (start, start + len(told), place)
                    for start in range(len(words) - len(told) + 1)
                    if words[start : start + len(told)] == told
                ]
        outer = [
            one
            for one in spans
            if not any(two[0] <= one[0] and one[1] <= two[1] and two[1] - two[0] > one[1] - one[0] for two in spans)
        ]
        kept = {place for start, _, place in outer if not _NEGATIONS & set(words[max(0, start - 2) : start])}
        return sorted(kept) if kept == {place for _, _, place in outer} else []


def _written(text: str) -> str:
    """The text with its signs, in one width and case, without the dollars of formulas and what ends a sentence."""
    return re.sub(r"\s+", " ", re.sub(r"[$\"“”*]", "", plain(text).casefold())).strip().rstrip(".。;；").strip()


def _tokens(text: str) -> list[str]:
    """Words, numbers with their signs, and Chinese characters singly; no articles at the beginning."""
    found = [word.replace("\u2212", "-").replace(",", "") for word in _TOKENS.findall(plain(text).casefold())]
    while len(found) > 1 and found[0] in _ARTICLES:
        del found[0]
    return found
