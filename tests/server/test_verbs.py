"""`septet serve`, `chat` and `console` as a user types them: what they print, and what they refuse before loading a model."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys

import httpx
import pytest
from fake_assistant import FINGERPRINT, FakeAssistant
from live_server import until

import septet.assistant
from septet.cli.main import main
from septet.core.workspace import Workspace
from septet.server import listen


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SEPTET_WORKSPACE", str(tmp_path / ".septet"))
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    return tmp_path


@pytest.fixture
def opened(home, monkeypatch):
    """The assistants that were opened, each with the release that was asked for."""
    made = []

    def fake_open(workspace, name=""):
        assistant = FakeAssistant()
        made.append((name, assistant))
        return assistant

    monkeypatch.setattr(septet.assistant.Assistant, "open", fake_open)
    return made


def test_one_question_is_answered_with_file_span_and_the_way_to_trace_it(opened, capsys):
    assert main(["chat", "Which port?"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The server listens on port 8600 by default. [1]\n")
    assert "[1] en/serving.md, characters 10 to 53: Serving" in said
    assert "“The server listens on port 8600 by default.”" in said
    answer = re.search(r"answer (ans-\w+), release 'quickstart' 5e5e", said)[1]
    assert said.endswith(f"septet trace {answer}\n")
    ((name, assistant),) = opened
    assert (name, assistant.closed) == ("", True)


def test_a_release_may_be_named_before_the_question(opened, capsys):
    assert main(["chat", "quickstart", "block it", "--temperature", "0.5", "--max-tokens", "9", "--seed", "4"]) == 0
    assert "the guard acted on the answer: lexicon" in capsys.readouterr().out
    name, assistant = opened[0]
    assert name == "quickstart"
    options = assistant.asked[0][1]
    assert (options.temperature, options.max_tokens, options.seed) == (0.5, 9, 4)


def test_a_conversation_goes_on_until_an_empty_line(opened, home, capsys, monkeypatch):
    with Workspace(home / ".septet") as workspace:
        workspace.ledger.append("release", "quickstart", {"fingerprint": FINGERPRINT})
    monkeypatch.setattr(sys, "stdin", io.StringIO("Which port?\nfail early\n哪个端口？\n\nnever asked\n"))
    assert main(["chat", "quickstart"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("release 'quickstart' 5e5e5e5e5e5e. Ask a question")
    assert said.out.count("septet trace ans-") == 2
    assert "Ask a shorter question" in said.err
    (_, assistant) = opened[0]
    assert [messages[-1]["content"] for messages, _, _ in assistant.asked] == [
        "Which port?",
        "fail early",
        "哪个端口？",
    ]


def test_the_terminal_speaks_chinese_too(opened, capsys, monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["chat"]) == 0
    assert "请提问" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["a", "b", "c"], ["hi", "--temperature", "3"], ["hi", "--max-tokens", "-1"]])
def test_a_chat_that_was_mistyped_exits_2(opened, capsys, words):
    assert main(["chat", *words]) == 2
    assert capsys.readouterr().err.startswith("septet: ")
    assert opened == []


@pytest.mark.parametrize("verb", ["serve", "console"])
def test_a_port_in_use_is_said_before_a_model_is_loaded(opened, capsys, verb):
    with listen.bind("127.0.0.1", 0) as taken:
        assert main([verb, "--port", str(taken.getsockname()[1])]) == 2
    said = capsys.readouterr().err
    assert "cannot be used" in said
    assert "--port" in said
    assert opened == []


@pytest.mark.parametrize("verb", ["serve", "console"])
def test_other_machines_are_refused_without_keys(opened, capsys, verb):
    assert main([verb, "--host", "0.0.0.0"]) == 2
    assert "--key-file" in capsys.readouterr().err
    assert main([verb, "--key-file", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert opened == []


@pytest.mark.parametrize("verb", ["chat", "serve"])
def test_without_a_release_the_remedy_is_named(home, capsys, verb):
    assert main([verb, *(["hi"] if verb == "chat" else ["--port", "0"])]) == 2
    assert "septet run recipes/quickstart.toml" in capsys.readouterr().err


def test_the_console_prints_its_address_and_ends_quietly(home):
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "septet", "console", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            address = re.search(r"http://127\.0\.0\.1:\d+/", run.stdout.readline())[0]
            until(lambda: httpx.get(address, timeout=10).status_code == 200, 20)
        finally:
            run.send_signal(signal.SIGINT)
        assert run.wait(10) == 0
        assert run.stderr.read() == ""
