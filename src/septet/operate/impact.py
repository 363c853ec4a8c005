"""From a source, a document, a data set, an artifact or a person's value forward to all that holds it or was made of it.

Records are walked from sources on. Where rows can be followed they are: rows of corpora by id, parent, source and data set; chunks
by their document; rows of tokens by the documents packed into them; items and training rows by the chunks they stand on. What has
no row of the subject is not hit, though its step read some. Where a step keeps no track of rows (a model, a release, a step of a
plugin that gives new ids) its result *descends*, which is the most that can be said.

For a value every artifact's text is read, whoever made it, and the ledger and the runs' events too: what is left out, set aside or
answered is still held. A value is never written anywhere; encrypted vaults and object storage are named as not looked into.
That a document was compared with others, and so decided what they became, leaves no trace and is not followed.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.operate.holdings import Found, look
from septet.operate.indexes import look_into, places
from septet.operate.logs import entries_of, events_of
from septet.operate.subject import Subject


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact that holds the subject or was made of it.

    `how`: `holds` (the subject is in it), `rows` (rows made of it, in which a value no longer stands) or `descends`.
    `rows`: rows, chunks, items or rows of tokens; `left_out`: those kept beside as left out; `files`: other files with lines
    that hold a value. `since`: when it was made. `through`: the inputs by which it was reached.
    """

    name: str
    fingerprint: str
    kind: str
    step: str
    how: str
    rows: int
    left_out: int
    files: dict[str, int]
    since: str
    through: list[str]


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """`logs`: entries of the ledger by kind, and of the runs' events, that hold a value or cite a passage that was hit, with the
    time of the first. `indexes`: rows of what is searched, by the knowledge base that it was made of or lives on from. `vaults`:
    encrypted, not looked into. `not_here`: sealed, and only in object storage. `untold`: artifacts with an input that is gone
    from the store, so that nothing can be said of them."""

    sort: str
    label: str
    hits: list[Hit]
    answers: list[str]
    logs: dict[str, int]
    logs_since: str
    vaults: list[str]
    indexes: dict[str, int]
    not_here: list[str]
    untold: list[str]


def impact(workspace: Workspace, subject: Subject) -> Impact:
    """Everything that a subject reached, sources first."""
    names: dict[str, list[str]] = {}
    for name, body in sorted(workspace.names().items()):
        names.setdefault(str(body["fingerprint"]), []).append(name)
    hits: list[Hit] = []
    vaults: list[str] = []
    untold: list[str] = []
    found = reach(workspace, subject)
    records = ordered(workspace)
    here = {record.fingerprint for record in records}
    for record in records:
        label = ", ".join(names.get(record.fingerprint, ())) or record.fingerprint
        one = found.get(record.fingerprint)
        if record.kind == "Vault" and subject.sort == "value":
            vaults.append(label)
        if one is None:
            if any(parent not in here for parent in record.parents()):
                untold.append(label)
            continue
        hits.append(
            Hit(
                name=label,
                fingerprint=record.fingerprint,
                kind=record.kind,
                step=record.step,
                how=one.how,
                rows=one.rows,
                left_out=one.left_out,
                files=one.files,
                since=str(record.made.get("time", "")),
                through=[one for one in record.parents() if one in found and found[one].leads_on],
            )
        )
    indexes: Counter[str] = Counter()
    chunks = {chunk for one in found.values() for chunk in one.chunks}
    for record, folder in places(workspace):
        held = look_into(folder, subject, found.values())
        indexes[record.fingerprint] += held.rows
        chunks |= held.chunks
    entries = entries_of(workspace, subject, chunks)
    logs = Counter(entry.kind for entry in entries)
    logs["events of runs"] = sum(events_of(workspace, subject).values())
    return Impact(
        sort=subject.sort,
        label=subject.label,
        hits=hits,
        answers=[entry.subject for entry in entries if entry.kind == "answer"],
        logs={kind: count for kind, count in sorted(logs.items()) if count},
        logs_since=entries[0].time if entries else "",
        vaults=vaults,
        indexes={mark: count for mark, count in indexes.items() if count},
        not_here=not_here(workspace),
        untold=untold,
    )


def reach(workspace: Workspace, subject: Subject) -> dict[str, Found]:
    """What each artifact that the subject reached holds of it, by fingerprint, sources first."""
    found: dict[str, Found] = {}
    for record in ordered(workspace):
        parents = [found[one] for one in record.parents() if one in found and found[one].leads_on]
        one = look(record, workspace.store.folder(record), subject, parents)
        if one is not None:
            found[record.fingerprint] = one
    return found


def ordered(workspace: Workspace) -> list[Record]:
    """All records here, each behind its inputs."""
    every = {record.fingerprint: record for record in workspace.store.records()}
    done: dict[str, Record] = {}
    for record in every.values():
        waiting = [record]
        while waiting:
            one = waiting[-1]
            open_ = [every[p] for p in one.parents() if p in every and p not in done and p != one.fingerprint]
            if open_ and one.fingerprint not in done:
                waiting += open_
                continue
            done.setdefault(one.fingerprint, one)
            waiting.pop()
    return list(done.values())


def not_here(workspace: Workspace) -> list[str]:
    """Artifacts that were sealed and are in object storage alone."""
    here = {fingerprint for _, fingerprint, _ in workspace.store.folders()}
    sealed: dict[str, None] = {}
    for entry in workspace.ledger.entries():
        if entry.kind == "sealed":
            sealed[entry.subject] = None
        elif entry.kind == "removed":
            sealed.pop(entry.subject, None)
    return [fingerprint for fingerprint in sealed if fingerprint not in here]
