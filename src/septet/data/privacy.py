"""Taking personal data out of documents, as the policy says for each kind. Counts are kept, values never.

A batch is scanned as a whole (`detect.pii.detect_all`); only rows with a finding are touched. What was replaced is recorded as
edits, composed with those of earlier steps, so that a span of today's text leads back to the file.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from septet.core import ConfigError, Run, plugins
from septet.data import stream
from septet.detect import actions, detectors, edits, pii, quasi
from septet.detect import policy as policies
from septet.detect.span import Span, merge
from septet.files import write_json
from septet.kinds import Corpus, Policy

_MARK = "data.mask"
_HAN = re.compile("[\u4e00-\u9fff]")


def apply(corpus: Corpus, policy: Policy, key_file: Path | None, run: Run, again: Mapping[str, int]) -> Corpus:
    """Write the corpus with its personal data replaced, and `privacy.json` with the number of replacements by kind.

    `again`: see `data.vault.draws`.
    """
    rules = policies.load(policy.path)
    read_key(key_file)
    settings = {"policy": str(policy.path), "key_file": str(key_file or ""), "again": dict(again)}
    passed = stream.apply(corpus, run, make, settings)
    counts = {name.partition(":")[2]: int(count) for name, count in passed.facts.items() if name.startswith("kind:")}
    write_json(
        run.out / "privacy.json",
        {
            "policy": rules.name,
            "version": rules.version,
            "documents": passed.rows,
            "changed": int(passed.facts.get("changed", 0)),
            "replaced": counts,
        },
    )
    for kind, count in sorted(counts.items()):
        run.note(f"{count} x {kind}: {rules.pii.actions.get(kind, rules.pii.default)}")
    return Corpus(run.out)


def make(settings: Mapping[str, Any]) -> stream.Work:
    """The work on one batch; see `data.stream`."""
    rules = policies.load(Path(settings["policy"]))
    key = read_key(Path(settings["key_file"]) if settings["key_file"] else None)
    find = finder(rules)

    def work(table: pa.Table) -> stream.Sorted:
        spans = find(table["text"])
        if not spans:
            return stream.Sorted(table)
        _refuse_second(table, spans)
        texts, old = table["text"].take(list(spans)).to_pylist(), table["edits"].take(list(spans)).to_pylist()
        counts: Counter[str] = Counter()
        new_texts, new_edits = [], []
        for found, text, before in zip(spans.values(), texts, old, strict=True):
            changed, made = replaced(text, found, rules, key, settings["again"])
            new_texts.append(changed)
            new_edits.append(edits.encode(edits.compose(edits.decode(before), made) if before else made))
            counts.update(f"kind:{span.kind}" for span in found)
        made_table = _put(_put(table, "text", spans, new_texts), "edits", spans, new_edits)
        return stream.Sorted(_marked(made_table, spans), facts={**counts, "changed": len(spans)})

    return work


def finder(rules: policies.Policy) -> Any:
    """A function of a column that gives row -> spans to be treated, for the rows that have any."""
    names = rules.detectors.corpus
    others = detectors.resolve([name for name in names if name != "pii"], plugins.load, rules)
    keep = {kind for kind, action in rules.pii.actions.items() if action == "keep"}
    wanted = sorted(set(quasi.KINDS) & rules.pii.actions.keys() - keep)

    def kept(kind: str) -> bool:
        return kind not in keep and (kind in rules.pii.actions or rules.pii.default != "keep")

    def find(column: Any) -> dict[int, list[Span]]:
        found: dict[int, list[Span]] = defaultdict(list)
        if "pii" in names:
            for row, span in pii.detect_all(column, (), rules.pii.threshold, rules.pii.allow).spans():
                if kept(span.kind):
                    found[row].append(span)
        if others or wanted:
            for row, text in enumerate(column.to_pylist()):
                more = [span for detect in others.values() for span in detect(text) if kept(span.kind)]
                more += quasi.detect(text, wanted) if wanted else []
                if more:
                    found[row] = merge([*found.get(row, []), *more])
        return dict(sorted(found.items()))

    return find


def replaced(
    text: str, spans: Sequence[Span], rules: policies.Policy, key: bytes, again: Mapping[str, int]
) -> tuple[str, list[tuple[int, int, int]]]:
    """The text with each span treated as the policy says, and the edits."""
    out, made, at = [], [], 0
    chinese = _HAN.search(text) is not None
    for span in spans:
        action = rules.pii.actions.get(span.kind, rules.pii.default)
        detail = rules.pii.generalise.get(span.kind, "")
        new = actions.treat(span.of(text), span.kind, action, key, chinese, detail, again)
        out += [text[at : span.start], new]
        made.append((span.start, span.end, len(new)))
        at = span.end
    return "".join(out) + text[at:], made


def _refuse_second(table: pa.Table, spans: Mapping[int, Any]) -> None:
    for row in spans:
        if any(name.startswith(_MARK) for name in table["transforms"][row].as_py() or []):
            raise ConfigError(
                f"{table['source'][row].as_py()} was masked before",
                "Mask a corpus once: its spans lead back to the file",
            )


def _put(table: pa.Table, name: str, rows: Mapping[int, Any], values: list[str]) -> pa.Table:
    mask = [False] * table.num_rows
    for row in rows:
        mask[row] = True
    column = pc.replace_with_mask(table[name].combine_chunks(), pa.array(mask), pa.array(values, table[name].type))
    return table.set_column(table.schema.get_field_index(name), name, column)


def _marked(table: pa.Table, spans: Mapping[int, Sequence[Span]]) -> pa.Table:
    lists = table["transforms"].to_pylist()
    for row, found in spans.items():
        lists[row] = [*(lists[row] or []), f"{_MARK} ({len(found)} spans)"]
    column = pa.array(lists, pa.list_(pa.string()))
    return table.set_column(table.schema.get_field_index("transforms"), "transforms", column)


def read_key(path: Path | None) -> bytes:
    """The key of keyed actions; empty without a file. Raises ConfigError for a short one."""
    if path is None:
        return b""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"the key file {path} cannot be read: {error.strerror}", "Check the path") from None
    if len(key) < 16:
        raise ConfigError(
            f"the key in {path} has {len(key)} bytes", "Use at least 16 random bytes, kept apart from the data"
        )
    return key
