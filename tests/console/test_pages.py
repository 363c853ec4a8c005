"""The pages as a plain client gets them: what they say, in both languages, and what they refuse."""

from __future__ import annotations

import httpx
import pytest
from fake_assistant import FakeAssistant
from filled_workspace import ANSWER, NASTY_ANSWER, RUN, answer_body, fill
from live_server import running

from septet.console.app import create_app
from septet.core.errors import ConfigError
from septet.core.workspace import Workspace
from septet.detect.access import Reader
from septet.server.app import create_app as create_gateway
from septet.server.border import Key, guarded
from septet.server.desk import Desk

PAGES = ["/", "/runs", f"/runs/{RUN}", "/releases", "/releases/quickstart", "/answers", f"/answers/{ANSWER}"]
PAGES += [f"/answers/{NASTY_ANSWER}", "/chat", "/artifacts", "/artifacts?kind=Report"]


def get(address, path, language="en", **headers):
    return httpx.get(address + path, headers={"accept-language": language, **headers}, timeout=10)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_in_both_languages(address, path, language):
    answer = get(address, path, language)
    assert answer.status_code == 200
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in answer.text
    assert answer.text.count("<h1>") == 1
    assert "<script>" not in answer.text
    assert "onerror='" not in answer.text
    assert " style=" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert answer.headers["cache-control"] == "no-store"
    assert "lang=" in answer.text


def test_the_overview_names_the_release_and_what_was_last(address):
    text = get(address, "/").text
    for said in ("quickstart", "1 of 2 green", "signed, holds", "Which port?", ">toy<", "2 artifacts", "1 artifact<"):
        assert said in text, said
    assert "七个阶段" in get(address, "/", "zh").text


def test_a_release_shows_its_gates_red_and_green(address):
    text = get(address, "/releases/quickstart").text
    for said in (
        "upper end at most 0.5",
        "0.250",
        "0.100 – 0.400",
        "no measure",
        "Toy licence",
        "not measured",
        "an upper bound",
    ):
        assert said in text, said
    assert text.count('chip good">green') == 1
    assert text.count('chip bad">red') == 1
    assert "redteam pii_leaks" in get(address, "/releases").text


def test_an_answer_leads_to_file_and_span(address, filled):
    text = get(address, f"/answers/{ANSWER}").text
    for said in (
        "serving.md",
        "characters 11 to",
        "<mark>port 8600</mark>",
        "unchanged",
        "clerk",
        "20 read, 4 written",
    ):
        assert said in text, said
    assert f'href="#{ANSWER}-1">[1]</a> And [9]?' in text
    assert "/artifacts/sha256" in text
    record = filled.resolve("toy/knowledge")
    assert f"/artifacts/{record.fingerprint}" in text


def test_an_answer_can_be_opened_by_its_id(address):
    found = get(address, f"/answers?id=%20{ANSWER}")
    assert (found.status_code, found.headers["location"]) == (303, f"/answers/{ANSWER}")
    missing = get(address, "/answers?id=ans-<b>")
    assert missing.status_code == 404
    assert "There is no answer ans-&lt;b&gt;" in missing.text


def test_an_answer_whose_release_is_gone_still_is_shown(tmp_path):
    with Workspace(tmp_path / ".septet") as workspace:
        release = fill(workspace, tmp_path / "docs")
        workspace.store.remove(release)
        with Desk(FakeAssistant) as desk, running(guarded(create_app(workspace, desk))) as url:
            text = get(url, f"/answers/{ANSWER}").text
            assert "The chain cannot be drawn in full" in text
            assert "Port 8600." in text
            assert "no longer in the store" in get(url, "/releases").text
            assert get(url, "/").status_code == 200


def test_an_artifact_shows_its_record_and_its_neighbours(address, filled):
    record = filled.resolve("toy/knowledge")
    text = get(address, f"/artifacts/{record.fingerprint}").text
    for said in ("data.knowledge", "toy/docs", "toy/release", "chunks.parquet", "too short", "similarity", "&lt;b&gt;"):
        assert said in text, said
    short = get(address, f"/artifacts/{record.fingerprint[:20]}")
    assert short.headers["location"] == f"/artifacts/{record.fingerprint}"


def test_verification_names_the_artifact_and_the_file(tmp_path):
    with Workspace(tmp_path / ".septet") as workspace:
        release = fill(workspace, tmp_path / "docs")
        with Desk(FakeAssistant) as desk, running(guarded(create_app(workspace, desk))) as url:
            post = f"{url}/artifacts/{release.fingerprint}/verify"
            good = httpx.post(post).text
            assert "All is as it was sealed." in good
            assert "hashed again: 6" in good
            weights = workspace.store.folder(workspace.resolve("toy/served")) / "model.safetensors"
            weights.chmod(0o644)
            weights.write_bytes(b"Weights")
            for place in (post, f"{url}/verify"):
                said = httpx.post(place, headers={"accept-language": "zh"}).text
                assert "model.safetensors" in said
                assert "1 个问题" in said


def test_more_answers_than_a_page_holds_are_paged(workspace, tmp_path):
    release = fill(workspace, tmp_path / "docs")
    items = [("answer", f"ans-{n:016d}", answer_body(release, f"number {n}", "x", False)) for n in range(60)]
    workspace.ledger.append_all(items)
    with Desk(FakeAssistant) as desk, running(guarded(create_app(workspace, desk))) as url:
        first = get(url, "/answers").text
        assert "number 59" in first
        assert "number 9<" not in first
        older = first.partition('href="/answers?before=')[2].partition('"')[0]
        assert "number 9<" in get(url, f"/answers?before={older}").text


def test_an_empty_workspace_says_what_to_do(workspace):
    def none():
        raise ConfigError("the workspace holds no release", "Make one with: septet run recipes/quickstart.toml")

    with Desk(none) as desk, running(guarded(create_app(workspace, desk))) as url:
        home = get(url, "/").text
        assert "septet run recipes/quickstart.toml" in home
        assert str(workspace.root) in home
        for path in ("/runs", "/releases", "/answers", "/artifacts", "/chat"):
            assert get(url, path).status_code == 200, path
        answer = httpx.post(f"{url}/chat", data={"question": "x"})
        assert answer.status_code == 503
        assert (
            httpx.post(f"{url}/chat/stream", data={"question": "x"}).json()["problem"].startswith("the workspace holds")
        )


def test_what_is_not_there_is_a_page_too(address):
    for path in (
        "/nowhere",
        "/runs/nope",
        "/runs/..%2f..%2fx",
        "/releases/nope",
        "/answers/nope",
        "/artifacts/sha256:0",
    ):
        answer = get(address, path, "zh")
        assert answer.status_code == 404, path
        assert "回到概览" in answer.text


def test_a_post_from_another_site_is_refused(address, assistant):
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": address},
    ):
        for path in ("/chat", "/chat/stream", "/verify"):
            assert httpx.post(address + path, data={"question": "x"}, headers=headers).status_code == 403
    assert assistant.asked == []
    assert httpx.post(f"{address}/chat", data={"question": "x"}, headers={"origin": address}).status_code == 200
    assert get(address, "/", host="evil.example").status_code == 421


@pytest.mark.parametrize("question", ["", "  ", "x" * 9000, "x" * 70_000])
def test_a_question_that_cannot_be_asked_is_said_so(address, assistant, question):
    for path in ("/chat", "/chat/stream"):
        assert httpx.post(address + path, data={"question": question}).status_code == 400
    assert assistant.asked == []


def test_the_language_is_remembered(address):
    with httpx.Client(base_url=address, headers={"accept-language": "en"}) as client:
        assert "Overview" in client.get("/").text
        chosen = client.get("/runs?lang=zh")
        assert "samesite=lax" in chosen.headers["set-cookie"].lower()
        assert "概览" in client.get("/").text
        assert "Overview" in client.get("/?lang=en").text
        assert client.get("/").text.count("?lang=zh") == 1


def test_the_gateway_can_bring_the_console_along(filled):
    with Desk(FakeAssistant) as desk, running(create_gateway(desk, console=create_app(filled, desk))) as url:
        assert get(url, "/").status_code == 200
        assert get(url, "/v1/models").json()["data"][0]["id"] == "quickstart"
        assert get(url, "/v1/nothing").json()["error"]["code"] == "unknown_url"
        assert get(url, "/nothing").headers["content-type"].startswith("text/html")
    with Desk(FakeAssistant) as desk:
        app = create_gateway(desk, keys=(Key("k" * 20, Reader(clearance="*")),), console=create_app(filled, desk))
        with running(app) as url:
            refused = get(url, "/")
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Basic")
            assert httpx.get(url, auth=("clerk", "k" * 20)).status_code == 200
