import pytest
import tiny_models
import torch

from septet.inference.protocol import Options
from septet.inference.torch_engine import TorchEngine
from septet.model.codec import Codec
from septet.train.batches import Batch
from septet.train.objectives import log_likelihoods
from septet.train.sampling import sample
from septet.train.trainable import trainable

MESSAGES = [[{"role": "user", "content": text}] for text in tiny_models.TEXTS]


@pytest.fixture(scope="module")
def module(tiny):
    return trainable(tiny, "float32")


def test_greedy_samples_are_what_the_engine_answers(tiny, module):
    codec = Codec(tiny.path)
    prompts = [codec.prompt(messages) for messages in MESSAGES]
    engine = TorchEngine(tiny, "float32")
    answers = engine.generate(prompts, Options(max_tokens=12, temperature=0.0))
    made = sample(module, [prompt.ids for prompt in prompts], 12, 0.0, 0, codec.stop_ids)
    assert [tuple(i for i in one.ids if i not in codec.stop_ids) for one in made] == [one.ids for one in answers]


def test_log_likelihoods_are_those_of_training_and_the_module_trains_on(tiny, module):
    codec = Codec(tiny.path)
    prompts = [list(codec.prompt(messages).ids) for messages in MESSAGES]
    module.train()
    made = sample(module, prompts, 9, 1.0, 5, codec.stop_ids)
    assert module.training
    assert made == sample(module, prompts, 9, 1.0, 5, codec.stop_ids)
    assert made != sample(module, prompts, 9, 1.0, 6, codec.stop_ids)
    texts = [[*prompt, *one.ids] for prompt, one in zip(prompts, made, strict=True)]
    wrote = [[False] * len(prompt) + [True] * len(one.ids) for prompt, one in zip(prompts, made, strict=True)]
    seen = log_likelihoods(module, Batch.of(texts, wrote, ["a", "b", "c"]))
    torch.testing.assert_close(seen, torch.tensor([log for one in made for log in one.log_likelihoods]))
    seen.sum().backward()


def test_rows_of_one_prompt_read_it_once_and_go_ways_of_their_own(tiny):
    module = trainable(tiny, "float32")
    shapes = []
    module.base_model.register_forward_pre_hook(
        lambda _, args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    prompts = [[5, 6, 7], [9, 8]] * 3
    made = sample(module, prompts, 6, 1.0, 2, ())
    assert shapes == [(2, 3), *[(6, 1)] * 5]
    assert len({tuple(one.ids) for one in made[::2]}) > 1
    texts = [[*prompt, *one.ids] for prompt, one in zip(prompts, made, strict=True)]
    wrote = [[False] * len(prompt) + [True] * 6 for prompt in prompts]
    seen = log_likelihoods(module, Batch.of(texts, wrote, list("abcdef")))
    torch.testing.assert_close(seen, torch.tensor([log for one in made for log in one.log_likelihoods]))


def test_a_stop_ends_a_row_and_not_the_others(module):
    free = sample(module, [[5, 6], [7, 8, 9]], 8, 1.0, 1, ())
    stop = free[0].ids[2]
    held = sample(module, [[5, 6], [7, 8, 9]], 8, 1.0, 1, {stop})
    assert held[0].ids == free[0].ids[:3]
    until = free[1].ids.index(stop) + 1 if stop in free[1].ids else None
    assert held[1].ids == free[1].ids[:until]


def test_what_is_sampled_from_can_be_adjusted(module):
    def only(_, logs):
        return torch.where(torch.arange(logs.shape[1]) == 17, 0.0, -1e9).expand_as(logs)

    assert sample(module, [[5, 6]], 3, 1.0, 1, (), only)[0].ids == [17, 17, 17]
