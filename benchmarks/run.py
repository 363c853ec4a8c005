"""Runs the benchmarks and writes one dated result page. Say which: `python benchmarks/run.py data`; without, all.

Each benchmark is a module with `measure() -> list[str]`, lines of Markdown. CPU seconds and ratios count, not the clock: a
machine is seldom one's own. A peer that is not installed is named, not left out in silence.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ALL = ("data", "chain", "start")


def main(names: list[str]) -> int:
    sys.path.insert(0, str(HERE))
    machine = _machine()
    now = f"{datetime.now():%Y-%m-%d}"
    lines = [f"# Benchmarks, {now}", "", f"{machine}, Python {platform.python_version()}, Septet {version('septet')}."]
    for name in names or ALL:
        lines += [
            "",
            f"## {name}",
            "",
            f"`python benchmarks/run.py {name}`",
            "",
            *importlib.import_module(name).measure(),
        ]
    short = re.sub(r"[^a-z0-9]+", "-", machine.lower()).strip("-")[:48].strip("-")
    page = HERE / "results" / f"{now}-{short}.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    print(f"\nwritten to {page}")
    return 0


def _machine() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        found = None
    return f"{found.group(1) if found else platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
