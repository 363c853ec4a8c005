import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

pytest.importorskip("openai", reason="the package openai is not installed: pip install 'septet[client]'")

from septet.core import ConfigError, StepFailed
from septet.inference.endpoint import EndpointEngine
from septet.inference.protocol import Options, Prompt
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


@pytest.fixture
def engine(tiny):
    server = HTTPServer(("127.0.0.1", 0), Stub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made = EndpointEngine(Codec(tiny.path), f"http://127.0.0.1:{server.server_port}/v1", "any")
    yield made
    made.close()
    server.shutdown()
    server.server_close()
    thread.join()


def test_it_asks_with_messages(engine):
    prompt = engine.codec.prompt([{"role": "user", "content": "hello"}])
    (made,) = engine.generate([prompt], Options())
    assert (made.text, made.finish) == ("hello", "stop")
    pieces = list(engine.stream(prompt, Options()))
    assert [piece.text for piece in pieces] == ["he", "llo"]
    assert pieces[-1].finish == "stop"


def test_what_it_cannot_do_it_says(engine, tiny):
    with pytest.raises(ConfigError, match="token ids alone"):
        engine.generate([Prompt((1, 2))], Options())
    with pytest.raises(ConfigError, match="does not tell the probability"):
        engine.score(Prompt((1,)), [[2]])
    nobody = EndpointEngine(Codec(tiny.path), "http://127.0.0.1:9/v1", "any")
    with pytest.raises(StepFailed, match="the endpoint failed"):
        nobody.generate([engine.codec.prompt([{"role": "user", "content": "hello"}])], Options())
