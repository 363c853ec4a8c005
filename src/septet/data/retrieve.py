"""What retrieval brings up for each item of a suite, and how often that is the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from septet.core import Run, StepFailed
from septet.data.knowledge.search import Mode, Searcher, contexts
from septet.kinds import KnowledgeBase, Suite


def attach(
    suite: Suite, knowledge: KnowledgeBase, split: str, kinds: Sequence[str], top: int, mode: Mode, limit: int, run: Run
) -> Suite:
    """Write the chosen items with their `contexts`. `suite.json` gets recall at `top` over the items that have evidence."""
    items = [item for item in suite.items() if (not split or item["split"] == split) and item["kind"] in kinds]
    items = spread(items, limit) if limit else items
    if not items:
        raise StepFailed(
            f"the suite holds no {' or '.join(kinds)} in the split '{split}'", "Name another split or kind"
        )
    searcher = Searcher(knowledge)
    done, found, asked = [], 0, 0
    for number, item in enumerate(items, 1):
        hits = searcher.search(item["question"], top, mode)
        given = [*item.get("contexts", []), *contexts(hits)]
        if item.get("chunks"):
            asked += 1
            found += any(context["chunk"] in item["chunks"] for context in given)
        done.append({**item, "contexts": given})
        run.progress(number, len(items), "items")
    recall = {"top": top, "found": found, "of": asked}
    if asked:
        run.note(f"the evidence is among the first {top} chunks for {found} of {asked} items")
    return Suite.write(run.out, done, {**suite.about, "retrieval": recall})


def spread(items: Sequence[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """At most `limit` items, as evenly over languages and answerable or not as they come, in their order."""
    groups: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for item in items:
        groups.setdefault((item["language"], bool(item.get("answers"))), []).append(item)
    chosen: set[str] = set()
    for rank in range(max(map(len, groups.values()), default=0)):
        for group in groups.values():
            if rank < len(group) and len(chosen) < limit:
                chosen.add(group[rank]["id"])
    return [item for item in items if item["id"] in chosen]
