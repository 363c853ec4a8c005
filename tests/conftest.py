"""Shared fixtures. Real data beside the checkout is found by SEPTET_SHARED or ../shared, and its absence is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest

from septet.core.workspace import Workspace

# A test asserts what is so, not how long it takes: a first call compiles kernels, and the machine may be busy.
hypothesis.settings.register_profile("septet", deadline=None)
hypothesis.settings.load_profile("septet")

TOY = Path(__file__).parent / "toy"
REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(TOY))
os.environ["PYTHONPATH"] = os.pathsep.join([str(TOY), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Models as small as the tests' are slower on two threads, and much slower where other work has the second core."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture
def workspace(tmp_path):
    with Workspace(tmp_path / ".septet") as opened:
        yield opened


@pytest.fixture(scope="session")
def repository():
    return REPOSITORY


@pytest.fixture(scope="session")
def shared():
    """The folder of real test data, or a skip that says what is missing."""
    folder = Path(os.environ.get("SEPTET_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "corpora").is_dir():
        pytest.skip(
            f"real test data is not there: set SEPTET_SHARED to a folder that holds corpora/ (looked in {folder})"
        )
    return folder


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
