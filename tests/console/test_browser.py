"""The console in headless Chromium: by keyboard, with and without script, in both languages, while a run goes on."""

from __future__ import annotations

import re

import pytest
from filled_workspace import ANSWER, NASTY, NASTY_ANSWER, RUN, STEP, run_events, training
from live_server import until

from septet.core.events import Event

pytestmark = pytest.mark.usefixtures("browser")
PAGES = ["/", "/runs", f"/runs/{RUN}", "/releases", "/releases/quickstart", "/answers", f"/answers/{ANSWER}", "/chat"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_have_landmarks_and_do_not_overflow(tab, language):
    page = tab(language)
    for path in [*PAGES, "/artifacts", f"/answers/{NASTY_ANSWER}"]:
        page.set_viewport_size({"width": 1100, "height": 800})
        page.goto(path)
        assert page.get_by_role("main").count() == 1
        assert page.get_by_role("banner").count() == 1
        assert page.get_by_role("navigation").count() == 1
        assert page.get_by_role("heading", level=1).count() == 1
        assert page.locator("nav [aria-current=page]").count() == 1
        for width in (1100, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        unnamed = page.locator("input:not([type=hidden]), select, textarea").evaluate_all(
            "fields => fields.filter(field => !field.labels.length).map(field => field.outerHTML)"
        )
        assert unnamed == []


def test_a_user_gets_round_by_keyboard_alone(tab, assistant):
    page = tab()
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.goto("/")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Chat":
            break
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Chat", level=1).wait_for()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "question":
            break
    page.keyboard.type("Which port?")
    page.keyboard.press("Enter")
    mark = page.locator(".said a.mark")
    mark.wait_for()
    until(lambda: page.evaluate("document.activeElement.id") == "question")
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.className") == "mark":
            break
    page.keyboard.press("Enter")
    passage = page.locator("blockquote")
    passage.wait_for(state="visible")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_the_language_is_switched_on_every_page_and_stays(tab):
    page = tab("zh")
    page.goto(f"/runs/{RUN}")
    page.get_by_role("link", name="English").click()
    page.get_by_role("heading", name="Steps").wait_for()
    assert page.url.endswith(f"/runs/{RUN}?lang=en")
    page.get_by_role("link", name="Releases").click()
    page.get_by_role("heading", name="Releases", level=1).wait_for()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_answer_comes_word_by_word_with_its_citation(tab, assistant, language):
    assistant.pause_s = 0.1
    page = tab(language)
    page.goto("/chat")
    page.get_by_label({"en": "Your question", "zh": "您的问题"}[language]).fill("Which port?")
    page.get_by_role("button", name={"en": "Ask", "zh": "提问"}[language]).click()
    writing = page.locator("[aria-busy] .said")
    until(lambda: "The server" in writing.inner_text())
    assert "default" not in writing.inner_text()
    mark = page.get_by_role("link", name="[1]")
    mark.click()
    passage = page.locator("blockquote:visible")
    assert "port 8600" in passage.inner_text()
    summary = page.locator("summary", has_text="en/serving.md")
    assert {"en": "characters 10 to 53", "zh": "第 10 至 53 个字符"}[language] in summary.inner_text()
    assert page.locator("#question").input_value() == ""
    assert page.get_by_role("link", name=re.compile("ans-")).count() == 1
    assert len(assistant.asked) == 1


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_answer_is_rated_and_said_better(tab, assistant, language, script):
    words = {
        "en": (
            "Your question",
            "Ask",
            "This answer is helpful",
            "counted",
            "Say it better",
            "Send this answer",
            "your feedback is kept",
        ),
        "zh": ("您的问题", "提问", "这个回答有用", "只计了数", "改写得更好", "提交这个回答", "已保存"),
    }[language]
    page = tab(language, script)
    page.goto("/chat")
    for number in (1, 2):
        page.get_by_label(words[0]).fill("Which port?")
        page.get_by_role("button", name=words[1], exact=True).click()
        page.get_by_role("button", name=words[2]).wait_for()
        if number == 1:
            page.get_by_role("button", name=words[2]).click()
            page.get_by_text(words[3]).wait_for()
    assert page.locator("article").count() == (2 if script else 1)
    page.get_by_text(words[4]).click()
    page.locator("textarea[name=edit]").fill("Port 8600.")
    page.locator("input[name=consent]").check()
    page.get_by_role("button", name=words[5]).click()
    page.get_by_text(words[6]).wait_for()
    said = [(given.rating, given.edit, given.consent) for _, given in assistant.rated]
    assert said == [("up", "", False), ("", "Port 8600.", True)]


def test_the_stop_button_stops_the_model(tab, assistant):
    assistant.pause_s = 0.02
    page = tab()
    page.goto("/chat")
    page.get_by_label("Your question").fill("endless")
    page.keyboard.press("Enter")
    until(lambda: assistant.written > 3)
    page.get_by_role("button", name="Stop").click()
    assert assistant.stopped.wait(5)
    page.get_by_role("alert").get_by_text("Stopped").wait_for()
    assert page.locator("article").count() == 0
    assert page.get_by_label("Your question").input_value() == "endless"
    assert page.get_by_role("button", name="Ask").is_enabled()


def test_what_goes_wrong_is_said_and_nothing_is_lost(tab, assistant):
    page = tab()
    page.goto("/chat")
    page.get_by_label("Your question").fill("fail early")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("Ask a shorter question").wait_for()
    assert page.get_by_label("Your question").input_value() == "fail early"
    page.get_by_label("Your question").fill("block this")
    page.keyboard.press("Enter")
    page.get_by_text("The guard acted on the answer (blocked): lexicon").wait_for()
    page.get_by_text("I cannot answer this.").wait_for()


def test_chat_works_without_script(tab, assistant):
    page = tab(script=False)
    page.goto("/chat")
    page.get_by_label("Your question").fill("Which port?")
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("The server listens on port 8600 by default.").first.wait_for()
    page.get_by_role("link", name="[1]").click()
    assert page.url.partition("#")[2].startswith("ans-")
    page.locator("summary").first.click()
    assert page.locator("blockquote").first.is_visible()


def test_nothing_that_a_user_writes_runs_as_script(tab, assistant):
    page = tab()
    for path in ("/", "/answers", f"/answers/{NASTY_ANSWER}", f"/runs/{RUN}"):
        page.goto(path)
        if path != f"/runs/{RUN}":
            assert page.get_by_text("<script>window.hacked").count() >= 1, path
    page.goto("/chat")
    page.get_by_label("Your question").fill(NASTY)
    page.keyboard.press("Enter")
    page.locator(".said a.mark").wait_for()
    assert NASTY in page.locator(".asked").inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator("article img, article script").count() == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_is_followed_live(tab, filled, language):
    name = f"20261124T090000-0000010000{'1' if language == 'en' else '2'}"
    say = run_events(filled, name)
    page = tab(language)
    page.goto(f"/runs/{name}")
    line = page.locator("svg.curve polyline").first
    before = len(line.get_attribute("points").split())
    assert page.get_by_role("img", name=re.compile("pretrained loss")).count() == 1
    assert {"en": "30 s", "zh": "30 秒"}[language] in page.locator("#run-current").inner_text()
    marked = page.evaluate_handle("document.querySelector('h1')")
    for second in range(11, 21):
        training(say, name, second, 6.0 - second / 10)
    until(lambda: len(line.get_attribute("points").split()) == before + 10)
    until(lambda: "20 / 40" in page.locator("#run-current").inner_text())
    say(Event(kind="step_sealed", time="2026-11-24T08:00:21.000Z", run=name, **STEP, seconds=20.0, total=1234))
    say(Event(kind="run_finished", time="2026-11-24T08:00:21.000Z", run=name, text="toy", seconds=21.0))
    say.close()
    page.locator("#live[data-state=finished]").wait_for()
    page.locator("#run-head").get_by_text({"en": "finished", "zh": "已结束"}[language], exact=True).wait_for()
    assert page.locator("#run-current").inner_text().strip() == ""
    assert marked.evaluate("node => node.isConnected"), "the page was loaded anew"


def test_a_check_can_be_asked_for(tab, filled):
    page = tab()
    page.goto("/artifacts")
    page.locator("tr", has_text="toy/served").get_by_role("link").click()
    page.get_by_role("button", name="Verify").click()
    page.get_by_role("status").get_by_text("All is as it was sealed.").wait_for()
