"""A small workspace put together by hand: a corpus, a knowledge base, a signed release, answers, and runs in every state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from septet.core.events import Event, EventFile
from septet.core.fingerprint import digest_file, fingerprint
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.files import write_json
from septet.kinds import Corpus, Measure, Report
from septet.operate import publish

PASSAGE = "The server listens on port 8600 by default. It serves one release at a time."
NASTY = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'> & \"port\"?"
ANSWER = "ans-00000000000000aa"
NASTY_ANSWER = "ans-00000000000000bb"
RUN = "20261124T080000-0000010000"


def seal(
    workspace: Workspace, name: str, step: str, kind: str, inputs: dict[str, Any], write: Any, outside: Any
) -> Record:
    """Seal what `write` puts into a folder, enter it in the ledger and name it."""
    store = workspace.store
    with store.draft() as draft:
        write(draft)
        files = store.hash_files(draft)
        record = Record(
            step=step,
            version=1,
            fingerprint=fingerprint(step, 1, {"name": name}, inputs),
            kind=kind,
            config={"name": name, "similarity": 0.8},
            inputs=inputs,
            outside=outside,
            files=files,
            digest=store.digest(files),
            made={"time": "2026-11-24T08:00:00.000Z", "seconds": 1.5, "machine": "Linux", "python": "3", "septet": "0"},
            observed={"tokens_per_second": 12.5},
            drops=[{"rule": "too short", "count": 3, "where": "dropped/"}],
            notes=["a note with <b>marks</b>"],
        )
        store.seal(draft, record)
    workspace.enter(record)
    workspace.name(f"toy/{name}", record)
    return record


def fill(workspace: Workspace, folder: Path) -> Record:
    """Everything that the console shows, and the record of the release."""
    folder.mkdir(exist_ok=True)
    page = folder / "serving.md"
    page.write_text(f"# Serving\n\n{PASSAGE}\n", "utf-8")
    row = {
        "id": "d1",
        "text": PASSAGE,
        "title": "Serving",
        "source": "serving.md",
        "source_digest": digest_file(page),
        "start": 11,
        "end": 11 + len(PASSAGE),
        "page": 0,
        "language": "en",
        "licence": "Apache-2.0",
        "origin": "public",
        "owner": "",
        "access": "public",
        "retrieved": "",
        "transforms": ["data.read"],
        "edits": "[]",
    }
    docs = seal(
        workspace, "docs", "data.read", "Corpus", {}, lambda out: Corpus.write(out, [row]), {"paths": [str(folder)]}
    )
    knowledge = seal(
        workspace, "knowledge", "data.knowledge", "KnowledgeBase", {"corpus": docs.fingerprint}, _knowledge(row), {}
    )
    model = seal(workspace, "served", "model.load", "Model", {}, _model, {"source": ["package:toy"]})
    policy = seal(
        workspace, "policy", "trust.policy", "Policy", {}, lambda out: write_json(out / "policy.json", {}), {}
    )
    report = seal(workspace, "redteam", "trust.redteam", "Report", {"model": model.fingerprint}, _report, {})
    inputs = {
        "model": model.fingerprint,
        "knowledge": knowledge.fingerprint,
        "policy": policy.fingerprint,
        "reports": [report.fingerprint],
    }
    release = seal(workspace, "release", "operate.release", "Release", inputs, _release, {})
    publish.publish(workspace, release)
    workspace.ledger.append("release_refused", "toy", {"reason": "1 of 2 gates of 'toy' are red: redteam pii_leaks"})
    for name, question, text, cited in (
        (ANSWER, "Which port?", "Port 8600. [1] And [9]?", True),
        (NASTY_ANSWER, NASTY, NASTY, False),
    ):
        workspace.ledger.append("answer", name, answer_body(release, question, text, cited))
    return release


def answer_body(release: Record, question: str, text: str, cited: bool) -> dict[str, Any]:
    return {
        "release": release.fingerprint,
        "name": "quickstart",
        "user": "clerk",
        "question": question,
        "text": text,
        "finish": "stop" if cited else "content_filter",
        "citations": [{"number": 1, "chunk": "c1", "quote": "port 8600"}] if cited else [],
        "contexts": ["c1"] if cited else [],
        "guard": {
            "prompt": {"action": "allow" if cited else "block", "reasons": [] if cited else ["attacks.toy"]},
            "answer": {"action": "allow" if cited else "none", "reasons": []},
        },
        "supported": cited,
        "abstained": False,
        "tokens": [20, 4],
        "seconds": 0.4,
    }


def run_events(workspace: Workspace, name: str = RUN) -> EventFile:
    """A run that has come as far as the tenth step of a training."""
    say = EventFile(workspace.runs / f"{name}.jsonl")
    moment = "2026-11-24T08:00:{:02d}.000Z"
    docs = {"name": "docs", "step": "data.read", "fingerprint": "sha256:" + "a" * 64}
    say(Event(kind="run_started", time=moment.format(0), run=name, text="toy", total=3))
    say(Event(kind="step_hit", time=moment.format(0), run=name, seconds=2.0, **docs))
    for second in range(1, 11):
        training(say, name, second, 6.0 - second / 10)
    say(Event(kind="drop", time=moment.format(10), run=name, **STEP, rule="too long", count=12, text="dropped/"))
    say(Event(kind="note", time=moment.format(10), run=name, **STEP, text="a note with <b>marks</b>"))
    return say


STEP = {"name": "pretrained", "step": "train.pretrain", "fingerprint": "sha256:" + "b" * 64}


def training(say: EventFile, run: str, second: int, loss: float) -> None:
    """One step of training a second."""
    time = f"2026-11-24T08:00:{second:02d}.000Z"
    if second == 1:
        say(Event(kind="step_started", time=time, run=run, **STEP))
    say(Event(kind="metric", time=time, run=run, **STEP, metric="loss", value=loss, at=second - 1))
    say(Event(kind="metric", time=time, run=run, **STEP, metric="tokens_per_second", value=900.0, at=second - 1))
    say(Event(kind="progress", time=time, run=run, **STEP, done=second, total=40, unit="steps"))


def _knowledge(row: dict[str, Any]) -> Any:
    def write(out: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        chunk = {
            key: row[key] for key in ("text", "title", "source", "source_digest", "start", "end", "page", "language")
        }
        pq.write_table(pa.Table.from_pylist([{"id": "c1", "document": "d1", **chunk}]), out / "chunks.parquet")
        (out / "index.sqlite").touch()
        write_json(out / "meta.json", {"encoder": "none"})

    return write


def _model(out: Path) -> None:
    (out / "model.safetensors").write_bytes(b"weights")
    (out / "tokenizer.json").write_text("{}")
    write_json(out / "model_card.json", {"name": "Toy", "licence": "Toy licence"})


def _report(out: Path) -> None:
    measures = {"pii_leaks": Measure(0.25, 0.1, 0.4, 40, "share"), "empty": Measure(0, 0, 1, 0, "share")}
    Report.write(out, "redteam", measures, notes=["an upper bound"])


def _release(out: Path) -> None:
    gate = {"report": "redteam", "metric": "pii_leaks", "bound": "high", "at_least": None, "at_most": 0.5, "n": 40}
    green = {**gate, "value": 0.25, "low": 0.1, "high": 0.4, "green": True, "reason": ""}
    red = {
        **gate,
        "metric": "missing",
        "value": None,
        "low": None,
        "high": None,
        "green": False,
        "reason": "no measure",
    }
    write_json(
        out / "release.json",
        {
            "name": "quickstart",
            "note": "first",
            "settings": {"top": 3, "max_tokens": 96},
            "model": {"digest": "sha256:0", "form": "safetensors", "card": {"name": "Toy", "licence": "Toy licence"}},
            "knowledge": {"digest": "sha256:0", "meta": {}},
            "policy": {"digest": "sha256:0"},
            "reports": [{"name": "redteam", "digest": "sha256:0", "summary": json.loads("{}")}],
            "gate_set": "release",
            "gates": [green, red],
        },
    )
