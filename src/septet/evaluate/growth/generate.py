"""Exam items out of documents, by rule and without a model: a sentence with a value left out, to choose or to write.

The answer is a span of the document, the sentence around it is the evidence. Wrong options are other values of the same type
out of the same documents (another number of days, another date, another body), drawn with the same chance as the right one:
each value of a type is right in few items, and each other one may stand beside it, so that neither the length of an option nor
how common it is tells the answer. After the idea of cloze tests from texts (Taylor, 1953) and of distractors of one type
(LiveBench, arXiv 2406.19314, asks from fresh texts for the same reason: a model cannot have read them).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from septet.core import ConfigError
from septet.evaluate.form import CHINESE, ENGLISH, Layout, Task, item
from septet.evaluate.growth.spans import Span, Value, folded, sentences, values

KINDS = ("choice", "cloze")
OPTIONS = 4
GAP = "____"
_LANGUAGES = {"zh": "zh", "mixed": "zh", "en": "en"}
_SIZES = {"zh": (18, 140), "en": (50, 320)}
_LEAST_LEFT = {"zh": 14, "en": 40}
"""Characters of a sentence, and those that must be left beside the gap."""
_BARE = Layout(item="{question}\nAnswer:", cloze="{question}\nAnswer:")
_BARE_ZH = Layout(item="{question}\n答案：", cloze="{question}\n答案：", answer="{answer}")
# A sentence that leans on what stands before it cannot be asked by itself.
_LEANS = {
    "zh": re.compile(
        r"^(?:[这那其此该他她它]|但|而|也|且|并|因此|所以|另外|此外|同时|否则|对此|以上|由此|故)|前款|前项|前条|前两款|本条|上款|上述|如下|下列|下表|下图|见[图表]|(?:参见|参阅|详见|请见|见第).{0,30}[章节条]"
    ),
    "en": re.compile(
        r"^(?:It|Its|This|That|These|Those|They|Their|He|She|But|And|Or|However|Therefore|Thus|Such|Here|There|Also|Then|So|Otherwise"
        r"|Both|Instead|Moreover|Furthermore|Similarly)\b|\b(?:above|below|following|as follows|aforementioned"
        r"|(?:sub)?paragraphs?\s\(|clauses?\s\()|\b(?:figure|table)\s\d|\bsee\s(?:also\s)?(?:section|chapter|appendix|part|§)",
        re.IGNORECASE,
    ),
}


class Found(NamedTuple):
    """A value that can be asked for, with the sentence it stands in."""

    document: Mapping[str, Any]
    language: str
    sentence: Span
    value: Value

    @property
    def gap(self) -> str:
        """The sentence with its value left out."""
        text = self.document["text"]
        return _plain(f"{text[self.sentence.start : self.value.start]}{GAP}{text[self.value.end : self.sentence.end]}")

    @property
    def identity(self) -> str:
        """The same for the same place, whatever else is asked."""
        text = self.document["text"][self.sentence.start : self.sentence.end]
        whole = "\x00".join(
            (str(self.document["id"]), text, self.value.text, str(self.value.start - self.sentence.start))
        )
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def generate(
    documents: Sequence[Mapping[str, Any]],
    name: str,
    kinds: Sequence[str] = KINDS,
    per_document: int = 3,
    per_answer: int = 3,
    count: int = 0,
    seed: int = 1,
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Items of the documents, and what was rejected with its reason.

    A document has `id`, `text`, and where there are any `language`, `title`, `source`. At most `per_document` sentences of a
    document are asked, `per_answer` items have one value as their answer, and `count` sentences are asked in all (0: as many as
    there are). A choice and a cloze of one sentence are twins: `meta.span` is the same. Labels are placed by `filter.placed`.

    Raises ConfigError for a kind that is not made, and documents with one id twice.
    """
    strange = [kind for kind in kinds if kind not in KINDS]
    if strange or not kinds:
        raise ConfigError(
            f"items of the kind '{(strange or [''])[0]}' are not made", f"Write some of {', '.join(KINDS)}"
        )
    twice = [one for one, times in Counter(str(document["id"]) for document in documents).items() if times > 1]
    if twice:
        raise ConfigError(f"{len(twice)} documents share an id, such as '{twice[0]}'", "Give each document its own")
    found: list[list[Found]] = []
    pool: dict[tuple[str, str], dict[str, str]] = {}
    rejected: list[dict[str, str]] = []
    for document in documents:
        if not language_of(document):
            reason = (
                "its language is neither Chinese nor English"
                if str(document.get("text") or "").strip()
                else "it is empty"
            )
            rejected.append({"source": source_of(document), "where": str(document["id"]), "reason": reason})
            continue
        own = list(_askable(document, pool))
        if not own:
            rejected.append(
                {
                    "source": source_of(document),
                    "where": str(document["id"]),
                    "reason": "no sentence states a value to ask for",
                }
            )
        found.append(sorted(own, key=lambda one: _order(seed, one.identity)))
    items: list[dict[str, Any]] = []
    answers = _answers(found)
    wrong: dict[str, list[str]] = {}
    fit: list[list[Found]] = []
    for own in found:
        fit.append([])
        for one in own:
            wrong[one.identity] = _wrong(one, pool, seed)
            reason = ""
            if len(answers[one.language, folded(one.gap)]) > 1:
                reason = "the same sentence stands in the documents with another value"
            elif len(wrong[one.identity]) < OPTIONS - 1:
                reason = (
                    f"{len(wrong[one.identity])} other values of the type '{one.value.type}' stand in the documents, "
                    f"{OPTIONS - 1} are needed"
                )
            if reason:
                where = f"{one.document['id']}/{one.identity}"
                rejected.append({"source": source_of(one.document), "where": where, "reason": reason})
            else:
                fit[-1].append(one)
    for one in _chosen(fit, per_document, per_answer, count, seed):
        items += _items(one, wrong[one.identity], name, kinds)
    return items, rejected


def tasks(items: Sequence[Mapping[str, Any]]) -> tuple[Task, ...]:
    """The tasks of grown items: options by letter, gaps and open questions in writing."""
    return tuple(task_of(name) for name in sorted({str(one["task"]) for one in items}))


def task_of(name: str) -> Task:
    """A task by its name, `<exam>-<kind>/<language>`."""
    chinese = name.endswith("/zh")
    language = "zh" if chinese else "en"
    if name.rpartition("/")[0].endswith("-choice"):
        return Task(
            name,
            language,
            "letter",
            "option",
            group="choice",
            layout=CHINESE if chinese else ENGLISH,
            max_tokens=8,
            chance=1 / OPTIONS,
        )
    layout = _BARE_ZH if chinese else _BARE
    kind = name.rpartition("/")[0].rpartition("-")[2]
    return Task(name, language, "generate", "reference", group=kind, layout=layout, max_tokens=48, stop=("\n",))


def made(
    name: str,
    kind: str,
    language: str,
    document: Mapping[str, Any],
    identity: str,
    question: str,
    answer: str,
    wrong: Sequence[str],
    evidence: Span,
    category: str,
    by: str,
) -> dict[str, Any]:
    """An item with its evidence: a literal span of the document, by characters."""
    task = task_of(f"{name}-{kind}/{language}")
    row = item(
        f"{task.name}/{identity}",
        task,
        question,
        options=[answer, *wrong] if kind == "choice" else None,
        label=0 if kind == "choice" else None,
        answers=[answer],
        cluster=f"{name}/{document['id']}",
        category=category,
        meta={"span": identity, "document": str(document["id"]), "by": by},
    )
    quote = document["text"][evidence.start : evidence.end]
    row["evidence"] = {
        "source": source_of(document),
        "document": str(document["id"]),
        "quote": quote,
        "start": evidence.start,
        "end": evidence.end,
    }
    return row


def source_of(document: Mapping[str, Any]) -> str:
    return str(document.get("source") or document["id"])


def language_of(document: Mapping[str, Any]) -> str:
    """`zh` or `en`, as told or else as read; '' for other languages and no text."""
    text = str(document.get("text") or "")
    if not text.strip():
        return ""
    told = document.get("language")
    if not told:
        from septet.detect.language import language

        told = language(text)
    return _LANGUAGES.get(str(told), "")


def _askable(document: Mapping[str, Any], pool: dict[tuple[str, str], dict[str, str]]) -> Iterator[Found]:
    """Values of sentences that stand by themselves. All values go into the pool of what may be a wrong option."""
    text = str(document["text"])
    for span in sentences(text):
        sentence = text[span.start : span.end]
        # A document may hold both languages: each sentence is of its own.
        language = "zh" if len(_HAN.findall(sentence)) > len(sentence) / 5 else "en"
        own = values(text, span, language)
        for value in own:
            pool.setdefault((language, value.type), {}).setdefault(value.key, _plain(value.text))
        if not _stands_alone(sentence, language):
            continue
        for value in own:
            # The sentence must not tell the value elsewhere, nor hold a second one that would fit the gap as well; and what is left
            # of it must be enough to know it by.
            again = folded(sentence).count(folded(value.text)) > 1
            left = len(_plain(sentence)) - len(value.text)
            if not again and left >= _LEAST_LEFT[language] and sum(other.type == value.type for other in own) == 1:
                yield Found(document, language, span, value)


_HAN = re.compile(r"[\u3400-\u9fff]")


def _stands_alone(sentence: str, language: str) -> bool:
    low, high = _SIZES[language]
    if not low <= len(_plain(sentence)) <= high or _LEANS[language].search(sentence):
        return False
    if sentence.rstrip("”\"')）")[-1:] in "?？" or any(
        sentence.count(a) != sentence.count(b) for a, b in ("“”", "（）")
    ):
        return False
    return language == "zh" or (sentence[:1].isupper() and not _is_heading(sentence))


def _answers(found: Sequence[Sequence[Found]]) -> dict[tuple[str, str], set[str]]:
    """By sentence with a gap: all values that fill it anywhere, such as in an older version of a document."""
    answers: dict[tuple[str, str], set[str]] = {}
    for own in found:
        for one in own:
            answers.setdefault((one.language, folded(one.gap)), set()).add(one.value.key)
    return answers


def _is_heading(sentence: str) -> bool:
    """Whether most words are capitalised, as in a heading or the cells of a form."""
    words = [word for word in sentence.split() if word[0].isalpha()]
    return not words or sum(word[0].isupper() for word in words) > len(words) / 2


def _chosen(
    found: Sequence[Sequence[Found]], per_document: int, per_answer: int, count: int, seed: int
) -> Iterator[Found]:
    """Round by round, so that every document has its first item before any has its second."""
    spread = sorted((own for own in found if own), key=lambda own: _order(seed, own[0].identity))
    of_document: Counter[int] = Counter()
    of_answer: Counter[tuple[str, str, str]] = Counter()
    asked: set[tuple[int, Span]] = set()
    total = 0
    for depth in range(max(map(len, spread), default=0)):
        for place, own in enumerate(spread):
            if depth >= len(own) or of_document[place] >= per_document or (count and total >= count):
                continue
            one = own[depth]
            answer = (one.language, one.value.type, one.value.key)
            if of_answer[answer] >= per_answer or (place, one.sentence) in asked:
                continue
            asked.add((place, one.sentence))
            of_answer[answer] += 1
            of_document[place] += 1
            total += 1
            yield one


def _wrong(one: Found, pool: Mapping[tuple[str, str], Mapping[str, str]], seed: int) -> list[str]:
    """Other values of the type, that do not stand in the evidence and are not part of one another."""
    evidence = folded(one.document["text"][one.sentence.start : one.sentence.end])
    found: list[str] = []
    taken = [folded(one.value.text)]
    others = pool[one.language, one.value.type]
    for key in sorted(others, key=lambda key: _order(seed, f"{one.identity} {key}")):
        text = others[key]
        bare = folded(text)
        if key == one.value.key or bare in evidence or any(bare in other or other in bare for other in taken):
            continue
        found.append(text)
        taken.append(bare)
        if len(found) == OPTIONS - 1:
            break
    return found


_ASKS = {
    ("choice", "zh"): "{title}下面这句话的空白处应填哪一项？\n{gap}",
    ("choice", "en"): "{title}Which option fills the gap in this sentence?\n{gap}",
    ("cloze", "zh"): "{title}请写出下面这句话空白处的内容，只写空白处的内容。\n{gap}",
    ("cloze", "en"): "{title}Write what is missing in the gap of this sentence, and nothing else.\n{gap}",
}


def _items(one: Found, wrong: Sequence[str], name: str, kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
    value = one.value
    title = _plain(str(one.document.get("title") or "").split(" > ")[0])
    if folded(value.text.strip("《》")) in folded(title):
        title = ""
    lead = "" if not title else f"《{title.strip('《》')}》：" if one.language == "zh" else f"{title}: "
    for kind in kinds:
        question = _ASKS[kind, one.language].format(title=lead, gap=one.gap)
        yield made(
            name,
            kind,
            one.language,
            one.document,
            one.identity,
            question,
            _plain(value.text),
            wrong,
            one.sentence,
            value.type,
            "rule",
        )


def _plain(text: str) -> str:
    """Without marks of Markdown and line breaks; between Chinese characters no blank stays."""
    bare = re.sub(r"\*\*|`|\[([^\]\n]*)\]\([^)\n]*\)", lambda match: match[1] or "", text)
    bare = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])\s+(?=[\u3000-\u9fff\uff00-\uffef])", "", bare)
    return " ".join(bare.split())


def _order(seed: int, value: str) -> str:
    return hashlib.sha256(f"{seed}\x00{value}".encode("utf-8", "surrogatepass")).hexdigest()
