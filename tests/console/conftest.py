"""The console of a small workspace on a free port, and a browser to look at it with."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra 'server' is not installed")
pytest.importorskip("cryptography", reason="the extra 'sign' is not installed")
pytest.importorskip("pyarrow", reason="the extra 'data' is not installed")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "server")]

from fake_assistant import FakeAssistant  # noqa: E402
from filled_workspace import fill, run_events  # noqa: E402
from live_server import running, until  # noqa: E402

from septet.console.app import create_app  # noqa: E402
from septet.core.workspace import Workspace  # noqa: E402
from septet.server.border import guarded  # noqa: E402
from septet.server.desk import Desk  # noqa: E402
from septet.server.listen import LOOPBACK_NAMES  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def _console(tmp_path_factory):
    folder = tmp_path_factory.mktemp("console")
    assistant = FakeAssistant()
    with Workspace(folder / ".septet") as opened:
        fill(opened, folder / "docs")
        run_events(opened).close()
        with Desk(lambda: assistant) as desk, running(guarded(create_app(opened, desk), (), LOOPBACK_NAMES)) as url:
            yield url, opened, assistant


@pytest.fixture
def address(_console):
    return _console[0]


@pytest.fixture
def filled(_console):
    """The workspace that the console of these tests shows."""
    return _console[1]


@pytest.fixture
def assistant(_console):
    """The assistant behind the chat page, with nothing asked yet."""
    _console[2].forget()
    yield _console[2]
    until(lambda: _console[2].running == 0)


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, or a skip that says how to get it. Its driver's event loop must not outlive the tests here."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def tab(browser, address):
    """A function that opens a tab in a language. At the end no tab may have had anything to complain of."""
    contexts, complaints = [], []

    def opened(language="en", script=True):
        context = browser.new_context(
            base_url=address,
            locale={"zh": "zh-CN", "en": "en-GB"}[language],
            java_script_enabled=script,
            viewport={"width": 1100, "height": 800},
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}"))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"{page.url}: dialog {dialog.message}"))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
