"""The address a server listens on: taken before anything heavy is loaded, refused where it would open more than was meant."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

import uvicorn
from starlette.types import ASGIApp

from septet.core.errors import AccessDenied, ConfigError, StoreError

LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))
_BACKLOG = 128
_GRACE_S = 5


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach the address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def require_keys_beyond_loopback(host: str, keys: Sequence[object]) -> None:
    """Raises AccessDenied where others than this machine would be let in without a key."""
    if not is_loopback(host) and not keys:
        raise AccessDenied(
            f"{host} can be reached from other machines, and no key is asked for",
            "Give --key-file FILE with one key a line, or leave --host out to stay on this machine",
        )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Callers that come while the model is still being loaded wait in its backlog."""
    if not 0 <= port <= 65535:
        raise ConfigError(f"{port} is no port", "Choose one from 1024 to 65535, or 0 for any free one")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise ConfigError(
            f"the host {host} is not known here", "Use 127.0.0.1, or an address of this machine"
        ) from None
    opened = socket.socket(family, kind)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(address)
        opened.listen(_BACKLOG)
    except PermissionError:
        opened.close()
        raise ConfigError(f"port {port} is reserved for the system", "Choose one from 1024 on with --port") from None
    except OSError as error:
        opened.close()
        raise StoreError(
            f"port {port} on {host} cannot be used: {error.strerror}",
            "Choose another with --port, or stop the program that holds it",
        ) from None
    return opened


def address_of(opened: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: ASGIApp, opened: socket.socket) -> None:
    """Answer until interrupted. Streams that run get a few seconds to end."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE_S
    )
    try:
        uvicorn.Server(config).run(sockets=[opened])
    except KeyboardInterrupt:
        return
    finally:
        opened.close()
