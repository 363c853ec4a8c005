"""The chat page: a form that works without script, and the same form answered word by word with it.

Each question stands alone here: a page that a second reader opens must show all that an answer depended on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from septet.assistant import Answer, Assistant, Options, Piece
from septet.assistant.feedback import MAX_EDIT, Feedback, may_rate
from septet.console.answers import Passage, Shown
from septet.console.clearance import border_reader, reader_of
from septet.console.releases import all_releases
from septet.console.view import View
from septet.core.errors import ConfigError, SeptetError
from septet.core.workspace import Workspace
from septet.detect.access import Reader

MAX_QUESTION = 8_000
"""Characters of a question at most; a prompt holds far fewer."""
_MAX_FORM = 64_000


class Desk(Protocol):
    """What answers: one assistant in front of which callers wait in line."""

    @property
    def assistant(self) -> Assistant | None: ...

    def stream(
        self, messages: Sequence[dict[str, str]], options: Options, reader: Reader
    ) -> AsyncGenerator[Piece | Answer, None]: ...

    async def rate(self, reader: Reader, name: str, given: Feedback) -> bool: ...


def routes(workspace: Workspace, view: View, desk: Desk) -> list[Route]:
    """The page, its form, and the stream that the script reads: one JSON object a line."""

    def page(request: Request) -> Response:
        return view.page(request, "chat.html", _values(workspace, desk))

    async def post(request: Request) -> Response:
        question, wrong = await _question(request)
        values: dict[str, Any] = {**_values(workspace, desk), "question": question}
        if wrong:
            return view.page(request, "chat.html", {**values, "problem": view.say(request, wrong)}, 400)
        try:
            async with aclosing(desk.stream(*_asked(question), reader_of(request))) as items:
                answers = [item async for item in items if isinstance(item, Answer)]
        except SeptetError as error:
            return view.page(request, "chat.html", {**values, "problem": str(error)}, 503)
        answer = shown(answers[-1], values["name"])
        rate = may_rate(border_reader(request))
        return view.page(request, "chat.html", {**values, "question": "", "answer": answer, "rate": rate})

    async def stream(request: Request) -> Response:
        question, wrong = await _question(request)
        if wrong:
            return Response(_line({"problem": view.say(request, wrong)}), 400, media_type="application/x-ndjson")
        return StreamingResponse(lines(request, question), media_type="application/x-ndjson")

    async def lines(request: Request, question: str) -> AsyncIterator[bytes]:
        try:
            async with aclosing(desk.stream(*_asked(question), reader_of(request))) as items:
                async for item in items:
                    if isinstance(item, Answer):
                        name = desk.assistant.name if desk.assistant is not None else ""
                        rate = may_rate(border_reader(request))
                        html = view.text(request, "exchange.html", {"answer": shown(item, name), "rate": rate})
                        yield _line({"html": html})
                    else:
                        yield _line({"piece": item.text})
        except SeptetError as error:
            yield _line({"problem": str(error)})

    async def feedback(request: Request) -> Response:
        given = await _said(request)
        try:
            if given is None:
                raise ConfigError(view.say(request, "chat.too_long"), "")
            kept = await desk.rate(border_reader(request), reader_of(request).name, given)
        except SeptetError as error:
            return view.page(request, "chat.html", {**_values(workspace, desk), "problem": str(error)}, 400)
        thanks = "chat.kept" if kept else "chat.counted"
        return view.page(request, "chat.html", {**_values(workspace, desk), "thanks": thanks})

    return [
        Route("/chat", page),
        Route("/chat", post, methods=["POST"]),
        Route("/chat/stream", stream, methods=["POST"]),
        Route("/chat/feedback", feedback, methods=["POST"]),
    ]


def shown(answer: Answer, name: str) -> Shown:
    """A fresh answer in the form of the pages."""
    cited = {one.chunk: one for one in answer.citations}
    passages = []
    for context in answer.contexts:
        one = cited.get(context["chunk"])
        passages.append(
            Passage(
                number=one.number if one else 0,
                chunk=context["chunk"],
                title=context["title"],
                source=context["source"],
                start=one.start if one else 0,
                end=one.end if one else 0,
                page=one.page if one else 0,
                text=context["text"],
                quote=one.quote if one else "",
            )
        )
    return Shown(
        id=answer.id,
        text=answer.text,
        question=answer.question,
        language=answer.language,
        finish=answer.finish,
        guard=answer.guard,
        supported=answer.supported,
        abstained=answer.abstained,
        release=answer.release,
        name=name,
        seconds=answer.seconds,
        passages=tuple(sorted(passages, key=lambda one: (one.number == 0, one.number))),
    )


def _values(workspace: Workspace, desk: Desk) -> dict[str, Any]:
    """What the page shows before anything is asked: the open release, else the newest."""
    assistant = desk.assistant
    if assistant is not None:
        name, fingerprint = assistant.name, assistant.release.fingerprint
    else:
        release = next(iter(all_releases(workspace)), None)
        name, fingerprint = (release.name, release.fingerprint) if release else ("", "")
    return {
        "name": name,
        "fingerprint": fingerprint,
        "loaded": assistant is not None,
        "question": "",
        "answer": None,
        "problem": "",
        "thanks": "",
        "rate": False,
        "most": MAX_QUESTION,
    }


async def _question(request: Request) -> tuple[str, str]:
    """The question of a form, and the word for what is wrong with it."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > _MAX_FORM:
        return "", "chat.too_long"
    async with request.form(max_files=0, max_fields=4) as form:
        given = form.get("question")
    question = given.strip() if isinstance(given, str) else ""
    if not question:
        return "", "chat.nothing_asked"
    return question, "chat.too_long" if len(question) > MAX_QUESTION else ""


async def _said(request: Request) -> Feedback | None:
    """What a form says of an answer; None where it is too long."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > _MAX_FORM + 9 * MAX_EDIT:
        return None
    async with request.form(max_files=0, max_fields=8) as form:
        given = {name: str(form.get(name, "")).strip() for name in ("answer", "rating", "edit", "consent")}
    # The button that was pressed decides: a text may stand in the field all the while.
    edit = given["edit"] if given["rating"] == "edit" else ""
    rating = "" if given["rating"] == "edit" else given["rating"]
    return Feedback(answer=given["answer"], rating=rating, edit=edit, consent=given["consent"] == "yes")


def _asked(question: str) -> tuple[list[dict[str, str]], Options]:
    return [{"role": "user", "content": question}], Options()


def _line(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value) + b"\n"
