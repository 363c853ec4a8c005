"""What cannot be answered is refused by name, in the form of the OpenAI API, with the exception a client expects."""

from __future__ import annotations

import httpx
import openai
import pytest
from fake_assistant import FakeAssistant
from live_server import running

from septet.core.errors import AccessDenied, ConfigError, StoreError
from septet.detect.access import Reader
from septet.server import listen
from septet.server.app import create_app
from septet.server.border import Key, read_keys
from septet.server.chat import MAX_BODY
from septet.server.desk import Desk

ASK = [{"role": "user", "content": "Which port?"}]
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"messages": None}, "messages", "missing_required_parameter"),
        ({"messages": "x"}, "messages", "invalid_type"),
        ({"messages": []}, "messages", "invalid_type"),
        ({"messages": ["x"]}, "messages[0]", "invalid_type"),
        ({"messages": [{"role": "pope", "content": "x"}]}, "messages[0].role", "invalid_type"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role", "unsupported_value"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content", "invalid_type"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages[0].content", "invalid_value"),
        ({"messages": [{"role": "user", "content": "x", "nmae": "y"}]}, "messages[0].nmae", "unknown_parameter"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages[0].role", "invalid_value"),
        ({"messages": PICTURE}, "messages[0].content[0].type", "unsupported_value"),
        ({"model": None}, "model", "missing_required_parameter"),
        ({"temperature": 9}, "temperature", "decimal_above_max_value"),
        ({"temperature": -0.1}, "temperature", "decimal_below_min_value"),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"temperature": True}, "temperature", "invalid_type"),
        ({"top_p": 1.5}, "top_p", "decimal_above_max_value"),
        ({"n": 0}, "n", "invalid_type"),
        ({"n": 2}, "n", "unsupported_value"),
        ({"n": True}, "n", "invalid_type"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"max_completion_tokens": -1}, "max_completion_tokens", "integer_below_min_value"),
        ({"max_tokens": 1.5}, "max_tokens", "invalid_type"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_completion_tokens", "invalid_value"),
        ({"seed": "x"}, "seed", "invalid_type"),
        ({"stop": [""]}, "stop", "invalid_type"),
        ({"stop": list("abcde")}, "stop", "invalid_value"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "invalid_value"),
        ({"stream": True, "stream_options": {"usage": True}}, "stream_options.usage", "unknown_parameter"),
        ({"user": 3}, "user", "invalid_type"),
        ({"tools": [TOOL]}, "tools", "unsupported_parameter"),
        ({"tool_choice": "required"}, "tool_choice", "unsupported_parameter"),
        ({"logprobs": True}, "logprobs", "unsupported_parameter"),
        ({"top_logprobs": 3}, "top_logprobs", "unsupported_parameter"),
        ({"response_format": SCHEMA}, "response_format", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
        ({"logit_bias": {"100": -100}}, "logit_bias", "unsupported_parameter"),
        ({"presence_penalty": 1}, "presence_penalty", "unsupported_parameter"),
        ({"modalities": ["audio"]}, "modalities", "unsupported_parameter"),
        ({"temprature": 1}, "temprature", "unknown_parameter"),
    ],
)
def test_a_bad_parameter_is_named(address, assistant, changes, param, code):
    answer = httpx.post(
        f"{address}/v1/chat/completions", json={"model": "quickstart", "messages": ASK, **changes}, timeout=10
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["param"], error["code"]) == (param, code)
    assert param.rpartition(".")[2] in error["message"] or error["message"]
    assert assistant.asked == []


def test_parameters_that_ask_for_nothing_are_welcome(client):
    client.chat.completions.create(
        model="quickstart",
        messages=ASK,
        n=1,
        logprobs=False,
        tools=[],
        tool_choice="none",
        response_format={"type": "text"},
        presence_penalty=0,
        logit_bias={},
        stop=None,
    )


def test_the_nearest_name_is_offered(client):
    with pytest.raises(openai.BadRequestError, match="Did you mean 'temperature'"):
        client.chat.completions.create(model="quickstart", messages=ASK, extra_body={"temprature": 1})


def test_an_unknown_model_is_404(client):
    with pytest.raises(openai.NotFoundError, match="quickstart") as caught:
        client.chat.completions.create(model="gpt-9", messages=ASK)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")


def test_what_is_not_served_is_404_in_the_same_form(client, address):
    with pytest.raises(openai.NotFoundError, match="/v1/embeddings"):
        client.embeddings.create(model="quickstart", input="x")
    assert httpx.get(f"{address}/nowhere").json()["error"]["code"] == "unknown_url"
    wrong = httpx.get(f"{address}/v1/chat/completions")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b'"x"', b"", b'{"a": "\\ud800"}', b"[" * 100_000])
def test_a_body_that_is_not_a_json_object_is_400(address, body):
    answer = httpx.post(f"{address}/v1/chat/completions", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")


def test_a_body_of_another_kind_is_415(address):
    answer = httpx.post(f"{address}/v1/chat/completions", content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


def test_a_body_that_is_too_long_is_413(client):
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="quickstart", messages=[{"role": "user", "content": "x" * MAX_BODY}])
    assert caught.value.status_code == 413
    assert caught.value.code == "request_too_large"


@pytest.mark.parametrize("stream", [True, False])
def test_a_mistake_that_the_assistant_finds_is_400(client, stream):
    with pytest.raises(openai.BadRequestError, match="shorter question"):
        client.chat.completions.create(
            model="quickstart", messages=[{"role": "user", "content": "fail early"}], stream=stream
        )


@pytest.mark.parametrize("stream", [True, False])
def test_a_bug_is_500_and_tells_nothing_of_the_machine(client, stream, caplog):
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="quickstart", messages=[{"role": "user", "content": "bug"}], stream=stream)
    assert "secret" not in str(caught.value)
    assert caught.value.request_id in caplog.text
    client.chat.completions.create(model="quickstart", messages=ASK)


def test_a_stream_that_breaks_says_so(client):
    stream = client.chat.completions.create(
        model="quickstart", messages=[{"role": "user", "content": "fail late"}], stream=True
    )
    with pytest.raises(openai.APIError) as caught:
        list(stream)
    assert "secret" not in str(caught.value)


def test_keys_are_asked_for():
    key = "k" * 24
    with (
        Desk(FakeAssistant) as desk,
        running(
            create_app(desk, keys=(Key("j" * 24, Reader()), Key(key, Reader(name="desk", clearance="internal"))))
        ) as url,
    ):
        with openai.OpenAI(base_url=f"{url}/v1", api_key=key) as client:
            assert client.chat.completions.create(model="quickstart", messages=ASK).choices
        with openai.OpenAI(base_url=f"{url}/v1", api_key="wrong") as client, pytest.raises(openai.AuthenticationError):
            client.models.list()
        assert httpx.get(f"{url}/v1/models").status_code == 401
        assert httpx.get(f"{url}/v1/models", auth=("anyone", key)).status_code == 200
        assert httpx.get(f"{url}/v1/models", headers={"authorization": "Basic %%%"}).status_code == 401
        assert httpx.get(f"{url}/health").status_code == 200


def test_a_key_file_must_hold_good_keys(tmp_path):
    path = tmp_path / "keys"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_keys(path)
    path.write_text("# none yet\n\n")
    with pytest.raises(ConfigError, match="holds no key"):
        read_keys(path)
    path.write_text("short\n")
    with pytest.raises(ConfigError, match="line 1"):
        read_keys(path)
    path.write_text("# of the desk\n" + "k" * 20 + "\n")
    assert read_keys(path) == (Key("k" * 20, Reader()),)
    path.write_text("k" * 20 + " li.wei\n" + "j" * 20 + "  wang.fang  confidential\n" + "i" * 20 + " root *\n")
    assert [one.reader for one in read_keys(path)] == [
        Reader(name="li.wei"), Reader(name="wang.fang", clearance="confidential"), Reader(name="root", clearance="*"),
    ]  # fmt: skip
    path.write_text("k" * 20 + " li wei secret\n")
    with pytest.raises(ConfigError, match="line 1: there is more"):
        read_keys(path)


def test_another_host_name_is_turned_away(address):
    assert httpx.get(f"{address}/v1/models", headers={"host": "evil.example"}).status_code == 421
    assert httpx.get(f"{address}/v1/models", headers={"host": "localhost:9"}).status_code == 200


def test_a_port_in_use_is_named():
    with listen.bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StoreError, match=f"port {port} on 127.0.0.1 cannot be used.*--port"):
            listen.bind("127.0.0.1", port)
    with pytest.raises(ConfigError, match="is no port"):
        listen.bind("127.0.0.1", 99999)
    with pytest.raises(ConfigError, match="not known here"):
        listen.bind("no-such-host.invalid", 0)


def test_other_machines_are_let_in_only_with_a_key():
    for host in ("127.0.0.1", "localhost", "::1", "[::1]"):
        listen.require_keys_beyond_loopback(host, ())
    listen.require_keys_beyond_loopback("0.0.0.0", ("k" * 20,))
    with pytest.raises(AccessDenied, match="--key-file"):
        listen.require_keys_beyond_loopback("0.0.0.0", ())
