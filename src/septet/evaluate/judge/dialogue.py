"""Dialogues of several turns, as MT-Bench asks them (Zheng et al., 2023, arXiv 2306.05685): each turn with all before it.

The items' turns stand in `meta.turns`, the references of the turns, where there are any, in `meta.references`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from septet.evaluate.asking import Raw, as_raw, completed
from septet.inference.protocol import Engine, Options


def ask_turns(engine: Engine, items: Sequence[Mapping[str, Any]], options: Options, batch: int = 8) -> list[list[Raw]]:
    """What the model answers to each turn of each item, in the items' order. An item without turns has one: its question.

    The history holds what the model itself answered. A turn that fails ends its dialogue: it is the last of the item's answers,
    with its failure. Without a chat template of its own a model reads the turns as one text.
    """
    histories: list[list[dict[str, str]]] = [[] for _ in items]
    answers: list[list[Raw]] = [[] for _ in items]
    turns = [_turns(item) for item in items]
    for depth in range(max(map(len, turns), default=0)):
        going = [
            place
            for place, own in enumerate(turns)
            if depth < len(own) and not any(raw.failure for raw in answers[place])
        ]
        for place in going:
            histories[place].append({"role": "user", "content": turns[place][depth]})
        # Like lengths together: a batch is as slow as its longest prompt.
        going.sort(key=lambda place: (sum(len(one["content"]) for one in histories[place]), place))
        for start in range(0, len(going), batch):
            some = going[start : start + batch]
            came = completed(engine, [engine.codec.prompt(histories[place]) for place in some], options)
            for place, one in zip(some, came, strict=True):
                raw = as_raw(one)
                answers[place].append(raw)
                histories[place].append({"role": "assistant", "content": raw.output})
    return answers


def turn_rows(item: Mapping[str, Any], answers: Sequence[Raw]) -> Iterator[dict[str, Any]]:
    """A row for each turn of an item, as a judge takes it: `<id>/turn-1` and so on, with the turns before as `history`.

    Turns that were not reached because one before failed are rows that failed. The rows of an item share its cluster.
    """
    references = list((item.get("meta") or {}).get("references") or item.get("answers") or ())
    history: list[tuple[str, str]] = []
    broken = ""
    for place, question in enumerate(_turns(item)):
        raw = answers[place] if place < len(answers) else Raw(failure=broken or "it was not asked")
        broken = broken or raw.failure
        yield {
            "id": f"{item['id']}/turn-{place + 1}",
            "item": item["id"],
            "turn": place + 1,
            "task": item.get("task", ""),
            "language": item.get("language", ""),
            "category": item.get("category", ""),
            "cluster": item.get("cluster") or item["id"],
            "question": question,
            "history": list(history),
            "references": references[place : place + 1],
            "output": raw.output,
            "finish": raw.finish,
            "tokens": raw.tokens,
            "prompt_tokens": raw.read,
            "outcome": "failed" if raw.failure else "unjudged" if raw.output.strip() else "empty",
            "reason": raw.failure,
        }
        history.append((question, raw.output))


def _turns(item: Mapping[str, Any]) -> list[str]:
    return [str(turn) for turn in (item.get("meta") or {}).get("turns") or [item["question"]]]
