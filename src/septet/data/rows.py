"""Training rows of a grounded assistant: a question, what was retrieved for it, and the answer, as chat messages.

The evidence is always among the contexts of an answerable row, at a place that varies, beside what retrieval really brings
up; a share of rows has it taken out and says that the documents do not hold the answer. What a model is trained to read is
what it will be served: the prompt comes from the same function. A reranker's rows turn it round: a passage, and its question.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from septet.knowledge.build import searched_text
from septet.knowledge.search import Searcher, context_of, contexts
from septet.model.template import ABSTAIN, asking, grounded_messages, one_line


def training_rows(
    items: Sequence[dict[str, Any]],
    searcher: Searcher,
    top: int,
    without_evidence: float,
    max_tokens: int,
    seed: int,
    access: Sequence[str] | None,
    as_of: str,
    tell: Callable[[int], None],
) -> Iterator[dict[str, Any]]:
    """One row an item, and a second one without its evidence for a share of them. The order is drawn from the seed.

    Of an item whose evidence is of another access class than `access` names (None: all) nothing is learned.
    """
    draw = random.Random(seed)  # noqa: S311 - an order of rows, not a secret
    rows = []
    for number, item in enumerate(items, 1):
        tell(number)
        evidence = [chunk for chunk in (searcher.chunk(one, access) for one in item["chunks"][:1]) if chunk is not None]
        if item["chunks"] and not evidence and searcher.chunk(item["chunks"][0]) is not None:
            continue
        hits = searcher.search(item["question"], top + len(item["chunks"]) + 2, access=access, as_of=as_of)
        others = [context for context in contexts(hits) if context["chunk"] not in item["chunks"]]
        if evidence:
            own = context_of(evidence[0])
            given = others[: top - 1]
            # Retrieval puts the evidence first about as often as not; a model that saw it always first would trust the rank.
            given.insert(draw.choice([0, 0, 0, min(1, len(given)), len(given)]), own)
            rows.append(_row(item, given, item["answers"][0], max_tokens, ""))
            if draw.random() < without_evidence and others:
                rows.append(_row(item, others[:top], ABSTAIN[_language(item)], max_tokens, "-without"))
        else:
            rows.append(_row(item, others[:top], ABSTAIN[_language(item)], max_tokens, ""))
    draw.shuffle(rows)
    yield from rows


def asking_rows(
    items: Sequence[dict[str, Any]], chunks: Iterable[dict[str, Any]], access: Sequence[str] | None
) -> list[dict[str, Any]]:
    """A row for each item whose evidence is here and of a class that `access` names (None: all): its passage, and its question.

    The passage is what an encoder reads of it, with its headings, as a reranker will be given it.
    """
    wanted = {item["chunks"][0] for item in items}
    held = {
        chunk["id"]: chunk for chunk in chunks if chunk["id"] in wanted and (not access or chunk["access"] in access)
    }
    return [
        {
            "id": item["id"],
            "item": item["id"],
            "messages": [
                *asking(searched_text(held[item["chunks"][0]])),
                {"role": "assistant", "content": one_line(item["question"])},
            ],
            "language": item["language"],
            "evidence": item["chunks"][:1],
            "access": [held[item["chunks"][0]]["access"]],
            "origin": item["category"],
        }
        for item in items
        if item["chunks"][0] in held
    ]


def _row(
    item: dict[str, Any], given: Sequence[dict[str, Any]], answer: str, max_tokens: int, suffix: str
) -> dict[str, Any]:
    grounded = grounded_messages(item["question"], given, _language(item), max_tokens=max_tokens)
    return {
        "id": item["id"] + suffix,
        "item": item["id"],
        "messages": [*grounded.messages, {"role": "assistant", "content": answer}],
        "language": item["language"],
        "evidence": [context["chunk"] for context in given[: grounded.num_contexts]],
        "access": sorted({context["access"] for context in given[: grounded.num_contexts]}),
        "origin": item["category"],
        "truncated": grounded.num_truncated,
        "left_out": grounded.num_dropped,
    }


def _language(item: dict[str, Any]) -> str:
    return "zh" if item["language"] == "zh" else "en"
