"""What a client asked for, checked: every parameter is honoured, refused by name, or absent. None is passed over in silence.

Source: the OpenAPI document of the OpenAI API (CreateChatCompletionRequest, CreateCompletionRequest).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from septet.assistant import Options
from septet.core.errors import ConfigError, nearest
from septet.knowledge.validity import day_of
from septet.server.errors import ApiError

Body = Mapping[str, Any]

_COMMON: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "metadata": ({},),
    "service_tier": ("auto", "default"),
    "store": (False,),
}
CHAT_NEUTRAL = {
    **_COMMON,
    "audio": (),
    "function_call": ("none",),
    "functions": ([],),
    "logprobs": (False,),
    "modalities": (["text"],),
    "parallel_tool_calls": (True, False),
    "prediction": (),
    "reasoning_effort": ("none",),
    "response_format": ({"type": "text"},),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (),
    "verbosity": (),
    "web_search_options": (),
}
"""Parameters that are known and not supported, each with the values at which it asks for nothing. Null always does."""
TEXT_NEUTRAL = {**_COMMON, "echo": (False,), "logprobs": (), "suffix": ("",)}

_HONOURED = (
    "model",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "stop",
    "user",
    "septet",
)
CHAT_HONOURED = (*_HONOURED, "messages", "max_completion_tokens")
TEXT_HONOURED = (*_HONOURED, "prompt")

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_ANSWER_KEYS = ("refusal", "annotations", "audio", "function_call", "tool_calls", "reasoning_content", "septet")
"""What clients send back with an earlier answer. It says nothing new, as long as it calls no tool."""


class Asked(msgspec.Struct, frozen=True):
    """A request that can be answered."""

    messages: list[dict[str, str]]
    options: Options
    user: str
    stream: bool
    include_usage: bool


def chat(body: Body, served: tuple[str, ...]) -> Asked:
    """Check the body of POST /v1/chat/completions. Raises ApiError that names the parameter."""
    _known(body, CHAT_HONOURED, CHAT_NEUTRAL)
    _model(body, served)
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        raise _wrong("messages", "must be a list with at least one message", given)
    messages = [_message(one, f"messages[{place}]") for place, one in enumerate(given)]
    if messages[-1]["role"] != "user":
        raise ApiError(
            "the last message must be the user's question", f"messages[{len(messages) - 1}].role", "invalid_value"
        )
    if not messages[-1]["content"].strip():
        raise ApiError("the question is empty", f"messages[{len(messages) - 1}].content", "invalid_value")
    return _asked(body, messages)


def text(body: Body, served: tuple[str, ...]) -> Asked:
    """Check the body of the older POST /v1/completions: its prompt is one question."""
    _known(body, TEXT_HONOURED, TEXT_NEUTRAL)
    _model(body, served)
    prompt = body.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise _wrong("prompt", "must be one text; lists of prompts and of token ids are not supported", prompt)
    if not prompt.strip():
        raise ApiError("the prompt is empty", "prompt", "invalid_value")
    return _asked(body, [{"role": "user", "content": prompt}])


def _asked(body: Body, messages: list[dict[str, str]]) -> Asked:
    usual = Options()
    stream = _flag(body, "stream")
    return Asked(
        messages=messages,
        options=Options(
            max_tokens=_length(body, usual.max_tokens),
            temperature=_number(body, "temperature", usual.temperature, 0, 2),
            top_p=_number(body, "top_p", usual.top_p, 0, 1),
            seed=_whole(body, "seed", usual.seed, -(2**63), 2**63 - 1),
            stop=_stop(body),
            as_of=_as_of(body),
        ),
        user=_text(body, "user"),
        stream=stream,
        include_usage=_stream_options(body, stream),
    )


def _as_of(body: Body) -> str:
    """The day of Septet's own field: `{"septet": {"as_of": "2024-11-24"}}`."""
    given = body.get("septet")
    if given is None:
        return ""
    if not isinstance(given, dict):
        raise _wrong("septet", "must be an object", given)
    for name in given:
        if name != "as_of":
            raise ApiError(f"unknown parameter '{name}'", f"septet.{name}", "unknown_parameter")
    day = _text(given, "as_of")
    try:
        return day_of(day) if day else ""
    except ConfigError as error:
        raise ApiError(str(error), "septet.as_of", "invalid_value") from None


def _known(body: Body, honoured: tuple[str, ...], neutral: Mapping[str, tuple[Any, ...]]) -> None:
    for name, value in body.items():
        if name in honoured or (name in neutral and (value is None or _among(value, neutral[name]))):
            continue
        if name not in neutral:
            raise ApiError(
                f"unknown parameter '{name}'. {nearest(name, [*honoured, *neutral])}", name, "unknown_parameter"
            )
        if name in ("n", "best_of"):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise _wrong(name, "must be a whole number of at least 1", value)
            raise ApiError(f"'{name}' must be 1: one question gets one answer here", name, "unsupported_value")
        raise ApiError(
            f"'{name}' is not supported by this server. Leave it out: it answers from its documents, in plain text",
            name,
            "unsupported_parameter",
        )


def _among(value: Any, values: tuple[Any, ...]) -> bool:
    # 1 == True and 0 == False in Python, and not in JSON; 0 and 0.0 are one number in both.
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in values)


def _model(body: Body, served: tuple[str, ...]) -> None:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise _wrong("model", f"must be the name of the release, here '{served[0]}'", model)
    if model not in served:
        raise ApiError(
            f"there is no model '{model}'. This server serves '{served[0]}'", "model", "model_not_found", 404
        )


def _message(given: Any, where: str) -> dict[str, str]:
    if not isinstance(given, dict):
        raise _wrong(where, "must be an object with role and content", given)
    role = given.get("role")
    if role in ("tool", "function"):
        raise ApiError(
            f"the role '{role}' is not supported: no tools are called here", f"{where}.role", "unsupported_value"
        )
    if not isinstance(role, str) or role not in _ROLES:
        raise _wrong(f"{where}.role", "must be one of system, developer, user, assistant", role)
    for name, value in given.items():
        if name in ("role", "content"):
            continue
        if role == "assistant" and name in ("refusal", "annotations", "septet", "reasoning_content"):
            continue
        if value in (None, [], ""):
            continue
        known = name in _ANSWER_KEYS or name == "name"
        code, said = ("unsupported_parameter", "is not supported") if known else ("unknown_parameter", "is not known")
        raise ApiError(f"'{name}' of a message {said}", f"{where}.{name}", code)
    return {"role": _ROLES[role], "content": _content(given.get("content"), f"{where}.content", role)}


def _content(given: Any, where: str, role: str) -> str:
    if given is None and role == "assistant":
        return ""
    if isinstance(given, str):
        return given
    if not isinstance(given, list) or not given:
        raise _wrong(where, "must be a text, or a list of parts of type text", given)
    parts = []
    for place, part in enumerate(given):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in ("text", "refusal"):
            shown = f"'{kind}'" if isinstance(kind, str) else "without a type"
            raise ApiError(
                f"a part {shown} is not supported: this server reads text",
                f"{where}[{place}].type",
                "unsupported_value",
            )
        said = part.get(kind)
        if not isinstance(said, str):
            raise _wrong(f"{where}[{place}].{kind}", "must be a text", said)
        parts.append(said)
    return "\n".join(parts)


def _length(body: Body, usual: int) -> int:
    names = [name for name in ("max_tokens", "max_completion_tokens") if body.get(name) is not None]
    values = {_whole(body, name, usual, 1, 1_000_000) for name in names}
    if len(values) > 1:
        raise ApiError(
            "'max_tokens' and 'max_completion_tokens' differ: give one of them",
            "max_completion_tokens",
            "invalid_value",
        )
    return values.pop() if values else usual


def _stop(body: Body) -> tuple[str, ...]:
    given = body.get("stop")
    if given is None:
        return ()
    stops = [given] if isinstance(given, str) else given
    if not isinstance(stops, list) or not all(isinstance(one, str) and one for one in stops):
        raise _wrong("stop", "must be a text or a list of texts, none of them empty", given)
    if len(stops) > 4:
        raise ApiError("'stop' takes at most four texts", "stop", "invalid_value")
    return tuple(stops)


def _stream_options(body: Body, stream: bool) -> bool:
    given = body.get("stream_options")
    if given is None:
        return False
    if not isinstance(given, dict):
        raise _wrong("stream_options", "must be an object", given)
    if not stream:
        raise ApiError("'stream_options' is only for stream=true", "stream_options", "invalid_value")
    for name in given:
        if name not in ("include_usage", "include_obfuscation"):
            raise ApiError(f"unknown parameter '{name}'", f"stream_options.{name}", "unknown_parameter")
    if given.get("include_obfuscation"):
        raise ApiError(
            "'include_obfuscation' is not supported", "stream_options.include_obfuscation", "unsupported_value"
        )
    return _flag(given, "include_usage", "stream_options.include_usage")


def _flag(body: Body, name: str, where: str = "") -> bool:
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _wrong(where or name, "must be true or false", value)
    return value


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 256:
        raise _wrong(name, "must be a text of at most 256 characters", value)
    return value


def _number(body: Body, name: str, usual: float, low: float, high: float) -> float:
    value = body.get(name)
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(name, f"must be a number from {low} to {high}", value)
    if not low <= value <= high:
        code = "decimal_above_max_value" if value > high else "decimal_below_min_value"
        raise ApiError(f"'{name}' is {value} and must be from {low} to {high}", name, code)
    return float(value)


def _whole(body: Body, name: str, usual: int, low: int, high: int) -> int:
    value = body.get(name)
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(name, "must be a whole number", value)
    if not low <= value <= high:
        code = "integer_above_max_value" if value > high else "integer_below_min_value"
        raise ApiError(f"'{name}' is {value} and must be from {low} to {high}", name, code)
    return value


def _wrong(param: str, said: str, value: Any) -> ApiError:
    if value is None:
        return ApiError(f"'{param}' is missing: it {said}", param, "missing_required_parameter")
    kind = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}.get(type(value), "a number")
    return ApiError(f"'{param}' {said}; it is {kind}", param, "invalid_type")
