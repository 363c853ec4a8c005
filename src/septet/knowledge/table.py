"""The index of a knowledge base: one LanceDB table with a row a chunk, its words for full text and its vector beside it.

A table lies in a folder of its own: `current` names the generation in use, `g00001/` holds the data. LanceDB commits a change as a
whole or not at all; a reader sees the last commit. A new generation is written where nothing of the old one may stay (an erasure).
Writers wait for each other; what one that was killed left behind is removed by the next.
Up to `EXACT` rows vectors are compared one by one; above, an index is built and its nearest are compared again in full.
"""

from __future__ import annotations

import datetime
import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from septet.core import MissingExtra, StoreError
from septet.core.store import full_disk_named

EXACT = 50_000
"""Rows up to which vectors are compared one by one: 60 ms at 50,000 rows of 512 numbers (2026-11)."""
CURRENT, PAST = "current", "past"
_POINTER = "current"
_LOCK = "lock"
_NAME = "chunks"
_BATCH = 8192
_PROBES, _REFINE = 40, 4
"""Of 4000 rows a partition: a recall@10 of 0.99 at 200,000 rows with the same share of them, 8 partitions (2026-11)."""
_PIECES = 32
"""Commits that may wait to be indexed: rows of theirs are looked through one by one. To index them at each commit costs 11 to 22
CPU seconds of the 15 to 26 of an update at a million rows (2026-11)."""
_MANY = 2000
"""Rows of a commit that are indexed at once."""
_KEPT = datetime.timedelta(hours=1)
"""How long a reader may go on with a version that was current when it began."""
_FULL = ("os error 28", "os error 27", "os error 122")
"""ENOSPC, EFBIG and EDQUOT, as LanceDB says them."""


class Table:
    """An open index. A row is a chunk (`COLUMNS` of `septet.knowledge.build`) with `key`, `state`, `revision` and `ended`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened = ""
        self._table: Any = None
        self._refresh()

    @classmethod
    def create(cls, folder: Path, schema: Any, batches: Iterable[Any]) -> Table:
        """Write an index as a whole: it is there once it is finished. `batches` are of Arrow, with all columns of `schema`."""
        if not (folder / _POINTER).exists():
            draft = _draft(folder)
            with full_disk_named(folder):
                draft.mkdir(parents=True)
                try:
                    _fill(draft / "g00001", schema, batches)
                    (draft / _POINTER).write_text("g00001", "utf-8")
                    try:
                        draft.rename(folder)
                    except OSError:
                        if not (folder / _POINTER).exists():  # another process was first: its index serves as well
                            raise
                finally:
                    shutil.rmtree(draft, ignore_errors=True)
        return cls(folder)

    @staticmethod
    def exists(folder: Path) -> bool:
        return (folder / _POINTER).exists()

    def copy(self, folder: Path) -> None:
        """The same index in another folder. Its files never change, so they are shared where the disk can."""
        draft = _draft(folder)
        with full_disk_named(folder), self._writing():
            draft.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copytree(self.folder, draft, copy_function=_link)
                draft.rename(folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)

    @property
    def schema(self) -> Any:
        return self._refresh().schema

    def count(self, where: str = "") -> int:
        return int(self._read(lambda table: table.count_rows(where or None)))

    def rows(self, where: str, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Rows that fit a condition (SQL), in no order. Here and below `vector` is a float16 array of numpy."""

        def ask(table: Any) -> Any:
            query = table.search().where(where)
            return (query.select(list(columns)) if columns else query).to_arrow()

        return _as_dicts(self._read(ask))

    def batches(self, columns: Sequence[str] = ()) -> Iterator[Any]:
        """The whole table in Arrow batches."""
        query = self._refresh().search()
        yield from (query.select(list(columns)) if columns else query).to_batches(batch_size=_BATCH)

    def by_text(self, words: Sequence[str], where: str, top: int, columns: Sequence[str]) -> list[dict[str, Any]]:
        """The rows with the highest BM25 for any of the words, with it as `_score`."""
        from lancedb.query import MatchQuery

        if not words:
            return []
        match: Any = MatchQuery  # its stub asks for every argument

        def ask(table: Any) -> Any:
            query = table.search(match(" ".join(words), "terms"), query_type="fts").limit(top)
            if where:
                query = query.where(where, prefilter=True)
            return query.select([*columns, "_score"]).to_arrow()

        return _as_dicts(self._read(ask))

    def by_vector(self, vector: Any, where: str, top: int, columns: Sequence[str]) -> list[dict[str, Any]]:
        """The rows whose vectors stand nearest, with the cosine distance as `_distance`."""
        import numpy as np

        def ask(table: Any) -> Any:
            query = table.search(vector.astype(np.float16), vector_column_name="vector")
            query = query.distance_type("cosine").limit(top).nprobes(_PROBES).refine_factor(_REFINE)
            if where:
                query = query.where(where, prefilter=True)
            return query.select([*columns, "_distance"]).to_arrow()

        return _as_dicts(self._read(ask))

    def commit(self, rows: Any) -> None:
        """Put rows in, all or none; a row whose `key` is there takes its place. What was put in is found at once."""
        with full_disk_named(self.folder), self._writing(), _lance_errors(self.folder):
            table = self._refresh()
            table.merge_insert("key").when_matched_update_all().when_not_matched_insert_all().execute(rows)
            if len(rows) > _MANY or table.stats()["fragment_stats"]["num_small_fragments"] > _PIECES:
                table.optimize(cleanup_older_than=_KEPT)
                _index_vectors(table)

    def rewrite(self, transform: Callable[[Any], Any]) -> None:
        """Write every row anew through `transform` (batch to batch) and remove all that was there before, versions and all."""
        with full_disk_named(self.folder), self._writing():
            old = self._generation()
            new = f"g{int(old[1:]) + 1:05d}"
            try:
                _fill(self.folder / new, self.schema, (transform(batch) for batch in self.batches()))
                pointer = self.folder / f".{_POINTER}"
                pointer.write_text(new, "utf-8")
                pointer.rename(self.folder / _POINTER)
            finally:
                self._sweep()
        self._refresh()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the right to write. A second writer waits; a kill frees it, and what was left behind goes first."""
        with (self.folder / _LOCK).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove generations that are not in use: an erasure that was cut off has left the old one, or half of a new one."""
        current = self._generation()
        for place in self.folder.glob("g[0-9]*"):
            if place.name != current:
                shutil.rmtree(place)

    def close(self) -> None:
        self._table = None
        self._opened = ""

    def _generation(self) -> str:
        try:
            return (self.folder / _POINTER).read_text("utf-8")
        except FileNotFoundError:
            raise StoreError(f"there is no index in {self.folder}", "Build it again: remove the folder") from None

    def _refresh(self) -> Any:
        """The table of the generation that is in use now, at its last commit."""
        generation = self._generation()
        if generation != self._opened:
            self._table = _connect(self.folder / generation).open_table(_NAME)
            self._opened = generation
        return self._table

    def _read(self, ask: Callable[[Any], Any]) -> Any:
        """What `ask` finds. A generation that is removed while it is read is no error: the next one is asked."""
        while True:
            generation = self._generation()
            try:
                return ask(self._refresh())
            except (OSError, RuntimeError, ValueError):
                if self._generation() == generation:
                    raise


def text_schema(columns: dict[str, str], width: int) -> Any:
    """The Arrow schema of an index of chunks with `columns` and vectors of `width` numbers."""
    import pyarrow as pa

    types = {"string": pa.string(), "int64": pa.int64(), "int32": pa.int32()}
    # Texts are long and alike: they are kept compressed.
    packed = {"lance-encoding:compression": "zstd"}
    fields = [
        pa.field(name, types[kind], metadata=packed if name == "text" else None) for name, kind in columns.items()
    ]
    return pa.schema(
        [
            pa.field("key", pa.string()),
            *fields,
            pa.field("state", pa.string()),
            pa.field("revision", pa.int32()),
            pa.field("ended", pa.int32()),
            pa.field("terms", pa.string(), metadata=packed),
            pa.field("vector", pa.list_(pa.float16(), width)),
        ]
    )


def quoted(text: str) -> str:
    """A text in a condition."""
    return "'" + text.replace("'", "''") + "'"


def _fill(folder: Path, schema: Any, batches: Iterable[Any]) -> None:
    import pyarrow as pa
    from lancedb.index import FTS, Bitmap, BTree

    with _lance_errors(folder):
        table = _connect(folder).create_table(_NAME, schema=schema)
        table.add(pa.RecordBatchReader.from_batches(schema, iter(batches)))
        words = FTS(
            base_tokenizer="whitespace",
            lower_case=False,
            stem=False,
            remove_stop_words=False,
            ascii_folding=False,
            with_position=False,
            max_token_length=None,
        )
        table.create_index("terms", config=words)
        for name in ("access", "state"):
            table.create_index(name, config=Bitmap())
        for name in ("key", "source"):
            table.create_index(name, config=BTree())
        _index_vectors(table)


def _index_vectors(table: Any) -> None:
    """Index the vectors once there are so many rows, whether they came at once or little by little."""
    from lancedb.index import IvfRq

    count = table.count_rows()
    if count > EXACT and not any("vector" in one.columns for one in table.list_indices()):
        table.create_index("vector", config=IvfRq(distance_type="cosine", num_partitions=max(1, count // 4000)))


def _connect(folder: Path) -> Any:
    try:
        import lancedb
    except ImportError:
        raise MissingExtra("lancedb", "data") from None
    return lancedb.connect(folder, read_consistency_interval=datetime.timedelta(0))


def _draft(folder: Path) -> Path:
    """Where a process writes what becomes a folder. Drafts of processes that are no more are removed."""
    for left in folder.parent.glob(f".{folder.name}.*"):
        number = left.name.rpartition(".")[2]
        if number.isdigit() and not _runs(int(number)):
            shutil.rmtree(left, ignore_errors=True)
    return folder.with_name(f".{folder.name}.{os.getpid()}")


def _runs(process: int) -> bool:
    """Whether another process of this number is running."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return process != os.getpid()


def _as_dicts(found: Any) -> list[dict[str, Any]]:
    """Rows of an Arrow table. Vectors stay arrays: as lists of Python numbers they cost more than the search."""
    import numpy as np

    plain = found.drop_columns(["vector"]) if "vector" in found.column_names else found
    rows: list[dict[str, Any]] = plain.to_pylist()
    if plain is not found and rows:
        vectors = found["vector"].combine_chunks()
        for row, vector in zip(rows, np.asarray(vectors.flatten()).reshape(len(rows), -1), strict=True):
            row["vector"] = vector
    return rows


def _link(source: str, target: str) -> None:
    if Path(source).name in (_POINTER, _LOCK):  # the files that are written over
        shutil.copyfile(source, target)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@contextmanager
def _lance_errors(folder: Path) -> Iterator[None]:
    """Turns what LanceDB says of a full disk and of another writer into errors with a remedy. The last commit stands."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        said = str(error)
        if any(mark in said for mark in _FULL):
            raise StoreError(
                f"no space is left on the disk of {folder}", "Free some, then run again: the last revision stands"
            ) from error
        if "ommit conflict" in said:
            raise StoreError(f"another process wrote to {folder} meanwhile", "Run again") from error
        raise
