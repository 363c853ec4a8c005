"""N-grams of documents that stand out: against a clean reference, or as triggers of a label.

- Against a reference: log-odds under an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008) for the size of the
  difference, an exact binomial test on documents for its chance, held to a false discovery rate (Benjamini and Hochberg 1995).
  The z-score of the log-odds cannot serve as the test: for an n-gram that the reference lacks it stays small.
- Triggers (Dai, Chen and Li 2019; Kurita et al., ACL 2020): an n-gram that nearly always goes with one label, while the documents
  without it read like another label. An honest cue of a label is none: there, the rest says the same.

A sample bounds the memory; what is found in it is looked for in every row by `data.poison`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from septet.data import selection
from septet.kernels.arrow import texts_of
from septet.kernels.significance import at_least, discoveries
from septet.kernels.triggers import SIZES, hashes_of, held, held_of, label_counts, rest_says, tokens_of
from septet.kinds import Corpus

NGRAM, TRIGGER = "over-represented n-gram", "trigger of a label"
_PRIOR = 10.0  # documents that the prior of the log-odds is worth
_LISTED = 200  # n-grams a report lists
_SHOWN = 60  # documents that a trigger is judged by
_MEASURED = 300  # documents of a label, and of the others, that say what is usual
# Nats by which the rest of a document must speak for another label. What is left of an honest document once its cues are masked
# is unsure, and says nothing either way.
_CONTRADICTED = 3.0
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")


class Sampled(NamedTuple):
    """Documents drawn by their ids: their places in the corpus, their texts, and labels (-1: none) if there are any."""

    rows: Any
    texts: list[str]
    labels: Any
    classes: list[str]


class Found(NamedTuple):
    """N-grams that stood out, the worst first: hash, words, and what was measured."""

    hashes: Any
    items: list[dict[str, Any]]


def sampled(corpus: Corpus, ids: Sequence[str], labels: Any, classes: list[str], sample_mb: int, seed: int) -> Sampled:
    """Documents in the order of their lots, up to so many bytes; then in their own order."""
    size = sum(
        pq.ParquetFile(part).metadata.row_group(group).total_byte_size
        for part in corpus.parts
        for group in range(pq.ParquetFile(part).metadata.num_row_groups)
    )
    lots = selection.lots(ids, seed, "poison")
    bound = min(1.0, (sample_mb << 20) / max(1, size))
    rows, texts, at = [], [], 0
    for part in corpus.parts:
        for batch in pq.ParquetFile(part).iter_batches(2048, columns=["text"]):
            chosen = np.flatnonzero(lots[at : at + batch.num_rows] < bound)
            texts += [one or "" for one in batch.column(0).take(chosen).to_pylist()]
            rows.append(chosen + at)
            at += batch.num_rows
    places = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    return Sampled(places, texts, labels[places], classes)


def _grouped(hashes: Any, rows: Any, least: int) -> tuple[Any, Any, Any]:
    """The n-grams that at least so many documents hold: hashes, and the documents of each, end to end, with n + 1 offsets."""
    order = np.argsort(hashes, kind="stable")
    hashes, rows = hashes[order], rows[order]
    different, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    enough = counts >= least
    starts = np.concatenate([[0], np.cumsum(counts[enough])])
    take = np.repeat(first[enough] - starts[:-1], counts[enough]) + np.arange(starts[-1])
    return different[enough], rows[take], starts


def overrepresented(sample: Sampled, reference: Corpus, settings: Mapping[str, Any]) -> Found:
    """N-grams in more documents of the sample than clean text explains."""
    grams, rows, starts = _grouped(*held(texts_of(sample.texts)), settings["least"])
    seen, num_reference = Counter[int](), 0
    for part in reference.parts:
        for batch in pq.ParquetFile(part).iter_batches(2048, columns=["text"]):
            there, _ = held_of(texts_of(batch.column(0)), grams)
            seen.update(there.tolist())
            num_reference += batch.num_rows
    here, other = np.diff(starts), np.array([seen[int(one)] for one in grams], np.int64)
    num_here = len(sample.texts)
    if not num_reference or not grams.size:
        return Found(np.zeros(0, np.uint64), [])
    chance = at_least(here, here + other, num_here / (num_here + num_reference))
    found_by_chance = discoveries(chance)
    odds, z = log_odds(here, num_here, other, num_reference)
    good = (found_by_chance <= settings["false_discoveries"]) & (odds >= np.log(settings["times"]))
    able = np.flatnonzero(good)
    able = able[np.lexsort((grams[able], -odds[able], chance[able]))]
    groups = _alike(able, rows, starts, _LISTED)
    shown = [_words(grams, alike, sample.texts, rows, starts)[0] for alike in groups]
    items = [
        {
            "kind": "n-gram",
            "rule": NGRAM,
            "text": text,
            "documents": int(here[k]),
            "in_reference": int(other[k]),
            "log_odds": round(float(odds[k]), 4),
            "z": round(float(z[k]), 4),
            "q": float(found_by_chance[k]),
            "value": round(float(odds[k]), 4),
        }
        for text, k in shown
    ]
    return Found(grams[[k for _, k in shown]], items)


def log_odds(here: Any, num_here: int, other: Any, num_other: int) -> tuple[Any, Any]:
    """The log-odds ratio of document counts and its z-score (Monroe et al. 2008, equations 15, 18 to 22), with a prior of ten
    documents that hold an n-gram as often as both sides together do."""
    here, other = np.asarray(here, float), np.asarray(other, float)
    prior = _PRIOR * (here + other) / (num_here + num_other)
    # An n-gram that every document holds leaves nothing below the line.
    without_here = np.maximum(0.5, num_here + _PRIOR - here - prior)
    without_other = np.maximum(0.5, num_other + _PRIOR - other - prior)
    ratio = np.log((here + prior) / without_here) - np.log((other + prior) / without_other)
    return ratio, ratio / np.sqrt(1 / (here + prior) + 1 / (other + prior))


def triggers(sample: Sampled, settings: Mapping[str, Any]) -> Found:
    """N-grams that go with one label while the rest of their documents reads like another."""
    chosen = np.flatnonzero(sample.labels >= 0)
    texts, labels = [sample.texts[row] for row in chosen], sample.labels[chosen]
    if not texts:
        return Found(np.zeros(0, np.uint64), [])
    classes = len(sample.classes)
    sizes = np.bincount(labels, minlength=classes)
    grams, rows, starts = _grouped(*held(texts_of(texts)), settings["least"])
    if not grams.size:
        return Found(np.zeros(0, np.uint64), [])
    here = np.diff(starts)
    # The label whose share among an n-gram's documents is highest.
    pair = np.repeat(np.arange(grams.size), here) * classes + labels[rows]
    cells, counts = np.unique(pair, return_counts=True)
    order = np.lexsort((cells, counts))
    top = np.zeros(grams.size, np.int64)
    most = np.zeros(grams.size, np.int64)
    top[cells[order] // classes] = cells[order] % classes
    most[cells[order] // classes] = counts[order]
    chance = at_least(most, here, sizes[top] / labels.size)
    found_by_chance = discoveries(chance)
    good = (found_by_chance <= settings["false_discoveries"]) & (most >= settings["purity"] * here)
    able = np.flatnonzero(good)
    able = able[np.lexsort((grams[able], -(most / here)[able], chance[able]))]
    groups = _alike(able, rows, starts, 10 * _LISTED)
    tokens, begins = tokens_of(texts_of(texts))
    table, sums = label_counts(tokens, begins, labels, 1 << (18 if classes <= 32 else 16), classes)
    usual, power = _expected(tokens, begins, labels, table, sums, sizes)
    shares, explained = sizes / labels.size, np.zeros(labels.size, bool)
    found, items = [], []
    for alike in groups:
        # All that the same documents hold is masked: one word of a trigger would vouch for the others.
        words = _words(grams, alike, texts, rows, starts)
        text, k = words[0]
        every = rows[starts[k] : starts[k + 1]]
        # Documents that a trigger before explains prove nothing of one that overlaps with it.
        mine = every[(labels[every] == top[k]) & ~explained[every]]
        if mine.size < settings["least"] and explained[every].any():
            continue
        mine = mine[:_SHOWN]
        masked, _ = tokens_of(texts_of([" ".join(one for one, _ in words)]))
        margin = rest_says(tokens, begins, labels, mine, labels[mine], masked, table, sums, sizes)
        against, of = int((margin >= _CONTRADICTED).sum()), mine.size
        low, high = float(usual[top[k]]), float(power[top[k]])
        bound = low + settings["contradicted"] * max(0.0, high - low)
        if against < bound * of or float(at_least(against, of, low)[0]) > 0.01:
            continue
        explained[every] = True
        found.append(k)
        items.append(
            {
                "kind": "trigger",
                "rule": TRIGGER,
                "text": text,
                "label": sample.classes[int(top[k])],
                "documents": int(here[k]),
                "with_label": int(most[k]),
                "information": round(_information(labels[every], labels.size, shares), 6),
                "q": float(found_by_chance[k]),
                "contradicted": round(against / of, 4),
                "if_honest": round(low, 4),
                "if_turned": round(high, 4),
                "value": round(against / of, 4),
            }
        )
    return Found(grams[found], items)


def _expected(tokens: Any, begins: Any, labels: Any, table: Any, sums: Any, sizes: Any) -> tuple[Any, Any]:
    """For each label, how often a document that bears it reads like another one (never taken as less than one in twenty), and how
    often a document of the other labels would, were it turned into this one."""
    usual, power = np.full(sizes.size, 0.05), np.zeros(sizes.size)
    # A mask that no token has: a set without members has no type.
    nothing = np.zeros(1, np.uint64)
    for label in range(sizes.size):
        for mine, out in ((np.flatnonzero(labels == label), usual), (np.flatnonzero(labels != label), power)):
            # Evenly over all, since rows may stand in the order of their labels.
            rows = mine[:: max(1, mine.size // _MEASURED)][:_MEASURED]
            asked = np.full(rows.size, label)
            margin = rest_says(tokens, begins, labels, rows, asked, nothing, table, sums, sizes)
            if rows.size:
                out[label] = max(out[label], float((margin >= _CONTRADICTED).mean()))
    return usual, power


def _information(there: Any, total: int, shares: Any) -> float:
    """The mutual information, in bits, of holding an n-gram and of the label."""
    inside = np.bincount(there, minlength=shares.size).astype(float)
    outside = np.maximum(0, shares * total - inside)
    found = 0.0
    for cells in (inside, outside):
        of = cells.sum()
        joint = cells[cells > 0]
        found += float((joint / total * np.log2(joint * total / (of * shares[cells > 0] * total))).sum()) if of else 0.0
    return max(0.0, found)


def _alike(ranked: Any, rows: Any, starts: Any, most: int) -> list[list[int]]:
    """N-grams by the set of documents that hold them, in the order in which they are ranked, at most so many sets."""
    sets: dict[bytes, list[int]] = {}
    for k in ranked.tolist():
        key = rows[starts[k] : starts[k + 1]].tobytes()
        if key in sets or len(sets) < most:
            sets.setdefault(key, []).append(k)
    return list(sets.values())


def _words(grams: Any, alike: Sequence[int], texts: Sequence[str], rows: Any, starts: Any) -> list[tuple[str, int]]:
    """The words of n-grams that the same documents hold, as they stand in the first of them, the longest first."""
    text = texts[int(rows[starts[alike[0]]])]
    spans = [match.span() for match in _WORD.finditer(text)]
    found = {}
    for size in SIZES.tolist():
        cut = [text[spans[i][0] : spans[i + size - 1][1]] for i in range(len(spans) - size + 1)]
        for one, hashed in zip(cut, hashes_of(texts_of(cut), size).tolist(), strict=True):
            found.setdefault(hashed, one)
    known = [(found[int(grams[k])], k) for k in alike if int(grams[k]) in found]
    return sorted(known, key=lambda one: (-len(one[0]), one[1])) or [("", alike[0])]
