"""Cross-entropy through the output layer in chunks of positions: the logits of all are never in memory at once.

The gradient of a chunk's logits is softmax minus one-hot, known as soon as the logits are. The forward pass multiplies
it into the gradients of hidden states and weights and drops the logits, so that no product is computed twice. Under
autocast, and with weights in half precision, products are computed in that dtype and the gradient of the weight is
summed in float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear, log_softmax

MAX_LOGITS = 2**24
"""Logits of one chunk: 64 MB in float32."""


def chunked_cross_entropy(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """Compute cross_entropy(linear(hidden, weight, bias), targets, reduction="sum").

    Args:
        hidden: What the output layer reads, [n, d].
        weight: Output layer, [v, d].
        bias: [v]; it gets no gradient.
        targets: Token ids, [n].

    Returns:
        The summed loss in nats, a float32 scalar. Backward may be called once.
    """
    loss: Tensor = _ChunkedCrossEntropy.apply(hidden, weight, bias, targets)  # type: ignore[no-untyped-call]
    return loss


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
        hidden_needs_grad, weight_needs_grad = ctx.needs_input_grad[:2]
        loss = torch.zeros((), device=hidden.device)
        hidden_grad = torch.empty_like(hidden) if hidden_needs_grad else None
        weight_grad = None
        chunk_size = max(1, MAX_LOGITS // weight.shape[0])
        for start in range(0, len(targets), chunk_size):
            end = start + chunk_size
            hidden_chunk, target_chunk = hidden[start:end], targets[start:end, None]  # [c, d], [c, 1]
            log_probs = log_softmax(linear(hidden_chunk, weight, bias).float(), -1)  # [c, v]
            loss -= log_probs.gather(1, target_chunk).sum()
            if not hidden_needs_grad and not weight_needs_grad:
                continue
            minus_one = log_probs.new_full(target_chunk.shape, -1.0)
            logits_grad = log_probs.exp_().scatter_add_(1, target_chunk, minus_one).to(weight.dtype)  # [c, v]
            if hidden_grad is not None:
                hidden_grad[start:end] = logits_grad @ weight
            if weight_needs_grad:
                weight_grad = _add_product(weight_grad, logits_grad.T, hidden_chunk.to(weight.dtype))
        ctx.grads, ctx.weight_dtype = (hidden_grad, weight_grad), weight.dtype
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        grads, ctx.grads = ctx.grads, None  # without a reference here autograd adds to them in place and need not copy
        if grad.device.type != "cpu" or float(grad) != 1:
            grads = [None if saved is None else saved.mul_(grad) for saved in grads]
        hidden_grad, weight_grad = grads
        return hidden_grad, None if weight_grad is None else weight_grad.to(ctx.weight_dtype), None, None


def _add_product(total: Tensor | None, left: Tensor, right: Tensor) -> Tensor:
    """Add left @ right to a float32 total in place; None counts as zero. Autocast may multiply in half precision."""
    if total is None:
        return (left @ right).float()
    if left.dtype != total.dtype or torch.is_autocast_enabled(left.device.type):
        return total.add_(left @ right)
    return total.addmm_(left, right)
