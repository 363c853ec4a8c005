"""Compiled code does not outlive the sources that it was made of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_what_was_compiled_from_other_sources_is_thrown_away(tmp_path):
    folder = tmp_path / "kernels_0123"
    folder.mkdir()
    (folder / "sketch._sketch-1.py311.nbi").write_bytes(b"stale")
    other = tmp_path / "else_0123"
    other.mkdir()
    (other / "theirs-1.py311.nbi").write_bytes(b"of another package")
    surroundings = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}

    def imported() -> None:
        subprocess.run([sys.executable, "-c", "import septet.kernels"], env=surroundings, check=True)

    imported()
    assert [file.name for file in folder.iterdir()] == ["kernels.sha256"]
    assert list(other.iterdir()) == [Path(other / "theirs-1.py311.nbi")]
    (folder / "fresh-1.py311.nbi").write_bytes(b"fresh")
    imported()
    assert (folder / "fresh-1.py311.nbi").exists()
