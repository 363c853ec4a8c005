"""The parts of the console that need no server: words, languages, runs folded from events, curves, small forms."""

from __future__ import annotations

import os
import re

import pytest
from filled_workspace import RUN, STEP, run_events
from starlette.requests import Request

from septet.console import chart, items, language, view
from septet.console.runs import Runs, fold
from septet.core import events
from septet.core.events import Event
from septet.kinds import Report

PLACE = re.compile(r"\{\d\}")


def test_both_languages_have_every_word_with_the_same_places():
    english, chinese = language.load("en"), language.load("zh")
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert set(PLACE.findall(text)) == set(PLACE.findall(chinese[key])), key
        assert chinese[key].strip(), key
    untranslated = [key for key in english if english[key] == chinese[key] and re.search("[a-z]{3}", english[key])]
    assert untranslated == ["site.name"]


def test_every_word_that_a_template_asks_for_is_known():
    english = language.load("en")
    used = set()
    for path in (view._HERE / "templates").glob("*.html"):
        used |= set(re.findall(r"""\bt\(["']([a-z_.]+)["'](?! ~)""", path.read_text("utf-8")))
    assert len(used) > 80
    assert used <= english.keys() | {"nav.", "stage.", "artifact.", "release.", "chat.guard_"}


@pytest.mark.parametrize(
    ("query", "cookie", "accepts", "chosen"),
    [
        ("", "", "", "en"),
        ("", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "", "fr,en;q=0.5,zh;q=0.9", "zh"),
        ("", "", "zh;q=0, en;q=0.1", "en"),
        ("", "", "de;q=x,zh", "zh"),
        ("", "en", "zh", "en"),
        ("lang=zh", "en", "en", "zh"),
        ("lang=xx", "", "zh", "zh"),
    ],
)
def test_the_address_wins_over_the_cookie_and_the_cookie_over_the_browser(query, cookie, accepts, chosen):
    headers = [(b"accept-language", accepts.encode())]
    if cookie:
        headers.append((b"cookie", f"{language.COOKIE}={cookie}".encode()))
    request = Request({"type": "http", "query_string": query.encode(), "headers": headers, "path": "/"})
    assert language.choose(request) == chosen


def test_a_run_is_folded_from_its_events(workspace):
    run_events(workspace).close()
    run = fold(RUN, events.read(workspace.runs / f"{RUN}.jsonl"))
    assert (run.recipe, run.state, run.total, run.finished_steps) == ("toy", "running", 3, 1)
    step = run.current
    assert (step.name, step.done, step.total, step.unit) == ("pretrained", 10, 40, "steps")
    assert step.rate == pytest.approx(1.0)
    assert step.left == pytest.approx(30.0)
    assert [name for name, _ in step.ordered_curves] == ["loss", "tokens_per_second"]
    assert step.curves["loss"][-1] == (9, 5.0)
    assert step.drops[0].count == 12


def test_a_run_whose_process_is_gone_is_stopped(workspace):
    quiet = f"20261124T080000-{2**22 + 1:x}0000"
    alive = f"20261124T080001-{os.getpid():x}0000"
    for name in (quiet, alive):
        run_events(workspace, name).close()
        os.utime(workspace.runs / f"{name}.jsonl", (0, 0))
    runs = Runs(workspace.runs)
    assert runs.one(quiet).state == "stopped"
    assert runs.one(quiet).current is None
    assert runs.one(alive).state == "running"
    assert [run.id for run in runs.all()] == [alive, quiet]
    assert runs.one("../../etc/passwd") is None


def test_a_failed_run_says_why(workspace):
    say = run_events(workspace)
    say(Event(kind="step_failed", time="2026-11-24T08:00:11.000Z", run=RUN, **STEP, text="no disk", seconds=10.0))
    say(Event(kind="run_failed", time="2026-11-24T08:00:11.000Z", run=RUN, text="no disk", seconds=11.0))
    say.close()
    run = Runs(workspace.runs).one(RUN)
    assert (run.state, run.text, run.seconds) == ("failed", "no disk", 11.0)
    assert run.steps[-1].state == "failed"


def test_a_curve_keeps_its_spikes_and_skips_what_is_no_number():
    points = [(float(at), 1.0) for at in range(5000)]
    points[2500] = (2500.0, 99.0)
    points[10] = (10.0, float("nan"))
    drawn = str(chart.curve(points, "loss", "of <b>"))
    assert len(re.findall(r"\d+\.?\d*,\d+", drawn)) < 1500
    assert ">100<" in drawn
    assert "<b>" not in drawn
    assert chart.curve([], "loss", "") == ""
    assert "polyline" in chart.curve([(0.0, 2.0)], "loss", "")
    assert "polyline" in chart.curve([(0.0, -3.0), (1.0, -3.0)], "loss", "")


def test_an_interval_is_drawn_only_of_a_share():
    assert "circle" in chart.interval(0.5, 0.4, 0.6)
    assert chart.interval(5.0, 4.0, 6.0) == ""


def test_citation_marks_become_links_and_everything_else_is_escaped():
    linked = str(view.cited("<i> [1] [2] [x]", {1}, "ans-1"))
    assert linked == '&lt;i&gt; <a class="mark" href="#ans-1-1">[1]</a> [2] [x]'


def test_numbers_and_times_are_shown_in_one_way():
    assert [view.number(one) for one in (None, 0.25, 1.0, 12.0, 1234.0, 123.45)] == [
        "–",
        "0.250",
        "1.000",
        "12",
        "1,234",
        "123.5",
    ]
    assert [view.size(one) for one in (999, 1000, 2_500_000)] == ["999 B", "1.0 kB", "2.5 MB"]
    assert "08:46:10 UTC" in view.moment("2026-11-24T16:46:10.500+08:00")
    assert view.moment("<never>") == "&lt;never&gt;"


def test_the_items_of_a_report_come_the_worst_first(tmp_path):
    plain = {"question": "?", "labels": [1], "options": ["a", "b"], "references": ["b"], "extracted": "", "output": ""}
    rows = [
        {**plain, "id": "right", "score": 1.0, "outcome": "answered", "chosen": 1},
        {**plain, "id": "wrong", "score": 0.0, "outcome": "answered", "chosen": 0},
        {**plain, "id": "lost", "score": None, "outcome": "failed", "chosen": None, "reason": "too long"},
        {
            **plain,
            "id": "free",
            "score": 0.0,
            "outcome": "unparsed",
            "chosen": None,
            "output": "hm",
            "options": None,
            "labels": [],
        },
    ]
    lines, count = items.shown(Report.write(tmp_path / "r", "score", {}, rows))
    assert [(one.id, one.wanted, one.said) for one in lines] == [
        ("lost", "b", "too long"),
        ("free", "b", "hm"),
        ("wrong", "b", "a"),
    ]
    assert count == 3
    moved = [
        {"id": one, "question": "?", "references": ["b"], "before": "b", "after": "a", "moved": one}
        for one in ("better", "same", "worse")
    ]
    lines, _ = items.shown(Report.write(tmp_path / "u", "upgrade", {}, moved))
    assert [one.state for one in lines] == ["worse", "better"]
    assert items.shown(Report.write(tmp_path / "o", "other", {}, [{"id": "x"}])) == ([], 0)
