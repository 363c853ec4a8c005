"""Documents that a later version of themselves has replaced, and what versions say differently.

Two documents are versions of one where they go by one name without their marks (`detect.versions`) and share enough of their
text; the later is told by its date, its version number, or its being no draft, and where these are silent by the trust of its
source and the day it was had. `versions.json` holds every group, decided or not, `contradictions.jsonl` the sentences that
state another number or date in another version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import Run, StepFailed
from septet.data.stream import Sorted, Work, apply, split, with_transform
from septet.detect.versions import Version, newer, statements, version_of
from septet.files import read_json, write_json, write_lines
from septet.kernels.arrow import texts_of
from septet.kernels.words import FOLD, windows
from septet.kinds import Corpus

_HEAD = 1500
_SKETCH = 512  # smallest hashes of 5-token shingles kept of a document: a standard error of 0.02 at 0.3
_STATEMENTS = 2000  # of a document
_SHOWN = 50  # contradictions of a pair
_TEXT = 300
_REWRITTEN = 0.05


class Head(msgspec.Struct):
    """What is known of a document before its text is compared."""

    source: str
    version: Version
    trust: float
    retrieved: str


def check(corpus: Corpus, action: str, likeness: float, as_of: str, run: Run) -> Corpus:
    """Write the corpus without superseded documents (`drop`) or with a note on them (`flag`)."""
    heads: dict[str, Head] = {}
    for found in run.map(heads_of_part, [str(part) for part in corpus.parts]):
        for one in found:
            head = msgspec.convert(one, Head)
            heads.setdefault(head.source, head)
    groups = list(_groups(heads))
    wanted = sorted({source for group in groups for source in group})
    chosen = run.scratch / "versions-wanted.json"
    write_json(chosen, wanted)
    details = _details(corpus, chosen, run) if wanted else {}
    verdicts, reports, contradictions = _judge(groups, heads, details, likeness, as_of)
    file = run.scratch / "versions-superseded.json"
    write_json(file, verdicts)
    passed = apply(corpus, run, make, {"verdicts": str(file), "drop": action == "drop"})
    write_json(run.out / "versions.json", reports)
    write_lines(run.out / "contradictions.jsonl", contradictions)
    run.note(
        f"{len(groups)} titles in more than one document; {len(verdicts)} documents superseded; "
        f"{len(contradictions)} statements differ between versions"
    )
    if not passed.kept:
        raise StepFailed(f"all of {passed.rows} rows are superseded", "Flag them instead: action = 'flag'")
    return Corpus(run.out)


def make(settings: Mapping[str, Any]) -> Work:
    """The work of one part, for `data.stream`."""
    verdicts: dict[str, dict[str, Any]] = read_json(Path(settings["verdicts"]))

    def work(table: pa.Table) -> Sorted:
        sources = table["source"].to_pylist()
        gone = np.array([source in verdicts for source in sources], bool)
        facts = {"rows superseded": float(gone.sum())}
        if not settings["drop"]:
            return Sorted(_noted(table, [verdicts.get(source) for source in sources]), None, facts)
        lost = [verdicts[source] for source in sources if source in verdicts]
        kept, left = split(
            table,
            ~gone,
            [one["rule"] for one in lost],
            [one["likeness"] for one in lost],
            [one["detail"] for one in lost],
        )
        return Sorted(with_transform(kept, "data.freshness"), left, facts)

    return work


def _noted(table: pa.Table, verdicts: Sequence[dict[str, Any] | None]) -> pa.Table:
    lists = []
    for old, one in zip(table["transforms"].to_pylist(), verdicts, strict=True):
        note = f"data.freshness ({one['rule']} {one['detail']})" if one else "data.freshness"
        lists.append([*(old or []), note])
    place = table.schema.get_field_index("transforms")
    return table.set_column(place, "transforms", pa.array(lists, pa.list_(pa.string())))


def heads_of_part(part: str) -> list[dict[str, Any]]:
    """The first row of each source of a part, as far as it has a name of its own."""
    found: dict[str, Head] = {}
    columns = ["source", "title", "text", "trust", "retrieved"]
    for batch in pq.ParquetFile(part).iter_batches(columns=columns):
        sources = batch.column("source").to_pylist()
        first = [row for row, source in enumerate(sources) if source not in found and source not in sources[:row]]
        for row in batch.take(pa.array(first, pa.int64())).to_pylist():
            head = (row["text"] or "")[:_HEAD]
            version = version_of(row["title"] or "", row["source"], head)
            trust = row["trust"] if row["trust"] is not None else 1.0
            found[row["source"]] = Head(row["source"], version, trust, row["retrieved"] or "")
    return [msgspec.to_builtins(head) for head in found.values() if head.version.keys]


def details_of_part(piece: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Of the wanted sources in a part: the smallest hashes of their shingles, and their statements."""
    wanted = frozenset(read_json(Path(piece["wanted"])))
    found: dict[str, dict[str, Any]] = {}
    for batch in pq.ParquetFile(piece["part"]).iter_batches(columns=["source", "text"]):
        sources = batch.column("source").to_pylist()
        rows = [row for row, source in enumerate(sources) if source in wanted]
        for row in batch.take(pa.array(rows, pa.int64())).to_pylist():
            one = found.setdefault(row["source"], {"sketch": [], "statements": []})
            one["sketch"] = _smallest([*one["sketch"], *_shingles(row["text"] or "")])
            room = _STATEMENTS - len(one["statements"])
            one["statements"] += [
                list(said) for said, _ in zip(statements(row["text"] or ""), range(room), strict=False)
            ]
    return found


def _details(corpus: Corpus, wanted: Path, run: Run) -> dict[str, dict[str, Any]]:
    details: dict[str, dict[str, Any]] = {}
    pieces = [{"part": str(part), "wanted": str(wanted)} for part in corpus.parts]
    for found in run.map(details_of_part, pieces):
        for source, one in found.items():
            known = details.setdefault(source, {"sketch": [], "statements": []})
            known["sketch"] = _smallest([*known["sketch"], *one["sketch"]])
            known["statements"] = [*known["statements"], *one["statements"]][:_STATEMENTS]
    return details


def _groups(heads: Mapping[str, Head]) -> Iterator[list[str]]:
    """Sources that go by one name, in groups of two and more."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for head in heads.values():
        first = root(head.version.keys[0])
        for key in head.version.keys[1:]:
            parent[root(key)] = first
    together: dict[str, list[str]] = {}
    for source, head in heads.items():
        together.setdefault(root(head.version.keys[0]), []).append(source)
    for _, group in sorted(together.items()):
        if len(group) > 1:
            yield sorted(group)


def _judge(
    groups: Sequence[Sequence[str]],
    heads: Mapping[str, Head],
    details: Mapping[str, dict[str, Any]],
    likeness: float,
    as_of: str,
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    verdicts: dict[str, dict[str, Any]] = {}
    reports: list[dict[str, Any]] = []
    contradictions: list[dict[str, Any]] = []
    for group in groups:
        pairs = []
        for one, other in combinations(group, 2):
            alike = _jaccard(details[one]["sketch"], details[other]["sketch"])
            # A statute that was written anew shares little with the one it replaces (measured 0.07 to 0.28 for 7 of 21 amended
            # statutes, 2026-11; different ones of one name 0.09 at most, but for amendments, which are no versions).
            rules = heads[one].version.rules and heads[other].version.rules
            if alike < (min(likeness, _REWRITTEN) if rules else likeness):
                continue
            later = _later(heads[one], heads[other])
            new, old = (one, other) if later >= 0 else (other, one)
            waits = bool(as_of) and heads[new].version.in_force > as_of
            pairs.append({"one": new, "other": old, "likeness": round(alike, 3), "decided": later != 0 and not waits})
            contradictions += _contradictions(new, old, details)
            if later and not waits:
                known = verdicts.get(old)
                if known is None or _later(heads[new], heads[known["by"]]) > 0:
                    marked = " of " + heads[new].version.date if heads[new].version.date else ""
                    verdicts[old] = {
                        "rule": "superseded",
                        "by": new,
                        "detail": f"by {new}{marked}",
                        "likeness": round(alike, 3),
                    }
        if pairs:
            versions = {source: msgspec.to_builtins(heads[source].version) for source in group}
            reports.append({"versions": versions, "pairs": pairs})
    for source, head in sorted(heads.items()):
        if head.version.withdrawn and source not in verdicts:
            verdicts[source] = {"rule": "withdrawn", "by": source, "detail": "by its own title", "likeness": 1.0}
    return verdicts, reports, contradictions


def _later(one: Head, other: Head) -> int:
    """Which is the later: by its marks, then by the trust of its source, then by the day it was had."""
    by_marks = newer(one.version, other.version)
    if by_marks:
        return by_marks
    if one.trust != other.trust:
        return 1 if one.trust > other.trust else -1
    if one.retrieved and other.retrieved and one.retrieved != other.retrieved:
        return 1 if one.retrieved > other.retrieved else -1
    return 0


def _contradictions(new: str, old: str, details: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Statements of both that differ only in their values. A frame that stands twice in one of them says nothing."""
    sides = []
    for source in (new, old):
        said = details[source]["statements"]
        often = Counter(frame for frame, _, _ in said)
        sides.append({frame: (values, text) for frame, values, text in said if often[frame] == 1})
    found = []
    for frame, (values, text) in sides[0].items():
        if frame in sides[1] and list(sides[1][frame][0]) != list(values):
            found.append(
                {
                    "one": {"source": new, "values": list(values), "text": text[:_TEXT]},
                    "other": {"source": old, "values": list(sides[1][frame][0]), "text": sides[1][frame][1][:_TEXT]},
                }
            )
    return found[:_SHOWN]


def _shingles(text: str) -> list[int]:
    texts = texts_of([text])
    out = np.empty(texts.data.size + 2, np.uint64)
    count = windows(texts.data, 0, texts.data.size, 5, out, FOLD)
    return [int(one) for one in np.unique(out[:count])[:_SKETCH]]


def _smallest(values: Sequence[int]) -> list[int]:
    return sorted(set(values))[:_SKETCH]


def _jaccard(one: Sequence[int], other: Sequence[int]) -> float:
    """Likeness of two documents by the smallest hashes of their shingles (Broder 1997)."""
    both = sorted({*one, *other})[:_SKETCH]
    return len({*one} & {*other} & {*both}) / max(1, len(both))
