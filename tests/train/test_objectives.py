import pytest
import torch
from torch.nn.functional import cross_entropy as plain

from septet.model.torch_folder import read_module
from septet.train import objectives
from septet.train.attention import ATTENTION, register
from septet.train.batches import IGNORED, Batch
from septet.train.objectives import log_likelihoods, mean_loss

LENGTHS = (20, 7, 7, 13)


def batch_of(lengths=LENGTHS, seed=1):
    chance = torch.Generator().manual_seed(seed)
    texts = [torch.randint(3, 300, (length,), generator=chance).tolist() for length in lengths]
    wrote = [[position >= len(text) // 2 for position in range(len(text))] for text in texts]
    return Batch.of(texts, wrote, [f"row {number}" for number in range(len(texts))])


def one_by_one(module, batch):
    """The loss of each text alone, by the plain way, added up."""
    total = 0.0
    for start, end in batch.spans:
        logits = module(input_ids=batch.ids[None, start:end]).logits[0]
        total = total + plain(logits, batch.labels[start:end], ignore_index=IGNORED, reduction="sum")
    return total / batch.weight


@pytest.mark.parametrize("trains_output", [True, False])
def test_the_loss_and_its_gradients_are_those_of_each_text_alone(tiny, monkeypatch, trains_output):
    monkeypatch.setattr(objectives, "_CHUNK_ELEMENTS", 1 << 11)  # several chunks even here
    register()
    found = []
    for attention, way in ((ATTENTION, mean_loss), ("eager", one_by_one)):
        module = read_module(tiny.path, "float32", attention)
        module.get_input_embeddings().weight.requires_grad_(trains_output)
        loss = way(module, batch_of())
        loss.backward()
        found.append((loss, {name: weight.grad for name, weight in module.named_parameters()}))
    (loss, grads), (expected, expected_grads) = found
    assert torch.allclose(loss, expected, atol=1e-6)
    for name, grad in expected_grads.items():
        assert (grad is None) == (grads[name] is None)
        if grad is not None:
            assert torch.allclose(grads[name], grad, atol=1e-6), name


def test_log_likelihoods_are_the_loss_token_by_token(tiny):
    register()
    module = read_module(tiny.path, "float32", ATTENTION)
    batch = batch_of()
    found = log_likelihoods(module, batch)
    assert found.shape == (batch.weight,)
    assert torch.allclose(-found.mean(), mean_loss(module, batch), atol=1e-6)


def test_a_batch_without_labels_is_an_error(tiny):
    register()
    module = read_module(tiny.path, "float32", ATTENTION)
    with pytest.raises(ValueError, match="without labels"):
        mean_loss(module, Batch.of([[3, 4, 5]], [[False] * 3], ["row"]))
