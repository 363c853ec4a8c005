"""What differs between two corpora: rows that came, went or changed, by which rule they went, and the figures side by side.

A row is the same row where its id is the same. Where a text was written anew at the same place of the same source its id is
another: rows left over on both sides are paired by source and place, in the order of their spans. What is left then came or went.
Joins are DuckDB's, over 64-bit hashes of the text and not the text itself, so that memory stays bounded.

Sources, places and ids are named, texts are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from septet.core import Run
from septet.core.store import Record
from septet.data.spill import database
from septet.kinds import Corpus

_BY = ("dataset", "language", "licence")
_COMPARED = tuple(
    name
    for name in Corpus.COLUMNS
    if name not in ("id", "text", "transforms", "edits", "start", "end", "source_digest")
)
"""Columns whose change makes a row another though its text is the same. How it came about (transforms, edits) does not."""
_TOKENS = "strlen(text) / CASE WHEN language IN ('zh', 'mixed', 'ja') THEN 4.5 ELSE 4.0 END"

Chain = Sequence[tuple[Record, Path]]
"""A corpus's records with their folders, its own first (`core.lineage.beside`)."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of rows. `figures` name to (first, second). `by` table to value to counts of added, removed and changed.
    `columns`: in how many changed rows each column differs. `rules`: (step, rule) with what it left out on the way to either,
    where that differs. `gone_by`: by which rule of the second corpus's steps the removed rows were left out; `` for unknown."""

    added: int
    removed: int
    changed: int
    same: int
    figures: dict[str, tuple[float, float]]
    by: dict[str, dict[str, dict[str, int]]]
    columns: dict[str, int]
    rules: list[dict[str, Any]]
    gone_by: dict[str, int]
    examples: dict[str, list[dict[str, str]]]


def compare(one: Corpus, other: Corpus, was: Chain, now: Chain, run: Run, examples: int = 5) -> Difference:
    """The difference of two corpora. `examples`: so many rows of each sort are named."""
    with database(run) as db:
        for name, corpus in (("a", one), ("b", other)):
            db.read_parquet([str(part) for part in corpus.parts]).create_view(f"rows_{name}")
            compared = ", ".join(f'"{column}"' for column in _COMPARED)
            db.execute(
                f'CREATE TEMP TABLE {name} AS SELECT id, hash(text) AS text, {compared}, "start", '
                "row_number() OVER (PARTITION BY id ORDER BY source, start) AS nth FROM "
                f"rows_{name}"
            )
        _pair(db)
        counts = dict(db.execute("SELECT sort, count(*) FROM pairs GROUP BY sort").fetchall())
        return Difference(
            added=counts.get("added", 0),
            removed=counts.get("removed", 0),
            changed=counts.get("changed", 0),
            same=counts.get("same", 0),
            figures=_figures(db),
            by={name: _by(db, name) for name in _BY},
            columns=_columns(db),
            rules=_rules(was, now),
            gone_by=_gone_by(db, now),
            examples={sort: _named(db, sort, examples) for sort in ("added", "removed", "changed")},
        )


def _pair(db: Any) -> None:
    """The table `pairs`: each row of either side once, with its sort."""
    differs = " OR ".join(f'a."{name}" IS DISTINCT FROM b."{name}"' for name in ("text", *_COMPARED))
    columns = ", ".join(
        f'a."{name}" AS "was_{name}", b."{name}" AS "now_{name}"' for name in ("id", "text", *_COMPARED)
    )
    db.execute(
        f"CREATE TEMP TABLE by_id AS SELECT {columns}, "
        f"CASE WHEN a.id IS NULL THEN 'added' WHEN b.id IS NULL THEN 'removed' WHEN {differs} THEN 'changed' ELSE 'same' END "
        "AS sort, a.start AS was_start, b.start AS now_start FROM a FULL JOIN b ON a.id = b.id AND a.nth = b.nth"
    )
    for side, sort in (("was", "removed"), ("now", "added")):
        place = f'"{side}_source", "{side}_where", "{side}_page"'
        db.execute(
            f"CREATE TEMP TABLE left_{side} AS SELECT *, row_number() OVER (PARTITION BY {place} ORDER BY {side}_start, {side}_id) "
            f"AS nth FROM by_id WHERE sort = '{sort}'"
        )
    columns = ", ".join(
        f'r."was_{name}" AS "was_{name}", n."now_{name}" AS "now_{name}"' for name in ("id", "text", *_COMPARED)
    )
    same_place = " AND ".join(
        f'r."was_{name}" IS NOT DISTINCT FROM n."now_{name}"' for name in ("source", "where", "page")
    )
    sort = "CASE WHEN n.now_id IS NULL THEN 'removed' WHEN r.was_id IS NULL THEN 'added' ELSE 'changed' END AS sort"
    kept = ", ".join(f'"was_{name}", "now_{name}"' for name in ("id", "text", *_COMPARED))
    db.execute(
        f"CREATE TEMP TABLE pairs AS SELECT {kept}, sort FROM by_id WHERE sort IN ('same', 'changed') UNION ALL "
        f"SELECT {columns}, {sort} FROM left_was r FULL JOIN left_now n ON {same_place} AND r.nth = n.nth"
    )


def _figures(db: Any) -> dict[str, tuple[float, float]]:
    found = {}
    sides = [
        db.execute(
            f"SELECT count(*), coalesce(sum(length(text)), 0), round(coalesce(sum({_TOKENS}), 0)), "
            "round(coalesce(avg(length(text)), 0), 1), count(DISTINCT dataset), count(DISTINCT source), "
            f"count(DISTINCT language), coalesce(count_if(parent <> ''), 0) FROM rows_{name}"
        ).fetchone()
        for name in ("a", "b")
    ]
    names = (
        "rows",
        "characters",
        "tokens, estimated",
        "characters a row",
        "data sets",
        "sources",
        "languages",
        "made rows",
    )
    for name, was, now in zip(names, *sides, strict=True):
        found[name] = (float(was), float(now))
    return found


def _by(db: Any, column: str) -> dict[str, dict[str, int]]:
    found = db.execute(
        f"SELECT coalesce(\"now_{column}\", \"was_{column}\", ''), count_if(sort = 'added'), count_if(sort = 'removed'), "
        "count_if(sort = 'changed') FROM pairs WHERE sort <> 'same' GROUP BY 1 ORDER BY count(*) DESC, 1"
    ).fetchall()
    return {value: {"added": added, "removed": gone, "changed": changed} for value, added, gone, changed in found}


def _columns(db: Any) -> dict[str, int]:
    names = ("text", *_COMPARED)
    sums = ", ".join(f'count_if("was_{name}" IS DISTINCT FROM "now_{name}")' for name in names)
    found = db.execute(f"SELECT {sums} FROM pairs WHERE sort = 'changed'").fetchone()
    return {name: count for name, count in zip(names, found, strict=True) if count}


def _rules(was: Chain, now: Chain) -> list[dict[str, Any]]:
    sides: list[Counter[tuple[str, str]]] = []
    for chain in (was, now):
        counted: Counter[tuple[str, str]] = Counter()
        for record, _ in chain:
            for drop in record.drops:
                counted[record.step, str(drop["rule"])] += int(drop["count"])
        sides.append(counted)
    return [
        {"step": key[0], "rule": key[1], "was": sides[0][key], "now": sides[1][key]}
        for key in sorted(sides[0].keys() | sides[1].keys())
        if sides[0][key] != sides[1][key]
    ]


def _gone_by(db: Any, now: Chain) -> dict[str, int]:
    """Which step of the second corpus left out the rows that it lacks."""
    db.execute("CREATE TEMP TABLE gone (id VARCHAR, rule VARCHAR)")
    for record, folder in now:
        parts = [str(part) for part in sorted((folder / "dropped").glob("part-*.parquet"))]
        if parts:
            db.read_parquet(parts).create_view("left_out", replace=True)
            db.execute(
                "INSERT INTO gone SELECT id, ? || ': ' || rule FROM left_out WHERE id IN "
                "(SELECT was_id FROM pairs WHERE sort = 'removed')",
                [record.step],
            )
    found = db.execute(
        "SELECT coalesce(rule, ''), count(*) FROM (SELECT was_id FROM pairs WHERE sort = 'removed') LEFT JOIN "
        "(SELECT id, min(rule) AS rule FROM gone GROUP BY id) ON was_id = id GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    return dict(found)


def _named(db: Any, sort: str, count: int) -> list[dict[str, str]]:
    side = "was" if sort == "removed" else "now"
    rows = db.execute(
        f'SELECT "{side}_id", "{side}_dataset", "{side}_source", "{side}_where" FROM pairs WHERE sort = ? '
        f'ORDER BY "{side}_source", "{side}_where", "{side}_id" LIMIT ?',
        [sort, count],
    ).fetchall()
    return [dict(zip(("id", "dataset", "source", "where"), (one or "" for one in row), strict=True)) for row in rows]
