import pytest
import torch
from torch.nn.functional import cross_entropy as plain

from septet.model.torch_folder import read_module
from septet.train import objectives
from septet.train.objectives import IGNORED, cross_entropy


@pytest.mark.parametrize("trains_output", [True, False])
def test_the_loss_and_its_gradients_are_those_of_the_plain_way(tiny, monkeypatch, trains_output):
    monkeypatch.setattr(objectives, "_CHUNK_ELEMENTS", 1 << 11)  # several chunks even here
    ids = torch.randint(3, 300, (3, 20), generator=torch.Generator().manual_seed(1))
    labels = ids.clone()
    labels[:, :7] = IGNORED
    labels[1, 15:] = IGNORED
    found = []
    for way in ("ours", "plain"):
        module = read_module(tiny.path, "float32")
        module.get_input_embeddings().weight.requires_grad_(trains_output)
        if way == "ours":
            loss = cross_entropy(module, ids, labels)
        else:
            logits = module(input_ids=ids).logits[:, :-1]
            loss = plain(logits.reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1), ignore_index=IGNORED)
        loss.backward()
        found.append((loss, {name: weight.grad for name, weight in module.named_parameters()}))
    (loss, grads), (expected, expected_grads) = found
    assert torch.allclose(loss, expected, atol=1e-6)
    for name, grad in expected_grads.items():
        assert (grad is None) == (grads[name] is None)
        if grad is not None:
            assert torch.allclose(grads[name], grad, atol=1e-6), name


def test_padding_on_the_right_changes_nothing(tiny):
    module = read_module(tiny.path, "float32")
    ids = torch.randint(3, 300, (1, 12), generator=torch.Generator().manual_seed(2))
    padded = torch.cat((ids, torch.zeros(1, 5, dtype=torch.long)), 1)
    labels = torch.cat((ids, torch.full((1, 5), IGNORED)), 1)
    assert torch.allclose(cross_entropy(module, padded, labels), cross_entropy(module, ids, ids), atol=1e-6)


def test_a_batch_without_labels_is_an_error(tiny):
    module = read_module(tiny.path, "float32")
    with pytest.raises(ValueError, match="without labels"):
        cross_entropy(module, torch.ones(1, 4, dtype=torch.long), torch.full((1, 4), IGNORED))
