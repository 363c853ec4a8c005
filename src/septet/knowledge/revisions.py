"""Where a knowledge base is searched, and how it stood at a revision.

An index lies in the workspace beside the store: `index/<fingerprint>` is that of the artifact, made once and kept;
`knowledge/<fingerprint>/index` goes on living (`septet.knowledge.living`). Revisions stand in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from septet.core import StoreError
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.kinds import KnowledgeBase
from septet.knowledge import build
from septet.knowledge.table import Table, quoted

ENTRY = "revision"
"""The kind of the ledger's entries of revisions; their subject is the fingerprint of the knowledge base that they grew from."""


def folder_of(workspace: Workspace, fingerprint: str) -> Path:
    """Where the living index of a knowledge base lies, once it was updated."""
    return workspace.root / "knowledge" / fingerprint.replace(":", "-") / "index"


def opened(workspace: Workspace, record: Record) -> Path:
    """The living index of a knowledge base, made of the artifact where there is none yet."""
    folder = folder_of(workspace, record.fingerprint)
    if not Table.exists(folder):
        pinned = index_of(workspace, record, follow=False)
        with workspace.lock(f"index-{record.fingerprint}", lambda: None):
            if not Table.exists(folder):
                build.index(KnowledgeBase(workspace.store.folder(record)), pinned).copy(folder)
    return folder


def index_of(workspace: Workspace, record: Record, follow: bool) -> Path:
    """Where a knowledge base is searched: in its living index, if that is wanted and there is one, else in that of the artifact."""
    living = folder_of(workspace, record.fingerprint)
    if follow and Table.exists(living):
        return living
    return workspace.root / "index" / record.fingerprint.replace(":", "-")


def revision_of(workspace: Workspace, fingerprint: str) -> int:
    """The number of the last revision of a knowledge base; 0 is the artifact itself."""
    entry = workspace.ledger.latest(ENTRY, fingerprint)
    body = workspace.ledger.body(entry) if entry is not None else None
    return int(body["revision"]) if body else 0


def chunks_at(workspace: Workspace, record: Record, ids: Sequence[str], revision: int) -> dict[str, dict[str, Any]]:
    """Chunks by id as they stood at a revision of a knowledge base. What was erased since is not among them."""
    folder = folder_of(workspace, record.fingerprint)
    if revision and ids and Table.exists(folder):
        wanted = ", ".join(quoted(one) for one in ids)
        rows = Table(folder).rows(f"id in ({wanted}) and revision <= {revision}", (*build.COLUMNS, "revision"))
        return {row["id"]: row for row in sorted(rows, key=lambda row: int(row["revision"]))}
    chunks = KnowledgeBase(workspace.store.folder(record)).chunks()
    return {chunk["id"]: chunk for chunk in chunks if chunk["id"] in set(ids)}


def read_from(workspace: Workspace, record: Record) -> list[Record]:
    """The corpora from which a knowledge base was cut: its own, and those of its revisions."""
    marks = [*record.parents()]
    for _, body in workspace.ledger.bodies(workspace.ledger.entries(ENTRY, record.fingerprint)):
        marks += [str(body["fingerprint"])] if body["fingerprint"] else []
    found = []
    for mark in dict.fromkeys(marks):
        try:
            found.append(workspace.store.get(mark))
        except StoreError:  # taken out since: `verify` and `trace` say so
            continue
    return found
