"""The stage tested on a team's own documents: what is planted in copies of them must be found, and look-alikes must not.

A seeded sample of the corpus is taken. Into copies go exact and near duplicates, personal data and look-alikes, words of the
policy's lists, evaluation items and spoiled text; then the stage's own functions run over them. Each test reports recall and
precision with Wilson's intervals, and every miss and false alarm by kind. The report holds what was planted, never what the
documents hold. A test measures what its plants are like, not what a team's documents may hold beyond.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from septet.core import Run, StepFailed
from septet.detect import policy as policies
from septet.detect.language import language
from septet.kinds import Corpus, Measure, Policy, Report, Scorer, Suite
from septet.statistics import share

if TYPE_CHECKING:
    from septet.data.steps.selftest import SelfTest

_CHARACTERS = 20_000
"""Of a document so much is copied, cut at a line where there is one."""


class Host(NamedTuple):
    """A document of the team's, which things are planted into a copy of."""

    id: str
    text: str
    language: str


class Probe(NamedTuple):
    """One thing that was planted, whether it should be found, and whether it was; `right`: as what it is. `planted` is made up
    by us, or an id."""

    test: str
    kind: str
    variant: str
    language: str
    document: str
    wanted: bool
    found: bool
    planted: str = ""
    right: bool = True


def report(
    config: SelfTest,
    corpus: Corpus,
    policy: Policy,
    suites: Sequence[Suite],
    labelled: Corpus | None,
    scorers: Sequence[Scorer],
    run: Run,
) -> Report:
    """Run every test and write the report. Raises StepFailed where no document has text."""
    from septet.data import probes

    rules = policies.load(policy.path)
    hosts = sample(corpus, config.documents, config.seed)
    tests: dict[str, Any] = {
        "duplicates": lambda draw: probes.duplicates(hosts, config.similarity, draw, run),
        "pii": lambda draw: probes.personal(hosts, rules, config.plants, draw),
        "toxicity": lambda draw: probes.toxicity(hosts, policy, rules, labelled, config, scorers, draw),
        "contamination": lambda draw: probes.contamination(hosts, suites, config.items, config.covered, draw, run),
        "quality": lambda draw: probes.quality(hosts, rules, draw, run),
    }
    summary: dict[str, Measure] = {}
    items: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for number, (name, test) in enumerate(tests.items(), 1):
        made: list[Probe] = test(random.Random(f"{config.seed} {name}"))  # noqa: S311 - drawn to be repeated
        counts[name] = len(made)
        summary.update(figures(name, made))
        items += wrong(made)
        run.progress(number, len(tests), "tests")
        if not made:
            run.note(f"{name}: nothing could be planted" + ("; tie a suite" if name == "contamination" else ""))
        else:
            recall, precision = summary[f"{name}.recall"], summary[f"{name}.precision"]
            run.note(f"{name}: recall {_said(recall)}, precision {_said(precision)}")
    facts = {"documents": len(hosts), "planted": counts, "policy": rules.name, "seed": config.seed}
    notes = ["Precision counts the planted look-alikes and controls; in quality, a document of yours that is left out."]
    return Report.write(run.out, "self-test", summary, items, notes, facts)


def _said(measure: Measure) -> str:
    return f"{measure.value:.3f} ({measure.low:.3f} to {measure.high:.3f}, n = {measure.n})"


def figures(test: str, made: Sequence[Probe]) -> dict[str, Measure]:
    """Recall over all, by kind, variant and language; precision over all; false alarms by kind."""
    if not made:
        return {}
    groups: dict[str, list[bool]] = defaultdict(list)
    for one in made:
        names = [name for name in (one.kind, one.language, one.variant) if name] if one.wanted else [one.kind]
        what = f"{test}.recall" if one.wanted else f"{test}.false_alarms"
        for name in (what, *(f"{what}.{name}" for name in names)):
            groups[name].append(one.found)
    found = [one.wanted for one in made if one.found]
    summary = {name: share(sum(values), len(values)) for name, values in groups.items()}
    summary[f"{test}.precision"] = share(sum(found), len(found))
    summary.setdefault(f"{test}.recall", share(0, 0))
    if test == "pii":
        named = [one.right for one in made if one.found and one.wanted]
        summary["pii.right_kind"] = share(sum(named), len(named))
    return dict(sorted(summary.items()))


def wrong(made: Sequence[Probe]) -> Iterator[dict[str, Any]]:
    """The misses and the false alarms."""
    for one in made:
        if one.wanted != one.found:
            row = {name: value for name, value in one._asdict().items() if name not in ("wanted", "found", "right")}
            yield {**row, "outcome": "missed" if one.wanted else "false alarm"}


def sample(corpus: Corpus, count: int, seed: int) -> list[Host]:
    """Documents drawn from all parts, with their language told from the text. Raises StepFailed where none has text."""
    sizes = [pq.ParquetFile(part).metadata.num_rows for part in corpus.parts]
    chosen = np.sort(np.random.default_rng(seed).permutation(sum(sizes))[: 2 * count])
    hosts: list[Host] = []
    first = 0
    for part, size in zip(corpus.parts, sizes, strict=True):
        here = chosen[(chosen >= first) & (chosen < first + size)] - first
        first += size
        hosts += _rows(part, here)
    keep = np.random.default_rng(seed).permutation(len(hosts))[:count]
    hosts = [hosts[place] for place in sorted(keep.tolist())]
    if not hosts:
        raise StepFailed("the corpus holds no document with text", "Look at what was left out in the steps before")
    return hosts


def _rows(part: Any, rows: Any) -> Iterator[Host]:
    start = 0
    for batch in pq.ParquetFile(part).iter_batches(512, columns=["id", "text"]):
        here = rows[(rows >= start) & (rows < start + batch.num_rows)] - start
        start += batch.num_rows
        for row in batch.take(here).to_pylist() if here.size else []:
            text = shortened(row["text"] or "")
            if text.strip():
                found = language(text)
                yield Host(row["id"], text, "zh" if found in ("zh", "mixed", "ja") else "en")


def shortened(text: str) -> str:
    if len(text) <= _CHARACTERS:
        return text
    at = text.rfind("\n", _CHARACTERS // 2, _CHARACTERS)
    return text[: at if at > 0 else _CHARACTERS]


def corpus_of(path: Any, rows: Sequence[tuple[str, str, str]]) -> Corpus:
    """A corpus of (id, text, language) in one part, for the functions that read one."""
    blank: Mapping[str, Any] = dict.fromkeys(("source_digest", "licence", "origin", "access"), "")
    return Corpus.write(
        path,
        (
            {
                **blank,
                "id": identity,
                "text": text,
                "language": code,
                "source": identity,
                "start": 0,
                "end": len(text),
                "transforms": [],
            }
            for identity, text, code in rows
        ),
    )
