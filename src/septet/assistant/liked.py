"""Rows to train on, of what people said of answers: an artifact `Preferences` with the way back to answer, release and passages.

A row's prompt is the one that the model saw: the question with its passages. An edit is chosen over the answer that it mends, the
better of two over the other. Thumbs up and down on the same prompt make pairs; what is left of them makes unpaired rows. Each row
bears every access class of what it stands on. What could not be used is counted by its reason.
"""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from septet.assistant.feedback import ENTRY
from septet.core import ConfigError
from septet.core.fingerprint import canonical, fingerprint
from septet.core.ledger import Entry
from septet.core.runner import made_now
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.kinds import Preferences, Release
from septet.knowledge.revisions import chunks_at
from septet.knowledge.search import context_of
from septet.model.template import grounded_messages

STEP = "feedback"
_NUMBER = re.compile(r"\s*\[\d+\]")


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """Rows, what they came from, and what was left out. `counted`: feedback without consent, by verdict."""

    rows: list[dict[str, Any]]
    releases: list[str]
    knowledge: list[str]
    left_out: dict[str, int]
    counted: dict[str, int]


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as a row needs it."""

    id: str
    prompt: list[dict[str, Any]]
    text: str
    release: str
    knowledge: str
    language: str


def collect(workspace: Workspace, release: str = "") -> Collected:
    """All that was said with consent, of one release (its name) or of all."""
    left_out: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    used: list[_Said] = []
    thumbs: dict[tuple[str, str], tuple[Entry, dict[str, Any]]] = {}
    said: dict[str, _Said | str] = {}

    def of(answer: str) -> _Said | None:
        found = said.setdefault(answer, _said(workspace, answer, release))
        if isinstance(found, str):
            left_out[found] += 1
            return None
        return found

    for entry, body in workspace.ledger.bodies(workspace.ledger.entries(ENTRY)):
        if not body["consent"]:
            counted[body["verdict"]] += 1
        elif body["verdict"] in ("up", "down"):
            # Who changes his mind is taken at his last word.
            left_out["rated again later"] += (entry.subject, body["user"]) in thumbs
            thumbs[entry.subject, body["user"]] = (entry, body)
        elif (one := of(entry.subject)) is not None:
            other = of(body["over"]) if "over" in body else None
            if "over" in body and other is None:
                continue
            better, worse = (one.text, other.text) if other else (_plain(body["text"]), one.text)
            if better == worse:
                left_out["both say the same"] += 1
                continue
            rows.append(_row([entry], [body], one, better, worse))
            used += [one, *([other] if other else [])]

    by_prompt: dict[bytes, dict[str, list[tuple[Entry, dict[str, Any], _Said]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for entry, body in thumbs.values():
        one = of(entry.subject)
        if one is not None:
            used.append(one)
            by_prompt[canonical(one.prompt)][body["verdict"]].append((entry, body, one))
    for rated in by_prompt.values():
        ups, downs = rated["up"], rated["down"]
        while ups or downs:
            up = ups.pop(0) if ups else None
            down = next((one for one in downs if up is None or one[2].text != up[2].text), None)
            if down is not None:
                downs.remove(down)
            both = [one for one in (up, down) if one is not None]
            rows.append(
                _row(
                    [one[0] for one in both],
                    [one[1] for one in both],
                    both[0][2],
                    up[2].text if up else "",
                    down[2].text if down else "",
                )
            )
    return Collected(
        rows=sorted(rows, key=lambda row: str(row["id"])),
        releases=sorted({one.release for one in used}),
        knowledge=sorted({one.knowledge for one in used}),
        left_out={reason: count for reason, count in sorted(left_out.items()) if count},
        counted=dict(sorted(counted.items())),
    )


def export(workspace: Workspace, name: str, release: str = "") -> tuple[Record, Collected]:
    """Seal what was collected, which recipes link to as `@feedback/NAME`. Raises ConfigError where there is nothing."""
    if not name or "/" in name:
        raise ConfigError(f"'{name}' cannot be a name", "Use letters, digits and dashes")
    found = collect(workspace, release)
    if not found.rows:
        why = ", ".join(f"{count} {reason}" for reason, count in found.left_out.items())
        raise ConfigError(
            f"there is no feedback to train on{f' ({why})' if why else ''}; {sum(found.counted.values())} without consent",
            "Feedback is kept where who gives it consents",
        )
    store = workspace.store
    began = time.monotonic()
    with store.draft() as draft:
        Preferences.write(draft, found.rows)
        files = store.hash_files(draft)
        config = {"content": store.digest(files), "release": release}
        inputs: dict[str, str | list[str]] = {"releases": found.releases, "knowledge": found.knowledge}
        mark = fingerprint(STEP, 1, config, inputs, workspace.settings.digest)
        record = store.find(STEP, mark)
        if record is None:
            record = Record(
                step=STEP,
                version=1,
                fingerprint=mark,
                kind=Preferences.kind(),
                config=config,
                inputs=inputs,
                outside={},
                files=files,
                digest=store.digest(files),
                made=made_now(time.monotonic() - began, 0.0),
                observed={},
                drops=[{"rule": reason, "count": count, "where": "ledger"} for reason, count in found.left_out.items()],
                notes=[f"ratings without consent, only counted: {sum(found.counted.values())}"],
            )
            store.seal(draft, record)
    workspace.enter(record)
    workspace.name(f"{STEP}/{name}", record)
    return record, found


def _said(workspace: Workspace, answer: str, release: str) -> _Said | str:
    """An answer with the prompt that it was given to, or why it cannot be used."""
    entry = workspace.ledger.latest("answer", answer)
    body = workspace.ledger.body(entry) if entry is not None else None
    if body is None:
        return "answer erased"
    if release and body["name"] != release:
        return "of another release"
    if body["finish"] == "content_filter" or body["guard"]["answer"]["action"] == "none":
        return "not the model's words"
    served = workspace.store.get(str(body["release"]))
    knowledge = workspace.store.get(str(served.inputs["knowledge"]))
    chunks = chunks_at(workspace, knowledge, body["contexts"], int(body.get("revision", 0)))
    if set(body["contexts"]) - chunks.keys():
        return "passages gone"
    settings = Release(workspace.store.folder(served)).content["settings"]
    grounded = grounded_messages(
        body["question"],
        [context_of(chunks[one]) for one in body["contexts"]],
        body["language"],
        max_tokens=settings["context_tokens"],
    )
    return _Said(
        id=answer,
        prompt=[dict(message) for message in grounded.messages],
        text=_plain(body["text"]),
        release=served.fingerprint,
        knowledge=knowledge.fingerprint,
        language=body["language"],
    )


def _row(
    entries: Sequence[Entry], bodies: Sequence[dict[str, Any]], one: _Said, chosen: str, rejected: str
) -> dict[str, Any]:
    answers = [entry.subject for entry in entries] + [body["over"] for body in bodies if "over" in body]
    row: dict[str, Any] = {
        "id": f"feedback-{min(entry.seq for entry in entries)}",
        "prompt": one.prompt,
        "language": one.language,
        "evidence": list(dict.fromkeys(chunk for body in bodies for chunk in body["contexts"])),
        "access": sorted({name for body in bodies for name in body["access"]}),
        "answers": answers,
        "release": one.release,
        "verdicts": [body["verdict"] for body in bodies],
        "entries": [entry.digest for entry in entries],
        "consent": all(body["consent"] for body in bodies),
        "origin": "feedback",
    }
    for side, text in (("chosen", chosen), ("rejected", rejected)):
        if text:
            row[side] = [{"role": "assistant", "content": text}]
    return row


def _plain(text: str) -> str:
    """A text without the numbers of its citations, which the assistant sets and the model does not."""
    return _NUMBER.sub("", text).strip()
