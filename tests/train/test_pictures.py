"""Pictures from a folder or arrays to pictures of a caption, by codes and from noise."""

import json
import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tiny_models

from septet import statistics
from septet.cli.main import main
from septet.core import ConfigError, Run
from septet.core.recipe import load as load_recipe
from septet.core.runner import Runner
from septet.core.workspace import Workspace
from septet.data.steps import Pictures as ReadPictures
from septet.data.steps import pictures as read_pictures
from septet.inference.paint import paint
from septet.inference.protocol import load as load_engine
from septet.model.steps import Image as Sizes
from septet.model.steps import image as make
from septet.model.torch_folder import read_module
from septet.train.steps import Image, ImageCodes, image, image_codes
from septet.train.trainable import check_trainable

Picture = pytest.importorskip("PIL.Image", reason="pip install 'septet[image]'")
SHARED = Path(os.environ.get("SEPTET_SHARED", Path(__file__).parents[3] / "shared"))
DIGITS = SHARED / "corpora" / "digits-mnist" / "mnist-3000.npz"
CHOSEN = (0, 1, 4)
SIZES = {
    "tokens": {"layers": 2, "width": 32, "levels": (4, 4, 4)},
    "diffusion": {"layers": 1, "width": 16, "code_width": 8},
}
STEPS = {"tokens": 250, "diffusion": 200}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Two hundred real digits of three classes, 8 by 8 pixels."""
    if not DIGITS.is_file():
        pytest.skip("the shared corpora are not here: set SEPTET_SHARED")
    path = tmp_path_factory.mktemp("digits")
    with np.load(DIGITS, allow_pickle=False) as held:
        kept = np.flatnonzero(np.isin(held["labels"], CHOSEN))[:200]
        np.savez(path / "three.npz", images=held["images"][kept], labels=held["labels"][kept])
    config = ReadPictures(source=str(path / "three.npz"), size=8, licence="CC BY-SA 3.0", origin="public")
    return read_pictures(config, Run(path / "out"))


@pytest.fixture(scope="module", params=SIZES)
def taught(request, digits, tmp_path_factory):
    """Fresh, with codes, and taught to draw."""
    if request.param == "diffusion":
        pytest.importorskip("diffusers", reason="pip install 'septet[image]'")
    path = tmp_path_factory.mktemp(request.param)
    sizes = {"code_width": 16} | SIZES[request.param]
    tokenizer = tiny_models.byte_tokenizer(path / "tokenizer")
    fresh = make(Sizes(kind=request.param, size=8, reduction=2, caption=4, **sizes), tokenizer, Run(path / "fresh"))
    codes = image_codes(ImageCodes(steps=100, learning_rate=5e-3), fresh, digits, Run(path / "codes"))
    config = Image(steps=STEPS[request.param], learning_rate=5e-3)
    return fresh, codes, image(config, codes, digits, Run(path / "drawing"))


def test_pictures_come_back_from_their_codes(taught):
    log = json.loads((taught[1].path / "training.json").read_text())
    assert log["reconstruction_after"] < log["reconstruction_before"] / 4


def test_what_it_draws_is_what_was_asked_for_more_often_than_by_chance(taught, digits):
    _, codes, drawing = taught
    losses = json.loads((drawing.path / "training.json").read_text())["losses"]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) / 2
    real = list(digits.rows())
    values = np.stack([np.asarray(Picture.open(BytesIO(row["png"]))) for row in real]).astype(float)
    means = np.stack([values[[row["label"] == str(digit) for row in real]].mean(0) for digit in CHOSEN])
    asked = np.repeat(np.arange(len(CHOSEN)), 20)

    def share(model):
        drawn = paint(model, [str(CHOSEN[one]) for one in asked], seed=1, steps=20)[..., 0].astype(float)
        seen = ((drawn[:, None] - means) ** 2).sum((2, 3)).argmin(1)
        return statistics.share(int((seen == asked).sum()), len(asked))

    assert share(drawing).low > 1 / len(CHOSEN)
    assert share(codes).low < 1 / len(CHOSEN) + 0.1, "the measure sees digits where none were learnt"


def test_a_seed_is_a_picture_and_another_is_another(taught):
    drawn = [paint(taught[2], ["4", "1"], seed, steps=4) for seed in (1, 1, 2)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert drawn[0].shape == (2, 8, 8, 1)


def test_a_killed_training_goes_on_in_the_same_bits(taught, digits, tmp_path, monkeypatch):
    from septet.train import loop

    monkeypatch.setattr(loop, "_SAVE_EVERY_S", 0.0)

    class Killed(Exception):
        pass

    def kill(event):
        if event.kind == "metric" and event.at == 3:
            raise Killed

    for name, step, config in (("codes", image_codes, ImageCodes(steps=6)), ("drawing", image, Image(steps=6))):
        whole = step(config, taught[1], digits, Run(tmp_path / f"{name}-whole"))
        with pytest.raises(Killed):
            step(config, taught[1], digits, Run(tmp_path / f"{name}-half", tmp_path / name, kill))
        again = step(config, taught[1], digits, Run(tmp_path / f"{name}-again", tmp_path / name))
        assert (again.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()


def test_it_is_refused_where_one_chats_and_for_pictures_of_another_size(taught, tmp_path):
    with pytest.raises(ConfigError, match="a model that draws, which continues no conversation"):
        load_engine(taught[2])
    with pytest.raises(ConfigError, match=r"does not learn from text alone.*train\.image"):
        check_trainable(taught[2])
    with pytest.raises(ConfigError, match="no model of text or speech"):
        read_module(taught[2].path, "float32")
    wide = np.zeros((4, 12, 12), "uint8")
    np.savez(tmp_path / "wide.npz", images=wide, labels=np.arange(4))
    other = ReadPictures(source=str(tmp_path / "wide.npz"), licence="own", origin="private")
    with pytest.raises(ConfigError, match="draws 8 by 8 pixels"):
        image(Image(steps=1), taught[1], read_pictures(other, Run(tmp_path / "wide")), Run(tmp_path / "out"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Coloured squares with captions, a broken file, one too many and one too few."""
    made = tmp_path_factory.mktemp("pictures")
    lines = ["file,caption,label"]
    for name, colour in (("red", (200, 0, 0)), ("blue", (0, 0, 200))):
        for number in range(4):
            Picture.new("RGB", (20 + number, 30), colour).save(made / f"{name}{number}.png")
            lines.append(f"{name}{number}.png,a {name} square,{name}")
    (made / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    Picture.new("L", (9, 9)).save(made / "untold.jpg")
    (made / "captions.csv").write_text("\n".join([*lines, "broken.png,broken,", "lost.png,lost,"]) + "\n", "utf-8")
    return made


def test_a_folder_is_read_and_what_cannot_be_is_named(folder, tmp_path):
    found = read_pictures(
        ReadPictures(source=str(folder), size=16, licence="own", origin="private"), Run(tmp_path / "out")
    )
    rows = list(found.rows())
    assert {(row["caption"], row["label"]) for row in rows} == {("a red square", "red"), ("a blue square", "blue")}
    assert all(Picture.open(BytesIO(row["png"])).size == (16, 16) for row in rows)
    assert {line["source"] for line in found.rejected()} == {"broken.png", "untold.jpg", "lost.png"}


def test_arrays_of_objects_are_not_read(tmp_path):
    np.savez(tmp_path / "bad.npz", images=np.array([{}], object), labels=np.arange(1))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_pictures(
            ReadPictures(source=str(tmp_path / "bad.npz"), licence="own", origin="private"), Run(tmp_path / "out")
        )


def test_the_recipe_and_the_verb(folder, tmp_path, repository, capsys):
    pytest.importorskip("diffusers", reason="pip install 'septet[image]'")
    tables = ("codes", "by_codes", "latents", "from_noise")
    changes = [f"pictures.source={json.dumps(str(folder))}", *(f"{one}.steps=2" for one in tables)]
    changes += [f"{one}.channels=3" for one in ("fresh_codes", "fresh_latents")]
    with Workspace(tmp_path / ".septet") as workspace:
        Runner(workspace).run(load_recipe(repository / "recipes" / "picture.toml", changes))
    there = ("--workspace", str(tmp_path / ".septet"))
    for name in ("by_codes", "from_noise"):
        out = tmp_path / f"{name}.png"
        assert main(["paint", name, "a red square", "--out", str(out), "--number", "3", "--steps", "2", *there]) == 0
        with Picture.open(out) as drawn:
            assert (drawn.size, drawn.mode) == ((33, 33), "RGB")
    assert main(["paint", "tokenizer", "x", "--out", str(tmp_path / "x.png"), *there]) == 2
    assert main(["paint", "by_codes", "x", "--out", str(tmp_path / "x.gif"), *there]) == 2
    capsys.readouterr()
