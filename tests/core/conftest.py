"""A ledger's place in each database, PostgreSQL being a real one that the tests start for themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgresql_url():
    """A real PostgreSQL of its own, or a skip that says how to have one."""
    given = os.environ.get("SEPTET_TEST_POSTGRESQL")
    if given:
        yield given
        return
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folder = str(binaries[-1]) if binaries else str(Path(shutil.which("postgres") or "/none/x").parent)
    if not (Path(folder) / "initdb").exists():
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql, or set SEPTET_TEST_POSTGRESQL")
    pytest.importorskip("psycopg")
    with tempfile.TemporaryDirectory(prefix="septet-pg-", dir="/tmp") as place:
        data, sockets = Path(place) / "data", Path(place) / "s"
        sockets.mkdir()
        # The server refuses to run as root: then the account that its Debian package makes runs it.
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(place, "postgres", "postgres")
            shutil.chown(sockets, "postgres", "postgres")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place}
        command = [
            *as_user,
            f"{folder}/initdb",
            "-D",
            str(data),
            "-U",
            "septet",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        subprocess.run(command, check=True, **quiet)
        options = f"-c listen_addresses='' -c unix_socket_directories={sockets} -c fsync=off"
        start = [*as_user, f"{folder}/pg_ctl", "-D", str(data), "-w", "-o", options, "start"]
        subprocess.run(start, check=True, **quiet)
        try:
            yield f"postgresql://septet@/postgres?host={sockets}"
        finally:
            subprocess.run([*as_user, f"{folder}/pg_ctl", "-D", str(data), "-m", "fast", "stop"], check=True, **quiet)


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
