"""The GGUF form in llama.cpp against the safetensors form in torch: same ids in, same words out."""

import subprocess
import sys
import threading

import pytest

pytest.importorskip("xllamacpp", reason="the package xllamacpp is not installed: pip install 'septet[llamacpp]'")

from septet.core import ConfigError, StepFailed
from septet.inference.llamacpp import LlamaCppEngine
from septet.inference.protocol import Engine, Options, Prompt, load, totals

GREEDY = Options(max_tokens=12)


@pytest.fixture(scope="module")
def engine(tiny_gguf):
    made = load(tiny_gguf)
    yield made
    made.close()


def test_the_form_chooses_the_engine(engine):
    assert isinstance(engine, LlamaCppEngine)
    assert isinstance(engine, Engine)


def test_both_forms_say_the_same(engine, torch_engine, prompts):
    ours, theirs = torch_engine.generate(prompts, GREEDY), engine.generate(prompts, GREEDY)
    assert [one.ids for one in ours] == [one.ids for one in theirs]
    assert [one.text for one in ours] == [one.text for one in theirs]
    assert [one.finish for one in ours] == [one.finish for one in theirs]


def test_both_forms_find_the_same_likely(engine, torch_engine, prompts):
    options = [engine.codec.encode(text) for text in ("12 dollars", "一百二十元", "a")]
    ours, theirs = (totals(one, prompts[1], options) for one in (torch_engine, engine))
    assert theirs == pytest.approx(ours, rel=0.01, abs=0.1)


def test_a_stream_is_the_answer_in_pieces_and_can_be_closed(engine, prompts):
    (made,) = engine.generate(prompts[:1], GREEDY)
    pieces = list(engine.stream(prompts[0], GREEDY))
    assert "".join(piece.text for piece in pieces) == made.text
    assert pieces[-1].finish == made.finish
    stream = engine.stream(prompts[0], Options(max_tokens=200))
    next(stream)
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "llamacpp-stream"]


def test_two_streams_at_once(engine, prompts):
    expected = [engine.generate([prompt], GREEDY)[0].text for prompt in prompts[:2]]
    streams = [engine.stream(prompt, GREEDY) for prompt in prompts[:2]]
    firsts = [next(stream).text for stream in streams]
    found = [first + "".join(piece.text for piece in stream) for first, stream in zip(firsts, streams, strict=True)]
    assert found == expected


def test_stop_texts_end_an_answer(engine, torch_engine, prompts):
    (free,) = torch_engine.generate(prompts[1:2], GREEDY)
    stop = free.text.strip()[4:6]
    cut = Options(max_tokens=12, stop=(stop,))
    (ours,), (theirs,) = torch_engine.generate(prompts[1:2], cut), engine.generate(prompts[1:2], cut)
    begun = len(free.text) - len(free.text.lstrip())
    assert ours.text == theirs.text == free.text[: free.text.index(stop, begun)]
    assert ours.finish == theirs.finish == "stop"


def test_bad_requests_say_what_is_wrong(engine):
    with pytest.raises(ConfigError, match="the prompt has 300 tokens, the context is 256"):
        engine.generate([Prompt((5,) * 300)], GREEDY)
    with pytest.raises(StepFailed, match="invalid tokens"):
        engine.generate([Prompt((10**6,))], GREEDY)


def test_a_broken_file_is_refused(tiny_gguf, tmp_path):
    import shutil

    folder = tmp_path / "broken"
    shutil.copytree(tiny_gguf.path, folder)
    content = (folder / "model.gguf").read_bytes()
    (folder / "model.gguf").write_bytes(content[: len(content) // 2])
    with pytest.raises(ConfigError, match=r"cannot load model\.gguf"):
        LlamaCppEngine(type(tiny_gguf)(folder))


def test_an_engine_that_was_never_asked_can_be_closed(tiny_gguf):
    code = """
import sys
from pathlib import Path
from septet.inference.llamacpp import LlamaCppEngine
from septet.kinds import Model
for _ in range(20):
    LlamaCppEngine(Model(Path(sys.argv[1]))).close()
"""
    subprocess.run([sys.executable, "-c", code, str(tiny_gguf.path)], check=True, timeout=300)
