"""POST /v1/feedback: what the caller says of an answer that he was given.

    {"answer_id": ID, "rating": "up" | "down", "consent": true}
    {"answer_id": ID, "edit": TEXT, "consent": true}        {"answer_id": ID, "better_than": ID, "consent": true}

Without consent it is only counted. `user` says who asked where keys do not, as it does in a question.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from septet.assistant.feedback import Feedback
from septet.core.errors import nearest
from septet.server.border import reader_of
from septet.server.chat import read_body
from septet.server.desk import Desk
from septet.server.errors import ApiError

_TEXTS = ("answer_id", "rating", "edit", "better_than", "user")
_KNOWN = (*_TEXTS, "consent")


async def rate(request: Request, desk: Desk) -> Response:
    """Keep what was said, or count it."""
    given, user = _checked(await read_body(request))
    reader = reader_of(request.scope)
    kept = await desk.rate(reader, reader.name or user, given)
    return JSONResponse({"object": "septet.feedback", "answer_id": given.answer, "kept": kept})


def _checked(body: dict[str, Any]) -> tuple[Feedback, str]:
    for name, value in body.items():
        if name not in _KNOWN:
            raise ApiError(f"unknown parameter '{name}'. {nearest(name, _KNOWN)}", name, "unknown_parameter")
        if value is not None and not isinstance(value, bool if name == "consent" else str):
            raise ApiError(
                f"'{name}' must be {'true or false' if name == 'consent' else 'a text'}", name, "invalid_type"
            )
    if not body.get("answer_id"):
        raise ApiError("'answer_id' is missing: it names the answer", "answer_id", "missing_required_parameter")
    texts = {name: body.get(name) or "" for name in _TEXTS}
    return (
        Feedback(
            answer=texts["answer_id"],
            rating=texts["rating"],
            edit=texts["edit"],
            better_than=texts["better_than"],
            consent=bool(body.get("consent")),
        ),
        texts["user"],
    )
