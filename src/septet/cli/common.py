"""What several verbs need: the workspace that was asked for, and plain tables and sizes for the terminal."""

from __future__ import annotations

import argparse
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from septet.core import workspace as workspaces
from septet.core.workspace import Workspace


def open_workspace(given: argparse.Namespace) -> Workspace:
    return Workspace(Path(given.workspace).absolute() if given.workspace else workspaces.find())


def terminal_language() -> str:
    """`zh` or `en`, as the terminal is set."""
    setting = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if setting.startswith("zh") else "en"


def takes_recipe(parser: argparse.ArgumentParser, help: str = "a recipe file (TOML)") -> None:
    """The arguments of a verb that takes a recipe: `recipe`, and `changes` of its keys."""
    parser.add_argument("recipe", type=Path, help=help)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TABLE.KEY=VALUE",
        dest="changes",
        help="change one key of the recipe",
    )


def table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> str:
    """Aligned columns. Chinese characters count as two columns wide, as terminals draw them."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(head))]
    drawn = []
    for line in lines:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)]
        drawn.append("  ".join(cells).rstrip())
    drawn.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(drawn)


def size(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """Seconds as people read them."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def clip(text: str, width: int) -> str:
    """One line of at most `width` columns; what is cut is marked."""
    line = " ".join(text.split())
    if _width(line) <= width:
        return line
    kept, used = [], 0
    for character in line:
        used += _width(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + "…"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
