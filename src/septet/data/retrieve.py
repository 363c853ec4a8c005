"""What retrieval brings up for each item of a suite, and how often that is the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from septet.core import Run, StepFailed
from septet.kinds import KnowledgeBase, Suite
from septet.knowledge.search import Mode, Searcher, contexts
from septet.knowledge.validity import NEWEST


class Asked(Protocol):
    """How to retrieve: the config of `data.retrieve`."""

    @property
    def split(self) -> str: ...
    @property
    def kinds(self) -> tuple[str, ...]: ...
    @property
    def top(self) -> int: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def limit(self) -> int: ...
    @property
    def as_of(self) -> str: ...


def attach(suite: Suite, knowledge: KnowledgeBase, asked: Asked, run: Run) -> Suite:
    """Write the chosen items with their `contexts`. `suite.json` gets recall at `top` over the items that have evidence."""
    split, kinds, top = asked.split, asked.kinds, asked.top
    items = [item for item in suite.items() if (not split or item["split"] == split) and item["kind"] in kinds]
    items = spread(items, asked.limit) if asked.limit else items
    if not items:
        raise StepFailed(
            f"the suite holds no {' or '.join(kinds)} in the split '{split}'", "Name another split or kind"
        )
    searcher = Searcher(knowledge)
    done, found, of = [], 0, 0
    for number, item in enumerate(items, 1):
        hits = searcher.search(item["question"], top, asked.mode, as_of=asked.as_of or NEWEST)
        given = [*item.get("contexts", []), *contexts(hits)]
        if item.get("chunks"):
            of += 1
            found += any(context["chunk"] in item["chunks"] for context in given)
        done.append({**item, "contexts": given})
        run.progress(number, len(items), "items")
    searcher.close()
    recall = {"top": top, "found": found, "of": of}
    if of:
        run.note(f"the evidence is among the first {top} chunks for {found} of {of} items")
    return Suite.write(run.out, done, {**suite.about, "retrieval": recall})


def spread(items: Sequence[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """At most `limit` items in their order: as many of each language, unanswerable ones by their share, and of every page.

    Written items come before derived ones, which fill up what is left.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for item in items:
        page = (item.get("evidence") or {}).get("source", "")
        derived = item["id"].startswith("derived-")
        groups.setdefault((derived, item["language"], bool(item.get("answers")), page), []).append(item)
    # An item's place is how far into its group it stands: one of every page before a second of any.
    rank = {
        item["id"]: (key[0], place / len(group)) for key, group in groups.items() for place, item in enumerate(group)
    }
    languages = sorted({item["language"] for item in items})
    queues = [sorted((i for i in items if i["language"] == one), key=lambda i: rank[i["id"]]) for one in languages]
    chosen: set[str] = set()
    for place in range(max(map(len, queues), default=0)):
        for queue in queues:
            if place < len(queue) and len(chosen) < limit:
                chosen.add(queue[place]["id"])
    return [item for item in items if item["id"] in chosen]
