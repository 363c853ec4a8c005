"""Which artifact stands on which: the graph of records, backwards and forwards, and its verification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from septet.core.artifact import RECORD
from septet.core.errors import StoreError
from septet.core.ledger import Problem
from septet.core.store import Record, Store
from septet.core.workspace import Workspace


def ancestors(workspace: Workspace, record: Record) -> list[Record]:
    """The record and all that it was made from and that is still there, nearest first, each once."""
    found: dict[str, Record] = {}
    waiting = [record]
    while waiting:
        one = waiting.pop(0)
        if one.fingerprint in found:
            continue
        found[one.fingerprint] = one
        for parent in one.parents():
            try:
                waiting.append(workspace.store.get(parent))
            except StoreError:  # taken out, by an erasure or by hand: `trace` and `verify` say so
                continue
    return list(found.values())


def beside(folder: Path) -> tuple[list[tuple[Record, Path]], list[str]]:
    """The records that an artifact's own folder leads to, its own first and nearest first, each with its folder; and the
    fingerprints of those that are not in the same store.

    For a step that has to say where its input comes from: it is handed folders, and an artifact's record and those of its
    sources lie beside it. What they hold is fixed by the artifact's fingerprint, but for `made` and `observed`. A folder
    without a record, as in a test, leads to nothing.
    """
    if not (folder / RECORD).exists():
        return [], []
    store = Store(folder.parent.parent)
    found: dict[str, tuple[Record, Path]] = {}
    missing: dict[str, None] = {}
    own = store.find(folder.parent.name, folder.name)
    waiting = [own] if own is not None else []
    while waiting:
        one = waiting.pop(0)
        if one.fingerprint in found:
            continue
        found[one.fingerprint] = (one, store.folder(one))
        for parent in one.parents():
            try:
                waiting.append(store.get(parent))
            except StoreError:
                missing[parent] = None
    return list(found.values()), list(missing)


def roots(workspace: Workspace) -> Iterator[Record]:
    """What must be kept: the artifacts that names stand for now, every release, and what revisions were read from."""
    for body in workspace.names().values():
        record = workspace.store.find(str(body["step"]), str(body["fingerprint"]))
        if record is not None:
            yield record
    for kind in ("release", "revision"):
        for _, body in workspace.ledger.bodies(workspace.ledger.entries(kind)):
            mark = str(body["fingerprint"])
            record = workspace.store.find(str(body["step"]), mark) if mark else None
            if record is not None:
                yield record


def unreachable(workspace: Workspace) -> list[Record]:
    """Artifacts that no release and no name leads to."""
    kept: set[str] = set()
    for root in roots(workspace):
        if root.fingerprint not in kept:
            kept |= {record.fingerprint for record in ancestors(workspace, root)}
    return [record for record in workspace.store.records() if record.fingerprint not in kept]


def collect(workspace: Workspace, records: Iterable[Record]) -> int:
    """Remove artifacts, each with an entry in the ledger, and return the bytes freed."""
    freed = 0
    for record in records:
        workspace.ledger.append("removed", record.fingerprint, {"step": record.step, "digest": record.digest})
        workspace.store.remove(record)
        freed += record.bytes
    return freed


def verify(workspace: Workspace, records: Iterable[Record] | None = None) -> list[Problem]:
    """Re-hash the ledger and artifacts (all of them, or the given ones). An empty list means that all is as it was sealed."""
    problems = workspace.ledger.verify()
    sealed: dict[str, dict[str, str]] = {}
    for entry, said in workspace.ledger.bodies(workspace.ledger.entries()):
        if entry.kind == "sealed":
            sealed[entry.subject] = said
        elif entry.kind == "removed":
            sealed.pop(entry.subject, None)
    if records is not None:
        chosen = [(record.step, record.fingerprint) for record in records]
    else:
        chosen = [(step, fingerprint) for step, fingerprint, _ in workspace.store.folders()]
        here = {fingerprint for _, fingerprint in chosen}
        for fingerprint, facts in sealed.items():
            if fingerprint not in here and workspace.store.find(facts["step"], fingerprint) is None:
                problems.append(Problem(f"{facts['step']} {fingerprint}", "is in the ledger and gone from the store"))
    for step, fingerprint in chosen:
        problems += workspace.store.verify(step, fingerprint, sealed.get(fingerprint))
    return problems


def is_as_tested(workspace: Workspace, record: Record, digest: str, tested: str) -> bool:
    """Whether an artifact with files of this digest is the one that was tested, but for what was erased from it since."""
    was = tested
    for _, body in workspace.ledger.bodies(workspace.ledger.entries("redacted", record.fingerprint)):
        was = body["now"] if body["was"] == was else was
    return digest == was


def table_of(workspace: Workspace, record: Record) -> str:
    """The name that stands for an artifact, if any: what people call it."""
    for name, body in workspace.names().items():
        if body["fingerprint"] == record.fingerprint:
            return name
    return ""
