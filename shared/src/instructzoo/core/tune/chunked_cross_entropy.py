"""Cross-entropy through the output layer, a chunk of positions at a time: the logits of all never stand in memory.

The gradient of a chunk's logits is softmax minus one-hot, known as soon as the logits are: forward multiplies it on to
the gradients of hidden states and weights, and the logits are gone. No product is computed twice. Under autocast, and
with weights of half precision, products are taken in that type and the weight's gradient is summed in float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear, log_softmax

MAX_LOGITS = 2**24
"""Logits in memory at a time: 64 MB in float32."""


def chunked_cross_entropy(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """Summed cross-entropy (float32 scalar, nats) of targets [n] under linear(hidden [n, d], weight [v, d], bias [v]).

    Backward may be called once; the bias is a constant to it.
    """
    total: Tensor = _ChunkedCrossEntropy.apply(hidden, weight, bias, targets)  # type: ignore[no-untyped-call]
    return total


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
        for_hidden, for_weight = ctx.needs_input_grad[:2]
        total = torch.zeros((), device=hidden.device)
        hidden_grad = torch.empty_like(hidden) if for_hidden else None
        weight_grad = None
        rows = max(1, MAX_LOGITS // weight.shape[0])
        for start in range(0, len(targets), rows):
            part, wanted = hidden[start : start + rows], targets[start : start + rows, None]
            scores = log_softmax(linear(part, weight, bias).float(), -1)  # [c, v]
            total -= scores.gather(1, wanted).sum()
            if not for_hidden and not for_weight:
                continue
            slope = scores.exp_().scatter_add_(1, wanted, scores.new_full(wanted.shape, -1.0)).to(weight.dtype)
            if hidden_grad is not None:
                hidden_grad[start : start + rows] = slope @ weight
            if for_weight:
                weight_grad = _plus_product(weight_grad, slope.T, part.to(weight.dtype))
        ctx.grads, ctx.weight_dtype = (hidden_grad, weight_grad), weight.dtype
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        grads, ctx.grads = ctx.grads, None  # let go, so that autograd adds to them in place and need not copy
        if grad.device.type != "cpu" or float(grad) != 1:
            grads = [None if one is None else one.mul_(grad) for one in grads]
        hidden_grad, weight_grad = grads
        return hidden_grad, None if weight_grad is None else weight_grad.to(ctx.weight_dtype), None, None


def _plus_product(total: Tensor | None, left: Tensor, right: Tensor) -> Tensor:
    """total + left @ right in float32, added in place; none counts as zero. Autocast may multiply in a shorter type."""
    if total is None:
        return (left @ right).float()
    if left.dtype != total.dtype or torch.is_autocast_enabled(left.device.type):
        return total.add_(left @ right)
    return total.addmm_(left, right)
