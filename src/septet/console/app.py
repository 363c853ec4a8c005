"""The console as one application: the pages, their files, and what is shown when a page is not there.

/  /runs[/{run}[/live]]  /releases[/{release}]  /answers[/{answer}]  /chat[/stream]  /artifacts[/{artifact}[/verify]]
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from septet.console import answers, artifacts, chat, home, releases, runs
from septet.console.chat import Desk
from septet.console.clearance import Cleared
from septet.console.safety import Safety
from septet.console.view import View
from septet.core.errors import SeptetError
from septet.core.workspace import Workspace

_LOG = logging.getLogger("septet.console")


def create_app(workspace: Workspace, desk: Desk) -> ASGIApp:
    """The console of a workspace. The desk is asked for nothing before the first question of the chat page."""
    view = View()

    async def missing(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        values = {"title": "error.missing" if status == 404 else "error.refused", "said": "", "status": status}
        return view.page(request, "error.html", values, status)

    async def failed(request: Request, error: Exception) -> Response:
        said = str(error) if isinstance(error, SeptetError) else ""
        if not said:
            _LOG.error("%s %s failed: %s", request.method, request.url.path, error)
        return view.page(request, "error.html", {"title": "error.failed", "said": said, "status": 500}, 500)

    handlers: dict[Any, Any] = {HTTPException: missing, SeptetError: failed, Exception: failed}
    pages = [
        *home.routes(workspace, view),
        *runs.routes(workspace, view),
        *releases.routes(workspace, view),
        *answers.routes(workspace, view),
        *chat.routes(workspace, view, desk),
        *artifacts.routes(workspace, view),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    return Safety(Cleared(Starlette(routes=pages, exception_handlers=handlers), view))
