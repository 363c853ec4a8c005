"""POST /v1/chat/completions and /v1/completions: from a checked request to one answer, whole or in pieces.

Beside what the OpenAI API defines, an answer carries the field `septet`: its id for `septet trace`, the release, the
citations, and what the guard decided. Source: CreateChatCompletionResponse, CreateChatCompletionStreamResponse and
CreateCompletionResponse of the OpenAPI document of the OpenAI API.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from septet.assistant import Answer, Assistant, Piece
from septet.core.errors import SeptetError
from septet.server.border import reader_of
from septet.server.desk import Desk
from septet.server.errors import ApiError, as_api_error
from septet.server.request import Asked

T = TypeVar("T")
Stream = AsyncGenerator[Piece | Answer, None]

MAX_BODY = 1_000_000
"""Bytes of a request at most: some hundred pages of text, far more than any context holds."""
GONE = 499
"""The status that nobody reads: the client left. nginx's number for it."""


class Shape(msgspec.Struct, frozen=True):
    """How one of the two endpoints writes its answers."""

    whole: str
    part: str
    prefix: str
    choice: Callable[[str, str | None, dict[str, Any] | None], dict[str, Any]]
    delta: Callable[[str, str | None, dict[str, Any] | None, bool], dict[str, Any]]


def _chat_choice(text: str, finish: str | None, extra: dict[str, Any] | None) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": text,
        "refusal": None,
        "annotations": [],
        "septet": extra,
    }
    return {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}


def _chat_delta(text: str, finish: str | None, extra: dict[str, Any] | None, first: bool) -> dict[str, Any]:
    delta: dict[str, Any] = {"role": "assistant", "content": ""} if first else {"content": text} if text else {}
    if extra is not None:
        delta["septet"] = extra
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _text_choice(text: str, finish: str | None, extra: dict[str, Any] | None) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
    return choice if extra is None else {**choice, "septet": extra}


def _text_delta(text: str, finish: str | None, extra: dict[str, Any] | None, first: bool) -> dict[str, Any]:
    return _text_choice("" if first else text, finish, extra)


CHAT = Shape("chat.completion", "chat.completion.chunk", "chatcmpl", _chat_choice, _chat_delta)
TEXT = Shape("text_completion", "text_completion", "cmpl", _text_choice, _text_delta)


async def read_body(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises ApiError: 413 when it is too long, 415 or 400 when it is not JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # Also a wall: a web page elsewhere cannot send this content type here without being asked about it first.
        raise ApiError("the body must be sent as 'Content-Type: application/json'", None, "unsupported_media_type", 415)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise ApiError(f"the body is longer than {MAX_BODY:,} bytes", None, "request_too_large", 413)
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(f"the body is not valid JSON: {error}", None, "invalid_json") from None
    if not isinstance(value, dict):
        raise ApiError("the body must be a JSON object", None, "invalid_json")
    return value


async def answer(request: Request, desk: Desk, assistant: Assistant, asked: Asked, shape: Shape) -> Response:
    """Answer one request; when its client leaves, the model is stopped."""
    reader = reader_of(request.scope)
    # A key says who asks; without one, what the client says of its user is all there is.
    reader = reader if reader.name else msgspec.structs.replace(reader, name=asked.user)
    stream = desk.stream(asked.messages, asked.options, reader)
    try:
        if asked.stream:
            # The first piece comes before the status line, so that what fails early fails with the right status.
            first = await _while_connected(request, anext(stream))
            events = _events(stream, first, assistant, asked, shape)
            return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})
        done = await _while_connected(request, _last(stream))
    except ClientDisconnect:
        return Response(status_code=GONE)
    extra = extension(done, asked)
    body = {
        "id": done.id,
        "object": shape.whole,
        "created": int(time.time()),
        "model": assistant.name,
        "choices": [shape.choice(done.text, done.finish, extra)],
        "usage": usage(done),
        "system_fingerprint": done.release,
    }
    return JSONResponse(body, headers={"x-septet-answer": done.id})


def extension(done: Answer, asked: Asked) -> dict[str, Any]:
    """What Septet says of an answer beside its text.

    `not_used` names the messages that had no part in it: a release answers by its own instruction, which was tested,
    and not by that of a caller.
    """
    return {
        "answer_id": done.id,
        "release": done.release,
        "citations": [msgspec.to_builtins(one) for one in done.citations],
        "guard": msgspec.to_builtins(done.guard),
        "supported": done.supported,
        "abstained": done.abstained,
        "as_of": done.as_of,
        "revision": done.revision,
        "not_used": [
            f"messages[{place}]" for place, message in enumerate(asked.messages) if message["role"] == "system"
        ],
    }


def usage(done: Answer) -> dict[str, int]:
    total = done.prompt_tokens + done.completion_tokens
    return {"prompt_tokens": done.prompt_tokens, "completion_tokens": done.completion_tokens, "total_tokens": total}


async def _events(
    stream: Stream, first: Piece | Answer, assistant: Assistant, asked: Asked, shape: Shape
) -> AsyncIterator[bytes]:
    head = {
        "id": f"{shape.prefix}-{uuid.uuid4().hex}",
        "object": shape.part,
        "created": int(time.time()),
        "model": assistant.name,
        "system_fingerprint": assistant.release.fingerprint,
    }
    unused = {"usage": None} if asked.include_usage else {}

    def chunk(text: str, finish: str | None = None, extra: dict[str, Any] | None = None, start: bool = False) -> bytes:
        return _event({**head, "choices": [shape.delta(text, finish, extra, start)], **unused})

    yield chunk("", start=True)
    shown = ""
    try:
        async with aclosing(_chained(first, stream)) as items:
            async for item in items:
                if isinstance(item, Piece):
                    shown += item.text
                    yield chunk(item.text)
                    continue
                extra = extension(item, asked)
                if item.text.startswith(shown):
                    if item.text != shown:
                        yield chunk(item.text[len(shown) :])
                else:
                    extra["text"] = item.text
                yield chunk("", item.finish, extra)
                if asked.include_usage:
                    yield _event({**head, "choices": [], "usage": usage(item)})
    except (ApiError, SeptetError) as error:
        yield _event(as_api_error(error).body())
        return
    except Exception as error:  # the border of a response that has begun: its reader is told, and the log gets the rest
        yield _event(as_api_error(error).body())
        raise
    yield b"data: [DONE]\n\n"


async def _chained(first: Piece | Answer, rest: Stream) -> Stream:
    async with aclosing(rest) as following:
        yield first
        async for item in following:
            yield item


async def _last(stream: Stream) -> Answer:
    done: Answer | None = None
    async with aclosing(stream) as items:
        async for item in items:
            if isinstance(item, Answer):
                done = item
    assert done is not None, "the last item of a stream is the answer"
    return done


async def _while_connected(request: Request, work: Awaitable[T]) -> T:
    """The result of the work; when the client leaves first, it is cancelled and ClientDisconnect is raised."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"
