"""Asking a model every question of a suite, and scoring what it says: right, near, grounded, cited, or rightly silent.

Citation precision and recall are after Gao et al. (ALCE, EMNLP 2023). Recall is the share of sentences that a cited passage bears
out, by the check that an assistant makes (`detect.grounding`); precision is the share of citations whose passage holds the evidence
that the suite names, so that the check is not its own judge.

Each answer is written to the item store as it comes, so that an interrupted run goes on where it stopped. An empty answer is
wrong, a cut-off one is scored as it stands; both are outcomes that are counted, and nothing is left out of a denominator.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from septet import statistics
from septet.core import Run, StepFailed
from septet.detect.grounding import SentenceCheck, Settings, check, head
from septet.evaluate import measures
from septet.files import read_unfinished
from septet.inference.protocol import Engine, Options, load
from septet.kinds import Measure, Model, Report, Suite
from septet.model.template import ANSWER_ENDS, abstains, answer_of, grounded_messages

LANGUAGES = ("zh", "en")


def evaluate(
    name: str,
    model: Model,
    suite: Suite,
    grounding: Settings,
    max_tokens: int,
    context_tokens: int,
    batch: int,
    run: Run,
) -> Report:
    """Answer and score all questions of a suite that carry their contexts, and write the report with its items."""
    items = [item for item in suite.items() if item["kind"] == "question"]
    if not items:
        raise StepFailed("the suite holds no question", "Tie 'suite' to a table of data.retrieve")
    done = {row["id"]: row for row in read_unfinished(run.scratch / "items.jsonl")}
    engine = load(model)
    began, spent = time.monotonic(), 0
    try:
        waiting = [item for item in items if item["id"] not in done]
        # Like lengths together: a batch is as slow as its longest prompt.
        waiting.sort(key=lambda item: (sum(len(context["text"]) for context in item["contexts"]), item["id"]))
        with (run.scratch / "items.jsonl").open("a", encoding="utf-8") as store:
            for start in range(0, len(waiting), batch):
                for row in _answer(engine, waiting[start : start + batch], grounding, max_tokens, context_tokens):
                    spent += row["tokens"]
                    done[row["id"]] = row
                    store.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
                store.flush()
                run.progress(len(done), len(items), "questions")
    finally:
        engine.close()
    seconds = time.monotonic() - began
    if spent:
        run.observe("seconds_a_question", round(seconds / max(1, len(waiting)), 3))
    rows = [done[item["id"]] for item in items]
    for outcome in ("empty", "cut_off"):
        run.drop(
            f"answers that were {outcome.replace('_', ' ')} (counted as they stand)",
            _count(rows, outcome),
            "items.jsonl",
        )
    facts = {
        "suite": suite.about,
        "max_tokens": max_tokens,
        "context_tokens": context_tokens,
        "model": named(model),
    }
    return Report.write(run.out, name, summary(rows), rows, _notes(rows), facts)


def named(model: Model) -> dict[str, Any]:
    """The model that was tested, by name and by the digest of its files: a release checks that it is the one it serves."""
    return {"name": model.card.get("name"), "digest": model.digest()}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Measure]:
    """The measures of an item store: overall and by language. Computable again without the model."""
    found: dict[str, Measure] = {}
    for label, chosen in (
        ("", list(rows)),
        *((f".{one}", [r for r in rows if r["language"] == one]) for one in LANGUAGES),
    ):
        answerable = [row for row in chosen if row["references"]]
        silent = [row for row in chosen if not row["references"]]
        clusters = [row["source"] for row in answerable]
        found[f"exact_match{label}"] = statistics.share(sum(row["exact"] for row in answerable), len(answerable))
        found[f"f1{label}"] = statistics.mean_score([row["f1"] for row in answerable], clusters)
        spoken = [row for row in chosen if not row["abstained"]]
        found[f"groundedness{label}"] = statistics.share(sum(row["grounded"] for row in spoken), len(spoken))
        sentences = [one for row in spoken for one in row["sentences"]]
        found[f"citation_recall{label}"] = statistics.share(sum(one["supported"] for one in sentences), len(sentences))
        cited = [one for row in spoken if row["evidence"] for one in row["sentences"] if one["citation"]]
        found[f"citation_precision{label}"] = statistics.share(sum(one["evidence"] for one in cited), len(cited))
        found[f"abstains_rightly{label}"] = statistics.share(sum(row["abstained"] for row in silent), len(silent))
        found[f"abstains_wrongly{label}"] = statistics.share(
            sum(row["abstained"] for row in answerable), len(answerable)
        )
    return found


def _answer(
    engine: Engine, items: Sequence[dict[str, Any]], grounding: Settings, max_tokens: int, context_tokens: int
) -> Iterator[dict[str, Any]]:
    asked = (
        grounded_messages(item["question"], item["contexts"], item["language"], max_tokens=context_tokens)
        for item in items
    )
    prompts = [engine.codec.prompt(one.messages) for one in asked]
    for item, made in zip(
        items, engine.generate(prompts, Options(max_tokens=max_tokens, stop=ANSWER_ENDS)), strict=True
    ):
        text = answer_of(made.text)
        abstained = abstains(text)
        given = item["contexts"]
        heads = [head(context) for context in given]
        sentences = [] if abstained else check(text, [context["text"] for context in given], grounding, heads)
        evidence = set(item.get("chunks") or ())
        yield {
            "id": item["id"],
            "language": item["language"],
            "question": item["question"],
            "references": item["answers"],
            "source": (item.get("evidence") or {}).get("source", ""),
            "contexts": [context["chunk"] for context in given],
            "retrieved": any(context["chunk"] in evidence for context in given),
            "output": made.text,
            "answer": text,
            "exact": bool(item["answers"]) and measures.exact_match(text, item["answers"]),
            "f1": measures.f1(text, item["answers"]),
            "abstained": abstained,
            "evidence": sorted(evidence),
            "sentences": [_cited(one, given, evidence) for one in sentences],
            "grounded": bool(sentences) and all(sentence.supported for sentence in sentences),
            "outcome": "empty" if not text else "cut_off" if made.finish == "length" else "answered",
            "tokens": made.tokens,
        }


def _cited(one: SentenceCheck, given: Sequence[dict[str, Any]], evidence: set[str]) -> dict[str, Any]:
    """A sentence with the chunk that it is cited with ("" for none), its words, and whether that chunk holds the evidence."""
    chunk = "" if one.citation is None else given[one.citation]["chunk"]
    quote = "" if one.citation is None else given[one.citation]["text"][one.quote_start : one.quote_end]
    return {
        "text": one.text,
        "supported": one.supported,
        "score": one.score,
        "reasons": list(one.reasons),
        "citation": chunk,
        "quote": quote,
        "evidence": chunk in evidence,
    }


def _notes(rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    lost = sum(1 for row in rows if row["references"] and not row["retrieved"])
    if lost:
        yield f"for {lost} answerable questions retrieval did not bring up the evidence: no model can be right there"


def _count(rows: Sequence[dict[str, Any]], outcome: str) -> int:
    return sum(1 for row in rows if row["outcome"] == outcome)
