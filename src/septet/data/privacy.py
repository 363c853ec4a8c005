"""Taking personal data out of documents, as the policy says for each kind. Counts are kept, values never."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from septet.core import ConfigError, Run, plugins
from septet.data import edits
from septet.detect import actions, detectors
from septet.detect import policy as policies
from septet.detect.span import Span, merge
from septet.kinds import Corpus, Policy, write_json


def apply(corpus: Corpus, policy: Policy, key_file: Path | None, run: Run) -> Corpus:
    """Write the corpus with its personal data replaced, and `privacy.json` with the number of replacements by kind."""
    rules = policies.load(policy.path)
    key = _key(key_file)
    found = detectors.resolve(rules.detectors.corpus, plugins.load, rules)
    counts: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for number, row in enumerate(corpus.rows(), 1):
        spans = merge(span for detect in found.values() for span in detect(row["text"]))
        spans = [one for one in spans if rules.pii.actions.get(one.kind, rules.pii.default) != "keep"]
        text, made = _replaced(row["text"], spans, rules, key)
        counts.update(span.kind for span in spans)
        if made and row["edits"]:
            raise ConfigError(
                f"{row['source']} was masked before", "Mask a corpus once: its spans lead back to the file"
            )
        transforms = [*row["transforms"], f"data.mask ({len(spans)} spans)"] if spans else row["transforms"]
        rows.append({**row, "text": text, "edits": edits.encode(made) or row["edits"], "transforms": transforms})
        run.progress(number, 0, "documents")
    write_json(run.out / "privacy.json", {"policy": rules.name, "version": rules.version, "replaced": dict(counts)})
    for kind, count in sorted(counts.items()):
        run.note(f"{count} x {kind}: {rules.pii.actions.get(kind, rules.pii.default)}")
    return Corpus.write(run.out, rows)


def _replaced(text: str, spans: list[Span], rules: policies.Policy, key: bytes) -> tuple[str, list[edits.Edit]]:
    out, made, at = [], [], 0
    chinese = any("\u4e00" <= character <= "\u9fff" for character in text)
    for span in spans:
        value = span.of(text)
        whole = [Span(0, len(value), span.kind, span.score, span.rule)]
        new = actions.apply(
            value, whole, rules.pii.actions, key=key, default=rules.pii.default, language="zh" if chinese else "en"
        )
        out += [text[at : span.start], new]
        made.append((span.start, span.end, len(new)))
        at = span.end
    return "".join(out) + text[at:], made


def _key(path: Path | None) -> bytes:
    if path is None:
        return b""
    key = path.read_bytes().strip()
    if len(key) < 16:
        raise ConfigError(
            f"the key in {path} has {len(key)} bytes", "Use at least 16 random bytes, kept apart from the data"
        )
    return key
