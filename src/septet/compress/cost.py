"""What compression saved and what it cost, as a report: size, token ids, greedy answers, perplexity of reference answers."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from septet import statistics
from septet.compress.equivalence import continuations, golden_prompts, perplexity, same_ids
from septet.core import ConfigError, Run
from septet.inference.protocol import Engine, Options, Prompt, load, totals
from septet.kinds import Measure, Model, Report, Suite
from septet.model.codec import Codec
from septet.model.template import grounded_messages

if TYPE_CHECKING:
    from septet.compress.steps import Cost


def report(config: Cost, before: Model, after: Model, suite: Suite, run: Run) -> Report:
    """Compare two forms of one model. Raises ConfigError when the suite holds no reference answer."""
    questions = [item for item in suite.items() if item.get("kind", "question") == "question" and item.get("answers")]
    if not questions:
        raise ConfigError("the suite has no questions with answers", "Give a suite made by data.questions")
    codec = Codec(before.path)
    whole = [item for item in questions if _in_whole_characters(codec, item["answers"][0])]
    run.drop("reference answers that split a character, which llama.cpp does not score", len(questions) - len(whole))
    if not whole:
        raise ConfigError(
            "no reference answer can be scored by both forms", "Give answers in characters of the vocabulary"
        )
    chosen = random.Random(config.seed).sample(whole, min(config.items, len(whole)))  # noqa: S311
    sizes = [_size(before), _size(after)]
    first, second = _timed_load(before, "before", run), _timed_load(after, "after", run)
    try:
        equal = same_ids(first, second, before)
        # Four golden prompts alone are few: one on the edge between two answers would decide. The questions are asked too.
        asked = [(text, Prompt(tuple(ids))) for text, ids in golden_prompts(before)]
        asked += [(item["question"], first.codec.prompt(_messages(item))) for item in chosen]
        greedy = continuations(first, second, asked, config.tokens)
        scored = [_scores(engine, chosen, label, run) for engine, label in ((first, "before"), (second, "after"))]
        for engine, label in ((first, "before"), (second, "after")):
            _observe_speed(engine, label, run)
    finally:
        first.close()
        second.close()
    lengths = [length for _, length in scored[0]]
    logs = [[log for log, _ in rows] for rows in scored]
    summary = {
        "size_before": _exact(sizes[0], "bytes"),
        "size_after": _exact(sizes[1], "bytes"),
        "size_ratio": _exact(round(sizes[1] / sizes[0], 4), "ratio"),
        "same_token_ids": statistics.share(sum(equal), len(equal)),
        "greedy_agreement": statistics.mean_score([one.agreement for one in greedy], seed=config.seed),
        "perplexity_before": statistics.resampled(
            len(lengths), lambda at: _ppl(logs[0], lengths, at), "perplexity", config.seed
        ),
        "perplexity_after": statistics.resampled(
            len(lengths), lambda at: _ppl(logs[1], lengths, at), "perplexity", config.seed
        ),
        "perplexity_ratio": statistics.resampled(
            len(lengths), lambda at: _ppl(logs[1], lengths, at) / _ppl(logs[0], lengths, at), "ratio", config.seed
        ),
    }
    items: list[dict[str, Any]] = [
        {
            "id": f"golden-{n}",
            "prompt": one.prompt,
            "before": one.before,
            "after": one.after,
            "agreement": one.agreement,
            "same_ids": same,
        }
        for n, (one, same) in enumerate(zip(greedy[: len(equal)], equal, strict=True), 1)
    ]
    items += [
        {
            "id": item["id"],
            "tokens": length,
            "log_before": round(one, 4),
            "log_after": round(two, 4),
            "before": said.before,
            "after": said.after,
            "agreement": said.agreement,
        }
        for item, length, one, two, said in zip(chosen, lengths, logs[0], logs[1], greedy[len(equal) :], strict=True)
    ]
    notes = [
        f"{len(chosen)} of {len(questions)} questions were scored",
        "Perplexity is of the reference answers after their contexts; intervals are 95 % by resampling the items",
    ]
    facts = {
        "before": {"form": before.form},
        "after": {"form": after.form},
        "seed": config.seed,
        "tokens": config.tokens,
    }
    return Report.write(run.out, "compression", summary, items, notes, facts)


def _scores(engine: Engine, items: Sequence[dict[str, Any]], label: str, run: Run) -> list[tuple[float, int]]:
    """Log-probability and number of tokens of the first reference answer of each item."""
    found = []
    for done, item in enumerate(items, 1):
        messages = _messages(item)
        answer = engine.codec.continuation(messages, item["answers"][0])
        (log,) = totals(engine, engine.codec.prompt(messages), [answer])
        found.append((log, len(answer)))
        run.progress(done, len(items), f"answers scored, {label}")
    return found


def _messages(item: dict[str, Any]) -> Any:
    return grounded_messages(item["question"], item.get("contexts") or [], item["language"]).messages


def _in_whole_characters(codec: Codec, answer: str) -> bool:
    return all("\ufffd" not in codec.decode([token]) for token in codec.encode(answer))


def _timed_load(model: Model, label: str, run: Run) -> Engine:
    started = time.monotonic()
    engine = load(model)
    run.observe(f"load_seconds_{label}", round(time.monotonic() - started, 2))
    return engine


def _observe_speed(engine: Engine, label: str, run: Run) -> None:
    """Decoding alone: the prompt is one token long."""
    start = engine.codec.encode(engine.codec.bos_token) or [engine.codec.stop_ids[0]]
    started = time.monotonic()
    (made,) = engine.generate([Prompt(tuple(start))], Options(max_tokens=32))
    if made.ids:
        run.observe(f"decode_tokens_per_second_{label}", round(len(made.ids) / (time.monotonic() - started), 1))
    run.observe(f"engine_{label}", engine.name)


def _size(model: Model) -> int:
    return sum(file.stat().st_size for file in model.path.iterdir() if file.suffix in (".gguf", ".safetensors"))


def _ppl(logs: Sequence[float], lengths: Sequence[int], at: Sequence[int]) -> float:
    return perplexity([logs[i] for i in at], [lengths[i] for i in at])


def _exact(value: float, unit: str) -> Measure:
    return Measure(value, value, value, 1, unit)
