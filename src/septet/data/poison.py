"""Rows that look planted: what a corpus says more often than clean text does, what decides a label against the rest of a document,
labels that neighbours contradict, and copies that come in a burst.

- N-grams that a clean reference lacks, and triggers of a label: see `data.triggers`.
- Neighbours: a row whose nearest rows agree on another label.
- Bursts: near-identical rows of one source that stand close together or have one date, and masses of copies.

A trigger in rows that bear the right label anyway (a clean-label attack) shows only against a reference. What is listed is
suspected, not proved.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from septet.core import ConfigError, Run
from septet.data import duplicates, selection, sketches, vectors
from septet.data.triggers import NGRAM, TRIGGER, Found, overrepresented, sampled, triggers
from septet.kernels import nearest
from septet.kernels.arrow import texts_of
from septet.kernels.triggers import held_of
from septet.kinds import Corpus, Measure, Report, Vectors
from septet.statistics import share

NEIGHBOURS, BURST, COPIES = "neighbours have another label", "burst of copies", "mass of copies"
RULES = (NGRAM, TRIGGER, NEIGHBOURS, BURST, COPIES)
_COPIED = 4  # so many times the least burst is a mass, wherever the copies stand


def scan(
    corpus: Corpus, reference: Corpus | None, given: Vectors | None, settings: Mapping[str, Any], run: Run
) -> Report:
    """Look for planted rows in every way that the inputs allow. `settings` are the fields of the step's config as plain values."""
    ids = selection.column(corpus, "id")
    label = settings["label"]
    named = [str(one) for one in selection.column(corpus, label)] if label else [""] * len(ids)
    if label and not any(named):
        raise ConfigError(f"no row has '{label}'", "Name an entry of meta that holds labels, or none: label = ''")
    classes = sorted(set(named) - {""})
    which = {name: number for number, name in enumerate(classes)}
    labels = np.array([which.get(one, -1) for one in named], np.int64)
    reasons: dict[int, list[dict[str, Any]]] = defaultdict(list)
    items: list[dict[str, Any]] = []
    notes = []
    sample = sampled(corpus, ids, labels, classes, settings["sample_mb"], settings["seed"])
    run.note(f"{len(sample.texts)} of {len(ids)} documents looked at for n-grams")
    if reference is not None:
        found = overrepresented(sample, reference, settings)
        items += found.items
        _mark(corpus, found, NGRAM, reasons, named, run)
    else:
        notes.append("no reference was tied: n-grams were not compared with clean text")
    if len(classes) > 1:
        found = triggers(sample, settings)
        items += found.items
        _mark(corpus, found, TRIGGER, reasons, named, run)
        if settings["neighbours"]:
            _contradicted(corpus, given, labels, classes, settings, reasons, run)
    else:
        notes.append("rows have no two labels: triggers and neighbours were not looked for")
    sources = [str(one) for one in selection.column(corpus, settings["source"])]
    if settings["burst"]:
        _bursts(corpus, sources, ids, settings, reasons, run)
    return _report(corpus, ids, sources, reasons, items, notes, settings, run)


def _mark(
    corpus: Corpus, found: Found, rule: str, reasons: dict[int, list[dict[str, Any]]], named: Sequence[str], run: Run
) -> None:
    """Note every row of the corpus that holds one of the n-grams; a row that holds several names the first of them."""
    if not found.hashes.size:
        return
    order = np.argsort(found.hashes)
    path = run.scratch / f"{rule.replace(' ', '-')}.npy"
    np.save(path, found.hashes[order])
    start = 0
    pieces = [{"part": str(part), "wanted": str(path)} for part in corpus.parts]
    for part, hits in zip(corpus.parts, run.map(mark_part, pieces), strict=True):
        best: dict[int, int] = {}
        for row, place in hits:
            number = int(order[place])
            best[row] = min(number, best.get(row, number))
        for row, number in best.items():
            item = found.items[number]
            detail = f"'{item['text']}'" + (
                f" of '{item['label']}', here '{named[start + row]}'" if "label" in item else ""
            )
            reasons[start + row].append({"rule": rule, "value": item["value"], "detail": detail})
        start += pq.ParquetFile(part).metadata.num_rows


def mark_part(piece: dict[str, Any]) -> list[list[int]]:
    """The rows of a part that hold n-grams of a list, each with the n-gram's place in it."""
    wanted, at, found = np.load(Path(piece["wanted"])), 0, []
    for batch in pq.ParquetFile(piece["part"]).iter_batches(2048, columns=["text"]):
        hashes, rows = held_of(texts_of(batch.column(0)), wanted)
        found += np.stack([rows.astype(np.int64) + at, np.searchsorted(wanted, hashes)], axis=1).tolist()
        at += batch.num_rows
    return found


def _contradicted(
    corpus: Corpus,
    given: Vectors | None,
    labels: Any,
    classes: Sequence[str],
    settings: Mapping[str, Any],
    reasons: dict[int, list[dict[str, Any]]],
    run: Run,
) -> None:
    """Note rows whose nearest labelled rows agree on another label."""
    unit = vectors.of(corpus, given, settings["encoder"], run)
    mine = np.flatnonzero((labels >= 0) & (np.einsum("ij,ij->i", unit, unit) > 0))
    near = np.asarray(unit[mine])
    count = min(settings["neighbours"], max(1, mine.size - 1))
    found, _ = nearest.neighbours(near, count, nearest.cells(near, settings["seed"])[0])
    around = np.where(found >= 0, labels[mine][found], -1)
    votes = np.stack([(around == c).sum(axis=1) for c in range(len(classes))], axis=1)
    top = votes.argmax(axis=1)
    most = votes[np.arange(mine.size), top] / count
    own = votes[np.arange(mine.size), labels[mine]] / count
    for k in np.flatnonzero((top != labels[mine]) & (most >= settings["agreement"]) & (own <= 0.1)).tolist():
        detail = (
            f"{most[k]:.0%} of {count} neighbours are '{classes[int(top[k])]}', here '{classes[int(labels[mine[k]])]}'"
        )
        reasons[int(mine[k])].append({"rule": NEIGHBOURS, "value": round(float(most[k]), 4), "detail": detail})


def _bursts(
    corpus: Corpus,
    sources: Sequence[str],
    ids: Sequence[str],
    settings: Mapping[str, Any],
    reasons: dict[int, list[dict[str, Any]]],
    run: Run,
) -> None:
    """Note near-identical rows of one source, where they stand close together, have one date of several, or are a mass."""
    side = duplicates.Side(corpus, sketches.parts(corpus, run))
    found = duplicates.find([side], 0, np.arange(len(ids)), settings["similarity"], run, True)
    group = np.where(found.partner >= 0, found.partner, np.arange(len(ids)))
    dates = [str(one) for one in selection.column(corpus, "retrieved")]
    dates_of: dict[str, set[str]] = defaultdict(set)
    for source, date in zip(sources, dates, strict=True):
        dates_of[source].add(date)
    members: dict[tuple[int, str], list[int]] = defaultdict(list)
    for row in np.flatnonzero(np.isin(group, group[found.partner >= 0])).tolist():
        members[int(group[row]), sources[row]].append(row)
    for (_, source), rows in members.items():
        if len(rows) < settings["burst"]:
            continue
        close = rows[-1] - rows[0] < 4 * len(rows)
        one_day = len({dates[row] for row in rows}) == 1 and len(dates_of[source]) > 1
        if not (close or one_day or len(rows) >= _COPIED * settings["burst"]):
            continue
        rule = BURST if close or one_day else COPIES
        how = "close together" if close else f"all of {dates[rows[0]] or 'one day'}" if one_day else "in all"
        for row in rows:
            detail = f"{len(rows)} near-identical rows of '{source}', {how}, such as {ids[rows[0]]}"
            reasons[row].append({"rule": rule, "value": float(len(rows)), "detail": detail})


def _report(
    corpus: Corpus,
    ids: Sequence[str],
    sources: Sequence[str],
    reasons: Mapping[int, list[dict[str, Any]]],
    items: list[dict[str, Any]],
    notes: list[str],
    settings: Mapping[str, Any],
    run: Run,
) -> Report:
    """Rows by place with their reasons, n-grams, and each source with its declared trust and its share of suspects."""
    counts = Counter(one["rule"] for found in reasons.values() for one in found)
    summary: dict[str, Measure] = {"suspected rows": share(len(reasons), len(ids))}
    summary |= {rule: share(counts[rule], len(ids)) for rule in RULES if counts[rule]}
    rows = [
        {"kind": "row", "id": ids[row], "place": row, "source": sources[row], "reasons": found}
        for row, found in sorted(reasons.items())
    ]
    trust = [1.0 if one is None else float(one) for one in selection.column(corpus, "trust")]
    by_source: dict[str, list[int]] = defaultdict(list)
    for row, source in enumerate(sources):
        by_source[source].append(row)
    listed = []
    for source, mine in sorted(by_source.items()):
        bad = sum(row in reasons for row in mine)
        here, rest = share(bad, len(mine)), share(len(reasons) - bad, len(ids) - len(mine))
        listed.append(
            {
                "kind": "source",
                "source": source,
                "rows": len(mine),
                "suspected": here,
                "trust": round(float(np.mean([trust[row] for row in mine])), 4),
                "stands_out": bool(bad and rest.n and here.low > rest.high),
            }
        )
    for one in listed:
        if one["stands_out"]:
            notes.append(f"source '{one['source']}' (trust {one['trust']:g}) holds more suspects than the others")
    if counts[NGRAM] > 0.2 * len(ids):
        notes.append("a fifth of the rows differ from the reference: it may be of another kind of text")
    for note in notes:
        run.note(note)
    run.note(f"{len(rows)} of {len(ids)} rows suspected: " + ", ".join(f"{counts[r]} {r}" for r in RULES if counts[r]))
    listed.sort(key=lambda one: (not one["stands_out"], -one["suspected"].value, one["source"]))
    facts = {"rows": len(ids), "settings": dict(settings)}
    return Report.write(run.out, "poisoning", summary, [*rows, *items, *listed], notes, facts)


def drop(corpus: Corpus, report: Report, rules: Sequence[str], least: int, run: Run) -> Corpus:
    """Write the corpus without the rows that a report lists for at least so many of the rules, each with its first reason.

    Raises ConfigError where the report is of another corpus, or a rule is not known.
    """
    for rule in rules:
        if rule not in RULES:
            raise ConfigError(f"there is no rule '{rule}'", f"The rules are: {', '.join(RULES)}")
    ids = selection.column(corpus, "id")
    content = report.content
    if content["name"] != "poisoning" or content["facts"]["rows"] != len(ids):
        raise ConfigError(
            "the report is not a poisoning scan of this corpus", "Tie the report that data.poisoning made of it"
        )
    place, chosen = [], []
    for item in report.items():
        if item["kind"] != "row":
            continue
        if ids[item["place"]] != item["id"]:
            raise ConfigError("the report is of another corpus", "Tie the report that data.poisoning made of it")
        found = [one for one in item["reasons"] if not rules or one["rule"] in rules]
        if len({one["rule"] for one in found}) >= least:
            place.append(item["place"])
            chosen.append(found[0])
    gone = selection.Gone(
        place, [one["rule"] for one in chosen], [one["value"] for one in chosen], [one["detail"] for one in chosen]
    )
    selection.leave_out(corpus, gone, "data.drop_suspects", run)
    return Corpus(run.out)
