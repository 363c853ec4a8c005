"""A ledger's place in each database, PostgreSQL being a real one that the tests start for themselves."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Where a fresh ledger goes: a file, or a schema of its own in PostgreSQL."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.sqlite")
    import psycopg

    url = request.getfixturevalue("postgresql_url")
    schema = f"t{abs(hash(str(tmp_path))):x}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create schema {schema}")
    return f"{url}&options=-csearch_path%3D{schema}"
