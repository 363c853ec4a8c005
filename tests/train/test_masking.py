"""What is hidden can be put back, is about as much as was asked for, and is the same for the same seed."""

import itertools

import numpy as np
import pytest
import torch

from septet.train.batches import IGNORED, Batch
from septet.train.masking import corrupted, infilled, masked, spans

TEXTS = [list(range(10, 110)), [7], [8, 9], list(range(200, 240))]
SENTINELS = range(999, 899, -1)


def batch():
    return Batch.of(TEXTS, None, [str(number) for number in range(4)])


def test_masked_tokens_are_labelled_with_what_stood_there():
    made = masked(batch(), np.random.default_rng(0), 0.3, 500, 400)
    chosen = made.labels != IGNORED
    assert torch.equal(made.labels[chosen], batch().ids[chosen])
    assert torch.equal(made.ids[~chosen], batch().ids[~chosen])
    assert 0.2 < chosen.float().mean() < 0.4
    assert 0.6 < (made.ids[chosen] == 500).float().mean() < 0.95
    for start, end in made.spans:
        assert bool(chosen[start:end].any())
    again = masked(batch(), np.random.default_rng(0), 0.3, 500, 400)
    assert torch.equal(made.ids, again.ids)


def test_a_target_puts_the_corrupted_text_together_again():
    made = corrupted(batch(), np.random.default_rng(1), 0.15, 3.0, SENTINELS)
    for row, text in enumerate(TEXTS):
        source = made.source[row][made.seen[row]].tolist()
        target = made.labels[row][made.labels[row] != IGNORED].tolist()
        hidden, number = {}, None
        for token in target:
            if token in SENTINELS:
                number = token
                hidden[number] = []
            else:
                hidden[number].append(token)
        back = [inner for token in source for inner in (hidden[token] if token in SENTINELS else [token])]
        assert back == text
        assert target[-1] in SENTINELS
        assert hidden[target[-1]] == []
    assert made.weight == int((made.labels != IGNORED).sum())
    assert made.num_tokens == made.weight + int(made.seen.sum())


def test_an_infilled_text_is_shorter_and_its_target_whole():
    made = infilled(batch(), np.random.default_rng(1), 0.3, 3.0, 500)
    for row, text in enumerate(TEXTS):
        assert made.labels[row][made.labels[row] != IGNORED].tolist() == text
        assert 500 in made.source[row].tolist()


@pytest.mark.parametrize("length", [1, 2, 3, 10, 512])
@pytest.mark.parametrize("share", [0.01, 0.15, 0.9])
def test_spans_do_not_touch_and_hide_what_was_asked_for(length, share):
    for seed in range(50):
        found = spans(length, np.random.default_rng(seed), share, 3.0, 100)
        assert all(low < high for low, high in found)
        assert all(low > before for (_, before), (low, _) in itertools.pairwise(found))
        assert found[-1][1] <= length
        hidden = sum(high - low for low, high in found)
        assert length < 2 or hidden == min(length - 1, max(1, round(length * share)))
