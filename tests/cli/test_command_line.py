"""The verbs as a user types them: what they print, and that a mistake is one line and status 2."""

from __future__ import annotations

import json
import re

import pytest

from septet.cli.main import VERBS, main

TOY = """
[raw]
step = "toy.read"
file = "words.txt"
[big]
step = "toy.upper"
words = "@raw"
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEPTET_WORKSPACE", raising=False)
    (tmp_path / "words.txt").write_text("one two 三", "utf-8")
    (tmp_path / "toy.toml").write_text(TOY, "utf-8")
    return tmp_path


def said(capsys, *words: str, status: int = 0) -> str:
    assert main(list(words)) == status
    captured = capsys.readouterr()
    return captured.out if status == 0 else captured.err


def test_a_run_shows_what_runs_and_a_second_what_is_kept(place, capsys):
    assert main(["run", "toy.toml"]) == 0
    first = capsys.readouterr().err
    assert "2 steps" in first
    assert re.search(r"\[ 2/2\] big +toy\.upper +sealed [0-9a-f]{12}", first)
    assert "left out 1: short words (nowhere)" in first
    assert main(["run", "toy.toml"]) == 0
    assert capsys.readouterr().err.count("kept (made before in") == 2


def test_plan_names_the_changed_field(place, capsys):
    said(capsys, "run", "toy.toml", "--quiet")
    out = said(capsys, "plan", "toy.toml", "--set", "big.suffix=!")
    assert 'suffix: "" -> "!"' in out
    assert "1 kept, 1 to make" in out
    plan = json.loads(said(capsys, "plan", "toy.toml", "--json"))
    assert [(one["name"], one["hit"]) for one in plan] == [("raw", True), ("big", True)]


def test_ls_show_and_diff(place, capsys):
    said(capsys, "run", "toy.toml", "--quiet")
    one = said(capsys, "show", "toy/big", "--json")
    said(capsys, "run", "toy.toml", "--quiet", "--set", "big.suffix=!")
    assert "toy/big" in said(capsys, "ls")
    assert "toy.upper" in said(capsys, "ls", "artifacts")
    assert "finished" in said(capsys, "ls", "runs")
    assert "sealed" in said(capsys, "ls", "ledger")
    assert "toy.total" in said(capsys, "ls", "steps")
    shown = said(capsys, "show", "big")
    assert "suffix" in shown
    assert "words.txt" in shown
    difference = said(capsys, "diff", json.loads(one)["fingerprint"], "toy/big")
    assert 'config suffix: "" -> "!"' in difference
    assert "file words.txt" in difference
    assert "the same artifact" in said(capsys, "diff", "toy/raw", "toy/raw")


def test_do_runs_one_step_alone(place, capsys):
    made = said(capsys, "do", "toy.read", "--file", "words.txt").splitlines()
    fingerprint = made[0].split()[1]
    out = said(capsys, "do", "toy.upper", "--words", fingerprint, "--suffix", "?").splitlines()
    assert (place / out[-1] / "words.txt").read_text("utf-8") == "ONE? TWO? 三?"
    help_text = said(capsys, "do", "toy.upper", "--help")
    assert "--words  Words" in help_text
    assert "--pause_s  number, default 0.0" in help_text


def test_trace_follows_an_artifact_to_the_outside_file(place, capsys):
    said(capsys, "run", "toy.toml", "--quiet")
    out = said(capsys, "trace", "toy/big")
    assert str(place / "words.txt") in out
    assert "  words: Words toy/raw" in out


def test_adopt_and_gc(place, capsys):
    (place / "given").mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (place / "given" / name).write_text("{}")
    assert "@adopted/mine" in said(capsys, "adopt", "given", "--kind", "Tokenizer", "--as", "mine")
    assert "Did you mean 'Tokenizer'" in said(capsys, "adopt", "given", "--kind", "Tokeniser", "--as", "x", status=2)
    assert "removed 0 artifacts" in said(capsys, "gc")
    assert "all as sealed" in said(capsys, "verify")


def test_doctor_says_what_is_there_and_how_to_get_the_rest(place, capsys):
    out = said(capsys, "doctor")
    assert re.search(r"ok +python", out)
    assert "ledger" in out
    for line in out.splitlines():
        if line.startswith("--") and "extra" in line:
            assert "pip install 'septet[" in out


def test_init_lays_out_a_project_that_plans(place, capsys):
    out = said(capsys, "init", "my-bank", "--documents", "papers")
    assert "papers/" in out
    assert {path.name for path in (place / "my-bank").iterdir()} == {
        "assistant.toml", "policy.toml", "attacks.jsonl", "papers", ".gitignore",
    }  # fmt: skip
    text = (place / "my-bank" / "assistant.toml").read_text("utf-8")
    assert 'name = "my-bank"' in text
    assert "handbook/" not in text
    assert 'licence = "unknown"' in text
    (place / "my-bank" / "papers" / "a.md").write_text("# 规则\n\n开户需要身份证。\n", "utf-8")
    assert "26 to make" in said(capsys, "plan", "my-bank/assistant.toml")
    assert "is there already" in said(capsys, "init", "my-bank", status=2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "none.toml"], "there is no recipe at none.toml"),
        (["run", "toy.toml", "--set", "big.sufix=x"], "Did you mean 'suffix'"),
        (["do", "toy.upper"], "the input 'words' is missing"),
        (["do", "toy.uper"], "Did you mean 'toy.upper'"),
        (["do", "toy.read", "--file"], "--file has no value"),
        (["show", "nothing"], "nothing is called 'nothing'"),
        (["trace"], "no answer was given yet"),
        (["trace", "ans-0"], "there is no answer 'ans-0'"),
        (["chat", "quickstart", "hello"], "holds no release"),
        (["serve", "--port", "0"], "holds no release"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(place, capsys, words, message):
    error = said(capsys, *words, status=2)
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert "Traceback" not in error


def test_help_lists_every_verb(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert all(f"    {verb}" in out for verb in VERBS)
