"""LOMO and AdaLomo: the update happens inside backward, and each gradient is freed as soon as it has been applied.

Besides weights and activations only one gradient is held at a time, the largest of them at worst. Where a norm is
needed before anything moves (clipping, float16), the graph is walked twice: once to measure, once to update.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Train
from instructzoo.core.text.batching import micro_batches

SCALE, GROWTH_INTERVAL = 2.0**16, 2000
"""First loss scale, and the updates without an overflow after which it doubles: those of torch.amp.GradScaler."""

DECAY, EPSILON, LEAST_RMS = -0.8, 1e-30, 1e-3
"""AdaLomo: exponent of the moments' decay, floor of squared gradients, floor of a weight's root mean square."""


class Lomo(torch.optim.Optimizer):
    """SGD without momentum inside backward (arXiv:2306.09782); on float32 weights equal to torch.optim.SGD bit for bit.

    An update is `hold(loss)`, `divide_and_clip(count, clip)`, `step()`. Arithmetic is in float32; bfloat16 weights are
    rounded up or down by chance, so that small updates count on average; float16 weights get dynamic loss scaling.
    order: the parameters as their norms are summed. The groups hold all numbers that a checkpoint has to keep.
    """

    def __init__(self, groups: list[dict[str, Any]], order: Iterable[Any], lr: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "scale": SCALE, "since_overflow": 0, "updates": 0})
        self.order: list[Any] = list(order)
        self.scaled = any(p.dtype == torch.float16 for p in self.order)
        self._loss: Any = None
        self._seed = self._factor = 1.0
        self._clip: Tensor | None = None
        self._overflow = False

    def hold(self, loss: Tensor) -> None:
        """Keep the summed loss of the one micro-batch of an update, and with it its graph."""
        if self._loss is not None:
            raise accumulation("an update is cut into several micro-batches")
        self._loss = loss

    def divide_and_clip(self, count: float, clip: float | None) -> float | None:
        """Gradients of the held loss are to be divided by `count`, the number of targets, and clipped to norm `clip`.

        Returns their norm before clipping, measured by a backward pass that changes no weight; None where neither
        clipping nor float16 asks for that pass. Where a scaled gradient overflows, `step` will do nothing but halve.
        """
        scale = self.param_groups[0]["scale"]
        # float16 gradients of a sum over many targets would overflow: their mean is what gets scaled.
        self._seed, self._factor = (scale / count, 1 / scale) if self.scaled else (1.0, 1 / count)
        self._clip, self._overflow = None, False
        if clip is None and not self.scaled:
            return None
        norm = self._backward(lambda p, gradient: None, again=True)
        self._overflow = self.scaled and not bool(norm.isfinite())
        if clip is not None:
            self._clip = torch.clamp(clip / (norm + 1e-6), max=1.0)
        return float(norm)

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Walk back through the held loss and update every parameter on the way.

        Raises ZooError for a gradient that is no number. Without clipping it has then been applied: the weights are
        lost, and a run has to go on from its last checkpoint.
        """
        if not self._overflow:
            groups = {p: group for group in self.param_groups for p in group["params"]}
            for group in self.param_groups:
                group["updates"] += 1
            norm = float(self._backward(lambda p, gradient: self._apply(p, gradient, groups[p]), again=False))
            if not math.isfinite(norm):
                found = f"the gradient's norm is {norm}"
                raise ZooError(found, "a number", "lower train.lr or set train.clip; earlier checkpoints are kept")
        self._loss = None
        if self.scaled:
            self._rescale()

    def _backward(self, act: Callable[[Tensor, Tensor], None], again: bool) -> Tensor:
        """One backward pass. `act` gets every parameter once with its mean gradient, which is freed when it returns.

        again: keep the graph for another pass. Returns the norm of all gradients.
        """
        assert self._loss is not None, "hold() comes first"
        norms: dict[Tensor, Tensor] = {}

        @torch.no_grad()
        def arrived(p: Tensor) -> None:
            if p in norms:
                found = "a gradient arrived twice in one backward pass"
                raise ZooError(found, "once", "activation checkpointing must be the kind that is not reentrant")
            assert p.grad is not None
            gradient = p.grad.float().mul_(self._factor)
            p.grad = None
            norms[p] = torch.linalg.vector_norm(gradient)
            act(p, gradient)

        hooks = [p.register_post_accumulate_grad_hook(arrived) for p in self.order]
        try:
            self._loss.backward(torch.full_like(self._loss, self._seed), retain_graph=again)
        finally:
            for hook in hooks:
                hook.remove()
        return torch.linalg.vector_norm(torch.stack([norms[p] for p in self.order if p in norms]))

    def _apply(self, p: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if self._clip is not None:
            gradient.mul_(self._clip)
        value = p if p.dtype == torch.float32 else p.float()
        self._update(p, value, gradient, group)
        if value is not p:
            p.copy_(stochastically_rounded(value) if p.dtype == torch.bfloat16 else value)

    def _update(self, p: Tensor, value: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """Move `value`, the parameter in float32, in place. `gradient` may be used up."""
        if group["weight_decay"]:
            gradient = gradient.add(value, alpha=group["weight_decay"])
        value.add_(gradient, alpha=-group["lr"])

    def _rescale(self) -> None:
        """Halve the loss scale after an overflow, double it after many updates without one."""
        scale, since = self.param_groups[0]["scale"], self.param_groups[0]["since_overflow"] + 1
        if self._overflow:
            scale, since = scale / 2, 0
        elif since == GROWTH_INTERVAL:
            scale, since = scale * 2, 0
        if scale < 1:
            raise ZooError(
                "gradients overflow float16 even unscaled", "numbers", "lower train.lr or set model.weights=bfloat16"
            )
        for group in self.param_groups:
            group["scale"], group["since_overflow"] = scale, since


class AdaLomo(Lomo):
    """Adafactor's factored second moments inside backward, with updates normalised per matrix (arXiv:2310.10195).

    A weight [m, n] keeps m + n numbers, a vector as many as it has. One with three dimensions is a stack of matrices
    (the experts of a layer), each treated by itself; one with more (a convolution) the matrix [first, all others].
    Moments are float32 whatever the weights are. `lr` is relative to a weight's root mean square.
    """

    def _update(self, p: Tensor, value: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        update = self._normalised(self.state[p], _matrices(gradient), group["updates"] ** DECAY)
        update.div_(_rms(update).clamp_(min=1.0))
        lr = group["lr"] * _rms(_matrices(value)).clamp_(min=LEAST_RMS)
        if group["weight_decay"]:
            value.mul_(1 - lr * group["weight_decay"])
        value.sub_(update.mul_(lr).reshape(value.shape))

    @staticmethod
    def _normalised(state: dict[str, Tensor], gradient: Tensor, weight: float) -> Tensor:
        """The gradient over the root of its second moment, in place. weight: that of this gradient in the moment."""
        if gradient.ndim < 2:
            square = state.setdefault("square", torch.zeros_like(gradient))
            square.lerp_(gradient.square().add_(EPSILON), weight)
            return gradient.mul_(square.rsqrt())
        row = state.setdefault("row", gradient.new_zeros(gradient.shape[:-1]))  # [..., m]
        column = state.setdefault("column", gradient.new_zeros(gradient.shape[:-2] + gradient.shape[-1:]))  # [..., n]
        for moment, dim in ((row, -1), (column, -2)):
            # The mean of squares without a tensor of squares.
            mean = torch.linalg.vector_norm(gradient, dim=dim).square_().div_(gradient.shape[dim])
            moment.lerp_(mean.add_(EPSILON), weight)
        gradient.mul_((row / row.mean(-1, keepdim=True)).rsqrt_().unsqueeze(-1))
        return gradient.mul_(column.rsqrt().unsqueeze(-2))


def refuse_accumulation(lengths: Sequence[int], train: Train) -> None:
    """Raises ZooError where the longest rows (tokens each) do not fit into one micro-batch of `train`."""
    longest = sorted(range(len(lengths)), key=lambda row: -lengths[row])[: train.batch]
    parts = micro_batches(longest, lengths, train.micro_batch, train.micro_tokens, train.packing)
    if len(parts) > 1:
        raise accumulation(f"{len(longest)} rows of up to {lengths[longest[0]]} tokens are cut into {len(parts)}")


def refuse_ranks(world: int) -> None:
    """Raises ZooError for many processes: their gradients would have to meet before each is applied."""
    if world > 1:
        raise ZooError(f"LOMO on {world} processes", "one", "leave --nproc out, or choose another train.optimizer")


def accumulation(found: str) -> ZooError:
    return ZooError(
        f"{found}, and LOMO frees each gradient before the next could be added",
        "one micro-batch per update",
        "raise train.micro_tokens (or train.micro_batch), or lower train.batch",
    )


def stochastically_rounded(value: Tensor) -> Tensor:
    """float32 to bfloat16, up or down with the chances that make the mean exact; draws from torch's generator."""
    noise = torch.randint(1 << 16, value.shape, dtype=torch.int32, device=value.device)
    # The lower 16 bits of a float32 are what bfloat16 drops: the noise carries into the upper ones in that proportion.
    return noise.add_(value.view(torch.int32)).bitwise_and_(-(1 << 16)).view(torch.float32).to(torch.bfloat16)


def _matrices(x: Tensor) -> Tensor:
    return x.flatten(1) if x.ndim > 3 else x


def _rms(x: Tensor) -> Tensor:
    """Root mean square of a vector, or of every matrix [..., 1, 1]."""
    dims = (-2, -1) if x.ndim > 1 else None
    size = x.shape[-2] * x.shape[-1] if x.ndim > 1 else x.numel()
    return torch.linalg.vector_norm(x, dim=dims, keepdim=True) / math.sqrt(size)
