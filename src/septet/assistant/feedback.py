"""What people say of answers they were given: liked or not, said better, or the better of two.

Only who asked may say so, known by the name of his key (or as whoever works on the machine itself). With his consent the ledger
keeps what he said, the passages that the answer stood on and all their access classes; without it, only that an answer of the
release was rated so: a count, with neither person nor answer. `assistant.liked` makes rows to train on of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from septet.core import AccessDenied, ConfigError
from septet.core.workspace import Workspace
from septet.detect.access import ALL, Access, Reader, is_cleared
from septet.kinds import Release
from septet.knowledge.revisions import chunks_at
from septet.trust.guard import Guard

ENTRY = "feedback"
RATINGS = ("up", "down")
MAX_EDIT = 20_000
"""Characters of a better answer at most."""


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of an answer: a `rating` of RATINGS, an `edit` (the answer as it should be), or that it is `better_than`
    another. `consent`: whether it may be kept and trained on."""

    answer: str
    rating: str = ""
    edit: str = ""
    better_than: str = ""
    consent: bool = False


def may_rate(reader: Reader) -> bool:
    """Whether it can be told which answers are a reader's: by his name, or where he may see all."""
    return bool(reader.name) or reader.clearance == ALL


def keep(workspace: Workspace, guard: Guard, access: Access, reader: Reader, name: str, given: Feedback) -> bool:
    """Enter what a reader says in the ledger; whether it was kept, not only counted. `name`: under which he asked.

    Raises AccessDenied for an answer that is not his, in the words for one that does not exist, and ConfigError for what cannot be
    kept: more or less than one thing said, an edit that says nothing new or that the guard refuses, two answers to two questions.
    """
    body = _own(workspace, access, reader, name, given.answer)
    said = [what for what in (given.rating, given.edit.strip(), given.better_than) if what]
    if len(said) != 1 or (given.rating and given.rating not in RATINGS):
        raise ConfigError("say one thing of an answer", "Give a rating (up, down), an edit, or better_than")
    entry: dict[str, Any] = {"verdict": given.rating or ("edit" if given.edit else "choice")}
    contexts, classes = list(body["contexts"]), set(classes_of(workspace, body))
    if given.better_than:
        other = _own(workspace, access, reader, name, given.better_than)
        if given.better_than == given.answer or other["question"] != body["question"]:
            raise ConfigError("two answers to the same question can be compared", "Ask the same question again")
        contexts += [one for one in other["contexts"] if one not in contexts]
        classes |= set(classes_of(workspace, other))
        entry["over"] = given.better_than
    if not given.consent:
        workspace.ledger.append(ENTRY, str(body["release"]), {"verdict": entry["verdict"], "consent": False})
        return False
    if given.edit:
        entry["text"] = _edited(guard, given.edit.strip(), str(body["text"]))
    workspace.ledger.append(
        ENTRY,
        given.answer,
        {
            **entry,
            "consent": True,
            "user": name,
            "release": body["release"],
            "contexts": contexts,
            "access": sorted(classes),
        },
    )
    return True


def classes_of(workspace: Workspace, body: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes of all that an answer may say: of every passage in its prompt and of what its model learned from.

    Raises ConfigError where a passage is gone, so that its class cannot be told.
    """
    release = workspace.store.get(str(body["release"]))
    learned = Release(workspace.store.folder(release)).content["model"].get("learned", ())
    knowledge = workspace.store.get(str(release.inputs["knowledge"]))
    chunks = chunks_at(workspace, knowledge, body["contexts"], int(body.get("revision", 0)))
    if set(body["contexts"]) - chunks.keys():
        raise ConfigError("a passage that the answer stood on is gone", "Ask again, and rate that answer")
    return tuple(sorted({*learned, *(str(chunk["access"]) for chunk in chunks.values())}))


def _own(workspace: Workspace, access: Access, reader: Reader, name: str, answer: str) -> dict[str, Any]:
    """What the ledger holds of an answer that was given to this reader."""
    entry = workspace.ledger.latest("answer", answer)
    body = workspace.ledger.body(entry) if entry is not None else None
    mine = body is not None and may_rate(reader) and body["user"] == name
    if body is None or not mine or not is_cleared(access, reader.clearance, classes_of(workspace, body)):
        raise AccessDenied("no answer with this id was given to you", "Rate an answer with the key that asked for it")
    return body


def _edited(guard: Guard, edit: str, text: str) -> str:
    if len(edit) > MAX_EDIT:
        raise ConfigError(f"the edit is longer than {MAX_EDIT:,} characters", "Shorten it")
    if edit == text.strip():
        raise ConfigError("the edit says what the answer says", "Rate it up instead")
    verdict = guard.prompt(edit)
    if not verdict.allowed:
        raise ConfigError("the guard does not let this text in", "Word it otherwise")
    return verdict.masked_text
