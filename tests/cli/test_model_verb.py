"""`septet model` as a user types it, in both languages."""

import json

import pytest
import tiny_models

from septet.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.llama(tmp_path_factory.mktemp("model") / "model").path


def said(capsys, *words, status=0):
    assert main(list(words)) == status
    captured = capsys.readouterr()
    return captured.out if status == 0 else captured.err


def test_the_table_is_there_in_both_languages(capsys, monkeypatch):
    assert "model.encoder kind=modernbert" in said(capsys, "model", "table", "--language", "en")
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "语音转写" in said(capsys, "model", "table")
    rows = json.loads(said(capsys, "model", "table", "--json"))
    assert {row["family"] for row in rows} >= {"BERT", "Llama", "T5", "Whisper", "Stable Diffusion"}


def test_a_size_is_said_from_a_folder_or_its_config(folder, capsys):
    out = said(capsys, "model", "size", str(folder), "--language", "en", "--inference-tokens", "1e9")
    assert "counted on torch's meta device and by formula" in out
    assert "20 tokens a parameter" in out
    words = (
        "model",
        "size",
        str(folder / "config.json"),
        "--trained",
        "lora:8",
        "--shards",
        "2",
        "--zero",
        "3",
        "--json",
    )
    found = json.loads(said(capsys, *words))
    card = json.loads((folder / "model_card.json").read_text("utf-8"))
    assert found["parameters"] == found["parameters_by_formula"] == card["parameters"]
    assert found["memory"]["weights"] == card["parameters"]
    assert "参数量" in said(capsys, "model", "size", str(folder), "--language", "zh")


def test_mistakes_are_one_line(folder, tmp_path, capsys):
    assert "is not there" in said(capsys, "model", "size", str(tmp_path), status=2)
    assert "no way to train" in said(capsys, "model", "size", str(folder), "--trained", "half", status=2)
