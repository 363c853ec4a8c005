"""Who looks at the console, and what he may see there: its pages hold raw documents and everybody's answers."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from septet.console.view import View
from septet.detect.access import ALL, Reader

_OPEN = ("/chat", "/chat/stream", "/chat/feedback")
_FILES = "/static/"


def reader_of(request: Request) -> Reader:
    """Who asks, as the border saw it; behind no border nobody, who sees what is of the lowest class."""
    found = border_reader(request)
    return found if found.name else msgspec.structs.replace(found, name="console")


def border_reader(request: Request) -> Reader:
    """The same without a name for who has none: whose key names nobody cannot be told from others."""
    found: Reader = request.scope.get("state", {}).get("reader", Reader())
    return found


class Cleared:
    """Lets those who may see all see all pages, and everybody else the one on which he asks."""

    def __init__(self, app: ASGIApp, view: View) -> None:
        self._app = app
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or path in _OPEN or path.startswith(_FILES):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if reader_of(request).clearance == ALL:
            await self._app(scope, receive, send)
            return
        values = {"title": "error.clearance", "said": "", "status": 403}
        await self._view.page(request, "error.html", values, 403)(scope, receive, send)
