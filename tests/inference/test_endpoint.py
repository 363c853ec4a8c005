import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

pytest.importorskip("openai", reason="the package openai is not installed: pip install 'septet[client]'")

from septet.core import ConfigError, StepFailed
from septet.inference.endpoint import EndpointEngine
from septet.inference.protocol import Asked, Options, Unscored
from septet.model.codec import Codec


class Stub(BaseHTTPRequestHandler):
    """Answers with the last message, whole or in two pieces."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = asked["messages"][-1]["content"]
        self.send_response(200)
        if asked.get("stream"):
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for piece, finish in ((text[:2], None), (text[2:], "stop")):
                choice = {"index": 0, "delta": {"content": piece}, "finish_reason": finish}
                self.wfile.write(f"data: {json.dumps({'id': '1', 'choices': [choice]})}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")
            return
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        self.wfile.write(json.dumps({"id": "1", "choices": [choice]}).encode())

    def log_message(self, *_):
        pass


@contextmanager
def served(handler, tiny):
    """An engine whose endpoint is this server."""
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made = EndpointEngine(Codec(tiny.path), f"http://127.0.0.1:{server.server_port}/v1", "any")
    yield made
    made.close()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def engine(tiny):
    with served(Stub, tiny) as made:
        yield made


def test_it_asks_with_messages(engine):
    prompt = engine.codec.prompt([{"role": "user", "content": "hello"}])
    (made,) = engine.generate([prompt], Options())
    assert (made.text, made.finish) == ("hello", "stop")
    pieces = list(engine.stream(prompt, Options()))
    assert [piece.text for piece in pieces] == ["he", "llo"]
    assert pieces[-1].finish == "stop"


def test_what_it_cannot_do_it_says(engine, tiny):
    prompt = engine.codec.prompt([{"role": "user", "content": "hello"}])
    with pytest.raises(ConfigError, match="does not tell the probability"):
        list(engine.score([Asked(prompt, (tuple(engine.codec.encode("a whole text")),))]))
    nobody = EndpointEngine(Codec(tiny.path), "http://127.0.0.1:9/v1", "any")
    with pytest.raises(StepFailed, match="the endpoint failed"):
        nobody.generate([prompt], Options())


class Odd(BaseHTTPRequestHandler):
    """Answers as it is told to by the last message: with the JSON that stands in it, or with a page."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = asked["messages"][-1]["content"]
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if text.startswith("{") else "text/html")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def odd(tiny):
    with served(Odd, tiny) as made:
        yield made


@pytest.mark.parametrize("usage", [{"prompt_tokens": 7, "completion_tokens": 3}, {"prompt_tokens": 7}, {}, None])
def test_tokens_are_counted_as_the_server_told_or_as_the_model_cuts_them(odd, usage):
    choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
    prompt = odd.codec.prompt([{"role": "user", "content": json.dumps({"choices": [choice], "usage": usage})}])
    (made,) = odd.generate([prompt], Options())
    told = usage or {}
    assert made.prompt_tokens == told.get("prompt_tokens", len(prompt.ids))
    assert made.tokens == told.get("completion_tokens", len(odd.codec.encode("hello")))


def told(logprobs):
    choice = {"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}
    top = [{"token": token, "logprob": log} for token, log in logprobs]
    told = {"content": [{"token": "A", "logprob": -0.1, "top_logprobs": top}]}
    return json.dumps({"id": "1", "choices": [{**choice, "logprobs": told}]})


@pytest.mark.parametrize(
    "answer", ["<html>sign in</html>", '{"choices": []}', '{"choices": null}', '{"error": "busy"}']
)
def test_an_answer_of_another_form_fails_alone(odd, answer):
    messages = [{"role": "user", "content": answer}]
    prompt = odd.codec.prompt(messages)
    with pytest.raises(StepFailed, match="holds no choice"):
        odd.generate([prompt], Options())
    ends = tuple(tuple(odd.codec.continuation(messages, letter)) for letter in "AB")
    ((_, found),) = odd.score([Asked(prompt, ends)])
    assert isinstance(found, Unscored)
    assert "holds no choice" in found.reason


@pytest.mark.parametrize(
    ("logprobs", "reason"),
    [
        ([("A", None), ("B", None)], "told no probabilities"),
        ([], "told no probabilities"),
        ([("The", -0.1), ("Well", -2.0)], "none of the letters"),
    ],
)
def test_letters_that_are_not_told_are_not_even(odd, logprobs, reason):
    messages = [{"role": "user", "content": told(logprobs)}]
    ends = tuple(tuple(odd.codec.continuation(messages, letter)) for letter in "AB")
    ((_, found),) = odd.score([Asked(odd.codec.prompt(messages), ends)])
    assert isinstance(found, Unscored)
    assert reason in found.reason
