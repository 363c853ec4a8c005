"""A gateway on a free port of this machine, driven by the official client."""

from __future__ import annotations

import pytest

pytest.importorskip("uvicorn", reason="the extra 'server' is not installed")
openai = pytest.importorskip("openai", reason="the extra 'client' is not installed")

from fake_assistant import FakeAssistant  # noqa: E402
from live_server import running, until  # noqa: E402

from septet.server.app import create_app  # noqa: E402
from septet.server.desk import Desk  # noqa: E402
from septet.server.listen import LOOPBACK_NAMES  # noqa: E402


@pytest.fixture(scope="session")
def _gateway():
    assistant = FakeAssistant()
    with Desk(lambda: assistant) as desk, running(create_app(desk, hosts=LOOPBACK_NAMES)) as url:
        yield assistant, url


@pytest.fixture
def assistant(_gateway):
    """The assistant behind the gateway of these tests, with nothing asked yet."""
    _gateway[0].forget()
    yield _gateway[0]
    until(lambda: _gateway[0].running == 0)


@pytest.fixture
def address(_gateway, assistant):
    return _gateway[1]


@pytest.fixture
def client(address):
    with openai.OpenAI(base_url=f"{address}/v1", api_key="unused", max_retries=0, timeout=20) as made:
        yield made
