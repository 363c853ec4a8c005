"""Shared fixtures. Real data beside the checkout is found by SEPTET_SHARED or ../shared, and its absence is named."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from septet.core.workspace import Workspace

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
