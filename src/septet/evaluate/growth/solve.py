"""Whether an item asks for its document: models answer it with the document and without, by likelihood.

With the document all solvers must find the right option: two models, or one model that sees the options in two orders. Without
it none may: an item that a model answers from memory, or from the options alone, does not test what the document says
(YourBench, arXiv 2504.01833, grounds its items likewise).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from septet.core import ConfigError
from septet.evaluate import asking, prompts
from septet.evaluate.form import Task
from septet.evaluate.growth.filter import Item, Sieved, rejected
from septet.inference.protocol import Engine

MARGIN = 0.15
WINDOW = 1500


class Solved(NamedTuple):
    """How a model answers an item: by order of the options, the chances of each, always in the item's own order."""

    orders: tuple[tuple[float, ...], ...]
    failure: str = ""

    @property
    def chances(self) -> tuple[float, ...]:
        """The mean over orders: a liking for a letter cancels out."""
        return tuple(sum(one) / len(self.orders) for one in zip(*self.orders, strict=True))

    @property
    def choices(self) -> tuple[int, ...]:
        """What is chosen in each order."""
        return tuple(max(range(len(one)), key=one.__getitem__) for one in self.orders)

    @property
    def choice(self) -> int:
        chances = self.chances
        return max(range(len(chances)), key=chances.__getitem__)


def by_solvers(
    items: Sequence[Item],
    tasks: Mapping[str, Task],
    documents: Mapping[str, str],
    solvers: Sequence[Engine],
    chat: bool = False,
    margin: float = MARGIN,
    window: int = WINDOW,
) -> Sieved:
    """The choice items that all solvers answer right with the document, and none without; other items stay.

    Without the document a right answer counts as known where its chance is more than `margin` above guessing. A long document
    is shown by `window` characters around the evidence. What the solvers said stands in `meta.solved`. An item that could not
    be asked goes too, for nothing is known of it. Raises ConfigError for no solver, and an item whose document is not there.
    """
    if not solvers:
        raise ConfigError("no model is there to solve the items", "Give one, better two")
    asked = [item for item in items if item["options"]]
    lost = next((item for item in asked if item["meta"]["document"] not in documents), None)
    if lost is not None:
        raise ConfigError(
            f"the document of {lost['id']} is not there", "Give the documents that the items were made of"
        )
    shown = [
        {**item, "passage": _around(documents[item["meta"]["document"]], item["evidence"], window)} for item in asked
    ]
    seeing = [solve(engine, shown, tasks, chat) for engine in solvers]
    blind = [solve(engine, asked, tasks, chat) for engine in solvers]
    verdicts: dict[str, tuple[str, dict[str, Any]]] = {}
    for place, item in enumerate(asked):
        with_it, without = [one[place] for one in seeing], [one[place] for one in blind]
        verdicts[item["id"]] = (_fault(item, with_it, without, margin), _facts(item, with_it, without))
    kept, gone = [], []
    for item in items:
        fault, facts = verdicts.get(item["id"], ("", {}))
        if fault:
            gone.append(rejected(item, fault))
        else:
            kept.append({**item, "meta": {**item["meta"], "solved": facts}} if facts else item)
    return kept, gone


def solve(
    engine: Engine, items: Sequence[Mapping[str, Any]], tasks: Mapping[str, Task], chat: bool = False
) -> list[Solved]:
    """How a model answers choice items by letter, with the options as they stand and in reverse, in the items' order."""
    import math

    questions = []
    for place, item in enumerate(items):
        turned = {
            **item,
            "options": item["options"][::-1],
            "labels": [len(item["options"]) - 1 - one for one in item["labels"]],
        }
        for order, one in enumerate((item, turned)):
            made = prompts.build(tasks[item["task"]], {**one, "id": f"{place}/{order}"}, (), "letter")
            questions.append(made)
    found: dict[str, tuple[float, ...] | str] = {}
    for question, raw, _ in asking.likelihoods(engine, questions, chat):
        if raw.failure:
            found[question.item["id"]] = raw.failure
            continue
        top = max(raw.log_probabilities)
        weights = [math.exp(one - top) for one in raw.log_probabilities]
        found[question.item["id"]] = tuple(one / sum(weights) for one in weights)
    solved = []
    for place in range(len(items)):
        first, second = found[f"{place}/0"], found[f"{place}/1"]
        if isinstance(first, str) or isinstance(second, str):
            solved.append(Solved((), first if isinstance(first, str) else str(second)))
        else:
            solved.append(Solved((first, second[::-1])))
    return solved


def _fault(item: Mapping[str, Any], seeing: Sequence[Solved], blind: Sequence[Solved], margin: float) -> str:
    failure = next((one.failure for one in (*seeing, *blind) if one.failure), "")
    if failure:
        return f"it could not be asked: {failure}"
    # One model stands for two solvers by answering in two orders.
    choices = (
        {choice for one in seeing for choice in one.choices} if len(seeing) == 1 else {one.choice for one in seeing}
    )
    if len(choices) > 1:
        return "the solvers do not agree, with the document before them"
    if choices != {item["label"]}:
        return "the solvers do not find the right option in the document"
    chance = 1 / len(item["options"])
    for one in blind:
        known = one.chances[item["label"]]
        if one.choice == item["label"] and known > chance + margin:
            return f"it is answered without its document (chance of the right option {known:.2f})"
    return ""


def _facts(item: Mapping[str, Any], seeing: Sequence[Solved], blind: Sequence[Solved]) -> dict[str, Any]:
    if any(one.failure for one in (*seeing, *blind)):
        return {}
    return {
        "with_document": [round(one.chances[item["label"]], 4) for one in seeing],
        "without": [round(one.chances[item["label"]], 4) for one in blind],
    }


def _around(text: str, evidence: Mapping[str, Any], window: int) -> str:
    """The evidence with what stands around it, `window` characters at most, or the evidence alone where that is longer."""
    start, end = int(evidence["start"]), int(evidence["end"])
    spare = max(0, window - (end - start))
    low = max(0, min(start - spare // 2, len(text) - window))
    return text[min(low, start) : max(end, low + window)]
