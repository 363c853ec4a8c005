"""The gateway as the official client sees it: answers, streams, errors, several at once, and a client that leaves."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest
from fake_assistant import FINGERPRINT, FakeAssistant
from live_server import running, until

from septet.detect.access import Reader
from septet.server.app import create_app
from septet.server.desk import Desk

ASK = [{"role": "user", "content": "Which port does the server use?"}]
TEXT = "The server listens on port 8600 by default. [1]"


def post(address, **body):
    return httpx.post(f"{address}/v1/chat/completions", json=body, timeout=20)


def test_models_and_health_name_the_release(client, address):
    (model,) = client.models.list().data
    assert (model.id, model.object, model.owned_by) == ("quickstart", "model", "septet")
    assert client.models.retrieve("quickstart") == model
    health = httpx.get(f"{address}/health").json()
    assert health == {"status": "ok", "release": "quickstart", "fingerprint": FINGERPRINT}


def test_an_answer_has_the_form_of_the_api_and_its_evidence(client, assistant):
    raw = client.chat.completions.with_raw_response.create(
        model="quickstart", messages=ASK, temperature=0.5, top_p=0.9, seed=7, stop=["x"], max_tokens=50, user="clerk"
    )
    answer = raw.parse()
    (choice,) = answer.choices
    assert answer.object == "chat.completion"
    assert answer.model == "quickstart"
    assert answer.system_fingerprint == FINGERPRINT
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", TEXT, "stop")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    septet = choice.message.septet
    assert septet["answer_id"] == answer.id == raw.headers["x-septet-answer"]
    assert septet["release"] == FINGERPRINT
    assert septet["citations"][0]["source"] == "en/serving.md"
    assert septet["guard"]["prompt"]["action"] == "allow"
    assert septet["supported"] is True
    assert raw.headers["x-request-id"] == answer._request_id
    ((messages, options, reader),) = assistant.asked
    assert messages == ASK
    assert (options.temperature, options.top_p, options.seed, options.stop) == (0.5, 0.9, 7, ("x",))
    assert (options.max_tokens, reader) == (50, Reader(name="clerk", clearance="*"))


def test_a_stream_begins_with_the_role_and_ends_with_one_finish_reason(client):
    chunks = list(client.chat.completions.create(model="quickstart", messages=ASK, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(chunk.choices[0].delta.role is None for chunk in chunks[1:])
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)
    septet = chunks[-1].choices[0].delta.septet
    assert septet["answer_id"].startswith("ans-")
    assert septet["citations"][0]["quote"]


def test_a_stream_gives_usage_where_asked(client):
    chunks = list(
        client.chat.completions.create(
            model="quickstart", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_stream_ends_with_done(address):
    lines = post(address, model="quickstart", messages=ASK, stream=True).text.strip().split("\n\n")
    assert lines[-1] == "data: [DONE]"
    assert all(json.loads(line.removeprefix("data: ")) for line in lines[:-1])


def test_pieces_come_as_they_are_written():
    slow = FakeAssistant(pause_s=0.05)
    with (
        Desk(lambda: slow) as desk,
        running(create_app(desk)) as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key="x") as client,
    ):
        seen = [slow.written for _ in client.chat.completions.create(model="quickstart", messages=ASK, stream=True)]
    assert seen[1] <= 2
    assert sorted(set(seen)) == list(range(1, 9))


def test_an_answer_that_is_cut_says_so(client):
    choice = client.chat.completions.create(model="quickstart", messages=ASK, max_completion_tokens=3).choices[0]
    assert choice.finish_reason == "length"
    assert choice.message.content == "The server listens"


def test_a_blocked_answer_is_an_answer(client):
    blocked = [{"role": "user", "content": "block this"}]
    choice = client.chat.completions.create(model="quickstart", messages=blocked).choices[0]
    assert choice.finish_reason == "content_filter"
    assert choice.message.septet["guard"]["answer"]["action"] == "block"
    last = list(client.chat.completions.create(model="quickstart", messages=blocked, stream=True))[-1].choices[0]
    assert last.finish_reason == "content_filter"
    assert last.delta.septet["text"] == "I cannot answer this."


def test_developer_messages_and_text_parts_are_read(client, assistant):
    answer = client.chat.completions.create(
        model=FINGERPRINT,
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "two"}]},
            {"role": "assistant", "content": None, "tool_calls": []},
            *ASK,
        ],
    )
    assert assistant.asked[0][0] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One\ntwo"},
        {"role": "assistant", "content": ""},
        *ASK,
    ]
    assert answer.choices[0].message.septet["not_used"] == ["messages[0]"]


def test_an_answer_can_be_sent_back_as_history(client):
    answer = client.chat.completions.create(model="quickstart", messages=ASK).choices[0].message
    client.chat.completions.create(model="quickstart", messages=[*ASK, answer.model_dump(), *ASK])


def test_legacy_completions(client):
    answer = client.completions.create(model="quickstart", prompt="Which port?", max_tokens=50)
    assert answer.object == "text_completion"
    assert answer.choices[0].text == TEXT
    assert answer.choices[0].finish_reason == "stop"
    chunks = list(client.completions.create(model="quickstart", prompt=["Which port?"], stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == TEXT
    with pytest.raises(openai.BadRequestError, match="prompt"):
        client.completions.create(model="quickstart", prompt=["one", "two"])


def test_four_at_once_wait_for_their_turn(client, assistant):
    assistant.pause_s = 0.005

    def ask(number):
        stream = number % 2 == 0
        made = client.chat.completions.create(model="quickstart", messages=ASK, stream=stream, user=str(number))
        if stream:
            return "".join(chunk.choices[0].delta.content or "" for chunk in made)
        return made.choices[0].message.content

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(8))) == [TEXT] * 8
    assert assistant.most_running == 1
    assert len(assistant.threads) == 1
    assert threading.get_ident() not in assistant.threads


def test_health_answers_while_an_answer_is_written(client, assistant, address):
    assistant.pause_s = 0.01
    stream = client.chat.completions.create(
        model="quickstart", messages=[{"role": "user", "content": "endless"}], stream=True
    )
    next(stream)
    assert httpx.get(f"{address}/health", timeout=2).status_code == 200
    stream.close()


def test_too_many_waiting_are_sent_away():
    slow = FakeAssistant(pause_s=0.01)
    with (
        Desk(lambda: slow, max_waiting=1) as desk,
        running(create_app(desk)) as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client,
    ):
        stream = client.chat.completions.create(
            model="quickstart", messages=[{"role": "user", "content": "endless"}], stream=True
        )
        next(stream)
        with pytest.raises(openai.RateLimitError, match="waiting") as caught:
            client.chat.completions.create(model="quickstart", messages=ASK)
        assert caught.value.response.headers["retry-after"] == "30"
        stream.close()


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_stops_the_model(client, assistant, address, stream):
    assistant.pause_s = 0.01
    body = json.dumps(
        {"model": "quickstart", "messages": [{"role": "user", "content": "endless"}], "stream": stream}
    ).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(head.encode() + body)
        until(lambda: assistant.written > 3)
    assert assistant.stopped.wait(5)
    written = assistant.written
    assert client.chat.completions.create(model="quickstart", messages=ASK).choices[0].message.content == TEXT
    assert assistant.written == written + 8


def test_a_client_that_leaves_the_line_is_forgotten(client, assistant):
    assistant.pause_s = 0.01
    stream = client.chat.completions.create(
        model="quickstart", messages=[{"role": "user", "content": "endless"}], stream=True
    )
    next(stream)
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3).chat.completions.create(
            model="quickstart", messages=[{"role": "user", "content": "in line"}]
        )
    stream.close()
    client.chat.completions.create(model="quickstart", messages=ASK)
    assert [messages[-1]["content"] for messages, _, _ in assistant.asked] == ["endless", ASK[0]["content"]]
