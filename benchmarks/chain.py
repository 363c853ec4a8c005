"""The whole of stage 1, from raw JSON lines to packed tokens: CPU seconds of each step, and the same files from a Ray cluster.

    SEPTET_BENCH_CORPUS=FOLDER python benchmarks/run.py chain        FOLDER as built by corpus.py; its plain/*.jsonl are read

SEPTET_BENCH_PARTS says how many of the eight parts are read (all, unless given). CPU time counts the workers too.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from pathlib import Path

import pyarrow.parquet as pq

from septet.core.recipe import parse
from septet.core.runner import Runner
from septet.core.workspace import Workspace

HERE = Path(__file__).parent
PARTS = int(os.environ.get("SEPTET_BENCH_PARTS", "8"))


def recipe_text(raw: Path, engine: str, workers: int) -> str:
    """The repository's recipe of stage 1, with the benchmark's source and the engine asked for."""
    text = (HERE.parent / "recipes" / "curate.toml").read_text("utf-8")
    text = text.replace('paths = ["../docs/handbook"]', f'paths = ["{raw}"]').replace(
        '"policy.toml"', f'"{HERE.parent}/recipes/policy.toml"'
    )
    text = text.replace('"handbook/choice.jsonl"', f'"{HERE.parent}/recipes/handbook/choice.jsonl"')
    return text + f'\n[run]\nengine = "{engine}"\n[run.options]\nworkers = {workers}\n'


def once(raw: Path, place: Path, engine: str, workers: int) -> tuple[dict[str, str], dict[str, float], float]:
    """Digest and CPU seconds of each step, and the wall time of all."""
    with Workspace(place / ".septet") as workspace:
        records = Runner(workspace).run(parse(tomllib.loads(recipe_text(raw, engine, workers)), place, "curate"))
        digests = {name: record.digest for name, record in records.items()}
        cpu = {name: float(record.made["cpu_seconds"]) for name, record in records.items()}
        return digests, cpu, sum(float(record.made["seconds"]) for record in records.values())


def measure() -> list[str]:
    where = os.environ.get("SEPTET_BENCH_CORPUS")
    if not where:
        return [
            "Not measured: SEPTET_BENCH_CORPUS names no corpus; build one with `python benchmarks/corpus.py FOLDER`."
        ]
    with tempfile.TemporaryDirectory(prefix="septet-chain-") as scratch:
        raw = Path(scratch) / "raw"
        raw.mkdir()
        size = 0.0
        for part in sorted((Path(where) / "plain").glob("*.jsonl"))[:PARTS]:
            shutil.copyfile(part, raw / part.name)
            texts = pq.read_table(part.with_suffix(".parquet"), columns=["text"])["text"]
            size += texts.nbytes / 1e6
        alone, cpu, wall = once(raw, Path(scratch) / "one", "inline", 1)
        total = sum(cpu.values())
        lines = [
            f"{size:.0f} MB of text in JSON lines, one process: {total:.1f} CPU s, {size / total:.2f} MB a CPU second, "
            f"{wall:.0f} s on the clock.",
            "",
            "| step | CPU s | share | MB a CPU s |",
            "|---|---|---|---|",
        ]
        for name, seconds in cpu.items():
            lines.append(f"| {name} | {seconds:.1f} | {seconds / total:.1%} | {size / max(0.01, seconds):.0f} |")
        both, _, wall_two = once(raw, Path(scratch) / "two", "inline", 2)
        lines += ["", f"Two processes: the same digests: {both == alone}; {wall_two:.0f} s on the clock.", ""]
        try:
            import ray
        except ImportError:
            return [*lines, "Not measured: the Ray cluster (pip install 'septet[ray]')."]
        cluster, _, wall_ray = once(raw, Path(scratch) / "ray", "ray", 2)
        ray.shutdown()
        return [*lines, f"Ray cluster of two: the same digests: {cluster == alone}; {wall_ray:.0f} s on the clock."]
