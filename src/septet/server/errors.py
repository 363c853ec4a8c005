"""Errors in the form of the OpenAI API: `{"error": {"message", "type", "param", "code"}}` with the status that clients expect.

The official client picks its exception by the status and reads the rest from the object. Source: the OpenAPI document of
the OpenAI API (ErrorResponse), and openai-python 3, `_exceptions.py`.
"""

from __future__ import annotations

import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from septet.core.errors import AccessDenied, ConfigError, SeptetError
from septet.server.desk import Busy

_LOG = logging.getLogger("septet.server")


class ApiError(Exception):
    """A request that cannot be answered: what is wrong with it, with which parameter, and the status that says so."""

    def __init__(
        self,
        message: str,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        type: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status
        self.type = type
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def response(self) -> Response:
        return JSONResponse(self.body(), self.status, self.headers)


def as_api_error(error: Exception) -> ApiError:
    """What a client is told of an error. Of one that is not meant for users, only that it happened."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Busy):
        return ApiError(str(error), None, "busy", 429, "rate_limit_error", {"retry-after": "30"})
    if isinstance(error, AccessDenied):
        return ApiError(str(error), None, "insufficient_permissions", 403, "permission_error")
    if isinstance(error, ConfigError):
        return ApiError(str(error), None, "invalid_request")
    if isinstance(error, SeptetError):
        return ApiError(str(error), None, type(error).__name__, 500, "server_error")
    return ApiError("the server failed on this request; its log says why", None, "internal", 500, "server_error")


async def on_error(request: Request, error: Exception) -> Response:
    told = as_api_error(error)
    name = request.scope.get("state", {}).get("request_id", "")
    if told.status >= 500:
        _LOG.error("request %s (%s %s) failed: %s", name, request.method, request.url.path, error)
        # uvicorn closes the connection under a response whose handler raised: said here, so that no client reuses it.
        told.headers["connection"] = "close"
    if name:
        told.headers.setdefault("x-request-id", name)
    return told.response()


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        message = (
            f"there is no {request.method} {request.url.path} here; see GET /v1/models and POST /v1/chat/completions"
        )
        return ApiError(message, None, "unknown_url", 404).response()
    if error.status_code == 405:
        message = f"{request.url.path} does not take {request.method}"
        return ApiError(message, None, "method_not_allowed", 405, headers=dict(error.headers or {})).response()
    return ApiError(str(error.detail), None, None, error.status_code, headers=dict(error.headers or {})).response()
