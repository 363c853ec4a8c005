"""`septet doctor`: what this machine has, what is missing, and the command that brings it."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sqlite3
import sys
from pathlib import Path

from septet import __version__
from septet.cli.common import open_workspace, size
from septet.core import SeptetError, plugins

_NEED_DISK = 4_000_000_000
_NEED_MEMORY = 6_000_000_000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strict", action="store_true", help="exit with 1 when something is missing")


def run(given: argparse.Namespace) -> int:
    missing: list[str] = []

    def line(good: bool, what: str, found: str, remedy: str = "") -> None:
        print(f"{'ok ' if good else '-- '} {what:<22} {found}")
        if not good:
            missing.append(what)
            if remedy:
                print(f"    {'':<22} {remedy}")

    line(sys.version_info >= (3, 11), "python", platform.python_version(), "Install Python 3.11 or newer")
    line(True, "septet", __version__)
    line(True, "machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{_vector_units()}")
    memory = _memory()
    line(memory >= _NEED_MEMORY, "memory", size(memory), "The quickstart needs about 6 GB: take a smaller base model")
    for extra, packages in _extras().items():
        absent = [name for name in packages if not _present(name)]
        found = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages if name not in absent)
        line(
            not absent,
            f"extra {extra}",
            found or "-",
            f"missing {', '.join(absent)}. Run: pip install 'septet[{extra}]'",
        )
    fts = _has_fts5()
    line(fts, "sqlite full text", sqlite3.sqlite_version, "Use a Python whose SQLite has FTS5")
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    line(
        bool(browser),
        "chromium (tests)",
        browser or "-",
        "Debian: apt-get install chromium. Only the console's tests need it",
    )
    postgres = _postgresql()
    line(
        bool(postgres),
        "postgresql (tests)",
        postgres or "-",
        "Debian: apt-get install postgresql. Only its tests need it",
    )
    try:
        known = plugins.steps()
        line(True, "steps", f"{len(known)} of {', '.join(sorted(set(plugins.names(plugins.STEPS).values())))}")
    except SeptetError as error:
        line(False, "steps", error.message, error.remedy)
    try:
        with open_workspace(given) as workspace:
            free = shutil.disk_usage(workspace.root).free
            line(free >= _NEED_DISK, "disk", f"{size(free)} free at {workspace.root}", "Free some, or see: septet gc")
            kind = "PostgreSQL" if workspace.ledger.url.startswith("postgres") else "SQLite"
            line(True, "ledger", f"{kind}, {len(workspace.ledger.entries())} entries")
            line(True, "store", f"{len(workspace.store.records())} artifacts")
    except SeptetError as error:
        line(False, "workspace", error.message, error.remedy)
    print(f"\n{len(missing)} missing: {', '.join(missing)}" if missing else "\nnothing is missing")
    return 1 if missing and given.strict else 0


def _extras() -> dict[str, list[str]]:
    """The package's own extras, read from its metadata, so that this list cannot go stale."""
    found: dict[str, list[str]] = {}
    for requirement in importlib.metadata.requires("septet") or []:
        match = re.match(r"([A-Za-z0-9_.-]+).*extra == [\"']([a-z]+)[\"']", requirement)
        if match and match.group(2) != "all":
            found.setdefault(match.group(2), []).append(match.group(1))
    return found


def _present(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _has_fts5() -> bool:
    with sqlite3.connect(":memory:") as connection:
        return any("FTS5" in str(row[0]) for row in connection.execute("pragma compile_options"))


def _postgresql() -> str:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return str(places[-1]) if places else shutil.which("postgres") or ""


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _vector_units() -> str:
    try:
        flags = set(
            re.findall(r"\w+", Path("/proc/cpuinfo").read_text("utf-8").partition("flags")[2].partition("\n")[0])
        )
    except OSError:
        return ""
    named = [name for name in ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile") if name in flags]
    return f", {' '.join(named)}" if named else ""
