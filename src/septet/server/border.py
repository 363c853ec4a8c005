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

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from septet.core.errors import ConfigError
from septet.detect.access import KEEPER, Reader
from septet.server.errors import ApiError

_SHORTEST_KEY = 16
_OPEN = ("/health",)
API = "/v1"


class Key(msgspec.Struct, frozen=True):
    """A key, and who comes with it."""

    secret: str
    reader: Reader


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys of a file, one a line: the key, and after blanks whose it is and the access class up to which he may see (`*`: all).

    Without a class he sees the lowest of the policy. Empty lines and lines that begin with # are passed over.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the key file {path} cannot be read: {error}", "Write one key a line into it") from None
    keys = []
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        secret, *about = line.split()
        if len(secret) < _SHORTEST_KEY or not secret.isascii():
            raise ConfigError(
                f"{path}, line {number}: a key must have at least {_SHORTEST_KEY} plain characters",
                "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe())'",
            )
        if len(about) > 2:
            raise ConfigError(
                f"{path}, line {number}: there is more than a key, a name and a class", "Write: KEY NAME CLASS"
            )
        name, clearance = [*about, "", ""][:2]
        keys.append(Key(secret, Reader(name=name, clearance=clearance)))
    if not keys:
        raise ConfigError(f"the key file {path} holds no key", "Write one key a line into it")
    return tuple(keys)


def guarded(app: ASGIApp, keys: Sequence[Key] = (), hosts: Collection[str] = (), reader: Reader = KEEPER) -> ASGIApp:
    """An app behind the checks that are wanted: a key where `keys` are given, a host name where `hosts` are. Without keys everybody
    who comes is `reader`."""
    app = Keys(app, keys) if keys else Everybody(app, reader)
    if hosts:
        app = Hosts(app, hosts)
    return RequestIds(app)


def reader_of(scope: Scope) -> Reader:
    """Who came in, as the border saw it. Behind no border there is nobody, who sees what is of the lowest class."""
    found: Reader = scope.get("state", {}).get("reader", Reader())
    return found


class Everybody:
    """Lets every request pass, as one reader."""

    def __init__(self, app: ASGIApp, reader: Reader) -> None:
        self._app = app
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["reader"] = self._reader
        await self._app(scope, receive, send)


class Keys:
    """Lets a request pass that brings one of the keys: as a bearer token, or as the password a browser asks for."""

    def __init__(self, app: ASGIApp, keys: Sequence[Key]) -> None:
        self._app = app
        self._known = [(sha256(key.secret.encode()).digest(), key.reader) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        reader = self._reader(Headers(scope=scope).get("authorization", ""))
        if reader is None:
            await _refusal(scope["path"])(scope, receive, send)
            return
        scope.setdefault("state", {})["reader"] = reader
        await self._app(scope, receive, send)

    def _reader(self, given: str) -> Reader | None:
        scheme, _, value = given.partition(" ")
        key = value.strip()
        if scheme.lower() == "basic":
            try:
                key = base64.b64decode(key, validate=True).decode("utf-8").partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return None
        elif scheme.lower() != "bearer":
            return None
        mark = sha256(key.encode()).digest()
        found = [reader for one, reader in self._known if hmac.compare_digest(mark, one)]  # all of them are compared
        return found[0] if found else None


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
