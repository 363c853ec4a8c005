"""Whether a citation is what an answer hangs on: each cited passage is taken away, and the question asked again.

The answer must then change, or be withdrawn by an abstention. Where it stays word for word, it has two ways out: another passage
bears it out as well (nothing can then be said of the first, and the case is counted by itself), or none does, and the check of an
assistant withdraws what the model went on saying; that share is told apart, since it is what the model says without a source. After
the leave-one-out test of context attribution (Cohen-Wang et al., ContextCite, NeurIPS 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from septet import statistics
from septet.core import Run, StepFailed
from septet.detect.grounding import Settings, check, head
from septet.evaluate.answers import LANGUAGES, named
from septet.evaluate.measures import exact_match
from septet.inference.protocol import Engine, Options, load
from septet.kinds import Measure, Model, Report, Suite
from septet.model.template import ANSWER_ENDS, abstains, answer_of, grounded_messages

if TYPE_CHECKING:
    from septet.evaluate.steps.answers import Faithfulness

WITHDRAWN, CHANGED, ELSEWHERE, SAME = "withdrawn", "changed", "borne elsewhere", "same without support"


def evaluate(config: Faithfulness, model: Model, suite: Suite, grounding: Settings, run: Run) -> Report:
    """Ask all questions, then those with a citation again without it, and write the report with its items."""
    items = [item for item in suite.items() if item["kind"] == "question" and item.get("contexts")]
    if not items:
        raise StepFailed("the suite holds no question with contexts", "Tie 'suite' to a table of data.retrieve")
    engine = load(model)
    try:
        first = _ask(engine, [(item, item["contexts"]) for item in items], config, run, "questions")
        again = []
        for item, answer in zip(items, first, strict=True):
            for chunk in _cited(answer, item["contexts"], grounding):
                again.append((item, answer, chunk))
        count = min(config.limit, len(again))
        again = [again[place * len(again) // count] for place in range(count)]
        left = [[one for one in item["contexts"] if one["chunk"] != chunk] for item, _, chunk in again]
        pairs = [(item, kept) for (item, _, _), kept in zip(again, left, strict=True)]
        second = _ask(engine, pairs, config, run, "questions without a cited passage")
    finally:
        engine.close()
    rows = [
        {
            "id": item["id"],
            "language": item["language"],
            "question": item["question"],
            "without": chunk,
            "before": answer,
            "after": after,
            "outcome": outcome(answer, after, kept, grounding),
        }
        for (item, answer, chunk), after, kept in zip(again, second, left, strict=True)
    ]
    facts = {"suite": suite.about, "model": named(model), "context_tokens": config.context_tokens}
    # A model that cites nothing fails the gate that asks for this, because nothing was measured, and not the whole recipe.
    notes = ["no answer of the model carries a citation: nothing could be measured"] if not rows else []
    notes += [
        f"{sum(row['outcome'] == ELSEWHERE for row in rows)} of {len(rows)} answers another passage bears out as well"
    ]
    return Report.write(run.out, config.name, summary(rows), rows, notes, facts)


def outcome(before: str, after: str, left: Sequence[dict[str, Any]], grounding: Settings) -> str:
    """What became of an answer without a passage that it cited: `left` are the passages that were kept."""
    if not after or abstains(after):
        return WITHDRAWN
    if not exact_match(after, [before]):
        return CHANGED
    checks = check(after, [one["text"] for one in left], grounding, [head(one) for one in left])
    return ELSEWHERE if checks and all(one.supported for one in checks) else SAME


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Measure]:
    """Citation faithfulness overall and by language: withdrawn or changed, of those that no other passage bears out."""
    found: dict[str, Measure] = {}
    for label, chosen in (("", rows), *((f".{one}", [r for r in rows if r["language"] == one]) for one in LANGUAGES)):
        told = [row for row in chosen if row["outcome"] != ELSEWHERE]
        hits = sum(row["outcome"] in (WITHDRAWN, CHANGED) for row in told)
        found[f"citation_faithfulness{label}"] = statistics.share(hits, len(told))
        found[f"withdrawn_by_check{label}"] = statistics.share(len(told) - hits, len(told))
        found[f"borne_elsewhere{label}"] = statistics.share(len(chosen) - len(told), len(chosen))
    return found


def _ask(
    engine: Engine,
    pairs: Sequence[tuple[dict[str, Any], Sequence[dict[str, Any]]]],
    config: Faithfulness,
    run: Run,
    what: str,
) -> list[str]:
    said: list[str] = []
    for start in range(0, len(pairs), config.batch):
        asked = [
            grounded_messages(item["question"], given, item["language"], max_tokens=config.context_tokens)
            for item, given in pairs[start : start + config.batch]
        ]
        prompts = [engine.codec.prompt(one.messages) for one in asked]
        made = engine.generate(prompts, Options(max_tokens=config.max_tokens, stop=ANSWER_ENDS))
        said += [answer_of(one.text) for one in made]
        run.progress(len(said), len(pairs), what)
    return said


def _cited(answer: str, contexts: Sequence[dict[str, Any]], grounding: Settings) -> list[str]:
    """The chunks that an answer's sentences are cited with."""
    if abstains(answer):
        return []
    checks = check(answer, [one["text"] for one in contexts], grounding, [head(one) for one in contexts])
    return list(dict.fromkeys(contexts[one.citation]["chunk"] for one in checks if one.citation is not None))
