"""A document, a source, a data set or a person's value taken out of everything that this workspace holds, with a certificate.

Artifacts keep their fingerprints and are sealed again with what is left (`septet.operate.redact`); the ledger says of each what
its digest was and is. Indexes are written anew, so that no older state of them is left. Entries that hold the subject lose what
they said: the chain keeps that they were made. Models cannot forget: those that were taught by rows of the subject are named
with what it takes to train them again, and with `retrain` they and all that was made of them are taken out, so that the next run
makes them anew. What was made of others goes first, so that after a kill the way to it is still there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import StoreError
from septet.core.config import has_scheme
from septet.core.lineage import collect
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.files import read_json, write_json
from septet.kinds import Corpus, KnowledgeBase
from septet.operate.holdings import Found
from septet.operate.impact import impact, not_here, ordered, reach
from septet.operate.indexes import look_into, places, redact_index
from septet.operate.logs import STRUCTURE, entries_of, events_of
from septet.operate.redact import LEARNED, redact
from septet.operate.subject import Subject, blot

ENTRY = "erasure"


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact that was sealed again without the subject: its digest before and after, and how much left."""

    name: str
    fingerprint: str
    kind: str
    step: str
    was: str
    now: str
    count: int


class Taught(msgspec.Struct, frozen=True, kw_only=True):
    """A model, or another artifact that learned from rows of the subject: what making it anew took last time."""

    name: str
    fingerprint: str
    kind: str
    step: str
    seconds: float
    removed: bool


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did. It names the subject by kind and length alone, where that is a value.

    `indexes`: rows of indexes that were taken out or covered, by the knowledge base. `answers`: their entries say nothing any more;
    `logs`: how many entries and lines of events that are. `models`: in the order in which to make them again. `kept`: what still
    holds the subject and why. `sources`: how many raw files, outside of the workspace, hold it: they are their owner's to remove.
    """

    sort: str
    label: str
    reason: str
    artifacts: list[Erased]
    indexes: dict[str, int]
    answers: list[str]
    logs: int
    models: list[Taught]
    removed: list[str]
    kept: list[str]
    sources: list[str]


def erase(workspace: Workspace, subject: Subject, reason: str = "", retrain: bool = False) -> Certificate:
    """Take a subject out of corpora, rows, tokens, reports, indexes, caches and logs, and enter the certificate in the ledger.

    Done twice, or again after a kill, it takes out what is left. Raises StoreError where an artifact is only in object storage and
    cannot be brought here.
    """
    workspace.store.sweep_replaced()
    _bring(workspace)
    names = {str(body["fingerprint"]): name for name, body in sorted(workspace.names().items())}
    found = reach(workspace, subject)
    records = {record.fingerprint: record for record in ordered(workspace)}
    indexes: dict[str, int] = {}
    chunks = {chunk for one in found.values() for chunk in one.chunks}
    texts = [text for one in found.values() for text in one.texts]
    for record, folder in places(workspace):
        held = look_into(folder, subject, found.values())
        chunks |= held.chunks
        texts += held.texts
        if held.rows:
            redact_index(folder, KnowledgeBase(workspace.store.folder(record)), subject, held)
            indexes[record.fingerprint] = indexes.get(record.fingerprint, 0) + held.rows
    # What an index held of it may be cited by items and reports too.
    for one in found.values():
        one.chunks |= chunks
        one.texts = texts
    entries = entries_of(workspace, subject, chunks)
    said = [one for one in entries if one.kind not in STRUCTURE]
    workspace.ledger.erase(said, {"reason": reason or "erased on request"})
    events = events_of(workspace, subject)
    for path in events:
        _cover_events(path, subject)
    if subject.sort == "value":
        for path in sorted(workspace.root.glob("knowledge/*/*.json")):  # names of sources that updates have seen
            _cover(path, subject)
    kept = _sweep(workspace)
    taught = [records[mark] for mark in found if records[mark].kind in LEARNED]
    removed = _removed(workspace, taught, list(records.values())) if retrain else []
    sources = _sources(workspace, subject, found, records)
    erased = [
        done
        for mark in reversed(found)
        if records[mark] not in removed
        and (done := _sealed_again(workspace, records[mark], names.get(mark, mark), subject, found[mark])) is not None
    ]
    certificate = Certificate(
        sort=subject.sort,
        label=subject.label,
        reason=reason,
        artifacts=erased[::-1],
        indexes=indexes,
        answers=sorted({one.subject for one in entries if one.kind == "answer"}),
        logs=len(said) + sum(events.values()),
        models=[_taught(record, names, removed) for record in taught],
        removed=[record.fingerprint for record in removed],
        kept=[*kept, *_kept(workspace, subject)],
        sources=sources,
    )
    workspace.ledger.append(ENTRY, subject.label, msgspec.to_builtins(certificate))
    return certificate


def _bring(workspace: Workspace) -> None:
    """What lies in object storage alone is brought here: it must be looked into as well."""
    for mark in not_here(workspace):
        try:
            workspace.store.get(mark)
        except StoreError as error:
            raise StoreError(
                f"{mark} is in the ledger and cannot be looked into: {error.message}", error.remedy
            ) from None


def _sealed_again(workspace: Workspace, record: Record, name: str, subject: Subject, found: Found) -> Erased | None:
    if record.kind in LEARNED:
        return None
    store = workspace.store
    with store.draft() as draft:
        count = redact(record.kind, store.folder(record), draft, subject, found)
        said = _record_covered(record, subject)
        if not count and said == record:
            return None

        def enter(new: Record, mark: str) -> None:
            body = {"step": new.step, "kind": new.kind, "digest": new.digest, "record": mark}
            redacted = {"was": record.digest, "now": new.digest, "count": count}
            workspace.ledger.append_all([("redacted", new.fingerprint, redacted), ("sealed", new.fingerprint, body)])

        new = store.replace(said, draft, f"something was erased from it: {count} rows or lines", enter)
    return Erased(
        name=name,
        fingerprint=record.fingerprint,
        kind=record.kind,
        step=record.step,
        was=record.digest,
        now=new.digest,
        count=count,
    )


def _record_covered(record: Record, subject: Subject) -> Record:
    """The record without a value that stands in its config, as a file's name may. Its fingerprint is that of before."""
    if subject.sort != "value":
        return record
    said = {name: _covered(getattr(record, name), subject) for name in ("config", "outside", "drops", "notes")}
    return msgspec.structs.replace(record, **said)


def _removed(workspace: Workspace, taught: Sequence[Record], records: Sequence[Record]) -> list[Record]:
    """Take out what learned from the subject, and everything that was made of that: the next run makes it anew."""
    gone = {record.fingerprint for record in taught}
    for record in records:  # each stands behind its inputs
        if not gone.isdisjoint(record.parents()):
            gone.add(record.fingerprint)
    found = [record for record in records if record.fingerprint in gone]
    collect(workspace, found)
    return found


def _taught(record: Record, names: dict[str, str], removed: Sequence[Record]) -> Taught:
    return Taught(
        name=names.get(record.fingerprint, record.fingerprint),
        fingerprint=record.fingerprint,
        kind=record.kind,
        step=record.step,
        seconds=float(record.made.get("seconds", 0.0)),
        removed=record in removed,
    )


def _cover(path: Path, subject: Subject) -> None:
    held = read_json(path)
    covered = _covered(held, subject)
    if covered != held:
        write_json(path, covered)


def _cover_events(path: Path, subject: Subject) -> None:
    lines = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        lines.append(json.dumps(_covered(row, subject), ensure_ascii=False))
    draft = path.with_suffix(".erasing")
    draft.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    draft.replace(path)


def _covered(value: Any, subject: Subject) -> Any:
    if isinstance(value, str):
        return blot(value, subject)
    if isinstance(value, dict):
        return {blot(key, subject): _covered(one, subject) for key, one in value.items()}
    return [_covered(one, subject) for one in value] if isinstance(value, list) else value


def _sweep(workspace: Workspace) -> list[str]:
    """Half-made results may hold it as well: those of steps that are not running now are taken out, and made anew."""
    running = []
    for folder in sorted((workspace.root / "scratch").iterdir()):
        try:
            with workspace.lock(folder.name, _is_running):
                shutil.rmtree(folder, ignore_errors=True)
        except _Running:
            running.append(f"scratch {folder.name}: a step runs there now; erase again when it has ended")
    return running


class _Running(Exception):
    """Somebody holds the lock."""


def _is_running() -> None:
    raise _Running


def _kept(workspace: Workspace, subject: Subject) -> list[str]:
    """What still holds the subject, looked for again after all is done."""
    left = impact(workspace, subject)
    kept = [f"{one.kind} {one.name}: learned from it" for one in left.hits if one.kind in LEARNED]
    kept += [
        f"{one.kind} {one.name}: {one.rows + one.left_out} rows"
        for one in left.hits
        if one.how == "holds" and one.kind not in LEARNED
    ]
    kept += [f"vault {name}: encrypted, open it with its key" for name in left.vaults]
    kept += [f"ledger: {count} entries of kind {kind}" for kind, count in left.logs.items() if kind in STRUCTURE]
    return kept


def _sources(workspace: Workspace, subject: Subject, found: dict[str, Found], records: dict[str, Record]) -> list[str]:
    """Files outside of the store from which what was hit was read."""
    paths: dict[str, None] = {}
    for mark, one in found.items():
        record = records[mark]
        if not record.outside or one.documents is None:
            continue
        names: set[str] = set()
        for part in Corpus(workspace.store.folder(record)).parts:
            rows = pq.read_table(part, columns=["id", "source"])
            names.update(rows.filter(pc.is_in(rows["id"], value_set=one.documents))["source"].to_pylist())
        for root in (Path(given) for given in record.outside.get("paths", ())):
            for name in sorted(names):
                path = root / name if root.is_dir() else root
                if path.exists() or has_scheme(name):
                    paths[blot(str(path), subject) if subject.sort == "value" else str(path)] = None
    return list(paths)
