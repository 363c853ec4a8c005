"""Questions about documents: those that people wrote, checked against the knowledge base, and choice items made of questions.

A written question counts only when the passage that it names as evidence is really there: a suite written for one folder of
documents does not test another.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from septet.core import ConfigError
from septet.detect.language import language


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


def completed(item: dict[str, Any], where: str, test_share: float) -> dict[str, Any]:
    """A line of a file of questions with what it may leave out: all but `question` (and `evidence`, if a passage answers it).

    Raises ConfigError for a line that is no question; `where` names its place.
    """
    if not isinstance(item.get("question"), str) or not item["question"].strip():
        raise ConfigError(f"{where} asks nothing", 'A line needs at least {"question": "..."}')
    evidence = item.get("evidence")
    if evidence is not None and not (isinstance(evidence, dict) and {"source", "quote"} <= evidence.keys()):
        raise ConfigError(
            f"{where}: its evidence names no passage", 'Write {"source": "the file", "quote": "its words"}'
        )
    answers = item.get("answers")
    if not (answers is None or (isinstance(answers, list) and all(isinstance(one, str) for one in answers))):
        raise ConfigError(f"{where}: 'answers' is no list of texts", 'Write ["..."], or [] where there is no answer')
    identity = str(item.get("id") or f"written-{_order('id', item['question'])[:12]}")
    spoken = language(item["question"])
    held_out = int(_order("split", identity)[:8], 16) / 0xFFFFFFFF < test_share
    usual = {
        "kind": "question",
        "language": "zh" if spoken == "mixed" else spoken,
        "answers": [],
        "evidence": None,
        "options": None,
        "label": None,
        "split": "test" if held_out else "train",
        "category": "written",
        "contexts": [],
    }
    return {**item, "id": identity, **{name: value for name, value in usual.items() if item.get(name) is None}}


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


def _squeeze(text: str) -> str:
    return re.sub(r"[\s`*_|]+", "", text)


def _is_value(answer: str) -> bool:
    return bool(re.fullmatch(r"[\d.,%\s\w]{1,14}", answer)) and any(character.isdigit() for character in answer)


def _apart(one: str, other: str) -> bool:
    first, second = _squeeze(one).lower(), _squeeze(other).lower()
    return first != second and first not in second and second not in first


def _order(key: str, value: str) -> str:
    return hashlib.sha256(f"{key}\0{value}".encode()).hexdigest()
