"""How well the people in a table are hidden among each other: k-anonymity, l-diversity, t-closeness.

Samarati and Sweeney (1998); Machanavajjhala et al. (2007): distinct and entropy l-diversity; Li, Li and Venkatasubramanian (2007):
t-closeness with the earth mover's distance, ordered for numbers, equal for the rest. A class is the rows of equal
quasi-identifiers. Where k is not reached, columns are made coarser step by step (numbers and dates to bands, codes and places
to their beginning, at last hidden) until it is: the cheapest such choice is a suggestion. The report holds counts, no values.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import ConfigError, Run, nearest
from septet.kinds import Corpus, Measure, Report

if TYPE_CHECKING:
    from septet.data.steps.safety import Anonymity

_MOST_CHOICES = 4096
"""Combinations of steps that are tried; they are taken from the finest on."""


def report(config: Anonymity, corpus: Corpus | None, run: Run) -> Report:
    """The report of a corpus's `meta` or of a file. Raises ConfigError for a column that is not there."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET threads = 1")
    _load(connection, config, corpus)
    columns = [str(row[0]) for row in connection.execute("DESCRIBE source").fetchall()]
    for name in (*config.quasi_identifiers, *config.sensitive):
        if name not in columns:
            raise ConfigError(f"the table has no column '{name}'", nearest(name, columns))
    if not config.quasi_identifiers:
        raise ConfigError("quasi_identifiers names no column", "Name the columns that may single a person out")
    rows = _scalar(connection, "SELECT count(*) FROM source")
    if not rows:
        raise ConfigError("the table has no rows", "Name a table with rows")
    found = _classes(connection, [_quoted(name) for name in config.quasi_identifiers], config.k)
    summary = {
        "k": Measure(found["k"], found["k"], found["k"], rows, "rows"),
        "rows_at_risk": Measure(
            found["at_risk"] / rows, found["at_risk"] / rows, found["at_risk"] / rows, rows, "share"
        ),
    }
    facts: dict[str, Any] = {
        "rows": rows,
        "classes": found["classes"],
        "classes_below_k": found["below"],
        "unique_rows": found["unique"],
        "quasi_identifiers": list(config.quasi_identifiers),
        "wanted": {"k": config.k, "l": config.l, "t": config.t},
        "met": {"k": found["k"] >= config.k},
    }
    keys = ", ".join(_quoted(name) for name in config.quasi_identifiers)
    for name in config.sensitive:
        distinct, entropy = _diversity(connection, keys, name)
        far = _closeness(connection, keys, name)
        for label, value, unit in (
            ("l_distinct", distinct, "values"),
            ("l_entropy", entropy, "values"),
            ("t", far, "share"),
        ):
            summary[f"{label}.{name}"] = Measure(value, value, value, rows, unit)
        facts["met"][f"l.{name}"] = distinct >= config.l and entropy >= config.l
        facts["met"][f"t.{name}"] = far <= config.t
    notes = []
    if found["k"] < config.k:
        facts["suggestions"] = _suggest(connection, config, rows)
        notes = [one["say"] for one in facts["suggestions"]]
        if not notes:
            notes = [f"no generalisation that was tried reaches k = {config.k}: leave a column out"]
    for note in notes:
        run.note(note)
    return Report.write(run.out, "anonymity", summary, notes=notes, facts=facts)


def _load(connection: Any, config: Anonymity, corpus: Corpus | None) -> None:
    if config.path:
        path = Path(config.path)
        reader = "read_parquet" if path.suffix == ".parquet" else "read_csv_auto"
        try:
            connection.execute(f"CREATE TABLE source AS SELECT * FROM {reader}(?)", [str(path)])
        except duckdb.Error as error:
            raise ConfigError(f"the table {path} cannot be read: {error}", "It must be a CSV or Parquet file") from None
        return
    if corpus is None:
        raise ConfigError("there is no table to measure", "Give a corpus with columns in `meta`, or a path")
    rows = list(_meta(corpus))
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise ConfigError("no row of the corpus has columns in `meta`", "Read it as a table, or give a path")
    table = pa.table({name: _column([row.get(name) for row in rows]) for name in names})
    connection.register("given", table)
    connection.execute("CREATE TABLE source AS SELECT * FROM given")


def _meta(corpus: Corpus) -> Iterator[dict[str, Any]]:
    for part in corpus.parts:
        for batch in pq.ParquetFile(part).iter_batches(columns=["meta"]):
            for text in batch.column(0).to_pylist():
                value = json.loads(text) if text else {}
                if isinstance(value, dict):
                    yield value


def _column(values: Sequence[Any]) -> pa.Array:
    present = [value for value in values if value is not None and value != ""]
    if present and all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        return pa.array([None if value == "" else value for value in values], pa.float64())
    texts = [None if value is None else str(value) for value in values]
    try:  # numbers that a reader left as text
        return pa.array([float(text) if text else None for text in texts], pa.float64())
    except ValueError:
        return pa.array(texts, pa.string())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _scalar(connection: Any, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _classes(connection: Any, expressions: Sequence[str], k: int) -> Mapping[str, int]:
    """Of the classes by these expressions: the smallest, how many, how many below k, rows in these, and rows alone."""
    keys = ", ".join(f"{expression} AS q{place}" for place, expression in enumerate(expressions))
    row = connection.execute(
        f"WITH class AS (SELECT count(*) AS n FROM (SELECT {keys} FROM source) GROUP BY ALL_COLUMNS) "
        "SELECT min(n), count(*), count(*) FILTER (n < $1), coalesce(sum(n) FILTER (n < $1), 0), count(*) FILTER (n = 1) "
        "FROM class".replace("ALL_COLUMNS", ", ".join(f"q{place}" for place in range(len(expressions)))),
        [k],
    ).fetchone()
    return dict(zip(("k", "classes", "below", "at_risk", "unique"), map(int, row), strict=True))


def _diversity(connection: Any, keys: str, name: str) -> tuple[float, float]:
    """The fewest different sensitive values of a class, and the least exponential of their entropy."""
    column = _quoted(name)
    row = connection.execute(
        f"WITH part AS (SELECT {keys}, {column} AS s, count(*) AS n FROM source GROUP BY ALL), "
        f"class AS (SELECT {keys}, count(*) AS kinds, sum(n) AS total, sum(n * ln(n)) AS weighted FROM part GROUP BY {keys}) "
        "SELECT min(kinds), min(exp(ln(total) - weighted / total)) FROM class"
    ).fetchone()
    return float(row[0]), round(float(row[1]), 9)


def _closeness(connection: Any, keys: str, name: str) -> float:
    """The greatest earth mover's distance between the sensitive values of a class and of the table."""
    column = _quoted(name)
    kind = connection.execute(f"SELECT typeof({column}) FROM source WHERE {column} IS NOT NULL LIMIT 1").fetchone()
    ordered = kind is not None and kind[0] in (
        "BIGINT",
        "INTEGER",
        "DOUBLE",
        "FLOAT",
        "DATE",
        "TIMESTAMP",
        "HUGEINT",
        "SMALLINT",
    )
    counts = connection.execute(
        f"SELECT dense_rank() OVER (ORDER BY {keys}) AS class, dense_rank() OVER (ORDER BY {column}) AS value, count(*) "
        f"FROM source GROUP BY {keys}, {column} ORDER BY class, value"
    ).fetchall()
    values = max(value for _, value, _ in counts)
    overall = [0] * values
    for _, value, n in counts:
        overall[value - 1] += n
    total = sum(overall)
    worst = 0.0
    for _, members in itertools.groupby(counts, key=lambda row: row[0]):
        own = {value - 1: n for _, value, n in members}
        size = sum(own.values())
        differences = [own.get(place, 0) / size - n / total for place, n in enumerate(overall)]
        if ordered and values > 1:
            distance = sum(abs(sum_) for sum_ in itertools.accumulate(differences)) / (values - 1)
        else:
            distance = sum(abs(difference) for difference in differences) / 2
        worst = max(worst, distance)
    return round(worst, 9)


def _ladder(connection: Any, name: str) -> list[tuple[str, str]]:
    """Ever coarser expressions of a column, each with what it does, the first the column itself, the last nothing of it."""
    column = _quoted(name)
    (kind,) = connection.execute(f"SELECT typeof({column}) FROM source LIMIT 1").fetchone()
    steps = [(column, "as it is")]
    if kind in ("BIGINT", "INTEGER", "DOUBLE", "FLOAT", "HUGEINT", "SMALLINT", "TINYINT") or kind.startswith("DECIMAL"):
        low, high = connection.execute(f"SELECT min({column}), max({column}) FROM source").fetchone()
        spread = float(high) - float(low) if low is not None else 0.0
        for parts in (32, 16, 8, 4, 2):
            width = _round_width(spread / parts)
            if width > 0:
                steps.append((f"floor({column} / {width})", f"bands of {width:g}"))
    elif kind in ("DATE", "TIMESTAMP") or kind.startswith("TIMESTAMP"):
        for part in ("month", "quarter", "year", "decade"):
            steps.append((f"date_trunc('{part}', {column})", f"by {part}"))
    else:
        (longest,) = connection.execute(f"SELECT max(length({column}::VARCHAR)) FROM source").fetchone()
        size = int(longest or 0)
        for kept in sorted(
            {max(1, size * 3 // 4), max(1, size // 2), max(1, size // 4), 2, 1} & set(range(1, size)), reverse=True
        ):
            steps.append((f"left({column}::VARCHAR, {kept})", f"the first {kept} characters"))
    steps.append(("0", "left out"))
    return list(dict(steps).items())


def _round_width(width: float) -> float:
    """1, 2 or 5 times a power of ten at or above."""
    if width <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= width * (1 - 1e-9))


def _suggest(connection: Any, config: Anonymity, rows: int) -> list[dict[str, Any]]:
    """Up to three ways of making columns coarser that reach k: those that lose least. A loss of 1 leaves a column out."""
    ladders = [_ladder(connection, name) for name in config.quasi_identifiers]
    choices = itertools.product(*(range(len(ladder)) for ladder in ladders))

    def loss(choice: Sequence[int]) -> float:
        return sum(step / (len(ladder) - 1) for step, ladder in zip(choice, ladders, strict=True))

    found: list[tuple[float, tuple[int, ...]]] = []
    ordered = sorted(itertools.islice(choices, _MOST_CHOICES * 8), key=lambda choice: (loss(choice), choice))
    for choice in ordered[:_MOST_CHOICES]:
        if any(all(a <= b for a, b in zip(good, choice, strict=True)) for _, good in found):
            continue  # coarser than one that is enough already
        expressions = [ladder[step][0] for step, ladder in zip(choice, ladders, strict=True)]
        if any(expression != "0" for expression in expressions):
            if _classes(connection, expressions, config.k)["k"] < config.k:
                continue
            found.append((loss(choice), choice))
        if len(found) == 3:
            break
    suggestions = []
    for lost, choice in found:
        steps = {
            name: ladder[step][1]
            for name, step, ladder in zip(config.quasi_identifiers, choice, ladders, strict=True)
            if step
        }
        suggestions.append(
            {
                "columns": steps,
                "loss": round(lost, 4),
                "rows": rows,
                "say": f"k = {config.k} is reached with " + ", ".join(f"{name} {what}" for name, what in steps.items()),
            }
        )
    return suggestions
