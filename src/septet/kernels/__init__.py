"""Compiled passes over the UTF-8 bytes of a column of texts. They know arrays only: no engine, no store, no rule.

Numba keeps what it compiled, and takes a function for unchanged when the file that holds it is, whatever that function calls in
other files. So compiled code is thrown away here when any file of this folder has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

_HERE = Path(__file__).parent
_MARK = "kernels.sha256"


def _forget_stale() -> None:
    sources = hashlib.sha256()
    for file in sorted(_HERE.glob("*.py")):
        sources.update(file.name.encode() + b"\0" + file.read_bytes())
    given = os.environ.get("NUMBA_CACHE_DIR")
    folders = [_HERE / "__pycache__", *(Path(given).glob(f"{_HERE.name}_*") if given else ())]
    for folder in folders:
        mark = folder / _MARK
        # A folder that cannot be written holds nothing of ours; numba then compiles into the user's own.
        with contextlib.suppress(OSError):
            if mark.exists() and mark.read_text("ascii") == sources.hexdigest():
                continue
            for compiled in folder.glob("*.nb[ci]"):
                compiled.unlink(missing_ok=True)
            partial = folder / f"{_MARK}.{os.getpid()}"
            partial.write_text(sources.hexdigest(), "ascii")
            partial.replace(mark)


_forget_stale()
