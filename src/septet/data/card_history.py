"""For the data card: the steps behind a corpus, and what each of them left out, with examples in which nobody is named.

A rule is counted in the record of the step that applied it. Its examples are rows of `dropped/`, the same ones each time (by the
hash of their id). Rows that were left out for what they say (abuse, a judge's verdict) or so that nobody sees them (items of an
exam) are counted and not shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import msgspec
import pyarrow as pa

from septet.core import plugins
from septet.core.store import Record
from septet.data.privacy import finder
from septet.detect import actions
from septet.detect import policy as policies
from septet.detect.span import Span, merge
from septet.files import read_lines
from septet.kinds import Corpus, Policy

_HAN = re.compile("[\u4e00-\u9fff]")
_DIGEST = re.compile(r"(sha256|sm3):[0-9a-f]{64}")
_WITHHELD = ("data.detoxify", "data.judge", "data.decontaminate")
_SHOWN = 160
"""Characters of an example. Detectors see the text before it is cut, or half a number would pass."""
_READ = 20_000
_LEAST = 0.3
"""A finding is hidden from this score on: here a harmless word hidden costs nothing, and a name shown does."""


class Hider:
    """Replaces personal data by its kind, in text that goes onto a page. `count` says how often it did."""

    def __init__(self, policy: Policy | None) -> None:
        rules = policies.load(policy.path) if policy is not None else policies.Policy()
        self.name = rules.name if policy is not None else ""
        names = tuple(dict.fromkeys(("pii", *rules.detectors.corpus)))
        pii = policies.Pii(threshold=min(_LEAST, rules.pii.threshold), default="tag")
        detectors = policies.Detectors(corpus=names)
        self._find = finder(msgspec.structs.replace(rules, detectors=detectors, pii=pii))
        self._known: dict[str, str] = {}
        self.count = 0

    def __call__(self, text: str) -> str:
        """The text, personal data hidden."""
        if not text:
            return ""
        if text not in self._known:
            self._known[text] = self.all([text])[0]
        return self._known[text]

    def all(self, texts: Sequence[str]) -> list[str]:
        """Several texts at once."""
        found: Mapping[int, Sequence[Span]] = self._find(pa.array(list(texts), pa.large_string()))
        made = list(texts)
        for row, spans in found.items():
            out: list[str] = []
            at, chinese = 0, _HAN.search(texts[row]) is not None
            for span in merge(spans):
                tag = actions.treat(span.of(texts[row]), span.kind, "tag", b"", chinese, "", {})
                out += [texts[row][at : span.start], tag]
                at = span.end
                self.count += 1
            made[row] = "".join(out) + texts[row][at:]
        return made


def history(
    db: Any,
    records: Sequence[tuple[Record, Path]],
    missing: Sequence[str],
    examples: int,
    origins: Sequence[str],
    hide: Hider,
    corpus: Corpus,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The steps, nearest first, and the rules by which rows were left out, in the order of the steps from the source on."""
    steps = [_step(record, hide) for record, _ in records]
    left_out: list[dict[str, Any]] = []
    if records:
        for record, folder in reversed(records):
            for drop in record.drops:
                left_out.append(_rule(record.step, record.fingerprint, drop["rule"], int(drop["count"]), folder))
    else:
        # No record lies beside it: what was left out is still counted, though not by whom.
        for name, count in _counted(db, corpus.path):
            left_out.append(_rule("", "", name, count, corpus.path))
    each = max(1, examples // len(left_out)) if left_out else 0
    left = examples
    for rule in sorted(left_out, key=lambda one: -one["count"]):
        shown = [] if rule["withheld"] or left <= 0 else _examples(db, rule, min(each, left), origins, hide)
        left -= len(shown)
        rule["examples"] = shown
        del rule["folder"]
    return {"steps": steps, "not_here": list(missing)}, left_out


def _rule(step: str, fingerprint: str, rule: str, count: int, folder: Path) -> dict[str, Any]:
    withheld = step in _WITHHELD or rule.startswith(("toxicity:", "judge."))
    return {
        "step": step,
        "fingerprint": fingerprint,
        "rule": rule,
        "count": count,
        "withheld": withheld,
        "folder": folder,
    }


def _step(record: Record, hide: Hider) -> dict[str, Any]:
    known = plugins.steps().get(record.step)
    return {
        "step": record.step,
        "version": record.version,
        "kind": record.kind,
        "fingerprint": record.fingerprint,
        "digest": record.digest,
        "config": _hidden(record.config, hide),
        "inputs": record.inputs,
        # The last part alone: where it lay on a machine is nobody's business.
        "outside": {field: sorted({PurePath(path).name for path in paths}) for field, paths in record.outside.items()},
        "drops": [{"rule": drop["rule"], "count": drop["count"]} for drop in record.drops],
        "what": known.doc.partition("\n")[0] if known is not None else "",
    }


def _hidden(value: Any, hide: Hider) -> Any:
    """A config with its texts as they may be shown. Digests are no texts, and would look like keys."""
    if isinstance(value, Mapping):
        return {key: _hidden(one, hide) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(one, hide) for one in value]
    return hide(value) if isinstance(value, str) and not _DIGEST.fullmatch(value) else value


def _parts(folder: Path) -> list[str]:
    return [str(part) for part in sorted((folder / "dropped").glob("part-*.parquet"))]


def _counted(db: Any, folder: Path) -> list[tuple[str, int]]:
    if not _parts(folder):
        return []
    db.read_parquet(_parts(folder)).create_view("gone", replace=True)
    return [
        (str(rule), int(n))
        for rule, n in db.execute("SELECT rule, count(*) FROM gone GROUP BY 1 ORDER BY 1").fetchall()
    ]


def _examples(
    db: Any, rule: Mapping[str, Any], count: int, origins: Sequence[str], hide: Hider
) -> list[dict[str, Any]]:
    columns = ("dataset", "source", "where", "detail", "text")
    found: list[dict[str, Any]] = []
    if _parts(rule["folder"]):
        db.read_parquet(_parts(rule["folder"])).create_view("gone", replace=True)
        rows = db.execute(
            "WITH chosen AS (SELECT id FROM gone WHERE rule = $1 ORDER BY md5(id), id LIMIT $2) "
            f'SELECT dataset, source, "where", detail, left(text, {_READ}), origin, value FROM gone '
            "WHERE rule = $1 AND id IN (SELECT id FROM chosen) ORDER BY md5(id), id LIMIT $2",
            [rule["rule"], count],
        ).fetchall()
        found = [
            {**dict(zip(columns, row, strict=False)), "value": row[-1], "kept_back": row[-2] not in origins}
            for row in rows
        ]
    if not found and (rule["folder"] / "rejected.jsonl").is_file():
        for line in read_lines(rule["folder"] / "rejected.jsonl"):
            if line.get("rule") == rule["rule"] and len(found) < count:
                found.append(
                    {
                        "dataset": "",
                        "source": line["source"],
                        "where": line["where"],
                        "detail": line["reason"],
                        "text": "",
                        "kept_back": False,
                    }
                )
    for one in found:
        for name in columns:
            one[name] = hide(one[name] or "")
        text = "" if one["kept_back"] else " ".join(one["text"].split())
        one["text"] = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return found
