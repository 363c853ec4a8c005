"""The ledger: what was done, when, and on what, in an order that cannot be changed unseen.

Each entry holds the digest of its body and of the entry before it, so a changed, removed or moved entry breaks the chain
and `verify` names it. Bodies stand beside the chain, keyed by digest: erasing a body (a person's right) leaves the chain
whole and the erasure visible. The last entry's digest is also written to a small head file after each append, so that
entries cut off at the end are found too.

One code for SQLite (WAL, the default) and PostgreSQL (by URL); they differ in a placeholder and in how a writer locks.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from septet.core.errors import ConfigError, MissingExtra, StoreError
from septet.core.events import now
from septet.core.fingerprint import canonical, digest

GENESIS = "genesis"
_AT_ONCE = 500
_SCHEMA = (
    """create table if not exists entries (
        seq bigint primary key, time text not null, kind text not null, subject text not null,
        body text not null, previous text not null, digest text not null)""",
    "create table if not exists bodies (digest text primary key, body text not null)",
    "create index if not exists entries_by_subject on entries (kind, subject, seq)",
)
_SQLITE_GUARDS = (
    """create trigger if not exists entries_keep before update on entries
        begin select raise(abort, 'the ledger is append-only'); end""",
    """create trigger if not exists entries_stay before delete on entries
        begin select raise(abort, 'the ledger is append-only'); end""",
)
_POSTGRES_GUARDS = (
    """create or replace function septet_append_only() returns trigger as
        $$ begin raise exception 'the ledger is append-only'; end $$ language plpgsql""",
    "drop trigger if exists entries_keep on entries",
    """create trigger entries_keep before update or delete on entries
        for each row execute function septet_append_only()""",
)


class Entry(msgspec.Struct, frozen=True):
    """One link of the chain. `body` is the digest of what the entry says; `digest` covers all the other fields."""

    seq: int
    time: str
    kind: str
    subject: str
    body: str
    previous: str
    digest: str


class Problem(msgspec.Struct, frozen=True):
    """Something `verify` found: where, and what is wrong with it."""

    where: str
    what: str


class Ledger:
    """An append-only, hash-chained list of entries in SQLite (`sqlite:///path` or a path) or PostgreSQL (`postgresql://...`)."""

    def __init__(self, url: str | Path, head: Path | None = None, algorithm: str = "sha256") -> None:
        self.url = str(url)
        self.algorithm = algorithm
        self._head = head
        self._database = _open(self.url)

    def append(self, kind: str, subject: str, body: Mapping[str, Any]) -> Entry:
        """Add one entry and return it. Safe beside other writers; when it returns, the entry is on disk."""
        return self.append_all([(kind, subject, body)])[0]

    def append_all(self, items: Sequence[tuple[str, str, Mapping[str, Any]]]) -> list[Entry]:
        """Add several entries, all or none."""
        made: list[Entry] = []
        with self._database.writing() as run:
            rows = run("select seq, digest from entries order by seq desc limit 1", ())
            seq, previous = (int(rows[0][0]), str(rows[0][1])) if rows else (0, GENESIS)
            for kind, subject, body in items:
                text = canonical(body)
                seq += 1
                body_digest = digest(text, self.algorithm)
                entry = _link(seq, now(), kind, subject, body_digest, previous, self.algorithm)
                run(self._database.insert_body, (body_digest, text.decode()))
                run("insert into entries values (?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(entry))
                made.append(entry)
                previous = entry.digest
        self._write_head(made[-1])
        return made

    def erase(self, entries: Sequence[Entry], reason: Mapping[str, Any]) -> None:
        """Take out what entries said. The chain keeps that they were made, and an entry of kind `erased` says for each why its
        body is gone."""
        wanted = list(dict.fromkeys(entry.body for entry in entries))
        if not wanted:
            return
        self.append_all([("erased", body, reason) for body in wanted])
        with self._database.writing() as run:
            for body in wanted:
                run("delete from bodies where digest = ?", (body,))
        self._database.wipe()

    def entries(self, kind: str | None = None, subject: str | None = None, after: int = 0) -> list[Entry]:
        """Entries in order; `kind` and `subject` narrow them, `after` skips up to a sequence number."""
        where, values = ["seq > ?"], [after]
        for column, value in (("kind", kind), ("subject", subject)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)  # type: ignore[arg-type]
        rows = self._database.read(f"select * from entries where {' and '.join(where)} order by seq", tuple(values))
        return [Entry(int(row[0]), *row[1:]) for row in rows]

    def latest(self, kind: str, subject: str) -> Entry | None:
        """The newest entry of a kind about a subject."""
        sql = "select * from entries where kind = ? and subject = ? order by seq desc limit 1"
        rows = self._database.read(sql, (kind, subject))
        return Entry(int(rows[0][0]), *rows[0][1:]) if rows else None

    def body(self, entry: Entry) -> dict[str, Any] | None:
        """What an entry says; None when it was erased."""
        rows = self._database.read("select body from bodies where digest = ?", (entry.body,))
        return msgspec.json.decode(rows[0][0]) if rows else None

    def bodies(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, dict[str, Any]]]:
        """Entries with what they say, those erased left out."""
        for start in range(0, len(entries), _AT_ONCE):
            part = entries[start : start + _AT_ONCE]
            marks = ", ".join("?" for _ in part)
            rows = self._database.read(
                f"select digest, body from bodies where digest in ({marks})", tuple(entry.body for entry in part)
            )
            said = dict(rows)
            for entry in part:
                if entry.body in said:
                    yield entry, msgspec.json.decode(said[entry.body])

    def verify(self) -> list[Problem]:
        """Re-hash every entry and body. An empty list means that nothing was changed, moved or removed."""
        problems: list[Problem] = []
        erased = {entry.subject for entry in self.entries(kind="erased")}
        previous, expected, last = GENESIS, 1, None
        for entry in self.entries():
            where = f"ledger entry {entry.seq} ({entry.kind} {entry.subject})"
            if entry.seq != expected:
                problems.append(Problem(where, f"entry {expected} is missing or was moved"))
            if entry.previous != previous:
                problems.append(Problem(where, "does not follow the entry before it"))
            algorithm = entry.digest.partition(":")[0]
            again = _link(
                entry.seq, entry.time, entry.kind, entry.subject, entry.body, entry.previous, algorithm, where
            )
            if again.digest != entry.digest:
                problems.append(Problem(where, "was changed: its digest does not match"))
            rows = self._database.read("select body from bodies where digest = ?", (entry.body,))
            if not rows and entry.body not in erased:
                problems.append(Problem(where, "its body is gone and no entry says that it was erased"))
            elif rows and digest(str(rows[0][0]).encode(), entry.body.partition(":")[0]) != entry.body:
                problems.append(Problem(where, "its body was changed"))
            previous, expected, last = entry.digest, entry.seq + 1, entry
        problems += self._verify_head(last)
        return problems

    def close(self) -> None:
        self._database.close()

    def _write_head(self, entry: Entry) -> None:
        if self._head is None:
            return
        seq, _ = self._read_head()
        if entry.seq <= seq:
            return
        draft = self._head.with_name(f"{self._head.name}.{os.getpid()}.{threading.get_ident()}")
        draft.write_text(f"{entry.seq} {entry.digest}\n")
        draft.replace(self._head)

    def _read_head(self) -> tuple[int, str]:
        if self._head is None or not self._head.exists():
            return 0, GENESIS
        seq, _, value = self._head.read_text().strip().partition(" ")
        return (int(seq), value) if seq.isdigit() else (0, GENESIS)

    def _verify_head(self, last: Entry | None) -> list[Problem]:
        seq, value = self._read_head()
        if seq == 0:
            return []
        at_head = self._database.read("select digest from entries where seq = ?", (seq,))
        if not at_head:
            found = last.seq if last else 0
            return [Problem(f"ledger entry {seq}", f"was cut off: the ledger ends at entry {found}")]
        if at_head[0][0] != value:
            return [
                Problem(f"ledger entry {seq}", "is not the entry that the head file names: the chain was rewritten")
            ]
        return []


def _link(
    seq: int, time: str, kind: str, subject: str, body: str, previous: str, algorithm: str, where: str = ""
) -> Entry:
    fields = {"seq": seq, "time": time, "kind": kind, "subject": subject, "body": body, "previous": previous}
    try:
        value = digest(canonical(fields), algorithm)
    except ConfigError as error:
        if not where:
            raise
        value = f"unreadable ({error.message})"
    return Entry(seq, time, kind, subject, body, previous, value)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time opens a ledger: SQLite does not wait for another that is changing the journal of a new file, it
    refuses. A kill frees the lock."""
    with path.with_name(f"{path.name}.opening").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class _Sqlite:
    insert_body = "insert or ignore into bodies values (?, ?)"

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(path, timeout=60.0, isolation_level=None, check_same_thread=False)
            with _alone(path):
                self._connection.execute("pragma journal_mode=wal")
                # FULL: an entry that append() returned survives a power cut, not only a crash of the process.
                self._connection.execute("pragma synchronous=full")
                if not self._connection.execute("select 1 from sqlite_master where name = 'entries_stay'").fetchone():
                    for statement in _SCHEMA + _SQLITE_GUARDS:
                        self._connection.execute(statement)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise StoreError(
                f"the ledger at {path} cannot be opened: {error}", "Check the file and its folder's rights"
            ) from None

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self._lock:
            try:
                self._connection.execute("begin immediate")
            except sqlite3.OperationalError as error:
                raise StoreError(
                    f"the ledger cannot be written: {error}", "Free the disk or end the other writer"
                ) from None
            try:
                yield lambda sql, values: self._connection.execute(sql, values).fetchall()
                self._connection.execute("commit")
            except sqlite3.OperationalError as error:
                self._connection.execute("rollback")
                raise StoreError(
                    f"the ledger cannot be written: {error}", "Free some disk space and run again"
                ) from None
            except BaseException:
                self._connection.execute("rollback")
                raise

    def read(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def wipe(self) -> None:
        """Leave nothing of deleted rows on the disk: the file is written anew, and the log beside it emptied."""
        with self._lock:
            self._connection.execute("vacuum")
            self._connection.execute("pragma wal_checkpoint(truncate)")

    def close(self) -> None:
        self._connection.close()


class _Postgres:
    insert_body = "insert into bodies values (?, ?) on conflict do nothing"

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ImportError:
            raise MissingExtra("psycopg", "postgresql") from None
        self._lock = threading.Lock()
        try:
            self._connection = psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError as error:
            line = str(error).strip().splitlines()[-1]
            raise StoreError(
                f"the ledger's database does not answer: {line}", "Check the URL, and that it is started"
            ) from None
        with self._connection.transaction(), self._connection.cursor() as cursor:
            # One process makes the tables while others wait: 'create if not exists' alone can race.
            cursor.execute("select pg_advisory_xact_lock(7340301)")
            for statement in _SCHEMA + _POSTGRES_GUARDS:
                cursor.execute(statement.encode())

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self._lock, self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute(b"lock table entries in exclusive mode")

            def run(sql: str, values: tuple[Any, ...]) -> list[Any]:
                cursor.execute(sql.replace("?", "%s").encode(), values)
                return cursor.fetchall() if cursor.description else []

            yield run

    def read(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        with self._lock, self._connection.cursor() as cursor:
            cursor.execute(sql.replace("?", "%s").encode(), values)
            return cursor.fetchall()

    def wipe(self) -> None:
        """Let the server give back what deleted rows took. Its own logs and backups are its keeper's."""
        with self._lock:
            self._connection.execute("vacuum bodies")

    def close(self) -> None:
        self._connection.close()


def _open(url: str) -> _Sqlite | _Postgres:
    scheme, mark, rest = url.partition("://")
    if not mark:
        return _Sqlite(Path(url))
    if scheme == "sqlite":
        return _Sqlite(Path("/" + rest.lstrip("/")) if rest.startswith("/") else Path(rest))
    if scheme in ("postgresql", "postgres"):
        return _Postgres(url)
    raise ConfigError(
        f"the ledger's URL has the scheme '{scheme}'", "Use a path, sqlite:///path or postgresql://host/database"
    )
