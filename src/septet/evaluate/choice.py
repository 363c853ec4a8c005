"""Multiple choice by likelihood: which option's text the model finds likeliest after the question.

Each option is scored as a whole answer (no letters), by its log-probability a UTF-8 byte, so that
options of unlike length and script compete fairly; the sum alone is reported too. An item that carries contexts is asked with
them, as the release will be. Nothing is generated, so nothing can fail to parse.
"""

from __future__ import annotations

from typing import Any

from septet import statistics
from septet.core import Run, StepFailed
from septet.evaluate.answers import named
from septet.inference.protocol import Engine, load, totals
from septet.kinds import Measure, Model, Report, Suite
from septet.model.template import grounded_messages

LANGUAGES = ("zh", "en")


def evaluate(name: str, model: Model, suite: Suite, context_tokens: int, run: Run) -> Report:
    """Score all choice items of a suite, and write the report with its items."""
    items = [item for item in suite.items() if item["kind"] == "choice"]
    if not items:
        raise StepFailed("the suite holds no choice item", "Add some, or let data.questions make them (choices > 0)")
    engine = load(model)
    rows = []
    try:
        for number, item in enumerate(items, 1):
            rows.append(_scored(item, engine, context_tokens))
            run.progress(number, len(items), "items")
    finally:
        engine.close()
    summary: dict[str, Measure] = {}
    for label, chosen in (
        ("", rows),
        *((f".{one}", [row for row in rows if row["language"] == one]) for one in LANGUAGES),
    ):
        summary[f"accuracy{label}"] = statistics.share(sum(row["right"] for row in chosen), len(chosen))
        summary[f"accuracy_by_sum{label}"] = statistics.share(sum(row["right_by_sum"] for row in chosen), len(chosen))
    return Report.write(
        run.out,
        name,
        summary,
        rows,
        ["by likelihood of the whole option; chance is 1 divided by the number of options"],
        {
            "suite": suite.about,
            "model": named(model),
            "context_tokens": context_tokens,
            "mode": "likelihood, full text, by byte",
        },
    )


def _scored(item: dict[str, Any], engine: Engine, context_tokens: int) -> dict[str, Any]:
    asked = grounded_messages(item["question"], item.get("contexts") or [], item["language"], max_tokens=context_tokens)
    codec = engine.codec
    prompt = codec.prompt(asked.messages)
    sums = totals(engine, prompt, [codec.continuation(asked.messages, option) for option in item["options"]])
    by_byte = [total / max(1, len(option.encode())) for total, option in zip(sums, item["options"], strict=True)]
    chosen = max(range(len(sums)), key=lambda index: by_byte[index])
    by_sum = max(range(len(sums)), key=lambda index: sums[index])
    return {
        "id": item["id"],
        "language": item["language"],
        "question": item["question"],
        "options": item["options"],
        "label": item["label"],
        "chosen": chosen,
        "right": chosen == item["label"],
        "right_by_sum": by_sum == item["label"],
        "log_probabilities": [round(total, 4) for total in sums],
    }
