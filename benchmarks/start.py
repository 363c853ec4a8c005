"""What starting costs: CPU milliseconds of `septet --help`, of `septet plan` on the quickstart, and of a bare interpreter."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RECIPE = Path(__file__).parent.parent / "recipes" / "quickstart.toml"


def cpu_ms(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def measure() -> list[str]:
    with tempfile.TemporaryDirectory() as place:
        workspace = ["--workspace", place]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "septet --help (limit 150)": [sys.executable, "-m", "septet", "--help"],
            "septet plan recipes/quickstart.toml (limit 300)": [
                sys.executable,
                "-m",
                "septet",
                "plan",
                str(RECIPE),
                *workspace,
            ],
        }
        lines = ["| command | CPU ms, median of 7 | min | max |", "|---|---|---|---|"]
        for name, command in commands.items():
            cpu_ms(command)
            found = [cpu_ms(command) for _ in range(7)]
            lines.append(f"| `{name}` | {statistics.median(found):.0f} | {min(found):.0f} | {max(found):.0f} |")
    return lines
