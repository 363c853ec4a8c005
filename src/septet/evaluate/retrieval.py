"""How well a knowledge base finds the evidence of a suite's questions, before any model reads it.

A chunk is right for a question if the item names it among its `chunks`, or if it holds the quote of the item's evidence and comes
from that source. Each way of searching is measured on the same questions, over all and by the languages of question and evidence;
every question is kept with the ranks of what was right and with what stood first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from septet import statistics
from septet.core import Run, StepFailed
from septet.detect.language import language
from septet.evaluate.ranking import MEASURES, measured
from septet.kinds import KnowledgeBase, Measure, Report, Suite
from septet.knowledge.search import Mode, Searcher
from septet.knowledge.validity import NEWEST


def evaluate(
    name: str, suite: Suite, knowledge: KnowledgeBase, modes: Sequence[Mode], split: str, top: int, run: Run
) -> Report:
    """Search for every question that has evidence in the knowledge base, in every mode, and write the report with its items."""
    asked = [item for item in suite.items() if item["kind"] == "question" and (not split or item["split"] == split)]
    backed = [item for item in asked if item.get("chunks") or item.get("evidence")]
    right = relevant(backed, knowledge.chunks())
    judged = [item for item in backed if item["id"] in right]
    run.drop("questions without evidence, which no search can answer", len(asked) - len(backed))
    run.drop("questions whose evidence this knowledge base does not hold", len(backed) - len(judged))
    if not judged:
        raise StepFailed(
            "no question of the suite has its evidence in this knowledge base",
            "Tie 'knowledge' to the one that the questions were written for, or name another split",
        )
    rows = []
    searcher = Searcher(knowledge)
    try:
        for number, item in enumerate(judged, 1):
            rows += [_row(item, mode, right[item["id"]], searcher, top) for mode in modes]
            run.progress(number, len(judged), "questions")
    finally:
        searcher.close()
    facts = {"suite": suite.about, "knowledge": knowledge.digest(), "encoder": knowledge.meta["encoder"], "top": top}
    return Report.write(run.out, name, summary(rows), rows, _notes(rows, top), {**facts, "modes": list(modes)})


def relevant(items: Sequence[dict[str, Any]], chunks: Iterable[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """For each item by its id: the ids of the chunks that are right, with the language of each. Items without one are left out."""
    by_chunk: dict[str, list[str]] = {}
    by_source: dict[str, list[tuple[str, str]]] = {}
    for item in items:
        for one in item.get("chunks") or ():
            by_chunk.setdefault(one, []).append(item["id"])
        quote = _folded((item.get("evidence") or {}).get("quote", ""))
        if quote:
            by_source.setdefault(item["evidence"]["source"], []).append((item["id"], quote))
    found: dict[str, dict[str, str]] = {}
    for chunk in chunks:
        text = _folded(chunk["text"]) if chunk["source"] in by_source else ""
        quoted = [identity for identity, quote in by_source.get(chunk["source"], ()) if quote in text]
        for identity in (*by_chunk.get(chunk["id"], ()), *quoted):
            found.setdefault(identity, {})[chunk["id"]] = chunk["language"]
    return found


def _folded(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _row(item: dict[str, Any], mode: Mode, right: dict[str, str], searcher: Searcher, top: int) -> dict[str, Any]:
    hits = searcher.search(item["question"], top, mode, as_of=NEWEST)
    ranks = [rank for rank, hit in enumerate(hits, 1) if hit.chunk["id"] in right]
    best = hits[ranks[0] - 1].chunk["id"] if ranks else min(right)
    return {
        "id": item["id"],
        "mode": mode,
        "question": item["question"],
        "pair": f"{_side(item.get('language') or language(item['question']))}-{_side(right[best])}",
        "source": (item.get("evidence") or {}).get("source", ""),
        "right": sorted(right),
        "ranks": ranks,
        "first": [hit.chunk["id"] for hit in hits[:5]],
        **measured(ranks, len(right)),
    }


def _side(name: str) -> str:
    return "zh" if name == "mixed" else name


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Measure]:
    """The measures of an item store: by mode, and by mode and pair of languages (`mrr.hybrid.zh-en`). No search is needed."""
    found: dict[str, Measure] = {}
    for mode in dict.fromkeys(row["mode"] for row in rows):
        of_mode = [row for row in rows if row["mode"] == mode]
        pairs = sorted({row["pair"] for row in of_mode})
        for label, chosen in (
            ("", of_mode),
            *((f".{pair}", [row for row in of_mode if row["pair"] == pair]) for pair in pairs),
        ):
            clusters = [row["source"] or row["id"] for row in chosen]
            for measure in MEASURES:
                values = [row[measure] for row in chosen]
                found[f"{measure}.{mode}{label}"] = statistics.mean_score(values, clusters)
    return found


def _notes(rows: Sequence[dict[str, Any]], top: int) -> Iterable[str]:
    for mode in dict.fromkeys(row["mode"] for row in rows):
        of_mode = [row for row in rows if row["mode"] == mode]
        lost = sum(not row["ranks"] for row in of_mode)
        if lost:
            yield f"{mode}: for {lost} of {len(of_mode)} questions the evidence is not among the first {top}"
