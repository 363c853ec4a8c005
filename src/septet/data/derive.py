"""Questions derived from documents that nobody wrote questions for.

They are extractive: the answer is a span of the text, so that it needs no judge and no model. Each form asks with words that
stand near the answer, as a person does who half remembers it: what an article of a law provides, what something is, what a
table gives for a row, which value belongs into a gap, how a section begins. The same documents give the same questions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

_SENTENCE = re.compile(r"[^。！？!?\n]+?(?:[。！？]|[.!?](?=\s|$)|$)")
_ARTICLE = re.compile(r"^\**(第[零〇一二两三四五六七八九十百千\d]+条)\**[\s\u3000]*(.+)$")
_CODE = re.compile(r"`([^`\n]{2,40})`")
_UNITS = "天|日|个月|月|年|周|小时|分钟|秒|元|万元|倍|次|人|名|岁|个|字符|页|位"
_NUMBER = re.compile(
    rf"(?<![\w.第])(?:\d[\d,.]*\d|\d)\s?(?:%|MB|GB|kB|ms|days?|hours?|minutes?|months?|years?|bytes?|{_UNITS})?(?!\w)"
    rf"|(?<![第之])(?:[二两三四五六七八九十]|[一二三四五六七八九十百千万亿]{{2,}})(?:{_UNITS})(?!至)"
    r"|百分之[一二三四五六七八九十百]+"
)
_IS_EN = re.compile(
    r"^(?:The |An? )?([A-Z]?[\w`'-]+(?: [\w`'-]+){0,4}) (is|are|means|holds|stores|keeps|checks|makes|gives|shows|uses) "
    r"(.{8,140}?)[.;:]?$"
)
_IS_ZH = re.compile(r"^([\w`·“”《》（）-]{2,20}?)(是指|指的是|用于|用来|负责|表示|记录|保存|是)(.{4,60}?)[。；：]?$")
_CALLED_ZH = re.compile(r"(?:本\w{1,4}|这里)所称(?:的)?(\w{2,16}?)[，,]?(?:是指|包括|指)(.{6,80}?)[。；]")
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|\*{1,2}|(?<![A-Za-z0-9_])_(?=\S)|(?<=\S)_(?![A-Za-z0-9_])")
_VAGUE_EN = re.compile(
    r"^(?:it|this|that|these|those|there|they|what|which|if|when|so|both|each|you|we|here|one|some|he|she|its|their|nothing"
    r"|for|in|on|at|with|by|after|before|from|to|as|under|because|although)\b"
    r"|\b(?:and|or|that|which|who|but|of|in|to|for|with|is|are|was|shows|keeps|gives|makes|has|have)\b(?=$| )",
    re.IGNORECASE,
)
_VAGUE_ZH = re.compile(r"^(?:[这那它其此该但而也就都不你我他每所另可已只还]|如果|因为|所以|第.+条)|[的和与或]$")
_LONGEST = {"zh": 60, "en": 160}
_BARE = {"means": "mean", "holds": "hold", "stores": "store", "keeps": "keep", "checks": "check", "makes": "make"}


class _Found(NamedTuple):
    question: str
    answer: str
    quote: str
    category: str


def derive(chunks: Sequence[dict[str, Any]], count: int, test_share: float) -> list[dict[str, Any]]:
    """At most `count` questions, spread evenly over the chunks, with a held-out share split off by chunk.

    `chunks` are in the order of the documents. Of languages other than Chinese and English no question is made.
    """
    begins = _first_of_its_title(chunks)
    spread = sorted(chunks, key=lambda chunk: _order("derive", chunk["id"]))
    by_chunk = [list(_of_chunk(chunk, chunk["id"] in begins)) for chunk in spread]
    found: list[dict[str, Any]] = []
    asked: set[str] = set()
    for depth in range(max(map(len, by_chunk), default=0)):
        # Round by round, so that every chunk has its first question before any has its second.
        for made in by_chunk:
            if depth < len(made) and made[depth]["question"] not in asked and len(found) < count:
                asked.add(made[depth]["question"])
                found.append(made[depth])
    for item in found:
        share = int(_order("split", item["chunks"][0])[:8], 16) / 0xFFFFFFFF
        item["split"] = "test" if share < test_share else "train"
    return found


def _first_of_its_title(chunks: Sequence[dict[str, Any]]) -> set[str]:
    """Chunks with which a section begins, where no other section of the corpus has the same path of headings."""
    first: dict[tuple[str, str], str] = {}
    sources: dict[str, set[str]] = {}
    for chunk in chunks:
        first.setdefault((chunk["source"], chunk["title"]), chunk["id"])
        sources.setdefault(chunk["title"], set()).add(chunk["source"])
    return {identity for (_, title), identity in first.items() if len(sources[title]) == 1}


def _of_chunk(chunk: dict[str, Any], begins: bool) -> Iterator[dict[str, Any]]:
    if chunk["language"] not in ("zh", "en", "mixed"):
        return
    language = "en" if chunk["language"] == "en" else "zh"
    seen: set[str] = set()
    for found in _candidates(chunk, language == "zh", begins):
        answer = found.answer.strip(" ：:，,")
        if found.question in seen or not answer or len(answer) > _LONGEST[language]:
            continue
        seen.add(found.question)
        yield {
            "id": f"derived-{chunk['id']}-{len(seen)}",
            "kind": "question",
            "language": language,
            "question": found.question,
            "answers": [answer],
            "evidence": {"source": chunk["source"], "quote": found.quote},
            "options": None,
            "label": None,
            "category": found.category,
            "contexts": [],
            "chunks": [chunk["id"]],
        }


def _candidates(chunk: dict[str, Any], chinese: bool, begins: bool) -> Iterator[_Found]:
    path = chunk["title"].split(" > ")
    lines, tables = _prose(chunk["text"])
    for line in lines:
        article = _ARTICLE.match(line)
        if article and chinese:
            provides = re.split(r"(?<=[。；：])", _plain(article.group(2)))[0].rstrip("。；：")
            yield _Found(f"《{path[0]}》{article.group(1)}规定了什么？", provides, line, "article")
        for called in _CALLED_ZH.finditer(line):
            yield _Found(
                f"《{path[0]}》所称的{called.group(1)}是指什么？", called.group(2), called.group(), "definition"
            )
    sentences = [m.group().strip() for line in lines for m in _SENTENCE.finditer(line)]
    sentences = [one for one in sentences if len(one) * (2 if chinese else 1) >= 12 and len(one) <= 220]
    for sentence in sentences:
        yield from _definition(sentence, chinese)
    for head, cells in tables:
        for column in range(1, min(len(head), len(cells))):
            yield _row(head[column], cells[0], cells[column], " | ".join(cells), chinese)
    for sentence in sentences:
        gap = _gap(sentence, chinese)
        if gap is not None:
            yield gap
    if begins and sentences:
        start = _plain(sentences[0])
        if chinese:
            yield _Found(f"关于“{path[-1]}”，文档首先说了什么？", start, sentences[0], "heading")
        else:
            question = f'What does the documentation first say about "{path[-1]}"?'
            yield _Found(question, start, sentences[0], "heading")


def _definition(sentence: str, chinese: bool) -> Iterator[_Found]:
    match = (_IS_ZH if chinese else _IS_EN).match(_plain(sentence))
    if match is None:
        return
    subject, verb, rest = (group.strip() for group in match.groups())
    if chinese and not _VAGUE_ZH.search(subject):
        question = f"{subject}是什么？" if verb in ("是", "是指", "指的是") else f"{subject}{verb}什么？"
        yield _Found(question, rest, sentence, "definition")
    elif not chinese and not _VAGUE_EN.search(subject):
        asks = f"What {verb} {subject}?" if verb in ("is", "are") else f"What does {subject} {_bare(verb)}?"
        yield _Found(asks, rest, sentence, "definition")


def _row(head: str, name: str, value: str, quote: str, chinese: bool) -> _Found:
    question = f"{name}的“{head}”是什么？" if chinese else f"What is the {head.lower()} of {name}?"
    return _Found(_plain(question), _plain(value), quote, "table")


def _gap(sentence: str, chinese: bool) -> _Found | None:
    """A sentence with its first name in code marks, or its first value, left out."""
    for pattern in (_CODE, _NUMBER):
        for match in pattern.finditer(sentence):
            value = match.group(1) if pattern is _CODE else match.group()
            gap = f"{_plain(sentence[: match.start()] + chr(0))}____{_plain(chr(0) + sentence[match.end() :])}".replace(
                chr(0), ""
            )
            if len(gap) > len(value) + 8:
                question = f"填空：{gap}" if chinese else f"Fill in the blank: {gap}"
                return _Found(question, value, sentence, "gap")
    return None


def _prose(text: str) -> tuple[list[str], list[tuple[list[str], list[str]]]]:
    """Lines of running text, and the rows of tables with their heads. Code blocks are left aside: they have no sentences."""
    lines: list[str] = []
    tables: list[tuple[list[str], list[str]]] = []
    head: list[str] = []
    fenced = False
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced or re.match(r"^#{1,6}\s", bare):
            continue
        elif bare.startswith("|"):
            cells = [cell.strip() for cell in bare.strip("|").split("|")]
            if all(re.fullmatch(r":?-+:?", cell) for cell in cells):
                continue
            if head:
                tables.append((head, cells))
            else:
                head = cells
        else:
            head = []
            lines.append(re.sub(r"^(?:[-*+•]|\d+[.)、])\s+", "", bare))
    return lines, tables


def _bare(verb: str) -> str:
    return _BARE.get(verb) or verb.rstrip("s")


def _plain(text: str) -> str:
    return _MARKUP.sub(lambda match: match.group(1) or "", text).replace("`", "").strip()


def _order(purpose: str, value: str) -> str:
    return hashlib.sha256(f"{purpose}\0{value}".encode()).hexdigest()
