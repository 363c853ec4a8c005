"""Data construction beside its peers, on the corpus that `corpus.py` builds.

    SEPTET_BENCH_CORPUS=FOLDER  SEPTET_PEER_DATATROVE=PYTHON  SEPTET_PEER_DATA_JUICER=PYTHON  SEPTET_PEER_TEXT_DEDUP=PYTHON
    SEPTET_PEER_PRESIDIO=PYTHON  python benchmarks/run.py data

A peer's interpreter has that peer installed, each in an environment of its own (their dependencies clash); one that is not
given is named as not measured. CPU time of the whole process tree, runs interleaved, medians. Near-duplicates are timed as
whole processes from Parquet to Parquet; detectors and filters within the process, imports apart, on both sides. The peers
that are slow get one part of the corpus in one language, Septet the same. On a virtual machine whose
idle memory goes back to its host, a short job after a long peer pays for every page again, up to a quarter of its time.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import truth

HERE = Path(__file__).parent
PEERS = {
    name: os.environ.get("SEPTET_PEER_" + name.upper().replace("-", "_"), "")
    for name in ("datatrove", "data-juicer", "text-dedup", "presidio")
}
RUNS = int(os.environ.get("SEPTET_BENCH_RUNS", "3"))


def spent(command: list[str]) -> tuple[float, dict[str, float]]:
    """CPU seconds of a command and all its children, and what it said of itself."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, cwd=HERE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, json.loads(done.stdout.strip().splitlines()[-1])


def measure() -> list[str]:
    where = os.environ.get("SEPTET_BENCH_CORPUS")
    if not where:
        return [
            "Not measured: SEPTET_BENCH_CORPUS names no corpus; build one with `python benchmarks/corpus.py FOLDER`."
        ]
    with tempfile.TemporaryDirectory(prefix="septet-bench-") as scratch:
        bench = Bench(Path(where), Path(scratch))
        return [
            *bench.duplicates(),
            *bench.within("signals", "filters", "datatrove", "Quality signals, all, to Parquet"),
            *bench.within("filters", "filters", "datatrove", "Quality: Gopher, repetition, C4, FineWeb"),
            *bench.within("sentences", "sentences", "datatrove", "Sentences, spans of three"),
            *bench.personal(),
            *bench.contamination(),
        ]


class Bench:
    def __init__(self, source: Path, scratch: Path) -> None:
        self.source, self.scratch = source, scratch
        self.whole = source / "corpus"
        self.sides = {language: self._side(language) for language in ("en", "zh")}
        self.number = 0
        self.peers: dict[tuple[str, str, str, int], float] = {}

    def _side(self, language: str) -> Path:
        """The documents of one language of one part, as a corpus and as JSON lines."""
        folder = self.scratch / language
        folder.mkdir()
        table = pq.read_table(sorted(self.whole.glob("*.parquet"))[0])
        table = table.filter(pc.equal(table["language"], language))
        pq.write_table(table, folder / "part-00000.parquet", compression="zstd", row_group_size=8192)
        with (folder / "part.jsonl").open("w", encoding="utf-8") as file:
            for row in table.select(["id", "text"]).to_pylist():
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return folder

    def out(self) -> str:
        self.number += 1
        return str(self.scratch / f"out{self.number}")

    def ours(self, job: str, corpus: Path) -> tuple[float, dict[str, float], str]:
        out = self.out()
        cpu, said = spent([sys.executable, str(HERE / "our_jobs.py"), job, str(corpus), out])
        return cpu, said, out

    def peer(self, name: str, job: str, corpus: Path, language: str) -> tuple[float, dict[str, float], str]:
        out = self.out()
        command = [PEERS[name], str(HERE / "peer_jobs.py"), name, job, str(corpus), out, language]
        cpu, said = spent(command)
        return cpu, said, out

    def size(self, folder: Path) -> tuple[int, float]:
        columns = [pq.read_table(part, columns=["text"])["text"] for part in sorted(folder.glob("*.parquet"))]
        return sum(map(len, columns)), sum(pc.sum(pc.binary_length(one)).as_py() for one in columns) / 1e6

    def duplicates(self) -> list[str]:
        documents, megabytes = self.size(self.whole)
        cpus, memory = [], 0.0
        for _ in range(RUNS):
            cpu, said, out = self.ours("neardup", self.whole)
            cpus.append(cpu)
            memory = max(memory, said["memory_mb"])
            shutil.rmtree(out)
        cpu = statistics.median(cpus)
        lines = [
            "### Near-duplicates, whole process, Parquet to Parquet",
            "",
            f"All {documents:,} documents, {megabytes:.0f} MB: {cpu:.1f} CPU s, {documents / cpu:,.0f} documents and "
            f"{megabytes / cpu:.1f} MB a CPU second, peak {memory:.0f} MB.",
            "",
            "| | language | documents | CPU s | documents a CPU s | ratio on the same file | ratio to the whole corpus |",
            "|---|---|---|---|---|---|---|",
        ]
        for language, folder in self.sides.items():
            count, _ = self.size(folder)
            mine: list[float] = []
            theirs: dict[str, list[float]] = {}
            for _ in range(RUNS):
                mine.append(self.ours("neardup", folder)[0])
                for name in ("datatrove", "data-juicer", "text-dedup"):
                    if PEERS[name] and not (name == "text-dedup" and language == "zh"):
                        spent_, _, out = self.peer(name, "neardup", folder, language)
                        theirs.setdefault(name, []).append(spent_)
                        shutil.rmtree(out, ignore_errors=True)
            own = statistics.median(mine)
            lines.append(f"| Septet | {language} | {count:,} | {own:.2f} | {count / own:,.0f} | 1 | |")
            for name, values in theirs.items():
                middle = statistics.median(values)
                lines.append(
                    f"| {name} | {language} | {count:,} | {middle:.1f} | {count / middle:,.0f} | {middle / own:.1f} | "
                    f"{(documents / cpu) / (count / middle):.1f} |"
                )
        lines += ["", *self.recall()]
        missing = [name for name in ("datatrove", "data-juicer", "text-dedup") if not PEERS[name]]
        return [*lines, "", f"Not measured: {', '.join(missing)}." if missing else "", ""]

    def recall(self) -> list[str]:
        """What was removed against every pair that there is."""
        tables = [
            pq.read_table(part, columns=["id", "language", "text"]) for part in sorted(self.whole.glob("*.parquet"))
        ]
        table = pa.concat_tables(tables)
        first, second = truth.pairs(table["text"], 0.8)
        size = table.num_rows
        group = truth.groups(size, first, second)
        partnered = np.zeros(size, bool)
        partnered[first] = partnered[second] = True
        language = table["language"].to_numpy()
        lines = [
            "| removal | language | removed | without a partner | kept pairs still alike | recall | recall, chains counted |",
            "|---|---|---|---|---|---|---|",
        ]
        for name, job in (("kept ones only", "neardup"), ("with chains", "chains")):
            _, _, out = self.ours(job, self.whole)
            kept_ids = pa.concat_tables(
                [pq.read_table(part, columns=["id"]) for part in sorted((Path(out) / "kept").glob("part-*.parquet"))]
            )["id"]
            kept = pc.is_in(table["id"], kept_ids).to_numpy()
            for code in ("en", "zh"):
                mine = language == code
                gone = int((~kept & mine).sum())
                left = np.unique(second[kept[first] & kept[second] & mine[first]]).size
                removable = int(mine.sum()) - np.unique(group[mine]).size
                lines.append(
                    f"| {name} | {code} | {gone:,} | {int((~kept & mine & ~partnered).sum())} | {left} | "
                    f"{gone / (gone + left):.4f} | {gone / removable:.4f} |"
                )
        return [
            *lines,
            "",
            f"Truth: all {first.size:,} pairs of a Jaccard similarity of 0.8 or more, by an exact join.",
            "",
        ]

    def within(self, job: str, peer_job: str, peer: str, title: str) -> list[str]:
        lines = [f"### {title}", "", "| | language | MB | CPU s | MB a CPU s | ratio |", "|---|---|---|---|---|---|"]
        for language, folder in self.sides.items():
            _, megabytes = self.size(folder)
            mine, theirs = [], []
            for turn in range(RUNS):
                _, said, out = self.ours(job, folder)
                mine.append(said["cpu"])
                shutil.rmtree(out)
                if PEERS[peer]:
                    asked = (peer, peer_job, language, turn)
                    if asked not in self.peers:
                        _, said, out = self.peer(peer, peer_job, folder, language)
                        self.peers[asked] = said["cpu"]
                        shutil.rmtree(out, ignore_errors=True)
                    theirs.append(self.peers[asked])
            own = statistics.median(mine)
            lines.append(f"| Septet | {language} | {megabytes:.1f} | {own:.2f} | {megabytes / own:.1f} | 1 |")
            if theirs:
                other = statistics.median(theirs)
                lines.append(
                    f"| {peer} | {language} | {megabytes:.1f} | {other:.1f} | {megabytes / other:.2f} | {other / own:.0f} |"
                )
        return [*lines, "", "" if PEERS[peer] else f"Not measured: {peer}.", ""]

    def personal(self) -> list[str]:
        """On documents with planted items alone (dense), and on a part as it is; recall of planted items on the dense."""
        truth = [json.loads(line) for line in (self.source / "truth.jsonl").read_text("utf-8").splitlines()]
        planted = {one["id"]: one["items"] for one in truth if one["kind"] == "pii"}
        parts = sorted(self.whole.glob("*.parquet"))
        table = pa.concat_tables([pq.read_table(part) for part in parts])
        table = table.filter(pc.is_in(table["id"], pa.array(list(planted))))
        dense = self.scratch / "dense"
        dense.mkdir()
        for copy in range(5):
            pq.write_table(table, dense / f"part-{copy:05d}.parquet")
        few = self.scratch / "few"
        few.mkdir()
        pq.write_table(table.slice(0, 400), few / "part-00000.parquet")
        lines = ["### Personal data", "", "| | text | MB | CPU s | MB a CPU s | ratio |", "|---|---|---|---|---|---|"]
        rates = {}
        found_in = ""
        theirs: list[float] = []
        for name, folder in (("dense", dense), ("as it comes", self.sides["zh"])):
            _, megabytes = self.size(folder)
            runs = []
            for _ in range(RUNS):
                runs.append(self.ours("personal", folder))
                if PEERS["presidio"] and name == "dense":
                    theirs.append(self.peer("presidio", "", few, "en")[1]["cpu"])
            own = statistics.median(said["cpu"] for _, said, _ in runs)
            found_in = runs[0][2] if name == "dense" else found_in
            rates[name] = megabytes / own
            lines.append(f"| Septet | {name} | {megabytes:.1f} | {own:.3f} | {megabytes / own:.1f} | 1 |")
        if theirs:
            _, megabytes = self.size(few)
            other = statistics.median(theirs)
            lines.append(
                f"| presidio, no named entities | dense | {megabytes:.2f} | {other:.1f} | {megabytes / other:.2f} | "
                f"{rates['dense'] / (megabytes / other):.0f} |"
            )
        found: dict[int, list[tuple[int, int, str]]] = {}
        for row, start, end, kind in json.loads((Path(found_in) / "found.json").read_text("utf-8")):
            found.setdefault(row, []).append((start, end, kind))
        hits: Counter[str] = Counter()
        total: Counter[str] = Counter()
        false: Counter[str] = Counter()
        for row, identity in enumerate(table["id"].to_pylist()):
            for item in planted[identity]:
                span = (item["start"], item["start"] + len(item["value"]))
                hit = any(
                    start <= span[0] + 1 and end >= span[1] - 1 and (kind == item["kind"] or not item["valid"])
                    for start, end, kind in found.get(row, ())
                )
                if item["valid"]:
                    total[item["kind"]] += 1
                    hits[item["kind"]] += hit
                else:
                    false[f"{item['kind']} ({'flagged' if hit else 'left alone'})"] += 1
        recall = ", ".join(f"{kind} {hits[kind]}/{total[kind]}" for kind in sorted(total))
        look_alikes = ", ".join(f"{kind} {count}" for kind, count in sorted(false.items()))
        return [*lines, "", f"Planted items found: {recall}.", "", f"Look-alikes: {look_alikes}.", ""]

    def contamination(self) -> list[str]:
        _, megabytes = self.size(self.whole)
        runs = [self.ours("contamination", self.whole)[1] for _ in range(RUNS)]
        own = statistics.median(said["cpu"] for said in runs)
        return [
            "### Contamination",
            "",
            f"{runs[0]['items']:,.0f} items against {megabytes:.0f} MB, the index built in the same time: {own:.2f} CPU s, "
            f"{megabytes / own:.0f} MB a CPU second.",
            "",
        ]
