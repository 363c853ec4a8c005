"""Who may come in: callers with a key, and requests that name this host. Every response gets an id.

Keys are random and long, so one digest of each is compared in constant time; slow password hashes would cost 100 ms a
request and protect nothing here. The check of the host name keeps a web page that the user visits from reaching a server
on the loopback interface through a name of its own (DNS rebinding).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from septet.core.errors import ConfigError
from septet.server.errors import ApiError

_SHORTEST_KEY = 16
_OPEN = ("/health",)
API = "/v1"


def read_keys(path: Path) -> tuple[str, ...]:
    """The keys of a file, one a line; empty lines and lines that begin with # are passed over."""
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the key file {path} cannot be read: {error}", "Write one key a line into it") from None
    keys = tuple(line for line in lines if line and not line.startswith("#"))
    for number, line in enumerate(lines, 1):
        if line in keys and (len(line) < _SHORTEST_KEY or not line.isascii()):
            raise ConfigError(
                f"{path}, line {number}: a key must have at least {_SHORTEST_KEY} plain characters",
                "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe())'",
            )
    if not keys:
        raise ConfigError(f"the key file {path} holds no key", "Write one key a line into it")
    return keys


def guarded(app: ASGIApp, keys: Sequence[str] = (), hosts: Collection[str] = ()) -> ASGIApp:
    """An app behind the checks that are wanted: a key where `keys` are given, a host name where `hosts` are."""
    if keys:
        app = Keys(app, keys)
    if hosts:
        app = Hosts(app, hosts)
    return RequestIds(app)


class Keys:
    """Lets a request pass that brings one of the keys: as a bearer token, or as the password a browser asks for."""

    def __init__(self, app: ASGIApp, keys: Sequence[str]) -> None:
        self._app = app
        self._digests = [sha256(key.encode()).digest() for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["path"] in _OPEN
            or self._knows(Headers(scope=scope).get("authorization", ""))
        ):
            await self._app(scope, receive, send)
            return
        await _refusal(scope["path"])(scope, receive, send)

    def _knows(self, given: str) -> bool:
        scheme, _, value = given.partition(" ")
        key = value.strip()
        if scheme.lower() == "basic":
            try:
                key = base64.b64decode(key, validate=True).decode("utf-8").partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif scheme.lower() != "bearer":
            return False
        mark = sha256(key.encode()).digest()
        return any([hmac.compare_digest(mark, one) for one in self._digests])  # noqa: C419, all of them, always


class Hosts:
    """Lets a request pass whose Host header is one of the given names."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "").lower()
            name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
            if name.strip("[]") not in self._names:
                said = f"this server is not called '{name}': use 127.0.0.1 or localhost"
                await ApiError(said, None, "wrong_host", 421).response()(scope, receive, send)
                return
        await self._app(scope, receive, send)


class RequestIds:
    """Gives each response an x-request-id, so that a client's report and the server's log can be put together."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        name = f"req-{uuid.uuid4().hex}"
        scope.setdefault("state", {})["request_id"] = name

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("x-request-id", name)
            await send(message)

        await self._app(scope, receive, marked)


def _refusal(path: str) -> Response:
    if path.startswith(API):
        said = "a valid key is needed: send it as 'Authorization: Bearer KEY'"
        return ApiError(said, None, "invalid_api_key", 401, headers={"www-authenticate": "Bearer"}).response()
    return PlainTextResponse(
        "A key is needed: any name, the key as password.\n",
        401,
        {"www-authenticate": 'Basic realm="septet", charset="UTF-8"'},
    )
