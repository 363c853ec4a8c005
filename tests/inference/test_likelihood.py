"""Shared stems and rows with all continuations change no probability: each is that of the text alone."""

import math
import random

import pytest
import tiny_models
import torch

from septet.inference import likelihood
from septet.inference.protocol import Asked, Prompt, Unscored, totals
from septet.inference.torch_engine import TorchEngine
from septet.model.torch_folder import read_module

FAMILIES = ("llama", "qwen2", "qwen3", "gemma3_text", "mistral", "mixtral")


def asked(chance, stems, items, vocabulary=390):
    """Prompts in the shape of a task: a long stem, in it some with a passage in common, unlike continuations."""
    drawn = lambda size: [chance.randrange(3, vocabulary) for _ in range(size)]  # noqa: E731
    found = []
    for _ in range(stems):
        stem = drawn(90)
        passage = drawn(40)
        for number in range(items):
            own = stem + (passage if number % 2 else []) + drawn(chance.randrange(1, 12))
            ends = tuple(tuple(drawn(chance.randrange(1, 7))) for _ in range(chance.randrange(1, 5)))
            found.append(Asked(Prompt(tuple(own)), ends))
    chance.shuffle(found)
    return found


def plainly(module, one):
    """The same from the definition: each text whole, no cache."""
    found = []
    for end in one.continuations:
        ids = torch.tensor([[*one.prompt.ids, *end]])
        with torch.inference_mode():
            logs = torch.log_softmax(module(input_ids=ids, use_cache=False).logits[0].float(), -1)
        start = len(one.prompt.ids)
        picked = [float(logs[start + at - 1, token]) for at, token in enumerate(end)]
        greedy = all(int(logs[start + at - 1].argmax()) == token for at, token in enumerate(end))
        found.append((picked, greedy))
    return found


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("worth", [0, 256, 1 << 30])
def test_it_finds_what_each_text_has_alone(tmp_path, monkeypatch, name, worth):
    monkeypatch.setattr(likelihood, "_WORTH", worth)
    monkeypatch.setattr(likelihood, "_ROW_TOKENS", 300)
    model = tiny_models.family(tmp_path / name, name, tiny_models.byte_tokenizer(tmp_path / "cutter"))
    engine = TorchEngine(model, precision="float32")
    module = read_module(model.path, "float32")
    questions = asked(random.Random(3), stems=2, items=7)
    found = dict(engine.score(questions))
    assert sorted(found) == list(range(len(questions)))
    for index, one in enumerate(questions):
        for got, (picked, greedy) in zip(found[index], plainly(module, one), strict=True):
            assert got.log_probabilities == pytest.approx(picked, abs=1e-4)
            assert got.greedy == greedy


def test_a_shared_stem_is_read_once(torch_engine, monkeypatch):
    read = []
    plain = likelihood.Scorer._forward
    monkeypatch.setattr(
        likelihood.Scorer,
        "_forward",
        lambda self, tokens, *rest: read.append(tokens.numel()) or plain(self, tokens, *rest),
    )
    questions = asked(random.Random(4), stems=1, items=8)
    list(torch_engine.score(questions))
    whole = sum(len(one.prompt.ids) * len(one.continuations) for one in questions)
    assert sum(read) < whole / 5


def test_half_precision_is_near_and_does_not_make_options_even(tmp_path):
    model = tiny_models.family(tmp_path / "m", "gemma3_text", tiny_models.byte_tokenizer(tmp_path / "cutter"))
    whole, half = (TorchEngine(model, precision=name) for name in ("float32", "bfloat16"))
    for weight in (whole._module, half._module):
        with torch.no_grad():
            weight.get_output_embeddings().weight.mul_(40)
    questions = [Asked(Prompt((5, number, 7)), tuple((end,) for end in range(10, 14))) for number in range(20, 40)]
    for (_, ours), (_, theirs) in zip(sorted(half.score(questions)), sorted(whole.score(questions)), strict=True):
        sums = [one.total for one in ours]
        assert len({*sums}) == 4
        assert sums == pytest.approx([one.total for one in theirs], abs=max(1.5, 0.05 * -min(sums)))


def test_what_cannot_be_scored_is_said_and_the_rest_is_scored(torch_engine):
    good = Asked(Prompt((5, 6, 7)), ((8,), (9, 10)))
    found = dict(
        torch_engine.score(
            [Asked(Prompt(()), ((1,),)), good, Asked(Prompt((1,)), ((),)), Asked(Prompt((5,) * 250), ((6,) * 7,))]
        )
    )
    assert [type(found[at]) for at in (0, 2, 3)] == [Unscored] * 3
    assert "257 tokens, the model's context is 256" in found[3].reason
    assert [one.total for one in found[1]] == totals(torch_engine, good.prompt, good.continuations)


def test_weights_that_are_no_numbers_show(tiny, torch_engine):
    broken = TorchEngine(tiny, precision="float32")
    with torch.no_grad():
        next(iter(broken._module.parameters()))[5] = math.nan
    ((_, found),) = broken.score([Asked(Prompt((5, 6)), ((7,),))])
    assert math.isnan(found[0].total)
