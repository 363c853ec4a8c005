"""The way back: from an answer to its release, its model's training rows, and the spans of the files it cites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from septet.core import ConfigError, StoreError
from septet.core.fingerprint import digest_file, short
from septet.core.lineage import ancestors, table_of
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.kinds import Corpus
from septet.knowledge.revisions import ENTRY, chunks_at, read_from


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a trace: how deep it stands, what it is, its digest where it has one, and whether that was checked."""

    depth: int
    what: str
    detail: str
    digest: str = ""
    state: str = ""
    """`same` where a file outside the store still is what was read, `changed`, `gone`, or empty where nothing was checked."""


def answer_body(workspace: Workspace, answer: str) -> dict[str, Any]:
    """What the ledger holds of an answer. Raises ConfigError where there is none, or where it was erased."""
    entry = workspace.ledger.latest("answer", answer)
    if entry is None:
        raise ConfigError(f"there is no answer '{answer}' in the ledger", "List them with: septet ls answers")
    body = workspace.ledger.body(entry)
    if body is None:
        raise ConfigError(f"the answer '{answer}' was erased", "The ledger keeps that it was given, not what it said")
    return body


def trace_answer(workspace: Workspace, answer: str) -> list[Link]:
    """The chain of an answer, down to file and span."""
    body = answer_body(workspace, answer)
    entry = workspace.ledger.latest("answer", answer)
    assert entry is not None
    links = [Link(depth=0, what="answer", detail=f"{answer} at {entry.time}: {body['text']}", digest=entry.digest)]
    links.append(Link(depth=1, what="question", detail=str(body["question"])))
    for side, verdict in sorted(body["guard"].items()):
        reasons = ", ".join(verdict["reasons"]) or "nothing found"
        links.append(Link(depth=1, what=f"guard, {side}", detail=f"{verdict['action']}: {reasons}"))
    release = workspace.store.get(body["release"])
    cited: dict[str, list[int]] = {}
    for one in body["citations"]:
        cited.setdefault(one["chunk"], []).append(one["number"])
    knowledge = workspace.store.get(str(release.inputs["knowledge"]))
    revision = int(body.get("revision", 0))
    chunks = chunks_at(workspace, knowledge, body["contexts"], revision)
    corpus, files = _sources(workspace, knowledge)
    if revision or body.get("as_of"):
        links.append(_state_of(workspace, knowledge, revision, str(body.get("as_of", ""))))
    for context in body["contexts"]:
        chunk = chunks.get(context)
        mark = "cited as " + "".join(f"[{number}]" for number in cited[context]) if context in cited else "retrieved"
        if chunk is None:
            links.append(Link(depth=1, what="chunk", detail=f"{context}, {mark}: no longer in the knowledge base"))
            continue
        days = f" [{chunk['valid_from'] or '…'} to {chunk['valid_to'] or '…'}]" if _is_dated(chunk) else ""
        links.append(Link(depth=1, what="chunk", detail=f"{chunk['id']}, {mark}: {chunk['title']}{days}"))
        page = f", page {chunk['page']}" if chunk["page"] else ""
        span = f"{chunk['source']}{page}, characters {chunk['start']} to {chunk['end']}"
        path = files.get(chunk["source_digest"], {}).get(chunk["source"])
        state = _state(path, chunk["source_digest"])
        links.append(Link(depth=2, what="file", detail=span, digest=chunk["source_digest"], state=state))
        row = corpus.get(chunk["document"])
        if row is not None:
            links.append(
                Link(
                    depth=2, what="source", detail=f"{row['licence']}, {row['origin']}, {', '.join(row['transforms'])}"
                )
            )
    links += trace_record(workspace, release, depth=1)
    return links


def trace_record(workspace: Workspace, record: Record, depth: int = 0) -> list[Link]:
    """The chain of an artifact: every artifact that it was made from, each once, and the outside files at the ends."""
    links: list[Link] = []
    seen: set[str] = set()

    def visit(one: Record, at: int, port: str) -> None:
        label = table_of(workspace, one) or short(one.fingerprint)
        again = one.fingerprint in seen
        detail = f"{one.kind} {label} by {one.step}" + (", see above" if again else f", {one.made.get('time', '')}")
        links.append(Link(depth=at, what=port or one.kind.lower(), detail=detail, digest=one.digest))
        if again:
            return
        seen.add(one.fingerprint)
        links.extend(Link(depth=at + 1, what=what, detail=path, digest=mark) for what, path, mark in _outside(one))
        for name, tied in one.inputs.items():
            for parent in [tied] if isinstance(tied, str) else tied:
                try:
                    visit(workspace.store.get(parent), at + 1, name)
                except StoreError:
                    links.append(
                        Link(depth=at + 1, what=name, detail="taken out of the store", digest=parent, state="gone")
                    )

    visit(record, depth, "")
    return links


def _outside(record: Record) -> Iterator[tuple[str, str, str]]:
    """Field, path and content digest of each thing outside the store that an artifact was made from."""
    for field, paths in sorted(record.outside.items()):
        held = record.config.get(field)
        values = held if isinstance(held, list) else [held]
        contents = [one.get("content", "") for one in values if isinstance(one, dict)]
        for place, path in enumerate(paths):
            pinned = record.config.get("sha256")
            yield field, path, contents[place] if place < len(contents) else f"sha256:{pinned}" if pinned else ""


def _is_dated(chunk: dict[str, Any]) -> bool:
    return bool(chunk.get("valid_from") or chunk.get("valid_to"))


def _state_of(workspace: Workspace, knowledge: Record, revision: int, as_of: str) -> Link:
    """Which state of a knowledge base was searched."""
    day = f", as of {as_of}" if as_of else ""
    for entry, body in workspace.ledger.bodies(workspace.ledger.entries(ENTRY, knowledge.fingerprint)):
        if body["revision"] == revision:
            return Link(
                depth=1,
                what="revision",
                detail=f"{revision} of the knowledge, at {entry.time}{day}",
                digest=body["digest"],
            )
    return Link(depth=1, what="revision", detail=f"{revision or 'as it was tested'}{day}", digest=knowledge.digest)


def _sources(workspace: Workspace, knowledge: Record) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Path]]]:
    """Documents of the corpus by id, and where the files lay: digest to name to path."""
    rows: dict[str, dict[str, Any]] = {}
    files: dict[str, dict[str, Path]] = {}
    every = {one.fingerprint: one for root in read_from(workspace, knowledge) for one in ancestors(workspace, root)}
    for record in every.values():
        if record.kind != "Corpus":
            continue
        for row in Corpus(workspace.store.folder(record)).rows():
            rows.setdefault(row["id"], row)
            if record.step == "data.read":
                place = next(_places(record, row["source"]), None)
                if place is not None:
                    files.setdefault(row["source_digest"], {})[row["source"]] = place
    return rows, files


def _places(record: Record, source: str) -> Iterator[Path]:
    for given in record.outside.get("paths", []):
        root = Path(given)
        place = root / source if root.is_dir() else root
        if place.exists():
            yield place


def _state(path: Path | None, digest: str) -> str:
    if path is None or not path.is_file():
        return "gone"
    return "same" if digest_file(path, digest.partition(":")[0]) == digest else "changed"
