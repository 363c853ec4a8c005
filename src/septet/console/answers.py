"""Answers: what was asked and said, with which passages and which decisions of the guard, down to the files."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from septet.console.view import View
from septet.core.errors import SeptetError
from septet.core.workspace import Workspace
from septet.knowledge.revisions import chunks_at
from septet.operate.trace import Link, trace_answer

_PAGE = 50


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that an answer stood on. `number` is 0 for one that was read and not cited."""

    number: int
    chunk: str
    title: str
    source: str
    start: int
    end: int
    page: int
    text: str
    quote: str

    def parts(self) -> tuple[str, str, str]:
        """The text before the quote, the quote as it stands in it, and the text after."""
        at = self.text.find(self.quote) if self.quote else -1
        if at < 0:
            return self.text, "", ""
        end = at + len(self.quote)
        return self.text[:at], self.text[at:end], self.text[end:]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in the form in which the pages show it, whether it was just given or comes from the ledger."""

    id: str
    text: str
    question: str
    language: str
    finish: str
    guard: dict[str, Any]
    supported: bool
    abstained: bool
    release: str
    name: str
    seconds: float
    passages: tuple[Passage, ...]

    @property
    def numbers(self) -> set[int]:
        return {one.number for one in self.passages if one.number}


def newest(workspace: Workspace, most: int, before: int = 0) -> list[dict[str, Any]]:
    """Answers in short, newest first; those erased are named as such."""
    entries = workspace.ledger.entries("answer")
    if before:
        entries = [entry for entry in entries if entry.seq < before]
    found = []
    for entry in entries[: -most - 1 : -1]:
        found.append({"seq": entry.seq, "id": entry.subject, "time": entry.time, "body": workspace.ledger.body(entry)})
    return found


def routes(workspace: Workspace, view: View) -> list[Route]:
    """The list of answers, and one answer with its chain."""

    def listed(request: Request) -> Response:
        wanted = request.query_params.get("id", "").strip()
        if wanted and workspace.ledger.latest("answer", wanted) is not None:
            return RedirectResponse(f"/answers/{wanted}", 303)
        given = request.query_params.get("before", "")
        answers = newest(workspace, _PAGE + 1, int(given) if given.isdigit() else 0)
        values = {"answers": answers[:_PAGE], "more": len(answers) > _PAGE, "wanted": wanted}
        return view.page(request, "answers.html", values, 404 if wanted else 200)

    def page(request: Request) -> Response:
        name = request.path_params["answer"]
        entry = workspace.ledger.latest("answer", name)
        if entry is None:
            raise HTTPException(404)
        body = workspace.ledger.body(entry)
        chain: list[Link] = []
        problem = ""
        answer = None
        if body is not None:
            try:
                answer = from_ledger(workspace, name, body)
                chain = trace_answer(workspace, name)
            except SeptetError as error:
                problem = str(error)
        values = {
            "name": name,
            "entry": entry,
            "body": body,
            "answer": answer,
            "chain": chain,
            "problem": problem,
            "folders": {record.digest: record.fingerprint for record in workspace.store.records()} if chain else {},
        }
        return view.page(request, "answer.html", values)

    return [Route("/answers", listed), Route("/answers/{answer}", page)]


def from_ledger(workspace: Workspace, name: str, body: dict[str, Any]) -> Shown:
    """An answer of the ledger with its passages from the knowledge base of its release.

    Raises StoreError where that is gone.
    """
    release = workspace.store.get(str(body["release"]))
    knowledge = workspace.store.get(str(release.inputs["knowledge"]))
    chunks = chunks_at(workspace, knowledge, body["contexts"], int(body.get("revision", 0)))
    quotes = {one["chunk"]: one for one in body["citations"]}
    passages = [
        Passage(
            number=int(quotes[one]["number"]) if one in quotes else 0,
            chunk=one,
            title=chunks[one]["title"],
            source=chunks[one]["source"],
            start=chunks[one]["start"],
            end=chunks[one]["end"],
            page=chunks[one]["page"],
            text=chunks[one]["text"],
            quote=str(quotes[one]["quote"]) if one in quotes else "",
        )
        for one in body["contexts"]
        if one in chunks
    ]
    return Shown(
        id=name,
        text=str(body["text"]),
        question=str(body["question"]),
        language=str(body.get("language", "")),
        finish=str(body["finish"]),
        guard=body["guard"],
        supported=bool(body["supported"]),
        abstained=bool(body["abstained"]),
        release=str(body["release"]),
        name=str(body["name"]),
        seconds=float(body["seconds"]),
        passages=tuple(sorted(passages, key=lambda one: (one.number == 0, one.number))),
    )
