"""Cross-entropy whose logits never exist all at once, computed only where a label stands.

A vocabulary of 262,144 makes the output layer of Gemma 3 270M two thirds of its weights: for question answering, where
one token in fifteen has a label, leaving out the others made training 1.8 times faster (2026-11, 2 cores). The gradient
is made in the forward pass, chunk by chunk, while the logits are there, as in https://arxiv.org/abs/2410.10989.

Shapes: R rows, T tokens, N labelled positions, D width, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

IGNORED = -100
"""The label of a position that is not trained on."""
_CHUNK_ELEMENTS = 1 << 24
"""Logits held at once: 64 MB in float32."""


def cross_entropy(module: PreTrainedModel, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The mean loss over the labels of a batch. `labels` are shifted here: the label at t is predicted from t - 1.

    `ids`, `labels` (rows, tokens), padded on the right: what comes after a token is hidden from it, so that padding
    needs no mask, and attention without a mask is faster. Raises ValueError when nothing is labelled.
    """
    hidden_RTD = module.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
    target = labels[:, 1:]
    kept = target != IGNORED
    if not bool(kept.any()):
        raise ValueError("a batch without labels")
    weight_VD = module.get_output_embeddings().weight
    loss: torch.Tensor = _LinearCrossEntropy.apply(hidden_RTD[:, :-1][kept], weight_VD, target[kept])
    return loss


class _LinearCrossEntropy(torch.autograd.Function):
    """`cross_entropy(hidden @ weight.T, labels)` with its gradients, in chunks of rows."""

    @staticmethod
    def forward(ctx: Any, hidden_ND: torch.Tensor, weight_VD: torch.Tensor, labels_N: torch.Tensor) -> torch.Tensor:
        count = hidden_ND.shape[0]
        rows = max(1, _CHUNK_ELEMENTS // weight_VD.shape[0])
        trains_weight = weight_VD.requires_grad
        grad_hidden = torch.empty_like(hidden_ND)
        grad_weight = torch.zeros(weight_VD.shape, dtype=torch.float32) if trains_weight else None
        total = torch.zeros((), dtype=torch.float64)
        for start in range(0, count, rows):
            part = hidden_ND[start : start + rows]
            labels = labels_N[start : start + rows, None]
            logits = (part @ weight_VD.T).float()
            logits -= logits.amax(-1, keepdim=True)
            right = logits.gather(1, labels)
            share = logits.exp_()
            whole = share.sum(-1, keepdim=True)
            total += (whole.log() - right).sum().double()
            share /= whole
            share.scatter_add_(1, labels, torch.full_like(labels, -1.0, dtype=share.dtype))
            grad = share.mul_(1 / count).to(part.dtype)
            grad_hidden[start : start + rows] = grad @ weight_VD
            if grad_weight is not None:
                grad_weight += grad.T @ part
        ctx.save_for_backward(grad_hidden, *(() if grad_weight is None else (grad_weight.to(weight_VD.dtype),)))
        return (total / count).float()

    @staticmethod
    def backward(ctx: Any, grad_loss: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None, None]:
        grad_hidden, *grad_weight = ctx.saved_tensors
        return grad_hidden * grad_loss, grad_weight[0] * grad_loss if grad_weight else None, None
