"""Sorting and joining more than fits: DuckDB with a bound on memory, spilling to the step's scratch folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from septet.core import MissingExtra, Run


@contextmanager
def database(run: Run) -> Iterator[Any]:
    """A connection to an empty database in memory, with the run's bound on memory and its workers as threads."""
    try:
        import duckdb
    except ImportError:
        raise MissingExtra("duckdb", "data") from None
    folder = run.scratch / "spill"
    settings: dict[str, Any] = {"threads": run.workers, "temp_directory": str(folder), "preserve_insertion_order": True}
    if run.memory_mb:
        settings["memory_limit"] = f"{run.memory_mb}MB"
    connection = duckdb.connect(":memory:", config=settings)
    try:
        yield connection
    finally:
        connection.close()
