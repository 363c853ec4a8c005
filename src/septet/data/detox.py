"""Abuse and hate in documents: dropped, rewritten or set aside for review, by category, as the policy says.

Categories come from word lists (`lexicon.abuse` is the category `abuse`) and from trained scorers. Rewriting hides the words that
a list found, and leaves out the sentences that a scorer finds; where no sentence alone is over the threshold, the row is
reviewed instead. `bias.json` counts by source how often groups of people are mentioned, and how often in toxic rows.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import Run, plugins
from septet.data import stream
from septet.detect import detectors, edits, linear
from septet.detect import policy as policies
from septet.detect.lexicon import Lexicon
from septet.detect.span import Span
from septet.detect.toxicity import GROUPS, Toxicity, mentions, sentences
from septet.files import write_json, write_lines
from septet.kinds import Corpus, Policy, Report, Scorer
from septet.statistics import share

if TYPE_CHECKING:
    from septet.data.steps.safety import Detoxify, FilterFairness

_RANK = {"keep": 0, "review": 1, "rewrite": 2, "drop": 3}
_SEPARATOR = "\x1f"
_REVIEW = "data.detoxify review: "


class Hit(NamedTuple):
    """A category that a row falls under."""

    category: str
    score: float
    spans: tuple[Span, ...] = ()
    """The words that a list found; empty for a scorer's verdict on the whole row."""


def apply(config: Detoxify, corpus: Corpus, policy: Policy, scorers: Sequence[Scorer], run: Run) -> Corpus:
    """Write the corpus, the rows left out, `review.jsonl`, `bias.json` and `detox.json`."""
    passed = stream.apply(corpus, run, make, _settings(config.detectors, policy, scorers))
    write_lines(run.out / "review.jsonl", itertools.islice(_for_review(Corpus(run.out)), config.examples))
    counts: dict[str, Any] = defaultdict(lambda: defaultdict(dict))
    plain: dict[str, int] = {}
    for name, count in passed.facts.items():
        if name.startswith("bias"):
            _, dataset, group, what = name.split(_SEPARATOR)
            counts[dataset][group][what] = int(count)
        elif name != "made":
            plain[name] = int(count)
    write_json(run.out / "bias.json", {name: dict(groups) for name, groups in counts.items()})
    write_json(run.out / "detox.json", {"rows": passed.rows, "kept": passed.kept, "dropped": passed.dropped, **plain})
    for name, count in sorted(plain.items()):
        run.note(f"{count} x {name}")
    return Corpus(run.out)


def _for_review(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """The rows that were set aside, with the categories that they fall under."""
    columns = ["id", "source", "where", "text", "transforms"]
    for part in corpus.parts:
        for batch in pq.ParquetFile(part).iter_batches(columns=columns):
            for row in batch.to_pylist():
                mark = next((name for name in row.pop("transforms") or [] if name.startswith(_REVIEW)), "")
                if mark:
                    yield {**row, "categories": mark.removeprefix(_REVIEW)}


def _settings(names: Sequence[str], policy: Policy, scorers: Sequence[Scorer]) -> dict[str, Any]:
    return {"policy": str(policy.path), "detectors": list(names), "scorers": [str(scorer.path) for scorer in scorers]}


def make(settings: Mapping[str, Any]) -> stream.Work:
    """The work on one batch; see `data.stream`."""
    rules = policies.load(Path(settings["policy"]))
    find = finder(settings, rules)

    def work(table: pa.Table) -> stream.Sorted:
        hits = find(table["text"])
        facts: Counter[str] = Counter()
        _count_groups(table, hits, facts)
        keep = [True] * table.num_rows
        out_rules, values, details = [], [], []
        changed: dict[int, tuple[str, str]] = {}
        marks: dict[int, str] = {}
        asked = {row: _action(found, rules) for row, found in hits.items()}
        to_rewrite = [row for row, (action, _) in asked.items() if action == "rewrite"]
        old = table.select(["text", "edits"]).take(to_rewrite).to_pydict() if to_rewrite else {"text": [], "edits": []}
        rewritten = find.rewrite(old["text"], [hits[row] for row in to_rewrite])
        for row, before, (text, made) in zip(to_rewrite, old["edits"], rewritten, strict=True):
            if made:
                changed[row] = text, edits.encode(edits.compose(edits.decode(before), made) if before else made)
                marks[row] = "data.detoxify"
        for row, found in hits.items():
            action, worst = asked[row]
            if action == "rewrite" and row not in changed:
                action = "review"
            if action == "drop":
                keep[row] = False
                out_rules.append(f"toxicity:{worst.category}")
                values.append(worst.score)
                details.append(", ".join(sorted({hit.category for hit in found})))
            elif action == "review":
                marks[row] = _REVIEW + ", ".join(f"{hit.category} {hit.score:.3f}" for hit in found)
            facts[f"{action}: {worst.category}"] += 1
        kept, dropped = stream.split(_rewritten(table, changed, marks), keep, out_rules, values, details)
        return stream.Sorted(kept, dropped, facts)

    return work


def _action(found: Sequence[Hit], rules: policies.Policy) -> tuple[str, Hit]:
    """The strongest action that a row's categories ask for, and the category that asks for it."""

    def asked(hit: Hit) -> str:
        broad = hit.category.partition(".")[0]
        actions = rules.toxicity.actions
        return actions.get(hit.category, actions.get(broad, rules.toxicity.default))

    worst = max(found, key=lambda hit: (_RANK[asked(hit)], hit.score, hit.category))
    return asked(worst), worst


class finder:
    """A function of a column that gives row -> categories at or above their threshold, for the rows that have any."""

    def __init__(self, settings: Mapping[str, Any], rules: policies.Policy):
        names = settings["detectors"]
        self._rules = rules
        self._lexicon = Lexicon(rules.lexicon.categories, rules.lexicon.allow) if "lexicon" in names else None
        self._others = detectors.resolve([name for name in names if name != "lexicon"], plugins.load, rules)
        scorers = [linear.load(Path(path)) for path in settings["scorers"]]
        self._toxicity = Toxicity(scorers, rules.toxicity.threshold, rules.toxicity.thresholds)

    def __call__(self, column: Any) -> dict[int, list[Hit]]:
        found: dict[int, list[Hit]] = defaultdict(list)
        if self._lexicon is not None:
            for row, spans in self._lexicon.find_all(column).items():
                found[row] += self._by_category(spans)
        if self._others:
            for row, text in enumerate(column.to_pylist()):
                spans = [span for detect in self._others.values() for span in detect(text)]
                found[row] += self._by_category(spans)
        if self._toxicity.categories:
            scores = self._toxicity.score_all(column)
            for row, place in zip(*(scores >= self._toxicity.bounds).nonzero(), strict=True):
                found[int(row)].append(Hit(self._toxicity.categories[place], float(scores[row, place])))
        return {row: hits for row, hits in sorted(found.items()) if hits}

    def _by_category(self, spans: Sequence[Span]) -> list[Hit]:
        """Categories whose words, weighed together, reach the threshold; words that mask or block do so alone."""
        grouped: dict[str, list[Span]] = defaultdict(list)
        for span in spans:
            grouped[span.kind].append(span)
        hits = []
        for kind, members in grouped.items():
            category = kind.partition(".")[2] or kind
            left = 1.0
            for weight in {span.rule: span.score for span in members}.values():
                left *= 1 - weight
            known = self._rules.lexicon.categories.get(category)
            alone = known is not None and known.action in ("mask", "block", "review")
            bound = self._rules.toxicity.thresholds.get(category, self._rules.toxicity.threshold)
            if alone or 1 - left >= bound:
                hits.append(Hit(category, round(1 - left, 6), tuple(members)))
        return hits

    def rewrite(self, texts: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[tuple[str, list[edits.Edit]]]:
        """Each text with its listed words hidden and its toxic sentences left out, and the edits."""
        judged = [any(not hit.spans for hit in hits) for hits in found]
        places = [list(sentences(text)) if asked else [] for text, asked in zip(texts, judged, strict=True)]
        pieces = [text[start:end] for text, spans in zip(texts, places, strict=True) for start, end in spans]
        toxic = (self._toxicity.score_all(pieces) >= self._toxicity.bounds).any(axis=1) if pieces else []
        verdicts = iter(toxic)
        made = []
        for text, hits, spans in zip(texts, found, places, strict=True):
            gone = [place for place in spans if next(verdicts)]
            words = [(span.start, span.end) for hit in hits for span in hit.spans]
            made.append(_cut(text, gone, words))
        return made


def _cut(text: str, gone: Sequence[tuple[int, int]], words: Sequence[tuple[int, int]]) -> tuple[str, list[edits.Edit]]:
    cuts = [(start, end, "") for start, end in gone]
    for low, high in words:
        if not any(start < high and low < end for start, end in gone):
            cuts.append((low, high, "*" * (high - low)))
    out, made, at = [], [], 0
    for start, end, new in sorted(set(cuts)):
        if start < at:
            continue
        out += [text[at:start], new]
        made.append((start, end, len(new)))
        at = end
    return "".join(out) + text[at:], made


def _rewritten(table: pa.Table, changed: Mapping[int, tuple[str, str]], marks: Mapping[int, str]) -> pa.Table:
    if not marks:
        return table
    columns = {name: table[name].to_pylist() for name in ("text", "edits", "transforms")}
    for row, (text, encoded) in changed.items():
        columns["text"][row], columns["edits"][row] = text, encoded
    for row, mark in marks.items():
        columns["transforms"][row] = [*(columns["transforms"][row] or []), mark]
    for name, values in columns.items():
        kind = table.schema.field(name).type
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, kind))
    return table


def _count_groups(table: pa.Table, hits: Mapping[int, Any], facts: Counter[str]) -> None:
    datasets = table["dataset"].to_pylist()
    for row, text in enumerate(table["text"].to_pylist()):
        for group in mentions(text):
            key = f"bias{_SEPARATOR}{datasets[row] or 'unnamed'}{_SEPARATOR}{group}{_SEPARATOR}"
            facts[key + "mentions"] += 1
            facts[key + "toxic"] += row in hits


def fairness(config: FilterFairness, corpus: Corpus, policy: Policy, scorers: Sequence[Scorer], run: Run) -> Report:
    """Share of benign rows that the filter hits: of all, of those that mention each group, and of those that mention none."""
    rules = policies.load(policy.path)
    find = finder(_settings(config.detectors, policy, scorers), rules)
    hit: Counter[str] = Counter()
    of: Counter[str] = Counter()
    texts = [row["text"] for row in corpus.rows() if _label(row, config.label) in config.benign]
    for start in range(0, len(texts), 2048):
        batch = texts[start : start + 2048]
        hits = find(pa.array(batch, pa.large_string()))
        for row, text in enumerate(batch):
            for group in ("all", *(mentions(text) or ("none",))):
                of[group] += 1
                hit[group] += row in hits
        run.progress(min(len(texts), start + 2048), len(texts), "documents")
    summary = {f"false_alarms.{group}": share(hit[group], of[group]) for group in ("all", "none", *GROUPS) if of[group]}
    worst = max((m.value for name, m in summary.items() if name.split(".")[1] in GROUPS), default=0.0)
    baseline = summary["false_alarms.none"].value if "false_alarms.none" in summary else 0.0
    facts = {"benign_rows": len(texts), "largest_gap": round(worst - baseline, 6), "detectors": list(config.detectors)}
    notes = [] if texts else [f"no row has a '{config.label}' among {', '.join(config.benign)}"]
    return Report.write(run.out, "filter-fairness", summary, notes=notes, facts=facts)


def _label(row: Mapping[str, Any], name: str) -> str | None:
    value = json.loads(row["meta"]) if row["meta"] else {}
    return str(value[name]) if isinstance(value, dict) and name in value else None
