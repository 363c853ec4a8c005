"""Rows of a database by one SELECT: SQLite or PostgreSQL, over a connection that cannot write, through a cursor.

The address comes from an environment variable, so that no secret stands in a recipe; what is kept of it is the name of the
database, never who signed in.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import unquote, urlsplit

from septet.core import ConfigError, MissingExtra, StepFailed
from septet.data.readers.encoding import BROKEN
from septet.data.readers.records import maker
from septet.data.readers.row import Item, Reject, Told

_BATCH = 2000


def check(query: str) -> None:
    """Raises ConfigError for what is not one SELECT."""
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", query, flags=re.DOTALL).strip().rstrip(";")
    if not re.match(r"(?i)(select|with|values)\b", bare):
        raise ConfigError("Read.query is not a SELECT", "Say which rows to read, as SELECT ... FROM ...")


def source_of(url: str) -> str:
    """A database's name without user, password or options, as it stands in the column `source`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return f"sqlite:{unquote(parts.path).rpartition('/')[2]}"
    return f"postgresql:{parts.hostname or 'localhost'}/{parts.path.strip('/')}"


def read_sql(url: str, query: str, told: Told) -> Iterator[Item]:
    """One row or reject a row of the answer, in its order. Raises ConfigError and StepFailed, without the address."""
    check(query)
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        rows = _sqlite(url, query)
    elif scheme in ("postgresql", "postgres"):
        rows = _postgresql(url, query)
    else:
        raise ConfigError("the address of the database is of no known kind", "Known: sqlite:///path, postgresql://...")
    make = maker(told, source_of(url))
    for number, record in enumerate(rows, 1):
        where = f"row {number}"
        if any(isinstance(value, str) and BROKEN in value for value in record.values()):
            yield Reject(where, "holds bytes that are not UTF-8", "encoding")
            continue
        yield make(record, where)


def _named(names: list[str], values: tuple[Any, ...]) -> Mapping[str, Any]:
    return dict(zip(names, values, strict=True))


def _sqlite(url: str, query: str) -> Iterator[Mapping[str, Any]]:
    path = unquote(urlsplit(url).path)
    # sqlite:///a.db is seen from the current folder, sqlite:////a.db from the root, as SQLAlchemy writes them.
    path = path[1:] if path.startswith("/") else path
    try:
        connection = sqlite3.connect(f"file:{path.replace('?', '%3f').replace('#', '%23')}?mode=ro", uri=True)
        with closing(connection):
            connection.text_factory = lambda data: data.decode("utf-8", "septet-broken")
            connection.execute("pragma query_only = on")
            cursor = connection.execute(query)
            names = [one[0] for one in cursor.description or ()]
            while batch := cursor.fetchmany(_BATCH):
                for values in batch:
                    yield _named(names, values)
    except sqlite3.Error as error:
        raise StepFailed(f"the query failed on {source_of(url)}: {error}", "Check the query and the database") from None


def _postgresql(url: str, query: str) -> Iterator[Mapping[str, Any]]:
    try:
        import psycopg
    except ImportError:
        raise MissingExtra("psycopg", "postgresql") from None
    try:
        with psycopg.connect(url, connect_timeout=20) as connection:
            connection.read_only = True
            connection.execute("set timezone to 'UTC'")
            with connection.cursor(name="septet_read") as cursor:
                cursor.itersize = _BATCH
                cursor.execute(query.encode())
                names = [one.name for one in cursor.description or ()]
                for values in cursor:
                    yield _named(names, values)
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        parts = urlsplit(url)
        for secret in {url, parts.password, unquote(parts.password or "")}:
            said = said.replace(secret, "***") if secret else said
        raise StepFailed(f"the query failed on {source_of(url)}: {said}", "Check the query and the database") from None
