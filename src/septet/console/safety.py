"""What every response of the console forbids the browser, and which posts are taken.

The console has no login of its own, so a page elsewhere must not be able to make the browser post here: a post counts only
when the browser says that it comes from this very origin. Programs that are no browsers send neither header and pass.
Sources: Fetch Metadata Request Headers and Content Security Policy Level 3 (W3C).
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_READING = ("GET", "HEAD")


class Safety:
    """Adds the headers to each response, and turns away posts that come from another origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                # Pages hold what people asked; style and script may be kept, and are asked about each time.
                headers.setdefault("cache-control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
            await send(message)

        if scope["method"] not in _READING and not _from_here(Headers(scope=scope)):
            await PlainTextResponse("This request comes from another site.\n", 403)(scope, receive, marked)
            return
        await self._app(scope, receive, marked)


def _from_here(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    # A proxy in front may speak https while this server hears http: the name and port decide, not the scheme.
    return origin is None or origin.partition("://")[2] == headers.get("host", "")
