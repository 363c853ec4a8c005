"""The gateway's routes. It knows HTTP and the OpenAI form; what an answer is, and where it is kept, the assistant knows.

GET  /health                 POST /v1/chat/completions
GET  /v1/models[/{id}]       POST /v1/completions
POST /v1/feedback
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from septet.assistant import Assistant
from septet.core.errors import SeptetError
from septet.detect.access import KEEPER, Reader
from septet.server import chat, feedback, request
from septet.server.border import API, Key, guarded
from septet.server.desk import Desk
from septet.server.errors import ApiError, on_error, on_http_error


def create_app(
    desk: Desk,
    keys: Sequence[Key] = (),
    hosts: Collection[str] = (),
    console: ASGIApp | None = None,
    reader: Reader = KEEPER,
) -> ASGIApp:
    """The gateway for an assistant that is open. `keys` and `hosts` say who may come in, where given; without keys everybody who
    comes is `reader`."""
    assistant = desk.open()
    gateway = _Gateway(desk, assistant)
    routes: list[Route | Mount] = [
        Route("/health", gateway.health),
        Mount(
            API,
            routes=[
                Route("/models", gateway.models),
                Route("/models/{name:path}", gateway.model),
                Route("/chat/completions", gateway.chat, methods=["POST"]),
                Route("/completions", gateway.text, methods=["POST"]),
                Route("/feedback", gateway.feedback, methods=["POST"]),
            ],
        ),
    ]
    if console is not None:
        routes.append(Mount("/", app=console))
    handlers: dict[Any, Any] = {
        ApiError: on_error,
        SeptetError: on_error,
        HTTPException: on_http_error,
        Exception: on_error,
    }
    return guarded(Starlette(routes=routes, exception_handlers=handlers), keys, hosts, reader)


class _Gateway:
    def __init__(self, desk: Desk, assistant: Assistant) -> None:
        self._desk = desk
        self._assistant = assistant
        self._served = (assistant.name, assistant.release.fingerprint)

    async def health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "release": self._served[0], "fingerprint": self._served[1]})

    async def models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [self._about()]})

    async def model(self, asked: Request) -> Response:
        name = asked.path_params["name"]
        if name not in self._served:
            raise ApiError(f"there is no model '{name}' here", "model", "model_not_found", 404)
        return JSONResponse(self._about())

    async def chat(self, asked: Request) -> Response:
        checked = request.chat(await chat.read_body(asked), self._served)
        return await chat.answer(asked, self._desk, self._assistant, checked, chat.CHAT)

    async def text(self, asked: Request) -> Response:
        checked = request.text(await chat.read_body(asked), self._served)
        return await chat.answer(asked, self._desk, self._assistant, checked, chat.TEXT)

    async def feedback(self, asked: Request) -> Response:
        return await feedback.rate(asked, self._desk)

    def _about(self) -> dict[str, Any]:
        name, release = self._served
        return {
            "id": name,
            "object": "model",
            "created": self._assistant.created,
            "owned_by": "septet",
            "septet": {"release": release},
        }
