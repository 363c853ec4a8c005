import random

import pytest
import tiny_models
import torch

from septet.core import ConfigError
from septet.inference.protocol import Options, Prompt, totals
from septet.inference.torch_engine import TorchEngine

GREEDY = Options(max_tokens=12)


def test_a_batch_says_what_each_prompt_says_alone(torch_engine, prompts):
    together = torch_engine.generate(prompts, GREEDY)
    alone = [torch_engine.generate([prompt], GREEDY)[0] for prompt in prompts]
    assert [one.ids for one in together] == [one.ids for one in alone]
    assert [one.text for one in together] == [one.text for one in alone]


def test_the_cache_changes_nothing(torch_engine, prompts):
    """Each next token again, from the whole text and without a cache."""
    (made,) = torch_engine.generate(prompts[:1], GREEDY)
    ids = list(prompts[0].ids)
    for token in made.ids:
        with torch.inference_mode():
            logits = torch_engine._module(input_ids=torch.tensor([ids]), use_cache=False).logits
        assert int(logits[0, -1].argmax()) == token
        ids.append(token)


def test_a_stream_is_the_answer_in_pieces(torch_engine, prompts):
    (made,) = torch_engine.generate(prompts[:1], GREEDY)
    pieces = list(torch_engine.stream(prompts[0], GREEDY))
    assert "".join(piece.text for piece in pieces) == made.text
    assert [piece.finish for piece in pieces if piece.finish] == [made.finish]


def test_a_stream_that_is_closed_lets_the_next_one_in(torch_engine, prompts):
    stream = torch_engine.stream(prompts[0], Options(max_tokens=100))
    next(stream)
    assert not torch.is_inference_mode_enabled()
    stream.close()
    assert list(torch_engine.stream(prompts[0], Options(max_tokens=2)))


def test_a_seed_decides_what_is_drawn(torch_engine, prompts):
    warm = [Options(max_tokens=8, temperature=1.0, top_p=0.9, seed=seed) for seed in (1, 1, 2)]
    one, two, three = (torch_engine.generate(prompts[:1], options)[0].ids for options in warm)
    assert one == two != three
    beside = torch_engine.generate(prompts, warm[0])
    assert beside[0].ids == one


def test_scores_are_the_sums_of_the_tokens(torch_engine, prompts):
    options = [torch_engine.codec.encode(text) for text in ("12 dollars", "一百二十元", "a")]
    scores = totals(torch_engine, prompts[1], options)
    for score, ids in zip(scores, options, strict=True):
        whole = torch.tensor([[*prompts[1].ids, *ids]])
        with torch.inference_mode():
            logs = torch.log_softmax(torch_engine._module(input_ids=whole).logits.float(), -1)[0]
        start = len(prompts[1].ids)
        assert score == pytest.approx(sum(float(logs[start + at - 1, token]) for at, token in enumerate(ids)), abs=1e-4)


def test_what_does_not_fit_is_refused_by_name(torch_engine):
    with pytest.raises(ConfigError, match="the prompt has 300 tokens, the model's context is 256"):
        torch_engine.generate([Prompt((5,) * 300)], GREEDY)
    (made,) = torch_engine.generate([Prompt((5,) * 250)], GREEDY)
    assert (len(made.ids), made.finish) == (6, "length")


def test_the_callers_torch_settings_stay(tiny, prompts):
    torch.manual_seed(5)
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state())
    engine = TorchEngine(tiny)
    engine.generate(prompts[:1], Options(max_tokens=2, temperature=1.0))
    engine.close()
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before[:2]
    assert torch.equal(torch.get_rng_state(), before[2])


def test_gguf_is_not_for_torch(tiny_gguf):
    with pytest.raises(ConfigError, match="Use the engine llamacpp"):
        TorchEngine(tiny_gguf)


@pytest.mark.parametrize("name", ["llama", "qwen3", "gemma3_text", "mistral"])
def test_what_prompts_begin_with_is_read_once_and_changes_nothing(tmp_path, name):
    """Windows are shorter than the stem in the families that have one."""
    engine = TorchEngine(
        tiny_models.family(tmp_path / name, name, tiny_models.byte_tokenizer(tmp_path / "cutter")), "float32"
    )
    chance = random.Random(5)
    stem = [chance.randrange(3, 390) for _ in range(90)]
    prompts = [Prompt((*stem, *(chance.randrange(3, 390) for _ in range(size)))) for size in (1, 9, 4, 9, 2)]
    read = []
    hook = engine._module.get_input_embeddings().register_forward_hook(
        lambda _, given, __: read.append(given[0].numel())
    )
    options = Options(max_tokens=12)
    together = engine.generate(prompts, options)
    assert read[:2] == [90, 5 * 9]
    assert all(size == 5 for size in read[2:])
    hook.remove()
    alone = [engine.generate([one], options)[0] for one in prompts]
    assert [one.ids for one in together] == [one.ids for one in alone]
    assert [one.prompt_tokens for one in together] == [len(one.ids) for one in prompts]


def test_few_shared_words_are_not_read_apart(torch_engine):
    prompts = [Prompt((*range(3, 13), *range(20 * number, 20 * number + 40))) for number in range(1, 5)]
    assert torch_engine._shared([one.ids for one in prompts]) == 0
    assert torch_engine._shared([(*range(3, 103), number) for number in range(5)]) == 100
    assert torch_engine._shared([tuple(range(3, 103))] * 3) == 99
