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

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.kinds import read_lines
from septet.operate.holdings import Found, look
from septet.operate.subject import Subject, pattern_of


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
    time of the first. `vaults`: encrypted, not looked into. `not_here`: sealed, and only in object storage. `untold`:
    artifacts with an input that is gone from the store, so that nothing can be said of them."""

    sort: str
    label: str
    hits: list[Hit]
    answers: list[str]
    logs: dict[str, int]
    logs_since: str
    vaults: list[str]
    not_here: list[str]
    untold: list[str]


def impact(workspace: Workspace, subject: Subject) -> Impact:
    """Everything that a subject reached, sources first."""
    names: dict[str, list[str]] = {}
    for name, body in sorted(workspace.names().items()):
        names.setdefault(str(body["fingerprint"]), []).append(name)
    found: dict[str, Found] = {}
    hits: list[Hit] = []
    vaults: list[str] = []
    untold: list[str] = []
    records = _ordered(workspace)
    here = {record.fingerprint for record in records}
    for record in records:
        through = [one for one in record.parents() if one in found and found[one].leads_on]
        parents = [found[one] for one in through]
        label = ", ".join(names.get(record.fingerprint, ())) or record.fingerprint
        one = look(record, workspace.store.folder(record), subject, parents)
        if record.kind == "Vault" and subject.sort == "value":
            vaults.append(label)
        if one is None:
            if any(parent not in here for parent in record.parents()):
                untold.append(label)
            continue
        found[record.fingerprint] = one
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
                through=through,
            )
        )
    chunks = {chunk for one in found.values() for chunk in one.chunks}
    answers, logs, since = _logs(workspace, subject, chunks)
    return Impact(
        sort=subject.sort,
        label=subject.label,
        hits=hits,
        answers=answers,
        logs=logs,
        logs_since=since,
        vaults=vaults,
        not_here=_not_here(workspace, here),
        untold=untold,
    )


def _ordered(workspace: Workspace) -> list[Record]:
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


def _logs(workspace: Workspace, subject: Subject, chunks: set[str]) -> tuple[list[str], dict[str, int], str]:
    """Answers that stand on a passage that was hit, and everything logged that holds a value."""
    pattern = re.compile(pattern_of(subject.value)) if subject.sort == "value" else None
    answers: list[str] = []
    counted: Counter[str] = Counter()
    since = ""
    for entry, body in workspace.ledger.bodies(workspace.ledger.entries()):
        cites = entry.kind == "answer" and not chunks.isdisjoint(body.get("contexts", ()))
        says = pattern is not None and any(pattern.search(text) for text in _texts([body, entry.subject]))
        if cites or says:
            counted[entry.kind] += 1
            since = since or entry.time
            if entry.kind == "answer":
                answers.append(entry.subject)
    if pattern is not None:
        for file in sorted(workspace.runs.glob("*.jsonl")):
            counted["events of runs"] += sum(1 for row in read_lines(file) if any(map(pattern.search, _texts(row))))
    return answers, {kind: count for kind, count in sorted(counted.items()) if count}, since


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _texts(one)


def _not_here(workspace: Workspace, here: set[str]) -> list[str]:
    sealed: dict[str, None] = {}
    for entry in workspace.ledger.entries():
        if entry.kind == "sealed":
            sealed[entry.subject] = None
        elif entry.kind == "removed":
            sealed.pop(entry.subject, None)
    return [fingerprint for fingerprint in sealed if fingerprint not in here]
