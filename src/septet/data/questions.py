"""Questions about documents: those that people wrote, checked against the knowledge base, and those derived from it.

A written question counts only when the passage that it names as evidence is really there: a suite written for one folder of
documents does not test another. Derived questions are extractive: the answer is a span of the text, so that it needs no
judge and no model. They come from definitions, from table rows, from values and names in code marks (a gap to fill), and
from headings; the same documents give the same questions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_SENTENCE = re.compile(r"[^。！？!?\n]+?(?:[。！？]|[.!?](?=\s|$)|$)")
_CODE = re.compile(r"`([^`\n]{2,40})`")
_NUMBER = re.compile(
    r"(?<![\w.])(\d[\d,.]*\d|\d)(?:\s?(%|MB|GB|kB|ms|s|days?|hours?|minutes?|steps?|bytes?|characters?|天|个|年|月|日|元|万元|分钟|小时|秒|字符|条|页))?(?!\w)"
)
_IS_EN = re.compile(
    r"^(?:The |An? )?([A-Z]?[\w`' -]{2,40}?) (is|are|means|holds|stores|keeps|checks|makes|gives|shows|uses) (.{8,160}?)[.;:]?$"
)
_IS_ZH = re.compile(r"^([\w`·“”《》（） -]{2,24}?)(是|指的是|是指|用于|用来|负责|表示|记录|保存)(.{4,80}?)[。；：]?$")
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|\*{1,2}|(?<![A-Za-z0-9_])_(?=\S)|(?<=\S)_(?![A-Za-z0-9_])")
_MIN_SENTENCE, _MAX_SENTENCE = 12, 220


def written(
    items: Iterable[dict[str, Any]], chunks: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Written items that these chunks bear out, and those they do not (with the reason in `reason`).

    Kept items get `chunks`: the ids of the chunks that hold the evidence.
    """
    squeezed = {chunk["id"]: _squeeze(chunk["text"]) for chunk in chunks}
    sources = {chunk["source"] for chunk in chunks}
    kept, lost = [], []
    for item in items:
        evidence = item.get("evidence")
        if evidence is None:
            kept.append({**item, "chunks": []})
            continue
        quote = _squeeze(str(evidence["quote"]))
        source = str(evidence["source"])
        own = {name for name in sources if name == source or name.endswith("/" + source)}
        holds = [c["id"] for c in chunks if c["source"] in own and quote and quote in squeezed[c["id"]]]
        if not holds and own:
            # The quote may run over the end of a chunk: the answer itself must then stand in one.
            answer = _squeeze(str((item.get("answers") or [""])[0]))
            holds = [c["id"] for c in chunks if c["source"] in own and answer and answer in squeezed[c["id"]]][:1]
        if holds:
            kept.append({**item, "chunks": holds})
        else:
            reason = (
                "the document is not in the knowledge base" if not own else "the quoted passage is not in the document"
            )
            lost.append({**item, "reason": reason})
    if not any(item["chunks"] for item in kept):
        # With no evidence of its own left, what is unanswerable was written for other documents too.
        lost += [{**item, "reason": "written for other documents"} for item in kept]
        kept = []
    return kept, lost


def derive(chunks: Sequence[dict[str, Any]], count: int, test_share: float) -> list[dict[str, Any]]:
    """At most `count` derived questions, spread evenly over the chunks, with a held-out share split off by chunk."""
    spread = sorted(chunks, key=lambda chunk: _order("derive", chunk["id"]))
    by_chunk = [list(_of_chunk(chunk)) for chunk in spread]
    found: list[dict[str, Any]] = []
    depth = 0
    while len(found) < count and any(len(made) > depth for made in by_chunk):
        # Round by round, so that every chunk has its first question before any has its second.
        found += [made[depth] for made in by_chunk if len(made) > depth]
        depth += 1
    found = found[:count]
    for item in found:
        share = int(hashlib.sha256(item["chunks"][0].encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
        item["split"] = "test" if share < test_share else "train"
    return found


def choices(items: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Four-way choice items of held-out questions: the wrong options are answers to other questions, of like length."""
    pool: dict[tuple[str, bool], list[str]] = {}
    for item in items:
        if item["answers"]:
            pool.setdefault((item["language"], _is_value(item["answers"][0])), []).append(item["answers"][0])
    found = []
    for item in items:
        if len(found) >= count:
            break
        if item["kind"] != "question" or item["split"] != "test" or not item["answers"]:
            continue
        right = item["answers"][0]
        others = [one for one in dict.fromkeys(pool[(item["language"], _is_value(right))]) if _apart(one, right)]
        others.sort(key=lambda one: (abs(len(one) - len(right)), _order(item["id"], one)))
        options = [right, *others[:3]]
        if len(options) < 4:
            continue
        options.sort(key=lambda one: _order(item["id"], one))
        found.append(
            {**item, "id": f"{item['id']}-choice", "kind": "choice", "options": options, "label": options.index(right)}
        )
    return found


def _of_chunk(chunk: dict[str, Any]) -> Iterator[dict[str, Any]]:
    chinese = chunk["language"] in ("zh", "mixed")
    place = 0
    seen: set[str] = set()
    for question, answer, quote, category in _candidates(chunk, chinese):
        if question in seen or not answer.strip():
            continue
        seen.add(question)
        yield {
            "id": f"derived-{chunk['id']}-{place}",
            "kind": "question",
            "language": "zh" if chinese else "en",
            "question": question,
            "answers": [answer],
            "evidence": {"source": chunk["source"], "quote": quote},
            "options": None,
            "label": None,
            "category": category,
            "contexts": [],
            "chunks": [chunk["id"]],
        }
        place += 1


def _candidates(chunk: dict[str, Any], chinese: bool) -> Iterator[tuple[str, str, str, str]]:
    prose, tables = _prose(chunk["text"])
    sentences = [m.group().strip() for line in prose for m in _SENTENCE.finditer(line)]
    sentences = [
        one for one in sentences if len(one) * (2 if chinese else 1) >= _MIN_SENTENCE and len(one) <= _MAX_SENTENCE
    ]
    for sentence in sentences:
        match = (_IS_ZH if chinese else _IS_EN).match(_plain(sentence))
        if match and not _vague(match.group(1), chinese) and "，" not in match.group(1):
            subject, verb, rest = (group.strip() for group in match.groups())
            if chinese:
                question = f"{subject}是什么？" if verb in ("是", "指的是", "是指") else f"{subject}{verb}什么？"
            else:
                question = f"What {verb} {subject}?" if verb in ("is", "are") else f"What does {subject} {_bare(verb)}?"
            yield question, rest, sentence, "definition"
    for head, cells in tables:
        for column in range(1, min(len(head), len(cells))):
            if cells[column] and len(cells[column]) <= 80:
                question = (
                    f"{cells[0]}的“{head[column]}”是什么？"
                    if chinese
                    else f"What is the {head[column].lower()} of {cells[0]}?"
                )
                yield _plain(question), _plain(cells[column]), " | ".join(cells), "table"
    for sentence in sentences:
        for value in _values(sentence):
            gap = _plain(sentence.replace(value, "____", 1)).replace("`____`", "____")
            if gap.count("____") == 1 and len(gap) > len(value) + 8:
                question = f"填空：{gap}" if chinese else f"Fill in the blank: {gap}"
                yield question, value.strip("`"), sentence, "gap"
                break
    heading = chunk["title"].rpartition(" > ")[2]
    if heading and sentences:
        question = (
            f"关于“{heading}”，文档首先说了什么？"
            if chinese
            else f'What does the documentation first say about "{heading}"?'
        )
        yield question, _plain(sentences[0]), sentences[0], "heading"


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


def _values(sentence: str) -> Iterator[str]:
    for match in _CODE.finditer(sentence):
        yield match.group(1)
    for match in _NUMBER.finditer(sentence):
        yield match.group(0)


def _vague(subject: str, chinese: bool) -> bool:
    words = subject.lower().split()
    first = words[0] if words else ""
    if chinese:
        return bool(
            re.match(r"^(这|那|它|其|此|该|如果|因为|所以|但|而|也|就|都|不|你|我|他|每|所有|另|可|已|只|还)", subject)
        )
    return first in {
        "it",
        "this",
        "that",
        "these",
        "those",
        "there",
        "they",
        "what",
        "which",
        "if",
        "when",
        "so",
        "both",
        "each",
        "you",
        "we",
    }


def _bare(verb: str) -> str:
    return {"means": "mean", "holds": "hold", "stores": "store", "keeps": "keep", "checks": "check"}.get(
        verb
    ) or verb.rstrip("s")


def _plain(text: str) -> str:
    return _MARKUP.sub(lambda match: match.group(1) or "", text).replace("`", "").strip()


def _squeeze(text: str) -> str:
    return re.sub(r"[\s`*_|]+", "", text)


def _is_value(answer: str) -> bool:
    return bool(re.fullmatch(r"[\d.,%\s\w]{1,14}", answer)) and any(character.isdigit() for character in answer)


def _apart(one: str, other: str) -> bool:
    first, second = _squeeze(one).lower(), _squeeze(other).lower()
    return first != second and first not in second and second not in first


def _order(key: str, value: str) -> str:
    return hashlib.sha256(f"{key}\0{value}".encode()).hexdigest()
