"""The data card of a corpus: what is in it, on which terms, how good and how safe it is, where it comes from, what was left out.

After datasheets for datasets (Gebru et al., 2018) and the data cards of Pushkarna et al. (2022), but counted rather than
written: `card.json` holds every figure, and the two pages (`card_page`) show the same content in English and in Chinese.

The card is an artifact, made by a step, and not a page that a command draws: so it has a fingerprint, can be tied into a release,
and says the same thing later. Where the corpus comes from it reads in the records that lie beside the artifacts
(`core.lineage.beside`), and only what their fingerprints fix: no times, no paths of a machine.

What rows say of themselves (file names, places, examples of what was left out) passes the policy's detectors first; personal
data is replaced by its kind, whatever the policy would do with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from septet.core import ConfigError, Run
from septet.core.lineage import beside
from septet.data import card_page
from septet.data.card_history import Hider, history
from septet.data.spill import database
from septet.detect.measures import MEASURES
from septet.files import read_json, write_json
from septet.kinds import Corpus, DataCard, Policy, Report, Signals

if TYPE_CHECKING:
    from septet.data.steps.card import Card

# As data.mixture reckons without a tokeniser: four bytes of Latin script a token, or 4.5 of Chinese.
_TOKENS = "strlen(text) / CASE WHEN language IN ('zh', 'mixed', 'ja') THEN 4.5 ELSE 4.0 END"
_YEAR = r"\b(?:19|20)\d\d\b"
_DATES = ("date", "published", "created", "year", "time", "日期", "年份", "发布日期")
_BY = {
    "dataset": "dataset",
    "source": "source",
    "language": "language",
    "licence": "licence",
    "origin": "origin",
    "access": "access",
    "year": "year",
    "retrieved": "coalesce(left(retrieved, 4), '')",
}
"""Heading of a table to the expression it groups by. `year` is that of the document, as far as its `meta` says one."""
_HIDDEN = ("source", "licence", "dataset")
_TERMS = ("dataset", "licence", "origin", "obtained", "owner", "access", "consent", "retrieved")
_POINTS = (0.05, 0.25, 0.5, 0.75, 0.95)


def write(
    config: Card,
    corpus: Corpus,
    policy: Policy | None,
    signals: Signals | None,
    reports: Sequence[Report],
    run: Run,
) -> DataCard:
    """Write `card.json`, `card.en.html` and `card.zh.html` into `run.out`."""
    hide = Hider(policy)
    records, missing = beside(corpus.path)
    with database(run) as db:
        db.read_parquet([str(part) for part in corpus.parts]).create_view("corpus")
        content: dict[str, Any] = {
            "name": config.name,
            "purpose": config.purpose,
            "limits": config.limits,
            "contact": config.contact,
            "composition": _composition(db, config.listed, hide),
            "terms": _terms(db, hide),
            "transforms": _transforms(db),
            "quality": _quality(db, signals) if signals is not None else None,
        }
        run.progress(1, 3, "parts of the card")
        lineage, left_out = history(db, records, missing, config.examples, config.shown, hide, corpus)
    run.progress(2, 3, "parts of the card")
    content["fingerprint"] = records[0][0].fingerprint if records else ""
    content["digest"] = records[0][0].digest if records else ""
    content["lineage"] = lineage
    content["left_out"] = left_out
    content["safety"] = _safety([folder for _, folder in records] or [corpus.path])
    content["reports"] = [_report(one) for one in reports]
    content["hidden"] = {"policy": hide.name, "spans": hide.count}
    write_json(run.out / "card.json", content)
    shown = read_json(run.out / "card.json")
    for language in card_page.LANGUAGES:
        (run.out / f"card.{language}.html").write_text(card_page.page(shown, language), "utf-8")
    run.progress(3, 3, "parts of the card")
    rows = content["composition"]["rows"]
    run.note(
        f"{rows:,} rows, {len(lineage['steps'])} steps behind them, {sum(r['count'] for r in left_out):,} left out"
    )
    return DataCard(run.out)


def _composition(db: Any, listed: int, hide: Hider) -> dict[str, Any]:
    wanted = ", ".join(f"json_extract_string(meta, '$.\"{name}\"')" for name in _DATES)
    db.execute(
        f"""CREATE TEMP VIEW described AS SELECT *,
        CASE WHEN json_valid(meta) THEN regexp_extract(coalesce({wanted}, ''), '{_YEAR}') ELSE '' END AS year,
        {_TOKENS} AS tokens FROM corpus"""
    )
    rows, characters, size, tokens, changed, made = db.execute(
        "SELECT count(*), coalesce(sum(length(text)), 0), coalesce(sum(strlen(text)), 0), coalesce(sum(tokens), 0), "
        "coalesce(count_if(edits <> ''), 0), coalesce(count_if(parent <> ''), 0) FROM described"
    ).fetchone()
    by = {}
    for name, expression in _BY.items():
        groups = db.execute(
            f"SELECT coalesce({expression}, '') AS value, count(*), sum(length(text)), sum(tokens) FROM described "
            f"GROUP BY value ORDER BY count(*) DESC, value"
        ).fetchall()
        table = [
            {
                "value": hide(value) if name in _HIDDEN else value,
                "rows": count,
                "characters": int(length),
                "tokens": round(estimate),
            }
            for value, count, length, estimate in groups[:listed]
        ]
        rest = groups[listed:]
        by[name] = {
            "values": len(groups),
            "table": table,
            "others": {
                "rows": sum(one[1] for one in rest),
                "characters": int(sum(one[2] for one in rest)),
                "tokens": round(sum(one[3] for one in rest)),
            },
        }
    return {
        "rows": rows,
        "characters": int(characters),
        "bytes": int(size),
        "tokens_estimated": round(tokens),
        "rows_with_edits": changed,
        "rows_made_of_others": made,
        "by": by,
    }


def _terms(db: Any, hide: Hider) -> list[dict[str, Any]]:
    """Each data set with each of the terms it was had on."""
    columns = ", ".join(f"coalesce({name}, '') AS {name}" for name in _TERMS)
    found = db.execute(
        f"SELECT {columns}, min(trust), max(trust), count(*) FROM corpus GROUP BY ALL ORDER BY count(*) DESC, {', '.join(_TERMS)}"
    ).fetchall()
    return [
        {
            **{name: hide(value) for name, value in zip(_TERMS, row, strict=False)},
            "trust": list(row[-3:-1]),
            "rows": row[-1],
        }
        for row in found
    ]


def _transforms(db: Any) -> list[dict[str, Any]]:
    """The steps that touched rows, without what they noted of each."""
    found = db.execute(
        r"SELECT regexp_replace(array_to_string(transforms, chr(10)), '[^\w.\n-][^\n]*', '', 'g') AS names, count(*) "
        "FROM corpus GROUP BY names"
    ).fetchall()
    rows: Counter[str] = Counter()
    for names, count in found:
        rows.update(dict.fromkeys((names or "").split("\n"), count))
    return [
        {"transform": name, "rows": count}
        for name, count in sorted(rows.items(), key=lambda one: (-one[1], one[0]))
        if name
    ]


def _quality(db: Any, signals: Signals) -> dict[str, Any]:
    """Quantiles of each signal by language, of the rows that are in the corpus today. The signals may have been measured
    before a filter: rows are found by their id.

    Raises ConfigError for signals of another corpus.
    """
    db.read_parquet([str(part) for part in signals.parts]).create_view("signals")
    there = set(pq.ParquetFile(signals.parts[0]).schema_arrow.names)
    names = [str(one) for one in read_json(signals.path / "signals.json")["measures"] if one in there]
    db.execute("CREATE TEMP TABLE measured AS SELECT * FROM signals WHERE id IN (SELECT id FROM corpus)")
    rows = db.execute("SELECT count(*) FROM measured").fetchone()[0]
    if not rows:
        raise ConfigError("the signals are of another corpus: no row is in both", "Tie what data.measure made of it")
    tables: dict[str, dict[str, Any]] = {}
    for name in names:
        column = '"' + name.replace('"', '""') + '"'
        found = db.execute(
            f"SELECT language, count({column}), quantile_cont({column}, {list(_POINTS)}) FROM measured "
            f"WHERE isfinite({column}) GROUP BY language ORDER BY language"
        ).fetchall()
        for language, count, points in found:
            table = tables.setdefault(language, {})
            table[name] = {"n": count, "what": MEASURES.get(name, ""), "quantiles": [round(one, 6) for one in points]}
    return {"rows": rows, "points": list(_POINTS), "by_language": tables}


def _safety(folders: Sequence[Path]) -> dict[str, Any]:
    """The counts that steps of safety left beside their rows, nearest step first. Counts alone: no value and no text."""
    found: dict[str, Any] = {"privacy": [], "detox": [], "bias": [], "filter": [], "versions": None, "review": 0}
    for folder in folders:
        for name in ("privacy", "detox", "bias", "filter"):
            if (folder / f"{name}.json").is_file():
                found[name].append(_counts(read_json(folder / f"{name}.json")))
        if (folder / "review.jsonl").is_file():
            with (folder / "review.jsonl").open("rb") as file:
                found["review"] += sum(1 for line in file if line.strip())
        if (folder / "versions.json").is_file() and found["versions"] is None:
            with (folder / "contradictions.jsonl").open("rb") as file:
                differ = sum(1 for line in file if line.strip())
            found["versions"] = {"titles": len(read_json(folder / "versions.json")), "statements": differ}
    return found


def _counts(value: Any) -> Any:
    """A tree of figures; lists and anything that is neither figure nor short name are left out."""
    if isinstance(value, Mapping):
        return {key: _counts(one) for key, one in value.items() if isinstance(one, int | float | str | Mapping)}
    return value


def _report(report: Report) -> dict[str, Any]:
    content = report.content
    return {"name": str(content["name"]), "summary": content["summary"], "notes": len(content.get("notes", []))}
