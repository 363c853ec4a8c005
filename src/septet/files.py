"""Reading and writing the files that artifacts are made of: JSON, JSON lines and Parquet, the same bytes for the same values.

Parquet is imported late, so that naming a kind costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from septet.core import ConfigError, StoreError

_ROWS_A_PART = 50_000
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npz")


def read_json(path: Path) -> Any:
    """The value of a JSON file. Raises StoreError where it is missing or broken."""
    try:
        return msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{path} is missing", "Make the artifact again") from None
    except msgspec.DecodeError as error:
        raise StoreError(f"{path} is not valid JSON: {error}", "Make the artifact again") from None


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON that a person can read and that is the same bytes for the same value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8"
    )


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSON lines file. Raises ConfigError that names the line where one is broken."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    row = msgspec.json.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise ConfigError(f"{path}, line {number}: not valid JSON: {error}", "Correct that line") from None
                if not isinstance(row, dict):
                    raise ConfigError(f"{path}, line {number}: not a JSON object", "Each line must be one {...}")
                yield row


def read_unfinished(path: Path) -> Iterator[dict[str, Any]]:
    """The rows that a killed run left. A last line that was cut in half is taken off the file, so that the next can follow it."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        path.write_bytes(whole)
    yield from read_lines(path)


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as JSON lines and return their number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(msgspec.to_builtins(row), ensure_ascii=False, sort_keys=True) + "\n")
            count += 1
    return count


def refuse_pickle(path: Path) -> None:
    """Raise ConfigError when a model folder holds a file that is unpickled on loading: it could run code."""
    if not path.is_dir():
        return
    found = sorted(file.name for file in path.rglob("*") if file.suffix.lower() in PICKLES)
    if found:
        raise ConfigError(
            f"{path} holds {', '.join(found[:3])}, which can run code when loaded",
            "Only safetensors and GGUF are read: convert the weights, or take the files out if they are not weights",
        )


def read_parquet(parts: list[Path], columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches(columns=columns):
            yield from batch.to_pylist()


def count_parquet(parts: list[Path]) -> int:
    import pyarrow.parquet as pq

    return sum(pq.ParquetFile(part).metadata.num_rows for part in parts)


def schema_of(columns: Mapping[str, str]) -> Any:
    """The Arrow schema of columns named as in `Corpus.COLUMNS`."""
    import pyarrow as pa

    types: dict[str, Callable[[], Any]] = {
        "string": pa.string,
        "int64": pa.int64,
        "int32": pa.int32,
        "double": pa.float64,
        "binary": pa.binary,
        "list<string>": lambda: pa.list_(pa.string()),
    }
    return pa.schema([(name, types[kind]()) for name, kind in columns.items()])


def write_parquet(path: Path, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Write rows as `part-*.parquet` of a folder; at least one part, so that an empty table is a table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = schema_of(columns)
    path.mkdir(parents=True, exist_ok=True)
    pending: list[Mapping[str, Any]] = []
    part = 0

    def flush() -> None:
        nonlocal part
        table = pa.Table.from_pylist([{name: row[name] for name in columns} for row in pending], schema=schema)
        pq.write_table(table, path / f"part-{part:05d}.parquet", compression="zstd")
        part += 1
        pending.clear()

    for row in rows:
        pending.append(row)
        if len(pending) >= _ROWS_A_PART:
            flush()
    if pending or part == 0:
        flush()
