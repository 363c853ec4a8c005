"""Which evaluation items stand in a corpus or a knowledge base, and how much of each.

An item is its question and options joined. In English 13 words in a row are looked for, as GPT-3 did (Brown et al., 2020). In
Chinese 13 characters screen: an item with none of its windows in the text is clean. They prove nothing, since honest texts that
quote the same law share them (measured 2026-11: 3,014 statutes of 2,900 that CMMLU quotes); 20 characters do. A shorter item is
looked for by windows of 8 and counts only when it stands there whole; one of fewer than 8 tokens cannot be told from ordinary
language and is counted as not testable, never as clean.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import ConfigError, Run, StepFailed
from septet.data import stream
from septet.detect.language import language
from septet.files import read_lines, write_json, write_lines
from septet.kernels.arrow import texts_of
from septet.kernels.grams import Table, grams_of, look_up, table
from septet.kinds import Corpus, Report, Suite
from septet.statistics import share

SHORT, ENGLISH, CHINESE, SCREEN = 8, 13, 20, 13
FIELDS = (
    "question",
    "prompt",
    "text",
    "instruction",
    "problem",
    "ctx",
    "sentence",
    "options",
    "choices",
    "A",
    "B",
    "C",
    "D",
)


class Item:
    """One evaluation item: the suite's name, its id there, its text and language."""

    __slots__ = ("identity", "language", "suite", "text")

    def __init__(self, suite: str, identity: str, text: str) -> None:
        self.suite, self.identity, self.text = suite, identity, text
        self.language = "zh" if language(text) in ("zh", "mixed", "ja") else "en"


def items_of(suites: Iterable[Suite], paths: Sequence[str], fields: Sequence[str]) -> list[Item]:
    """The items of suites, and of JSON lines files. Raises ConfigError for a line that has none of the fields."""
    found = []
    for suite in suites:
        name = str(suite.about.get("name", suite.path.name))
        found += [
            Item(name, str(row.get("id", number)), _joined(row, fields, name))
            for number, row in enumerate(suite.items())
        ]
    for path in paths:
        name = Path(path).stem
        found += [
            Item(name, str(row.get("id", number)), _joined(row, fields, f"{path}, line {number}"))
            for number, row in enumerate(read_lines(Path(path)), 1)
        ]
    return found


def _joined(row: Mapping[str, Any], fields: Sequence[str], where: str) -> str:
    parts: list[str] = []
    for name in fields:
        value = row.get(name)
        if isinstance(value, str):
            parts.append(value)
        elif isinstance(value, list):
            parts += [one for one in value if isinstance(one, str)]
        elif isinstance(value, dict):
            parts += [one for key in sorted(value) for one in _strings(value[key])]
    if not any(part.strip() for part in parts):
        raise ConfigError(
            f"{where}: an item has no text in {', '.join(fields[:5])}...", "Name the fields that hold it in `fields`"
        )
    return "\n".join(parts)


def _strings(value: Any) -> list[str]:
    return (
        [value]
        if isinstance(value, str)
        else [one for one in value if isinstance(one, str)]
        if isinstance(value, list)
        else []
    )


class Index:
    """The windows of items, and which item each belongs to.

    Owner `n + k`, of n items, is item k as it is screened: Chinese items have these shorter windows beside those that prove.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        chinese = np.array([item.language == "zh" for item in items], bool)
        wanted = np.where(chinese, CHINESE, ENGLISH)
        texts = [item.text for item in items]
        hashes, tails, ends, tokens = _windows(texts, wanted)
        self.short = tokens < wanted
        self.testable = tokens >= SHORT
        self.screened = np.flatnonzero(chinese & ~self.short)
        seen_hashes, seen_tails, seen_ends, _ = _windows(
            [texts[number] for number in self.screened], np.full(self.screened.size, SCREEN)
        )
        counts, seen = np.diff(ends), np.diff(seen_ends)
        sizes = np.repeat(np.where(self.short, SHORT, wanted), counts)
        self.table, number = table(
            np.concatenate([hashes, seen_hashes]),
            np.concatenate([tails, seen_tails]),
            np.concatenate([sizes, np.full(seen_hashes.size, SCREEN)]),
            tuple(sorted({SHORT, ENGLISH, CHINESE, SCREEN})),
        )
        order = np.argsort(number, kind="stable")
        owners = np.concatenate([np.repeat(np.arange(len(items)), counts), np.repeat(len(items) + self.screened, seen)])
        self.owners = owners[order].astype(np.int32)
        self.starts = np.searchsorted(number[order], np.arange(self.table.count + 1))
        self.windows = np.zeros(2 * len(items), np.int64)
        self.windows[: len(items)] = counts
        self.windows[len(items) + self.screened] = seen

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {**self.table._asdict(), "owners": self.owners, "starts": self.starts, "windows": self.windows}
        for name, values in arrays.items():
            np.save(folder / f"{name}.npy", values)


def _windows(texts: Sequence[str], sizes: Any) -> tuple[Any, Any, Any, Any]:
    return grams_of(texts_of(pa.array(texts, pa.large_string())), sizes, SHORT)


@cache
def _loaded(path: str) -> tuple[Table, Any, Any, Any]:
    def one(name: str) -> Any:
        return np.load(Path(path) / f"{name}.npy", mmap_mode="r" if name in ("owners", "starts") else None)

    *columns, count = (one(name) for name in Table._fields)
    return Table(*columns, int(count)), one("owners"), one("starts"), one("windows")


def scan(texts: Any, index: str) -> tuple[Any, Any, Any]:
    """Of a column of texts: (text, owner, share of the owner's windows that stand in the text), for each two that share one; an
    owner is an item, or an item as it is screened (see `Index`)."""
    known, owners, starts, windows = _loaded(index)
    text, gram = look_up(texts_of(texts), known)
    pairs = np.unique(text * known.count + gram)
    text, gram = pairs // max(1, known.count), pairs % max(1, known.count)
    sizes = starts[gram + 1] - starts[gram]
    within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    owner = owners[np.repeat(starts[gram], sizes) + within].astype(np.int64)
    both, count = np.unique(np.repeat(text, sizes) * windows.size + owner, return_counts=True)
    owner = both % windows.size
    return both // windows.size, owner, count / windows[owner]


def scan_part(piece: Mapping[str, Any]) -> list[list[float]]:
    """Rows, owners and shares of one part, a list each; `column` names the text."""
    found = []
    row = 0
    for batch in pq.ParquetFile(piece["part"]).iter_batches(4096, columns=[piece["column"]], use_threads=False):
        text, owner, covered = scan(batch.column(0), piece["index"])
        found.append((text + row, owner, covered))
        row += batch.num_rows
    return [np.concatenate(columns).tolist() for columns in zip(*found, strict=True)] or [[], [], []]


def find(
    parts: Sequence[Path], column: str, items: Sequence[Item], bound: float, run: Run
) -> tuple[list[dict[str, Any]], list[dict[int, list[tuple[int, float]]]]]:
    """The verdict on each item, and for each part the rows that hold items: row to (item, share covered)."""
    if not items:
        raise StepFailed("there is no evaluation item to look for", "Tie a suite, or name JSON lines files in `paths`")
    index = Index(items)
    folder = run.scratch / "index"
    index.save(folder)
    pieces = [{"part": str(part), "column": column, "index": str(folder)} for part in parts]
    best, rows_of = np.zeros(index.windows.size), np.zeros(len(items), np.int64)
    held: list[dict[int, list[tuple[int, float]]]] = []
    for number, (row, owners, covered) in enumerate(run.map(scan_part, pieces), 1):
        owner, share_of = np.array(owners, np.int64), np.array(covered, np.float64)
        np.maximum.at(best, owner, share_of)
        rows: dict[int, list[tuple[int, float]]] = defaultdict(list)
        proves = owner < len(items)
        needed = np.where(index.short[np.where(proves, owner, 0)], 1.0, bound)
        for at in np.flatnonzero(proves & (share_of >= needed)).tolist():
            rows[row[at]].append((owners[at], covered[at]))
            rows_of[owners[at]] += 1
        held.append(dict(rows))
        run.progress(number, len(pieces), "parts scanned")
    best, screened = best[: len(items)], best[len(items) :]
    # What has no shorter windows of its own is screened by those that prove.
    screened = np.where(index.windows[len(items) :] > 0, screened, best)
    verdicts = []
    for number, item in enumerate(items):
        if not index.testable[number]:
            verdict = "not testable"
        elif rows_of[number]:
            verdict = "contaminated"
        else:
            verdict = "touched" if screened[number] else "clean"
        verdicts.append(
            {
                "suite": item.suite,
                "id": item.identity,
                "language": item.language,
                "verdict": verdict,
                "covered": round(float(best[number]), 4),
                "screened": round(float(screened[number]), 4),
                "rows": int(rows_of[number]),
            }
        )
    return verdicts, held


def summary(verdicts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """For each suite and language the share of contaminated items among the testable ones, and the share not testable."""
    found = {}
    for suite in sorted({str(one["suite"]) for one in verdicts}):
        for code in ("", "zh", "en"):
            mine = [one for one in verdicts if one["suite"] == suite and code in ("", one["language"])]
            if not mine:
                continue
            testable = [one for one in mine if one["verdict"] != "not testable"]
            name = f"{suite} {code}".strip()
            found[f"{name} contaminated"] = share(
                sum(one["verdict"] == "contaminated" for one in testable), len(testable)
            )
            found[f"{name} not testable"] = share(len(mine) - len(testable), len(mine))
    return found


def report(parts: Sequence[Path], column: str, items: Sequence[Item], bound: float, run: Run) -> Report:
    """A report with the verdict on each item. A knowledge base is scanned by its chunks."""
    verdicts, _ = find(parts, column, items, bound, run)
    facts = {"covered_from": bound, "windows": {"en": ENGLISH, "zh": CHINESE, "zh screen": SCREEN, "short": SHORT}}
    return Report.write(run.out, "contamination", summary(verdicts), verdicts, facts=facts)


def apply(corpus: Corpus, items: Sequence[Item], bound: float, action: str, run: Run) -> Corpus:
    """Write the corpus with the documents that hold items left out or flagged; `contamination.jsonl` has the verdicts."""
    verdicts, held = find(corpus.parts, "text", items, bound, run)
    folder = run.scratch / "held"
    folder.mkdir(exist_ok=True)
    settings = []
    for number, rows in enumerate(held):
        path = folder / f"{number:05d}.json"
        named = {
            str(row): [[items[item].suite, items[item].identity, covered] for item, covered in found]
            for row, found in rows.items()
        }
        path.write_text(json.dumps(named), "utf-8")
        settings.append({"held": str(path), "action": action})
    stream.over(corpus.parts, run, leave_out, settings)
    write_lines(run.out / "contamination.jsonl", verdicts)
    write_json(run.out / "contamination.json", summary(verdicts))
    count = sum(one["verdict"] == "contaminated" for one in verdicts)
    run.note(f"{count} of {len(verdicts)} items stand in the corpus; {sum(map(len, held))} documents hold one")
    return Corpus(run.out)


def leave_out(settings: Mapping[str, Any]) -> stream.Work:
    """Leaves out or flags the rows of a part that hold items."""
    held = {int(row): found for row, found in json.loads(Path(settings["held"]).read_text("utf-8")).items()}

    def work(batch: pa.Table) -> stream.Sorted:
        rows = batch["row"].to_pylist()
        hits = {place: held[row] for place, row in enumerate(rows) if row in held}
        if settings["action"] == "drop":
            keep = [place not in hits for place in range(len(rows))]
            worst = [max(found, key=lambda one: one[2]) for _, found in sorted(hits.items())]
            rules = [f"holds items of {suite}" for suite, _, _ in worst]
            details = [f"item {identity}" for _, identity, _ in worst]
            kept, left = stream.split(batch, keep, rules, [covered for _, _, covered in worst], details)
            return stream.Sorted(stream.with_transform(kept, "data.decontaminate"), left)
        if hits:
            metas = batch["meta"].to_pylist()
            for place, found in hits.items():
                known = json.loads(metas[place]) if metas[place] else {}
                known["contamination"] = [{"suite": s, "item": i, "covered": round(c, 4)} for s, i, c in found]
                metas[place] = json.dumps(known, ensure_ascii=False, sort_keys=True)
            batch = batch.set_column(batch.schema.get_field_index("meta"), "meta", pa.array(metas, pa.string()))
        facts = {"flagged": float(len(hits))}
        return stream.Sorted(stream.with_transform(batch, "data.decontaminate"), None, facts)

    return work
