"""LOMO and AdaLomo: the update happens inside backward, and each gradient is freed as soon as it has been applied.

Besides weights and activations only one gradient is in memory at a time, at worst the largest. Where the norm must be
known before any weight changes (clipping, float16), backward runs twice: once to measure, once to update.
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

    An update is `hold(loss)`, `divide_and_clip(num_targets, max_norm)`, `step()`. Arithmetic is in float32. bfloat16
    weights are rounded stochastically, so that small updates count on average; float16 weights get dynamic loss
    scaling. All numbers that a checkpoint must keep are in the parameter groups.

    Args:
        groups: Parameter groups, as of any torch optimiser.
        order: All parameters in the order in which their norms are summed.
        lr: Learning rate.
    """

    def __init__(self, groups: list[dict[str, Any]], order: Iterable[Any], lr: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "scale": SCALE, "since_overflow": 0, "updates": 0})
        self.order: list[Any] = list(order)
        self.scaled = any(p.dtype == torch.float16 for p in self.order)
        self._loss: Any = None
        self._loss_grad = self._grad_scale = (
            1.0  # backward starts from the first; gradients are multiplied by the second
        )
        self._clip: Tensor | None = None
        self._overflow = False

    def hold(self, loss: Tensor) -> None:
        """Keep the summed loss of the one micro-batch of an update, and with it its graph.

        Raises:
            ZooError: A loss is kept already: the update has several micro-batches.
        """
        if self._loss is not None:
            raise accumulation("an update is cut into several micro-batches")
        self._loss = loss

    def divide_and_clip(self, num_targets: float, max_norm: float | None) -> float | None:
        """Prepare the step: its gradients are to be divided by the number of targets and clipped.

        Args:
            num_targets: Number of targets that the loss of `hold` sums over.
            max_norm: Largest norm of the mean gradients of all parameters; None leaves them unclipped.

        Returns:
            The norm before clipping, measured by a backward pass that changes no weight; None where neither clipping
            nor float16 needs that pass. Where a scaled gradient overflows, `step` only halves the loss scale.
        """
        scale = self.param_groups[0]["scale"]
        # float16 gradients of a sum over many targets would overflow, so it is the mean loss that is scaled.
        self._loss_grad, self._grad_scale = (scale / num_targets, 1 / scale) if self.scaled else (1.0, 1 / num_targets)
        self._clip, self._overflow = None, False
        if max_norm is None and not self.scaled:
            return None
        norm = self._backward(lambda p, gradient: None, retain_graph=True)
        self._overflow = self.scaled and not bool(norm.isfinite())
        if max_norm is not None:
            self._clip = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
        return float(norm)

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Run backward from the loss of `hold` and update every parameter on the way.

        Raises:
            ZooError: A gradient is not finite. Without clipping it has already been applied: the weights are lost, and
                the run has to continue from its last checkpoint.
        """
        if not self._overflow:
            groups = {p: group for group in self.param_groups for p in group["params"]}
            for group in self.param_groups:
                group["updates"] += 1
            norm = float(self._backward(lambda p, gradient: self._apply(p, gradient, groups[p]), retain_graph=False))
            if not math.isfinite(norm):
                problem = f"the gradient's norm is {norm}"
                raise ZooError(problem, "a number", "lower train.lr or set train.clip; earlier checkpoints are kept")
        self._loss = None
        if self.scaled:
            self._rescale()

    def _backward(self, visit: Callable[[Tensor, Tensor], None], retain_graph: bool) -> Tensor:
        """Run one backward pass in which `visit` gets every parameter and its mean gradient; return the total norm."""
        assert self._loss is not None, "hold() comes first"
        norms: dict[Tensor, Tensor] = {}

        @torch.no_grad()
        def on_gradient(p: Tensor) -> None:
            if p in norms:
                problem = "a gradient arrived twice in one backward pass"
                raise ZooError(problem, "once", "activation checkpointing must be the kind that is not reentrant")
            assert p.grad is not None
            gradient = p.grad.float().mul_(self._grad_scale)
            p.grad = None
            norms[p] = torch.linalg.vector_norm(gradient)
            visit(p, gradient)

        hooks = [p.register_post_accumulate_grad_hook(on_gradient) for p in self.order]
        try:
            self._loss.backward(torch.full_like(self._loss, self._loss_grad), retain_graph=retain_graph)
        finally:
            for hook in hooks:
                hook.remove()
        return torch.linalg.vector_norm(torch.stack([norms[p] for p in self.order if p in norms]))

    def _apply(self, p: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """Clip the gradient and update one parameter, rounding stochastically to bfloat16."""
        if self._clip is not None:
            gradient.mul_(self._clip)
        value = p if p.dtype == torch.float32 else p.float()
        self._update(p, value, gradient, group)
        if value is not p:
            p.copy_(stochastically_rounded(value) if p.dtype == torch.bfloat16 else value)

    def _update(self, p: Tensor, value: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """Update `value`, the parameter in float32, in place; `gradient` may be overwritten."""
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

    For a weight [m, n] m + n numbers are stored, for a vector [n] n. A weight of three dimensions is a stack of
    matrices (the experts of a layer), each treated by itself; one of more dimensions (a convolution) is reshaped to
    [first, all others]. Moments are float32 whatever the dtype of the weights. `lr` is relative to the root mean
    square of a weight.
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
        """Divide the gradient in place by the root of its second moment, in which it counts with this weight."""
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
    """Check that every update fits into one micro-batch.

    Args:
        lengths: Tokens of every training row.
        train: `batch`, `micro_batch`, `micro_tokens` and `packing` are read.

    Raises:
        ZooError: The `batch` longest rows do not fit into one micro-batch.
    """
    longest = sorted(range(len(lengths)), key=lambda row: -lengths[row])[: train.batch]
    batches = micro_batches(longest, lengths, train.micro_batch, train.micro_tokens, train.packing)
    if len(batches) > 1:
        raise accumulation(f"{len(longest)} rows of up to {lengths[longest[0]]} tokens are cut into {len(batches)}")


def refuse_ranks(world_size: int) -> None:
    """Raise ZooError for several processes: they would have to exchange each gradient before it is applied."""
    if world_size > 1:
        raise ZooError(f"LOMO on {world_size} processes", "one", "leave --nproc out, or choose another train.optimizer")


def accumulation(problem: str) -> ZooError:
    """Return the error for an update of several micro-batches."""
    return ZooError(
        f"{problem}, and LOMO frees each gradient before the next could be added",
        "one micro-batch per update",
        "raise train.micro_tokens (or train.micro_batch), or lower train.batch",
    )


def stochastically_rounded(value: Tensor) -> Tensor:
    """Round float32 to bfloat16, up or down with the probabilities that make the mean exact.

    The random numbers come from torch's global generator.
    """
    noise = torch.randint(1 << 16, value.shape, dtype=torch.int32, device=value.device)
    # The lower 16 bits of a float32 are what bfloat16 drops: the noise carries into the upper ones in that proportion.
    return noise.add_(value.view(torch.int32)).bitwise_and_(-(1 << 16)).view(torch.float32).to(torch.bfloat16)


def _matrices(x: Tensor) -> Tensor:
    """View a tensor of more than three dimensions as a matrix [first, all others]."""
    return x.flatten(1) if x.ndim > 3 else x


def _rms(x: Tensor) -> Tensor:
    """Root mean square of a vector, or of every matrix [..., 1, 1]."""
    dims = (-2, -1) if x.ndim > 1 else None
    size = x.shape[-2] * x.shape[-1] if x.ndim > 1 else x.numel()
    return torch.linalg.vector_norm(x, dim=dims, keepdim=True) / math.sqrt(size)
