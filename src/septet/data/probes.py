"""The tests of the self-test: each plants something, runs the stage's own function over it, and says what was found.

All are functions of the hosts (a team's documents) and a seeded source; each returns one `Probe` for each thing planted.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import Run
from septet.data import planted, spoiled
from septet.data.selftest import Host, Probe, corpus_of
from septet.detect import pii
from septet.detect.policy import Policy as Rules
from septet.kernels.arrow import texts_of
from septet.kernels.sketch import shingle_sets
from septet.kinds import Corpus, Policy, Scorer, Suite

if TYPE_CHECKING:
    from septet.data.steps.selftest import SelfTest

Draw = random.Random
_LEAST_WORDS = 60
"""Words of a document of which near copies are made: of a shorter one a single edit makes another text."""


def _of_language(hosts: Sequence[Host], language: str) -> Sequence[Host]:
    return [host for host in hosts if host.language == language] or hosts


def duplicates(hosts: Sequence[Host], similarity: float, draw: Draw, run: Run) -> list[Probe]:
    """Copies to the letter and with a share of their words edited. What is wanted is told by the exact Jaccard similarity of a
    copy and its document: a copy below the threshold is another text, and finding it is a false alarm."""
    from septet.data.duplicates import Side, find
    from septet.data.sketches import parts

    able = [host for host in hosts if sum(map(spoiled.is_word, spoiled.tokens(host.text))) >= _LEAST_WORDS]
    if not able:
        return []
    copies = [(host, "exact", host.text) for host in able]
    copies += [
        (host, f"{rate:.1%} edited", spoiled.edited(host.text, rate, draw))
        for host in able
        for rate in spoiled.EDIT_RATES
    ]
    rows = [(host.id, host.text, host.language) for host in able]
    rows += [(f"{host.id}#{number}", text, host.language) for number, (host, _, text) in enumerate(copies)]
    corpus = corpus_of(run.scratch / "copies", rows)
    found = find([Side(corpus, parts(corpus, run, name="copies-sketched"))], 0, np.arange(len(rows)), similarity, run)
    values, ends = shingle_sets(texts_of([text for _, text, _ in rows]))
    sets = [values[low:high] for low, high in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]
    place = {id(host): number for number, host in enumerate(able)}
    made = []
    for number, (host, variant, text) in enumerate(copies):
        row = len(able) + number
        partner = int(found.partner[row])
        alike = text == host.text or _jaccard(sets[row], sets[place[id(host)]]) >= similarity
        # A copy may also be like another document of the team's, or one of its copies: then it is rightly found.
        alike = alike or (partner >= 0 and _jaccard(sets[row], sets[partner]) >= similarity)
        made.append(Probe("duplicates", "copy", variant, host.language, host.id, alike, partner >= 0))
    return made


def _jaccard(first: Any, second: Any) -> float:
    both = np.intersect1d(first, second, assume_unique=True).size
    return both / max(1, first.size + second.size - both)


def personal(hosts: Sequence[Host], rules: Rules, plants: int, draw: Draw) -> list[Probe]:
    """Values of every kind and their look-alikes, in sentences among the team's own. A value is found when all of it is covered."""
    texts: list[str] = []
    places: list[tuple[str, str, Host, bool, int, str]] = []
    for kind, forms in planted.KINDS.items():
        for form in forms:
            for wanted, sentences, maker in (
                (True, form.sentences, form.value),
                (False, form.like_sentences, form.like),
            ):
                for language, frames in sentences.items():
                    able = _of_language(hosts, language)
                    for _ in range(plants if maker else 0):
                        assert maker is not None
                        value = maker(draw)
                        frame, host = draw.choice(frames), draw.choice(able)
                        text, start = spoiled.inserted(host.text, frame.format(value), draw)
                        texts.append(text)
                        places.append((kind, language, host, wanted, start + frame.index("{}"), value))
    found: dict[int, list[Any]] = {}
    for row, span in pii.detect_all(texts, (), rules.pii.threshold, rules.pii.allow).spans():
        found.setdefault(row, []).append(span)
    made = []
    for row, (kind, language, host, wanted, start, value) in enumerate(places):
        touching = [span for span in found.get(row, []) if span.start < start + len(value) and span.end > start]
        covered = any(span.start <= start and span.end >= start + len(value) for span in touching)
        hit = covered if wanted else bool(touching)
        right = any(span.kind == kind for span in touching)
        made.append(Probe("pii", kind, "", language, host.id, wanted, hit, value, right))
    return made


def toxicity(
    hosts: Sequence[Host],
    policy: Policy,
    rules: Rules,
    labelled: Corpus | None,
    config: SelfTest,
    scorers: Sequence[Scorer],
    draw: Draw,
) -> list[Probe]:
    """Words of the policy's lists, as many as the policy asks for, plain and disguised; allowed phrases as look-alikes; and rows
    that a team has labelled, among its own text."""
    from septet.data.detox import finder

    settings = {
        "policy": str(policy.path),
        "detectors": list(config.detectors),
        "scorers": [str(scorer.path) for scorer in scorers],
    }
    find = finder(settings, rules)
    clean = find(pa.array([host.text for host in hosts], pa.large_string()))
    able = [host for number, host in enumerate(hosts) if number not in clean]
    if not able:
        return []
    rows: list[Planting] = []
    if "lexicon" in config.detectors:
        rows += _listed(able, rules, config.plants, draw)
    rows += _labelled(able, labelled, config, draw)
    hits = find(pa.array([one.text for one in rows], pa.large_string())) if rows else {}
    return [
        Probe("toxicity", one.kind, one.variant, one.host.language, one.host.id, one.wanted, number in hits, one.why)
        for number, one in enumerate(rows)
    ]


class Planting(NamedTuple):
    """A text that something was planted in; `why` says what of the policy speaks against finding it."""

    kind: str
    variant: str
    host: Host
    wanted: bool
    text: str
    why: str = ""


_SAID = {"zh": "他在帖子里写道：{}。", "en": "In the post it said: {}."}
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def _listed(hosts: Sequence[Host], rules: Rules, plants: int, draw: Draw) -> Iterator[Planting]:
    for name, category in rules.lexicon.categories.items():
        bound = rules.toxicity.thresholds.get(name, rules.toxicity.threshold)
        alone = category.action in ("mask", "block", "review")
        needed = 1
        while not alone and category.weight > 0 and 1 - (1 - category.weight) ** needed < bound and needed < 20:
            needed += 1
        for language in ("zh", "en"):
            words = [word.removesuffix("*") for word in category.words if word.isascii() == (language == "en")]
            if len(words) < needed or not category.weight:
                continue
            able = _of_language(hosts, language)
            joint = "，" if language == "zh" else ", "
            near = [word for word in category.near if word.isascii() == (language == "en")][:1]
            for number in range(plants):
                variant = ("plain", "wide" if language == "en" else "parted")[number % 2]
                chosen = [_disguised(word, variant) for word in draw.sample(words, needed)] + near
                host = draw.choice(able)
                sentence = _SAID[language].format(joint.join(chosen))
                text, start = spoiled.inserted(host.text, sentence, draw)
                round_it = text[max(0, start - category.window) : start + len(sentence) + category.window].lower()
                excused = any(word.lower().removesuffix("*") in round_it for word in category.unless)
                why = "beside a word that the policy excuses by (unless)" if excused else ""
                yield Planting(name, variant, host, True, text, why)
    for phrase in rules.lexicon.allow:
        host = draw.choice(_of_language(hosts, "en" if phrase.isascii() else "zh"))
        text, _ = spoiled.inserted(host.text, _SAID[host.language].format(phrase), draw)
        yield Planting("allowed phrase", "", host, False, text)


def _disguised(word: str, variant: str) -> str:
    if variant == "wide":
        return word.translate(_WIDE)
    return "*".join(word) if variant == "parted" else word


def _labelled(hosts: Sequence[Host], labelled: Corpus | None, config: SelfTest, draw: Draw) -> Iterator[Planting]:
    for row in labelled.rows() if labelled is not None else ():
        meta = json.loads(row["meta"]) if row["meta"] else {}
        if not isinstance(meta, dict) or config.label not in meta:
            continue
        wanted = str(meta[config.label]) in config.toxic
        host = draw.choice(_of_language(hosts, row["language"]))
        yield Planting("labelled", "alone", host, wanted, row["text"])
        text, _ = spoiled.inserted(host.text, row["text"], draw)
        yield Planting("labelled", "among own text", host, wanted, text)


def contamination(
    hosts: Sequence[Host], suites: Sequence[Suite], count: int, covered: float, draw: Draw, run: Run
) -> list[Probe]:
    """Evaluation items in copies of documents, to the letter and in other case or spacing; items that were not planted, and that
    the documents do not hold, are the controls."""
    from septet.data import contamination as work

    items = work.items_of(suites, (), work.FIELDS)
    if not items:
        return []
    testable = np.flatnonzero(work.Index(items).testable).tolist()
    chosen = sorted(draw.sample(testable, min(count, len(testable))))
    rows = [(host.id, host.text, host.language) for host in hosts]
    placed = []
    for number, item in enumerate(chosen):
        host = draw.choice(_of_language(hosts, items[item].language))
        variant = ("whole", "respaced")[number % 2]
        words = items[item].text if variant == "whole" else _respaced(items[item].text, items[item].language)
        rows.append((f"{host.id}#{number}", spoiled.inserted(host.text, words, draw)[0], host.language))
        placed.append((item, variant, host))
    corpus = corpus_of(run.scratch / "contaminated", rows)
    _, held = work.find(corpus.parts, "text", items, covered, run)
    by_row = {row: {item for item, _ in found} for row, found in held[0].items()}
    own = {item for row, found in by_row.items() if row < len(hosts) for item in found}
    made = []
    for number, (item, variant, host) in enumerate(placed):
        found = by_row.get(len(hosts) + number, set())
        one = items[item]
        if item not in own:
            made.append(
                Probe("contamination", one.suite, variant, one.language, host.id, True, item in found, one.identity)
            )
        others = [other for other in found - own - {item} if items[other].text not in items[item].text]
        made.append(Probe("contamination", one.suite, "", one.language, host.id, False, bool(others), one.identity))
    return made


def _respaced(text: str, language: str) -> str:
    return (
        "  ".join(text.upper().split(" "))
        if language == "en"
        else "\n".join(text[i : i + 17] for i in range(0, len(text), 17))
    )


def quality(hosts: Sequence[Host], rules: Rules, draw: Draw, run: Run) -> list[Probe]:
    """Spoiled copies of documents that are kept themselves. A garbled one is also found when `data.clean` would see it. The
    documents are the controls: each that the policy's limits leave out counts as a false alarm."""
    from septet.data.filters import judging
    from septet.detect.repair import is_garbled
    from septet.detect.rulesets import measures_of

    limits = {
        tongue: {name: msgspec.to_builtins(one) for name, one in table.items()}
        for tongue, table in rules.quality.items()
    }
    settings = {"limits": limits, "sets": [], "only": [], "scores": [], "scorers": [], "signals": ""}
    work = judging({**settings, "needed": sorted(measures_of(rules.quality, []))})

    def left_out(name: str, rows: Sequence[tuple[str, str, str]]) -> set[str]:
        corpus = corpus_of(run.scratch / name, rows)
        table = pq.read_table(corpus.parts[0])
        table = table.append_column("row", pa.array(range(table.num_rows), pa.int64()))
        dropped = work(table).dropped
        return set(dropped["id"].to_pylist()) if dropped is not None else set()

    numbered = [(f"{number}", host.text, host.language) for number, host in enumerate(hosts)]
    own = left_out("own", numbered)
    made = [
        Probe("quality", "your documents", "", host.language, host.id, False, f"{number}" in own)
        for number, host in enumerate(hosts)
    ]
    rows, kinds = [], []
    for number, host in enumerate(hosts):
        for kind, spoil in spoiled.SPOILERS.items() if f"{number}" not in own else ():
            text = spoil(host.text, draw)
            kinds.append((kind, host, text))
            rows.append((f"{number}#{kind}", text, host.language))
    gone = left_out("spoiled", rows) if rows else set()
    for (kind, host, text), (identity, _, _) in zip(kinds, rows, strict=True):
        found = identity in gone or (kind == "garbled" and is_garbled(text))
        made.append(Probe("quality", kind, "", host.language, host.id, True, found))
    return made
