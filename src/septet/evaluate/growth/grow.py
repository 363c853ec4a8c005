"""An exam grown from fresh documents: made by rule or by a model, sieved, balanced, dated.

Its version is the date that the caller gives, never the clock's: the same documents make the same exam. What was left out
stands in `rejected` with its reason. How versions of an exam are linked and items retired is `growth.versions`.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from septet.core import ConfigError
from septet.evaluate.form import Benchmark
from septet.evaluate.growth import filter as sieve
from septet.evaluate.growth import generate as by_rule
from septet.evaluate.growth import solve, written
from septet.inference.protocol import Engine
from septet.kinds import Measure, Report


def grow(
    documents: Sequence[Mapping[str, Any]],
    name: str,
    date: str,
    kinds: Sequence[str] = by_rule.KINDS,
    per_document: int = 3,
    per_answer: int = 3,
    count: int = 0,
    seed: int = 1,
    writer: Engine | None = None,
    solvers: Sequence[Engine] = (),
    contamination: Report | None = None,
    earlier: Sequence[Mapping[str, Any]] = (),
    chat: bool = False,
    licence: str = "that of the documents",
    origin: str = "",
) -> Benchmark:
    """An exam of documents: rows with `id`, `text`, and where there are any `language`, `title`, `source` (chunks, rows of a
    corpus).

    Without a `writer` sentences are asked by rule (`growth.generate`); with one it writes `choice` and `open` items
    (`growth.written`), and `per_document`, `per_answer` and `count` do not matter. `solvers` sort out what they answer without
    the document, or not with it; `contamination` is a report of data.contamination on an exam that was grown the same way
    before; `earlier` holds items that must not come again. A choice that goes takes its twin along. `chat`: the models are
    asked through their templates.

    Raises ConfigError for a date that is none, and where no item is left.
    """
    try:
        datetime.date.fromisoformat(date)
    except ValueError:
        raise ConfigError(f"the exam '{name}': '{date}' is no date", "Write it as 2026-11-29") from None
    if writer is None:
        made, rejected = by_rule.generate(documents, name, kinds, per_document, per_answer, count, seed)
    else:
        made, rejected = written.write(
            writer, documents, name, tuple("open" if one == "cloze" else one for one in kinds), chat=chat
        )
    tasks = {task.name: task for task in by_rule.tasks(made)}
    texts = {str(document["id"]): str(document.get("text") or "") for document in documents}
    items = made
    for step in ("double", "ambiguous", "contaminated", "solved", "tell"):
        if step == "double":
            kept, gone = sieve.duplicates(items, earlier)
        elif step == "ambiguous":
            kept, gone = sieve.ambiguous(items)
        elif step == "contaminated" and contamination is not None:
            kept, gone = sieve.contaminated(items, contamination)
        elif step == "solved" and solvers:
            kept, gone = solve.by_solvers(items, tasks, texts, solvers, chat)
        elif step == "tell":
            kept, gone = sieve.untold(items, seed)
        else:
            continue
        # A tell is in the options; the twin that is written has none.
        items, twins = (kept, []) if step == "tell" else _with_twins(items, kept)
        rejected += [*gone, *twins]
    if not items:
        raise ConfigError(f"no item of the exam '{name}' is left of {len(made)}", _commonest(rejected))
    items = sieve.placed(items, seed)
    about = {
        "name": name,
        "version": date,
        "licence": licence,
        "origin": origin or f"grown from {len(documents)} documents " + ("by rule" if writer is None else "by a model"),
        "made": str(len(made)),
        **{f"tell_{one}": _said(measure) for one, measure in sieve.tells(items).items()},
    }
    return Benchmark(about, by_rule.tasks(items), items, rejected)


def _with_twins(before: Sequence[sieve.Item], kept: Sequence[sieve.Item]) -> sieve.Sieved:
    """Without items whose twin went: what is wrong with a sentence is wrong with both."""
    ids = {item["id"] for item in kept}
    lost = {item["meta"]["span"]: item["id"] for item in before if item["id"] not in ids}
    stays = [item for item in kept if item["meta"]["span"] not in lost]
    gone = [
        sieve.rejected(item, f"its twin {lost[item['meta']['span']]} was rejected")
        for item in kept
        if item["meta"]["span"] in lost
    ]
    return stays, gone


def _commonest(rejected: Sequence[Mapping[str, str]]) -> str:
    if not rejected:
        return "Give documents"
    reason, count = Counter(row["reason"] for row in rejected).most_common(1)[0]
    return f"Give more documents, or others: {count} times {reason}"


def _said(measure: Measure) -> str:
    return f"{measure.value:.3f} [{measure.low:.3f}, {measure.high:.3f}]"
