"""From a Hugging Face folder to GGUF and back: the same numbers, the same ids, the same bytes each time."""

import json
import shutil

import numpy as np
import pytest
import tiny_models
import torch
from safetensors.torch import load_file

from septet.compress.gguf_export import pack
from septet.compress.steps import Quantise, quantise
from septet.core import ConfigError, Run
from septet.kinds import Model
from septet.model.codec import Codec
from septet.model.steps import Load, load
from septet.model.words import PATTERNS

IDS = torch.randint(3, 300, (2, 40), generator=torch.Generator().manual_seed(3))


def test_there_and_back_is_the_same_model(family, tmp_path):
    from septet.model.torch_folder import read_module

    there = quantise(Quantise(format="f16"), family, Run(tmp_path / "there"))
    there.check()
    back = load(Load(source=str(there.path / "model.gguf")), Run(tmp_path / "back"))
    before, after = load_file(family.path / "model.safetensors"), load_file(back.path / "model.safetensors")
    assert before.keys() == after.keys()
    for name, weight in before.items():
        assert torch.allclose(weight, after[name].float(), rtol=1e-2, atol=1e-2), name
    with torch.inference_mode():
        ours = read_module(family.path, "float32")(input_ids=IDS).logits
        theirs = read_module(back.path, "float32")(input_ids=IDS).logits
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=-1).min() > 0.999
    ids = [[one["ids"] for one in json.loads((model.path / "golden.json").read_text())] for model in (family, back)]
    assert ids[0] == ids[1]


def test_llama_cpp_reads_each_family_as_torch_does(family, tmp_path):
    pytest.importorskip("xllamacpp", reason="the package xllamacpp is not installed: pip install 'septet[llamacpp]'")
    from septet.inference.llamacpp import LlamaCppEngine
    from septet.inference.protocol import Options, Prompt, totals
    from septet.inference.torch_engine import TorchEngine

    ours, theirs = (
        TorchEngine(family, precision="float32"),
        LlamaCppEngine(quantise(Quantise(), family, Run(tmp_path / "q"))),
    )
    texts = [*tiny_models.TEXTS, "ab 12"]
    prompts = [Prompt((1, *ours.codec.encode(text))) for text in texts]
    expected, found = (engine.generate(prompts, Options(max_tokens=6)) for engine in (ours, theirs))
    for prompt in prompts:
        options = [ours.codec.encode(text) for text in ("card", " year", "a")]
        assert totals(theirs, prompt, options) == pytest.approx(totals(ours, prompt, options), rel=0.02, abs=0.1)
    theirs.close()
    same = [one.ids[:2] == two.ids[:2] for one, two in zip(expected, found, strict=True)]
    assert sum(same) >= 3, "8-bit weights may turn a close call, not most of them"


def test_llama_cpp_cuts_text_as_the_tokenizer_does(family, tmp_path):
    xllamacpp = pytest.importorskip(
        "xllamacpp", reason="the package xllamacpp is not installed: pip install 'septet[llamacpp]'"
    )
    model = quantise(Quantise(), family, Run(tmp_path / "q"))
    texts = [one["text"] for one in json.loads((model.path / "golden.json").read_text("utf-8"))]
    texts += [
        "  two  blanks\n\n\nthree lines\t tab",
        "1234567 ３％ don't DON'T",
        "混排mixed文字，。！？“”",
        "🙂👩‍💻 ﷽ \u200b",
    ]
    codec = Codec(model.path)
    found = tiny_models.ids_by_llama_cpp(xllamacpp, model, texts)
    for text, ids in zip(texts, found, strict=True):
        assert ids == codec.encode(text), text


def test_llama_cpp_cuts_in_each_way_as_the_tokenizer_does(tmp_path):
    xllamacpp = pytest.importorskip(
        "xllamacpp", reason="the package xllamacpp is not installed: pip install 'septet[llamacpp]'"
    )
    texts = ["a  5  b   12 c\n\n  3\n 4  \n", "  1 two", "年费是 120 元。  首年 0 元 ½", "don't\t\t7\n\n\n  y  "]
    for way in PATTERNS:
        tokenizer = tiny_models.byte_tokenizer(tmp_path / f"{way}-tokenizer", way=way)
        model = quantise(Quantise(), tiny_models.llama(tmp_path / f"{way}-model", tokenizer), Run(tmp_path / way))
        codec = Codec(model.path)
        for text, ids in zip(texts, tiny_models.ids_by_llama_cpp(xllamacpp, model, texts), strict=True):
            assert ids == codec.encode(text), (way, text)


def test_the_file_has_the_same_bytes_each_time(tiny, tmp_path):
    digests = {quantise(Quantise(), tiny, Run(tmp_path / name)).digest() for name in "ab"}
    assert len(digests) == 1


def test_blocks_of_8_bits_are_what_the_package_makes_of_rows():
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize, quantize

    array = np.random.default_rng(1).normal(size=(2048, 64)).astype(np.float32)
    packed, kind = pack(array, GGMLQuantizationType.Q8_0)
    assert kind == GGMLQuantizationType.Q8_0
    assert np.array_equal(packed, quantize(array, kind))
    assert np.abs(dequantize(packed, kind) - array).max() < 0.03
    assert pack(array[:, :40], GGMLQuantizationType.Q8_0)[1] == GGMLQuantizationType.F16
    assert pack(array[0], GGMLQuantizationType.Q8_0)[1] == GGMLQuantizationType.F32


def test_a_way_of_cutting_words_that_gguf_cannot_name_is_refused(tiny, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tiny.path, other)
    content = json.loads((other / "tokenizer.json").read_text("utf-8"))
    content["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = r"\S+|\s+"
    (other / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(ConfigError, match="no name in GGUF"):
        quantise(Quantise(), Model(other), Run(tmp_path / "out"))


def test_what_is_quantised_is_not_quantised_again(tiny, tmp_path):
    once = quantise(Quantise(), tiny, Run(tmp_path / "once"))
    with pytest.raises(ConfigError, match="GGUF already"):
        quantise(Quantise(), once, Run(tmp_path / "twice"))


def test_terms_and_changes_go_along(tiny, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(tiny.path, model)
    (model / "terms").mkdir()
    (model / "terms" / "LICENCE.txt").write_text("terms")
    made = quantise(Quantise(), Model(model), Run(tmp_path / "out"))
    assert (made.path / "terms" / "LICENCE.txt").read_text() == "terms"
    assert made.card["changes"] == ["converted to GGUF, weights in q8_0"]
