"""Optimisers by name, and learning-rate schedules. The rate is a function of the step: nothing to save or to replay."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

import torch

from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Train
from instructzoo.core.tune.lomo import AdaLomo, Lomo

Groups = list[dict[str, Any]]


def _adamw(groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=train.lr, betas=train.betas, fused=True)


def _sgd(groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=train.lr)


def _adafactor(groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    # torch's takes the rate as the upper bound of the paper's relative step, so that it obeys the schedule of the loop.
    return torch.optim.Adafactor(groups, lr=train.lr)


def _bitsandbytes(name: str, groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    rule = getattr(_optional("bitsandbytes", "quantised").optim, name)
    return rule(groups, lr=train.lr, betas=train.betas)


def _schedule_free(groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    package = _optional("schedulefree", "schedule-free")
    if train.schedule != "constant":
        found = f"train.schedule={train.schedule} with schedule-free"
        raise ZooError(found, "constant", "set train.schedule=constant; its average takes the place of the decay")
    optimizer = package.AdamWScheduleFree(groups, lr=train.lr, betas=train.betas)
    optimizer.train()
    return optimizer


def _lomo(kind: type[Lomo], groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    if train.precision == "float16":
        expected = "model.weights=float16, whose loss LOMO scales itself"
        raise ZooError("train.precision=float16 with LOMO", expected, "set train.precision=float32")
    if train.compile:
        found = "train.compile with LOMO: a compiled decoder hands over all its gradients at once"
        raise ZooError(found, "one gradient at a time", "set train.compile=false")
    return kind(groups, order, lr=train.lr)


EMA, UPDATES = "ema", "ema_updates"
"""Where the average lies in a parameter's state, and the number of updates in it in a group's."""

RULES: dict[str, Callable[[Groups, list[Any], Train], torch.optim.Optimizer]] = {
    "adamw": _adamw,
    "sgd": _sgd,
    "adafactor": _adafactor,
    "lion": partial(_bitsandbytes, "Lion"),
    "adamw-8bit": partial(_bitsandbytes, "AdamW8bit"),
    "lion-8bit": partial(_bitsandbytes, "Lion8bit"),
    "paged-adamw": partial(_bitsandbytes, "PagedAdamW"),
    "paged-adamw-8bit": partial(_bitsandbytes, "PagedAdamW8bit"),
    "schedule-free": _schedule_free,
    "lomo": partial(_lomo, Lomo),
    "adalomo": partial(_lomo, AdaLomo),
}


def make(model: Any, train: Train) -> torch.optim.Optimizer:
    """The optimiser that `train.optimizer` names, over what the method trains; weight decay on matrices only.

    Raises ZooError for an unknown name, a package that is not installed, or settings that the rule cannot obey.
    """
    if train.optimizer not in RULES:
        raise ZooError(f'no optimiser "{train.optimizer}"', suggest(train.optimizer, RULES), "set train.optimizer")
    order = [p for _, p in adapters.trainable_parameters(model)]
    matrices, vectors = [p for p in order if p.ndim >= 2], [p for p in order if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": train.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = RULES[train.optimizer]([group for group in groups if group["params"]], order, train)
    if train.ema is not None:
        _keep_average(optimizer, train)
    return optimizer


def _keep_average(optimizer: torch.optim.Optimizer, train: Train) -> None:
    """Keep an exponential average of the weights beside them, as part of the optimiser's state.

    Its decay begins low, (1 + n) / (10 + n) after n updates, so that the start is soon forgotten. Raises ZooError for
    rules that average by themselves or keep no state.
    """
    if train.optimizer in ("schedule-free", "lomo", "adalomo"):
        raise ZooError(f"train.ema with {train.optimizer}", "an optimiser without", "leave it out")
    for group in optimizer.param_groups:
        group[UPDATES] = 0

    def follow(optimizer: torch.optim.Optimizer, *arguments: Any) -> None:
        for group in optimizer.param_groups:
            group[UPDATES] += 1
            decay = min(train.ema or 0.0, (1 + group[UPDATES]) / (10 + group[UPDATES]))
            for p in group["params"]:
                held = optimizer.state[p]
                if p.grad is not None and EMA not in held:
                    held[EMA] = p.detach().to(torch.float32, copy=True)  # half precision would round small steps away
            moved = [p for p in group["params"] if EMA in optimizer.state[p]]
            torch._foreach_lerp_(
                [optimizer.state[p][EMA] for p in moved], [p.detach().float() for p in moved], 1 - decay
            )

    optimizer.register_step_post_hook(follow)


def lr_at(step: int, steps: int, train: Train) -> float:
    """Learning rate of update `step` (from 0): linear warm-up, then constant or cosine down to final_lr of the peak."""
    warm = round(train.warmup * steps)
    if step < warm:
        return train.lr * (step + 1) / warm
    if train.schedule == "constant":
        return train.lr
    done = (step - warm) / max(1, steps - warm)
    return train.lr * (train.final_lr + (1 - train.final_lr) * 0.5 * (1 + math.cos(math.pi * done)))


def set_lr(optimizer: torch.optim.Optimizer, value: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = value


def swap_in_ema(optimizer: Any) -> None:
    """Put the parameters in place that are to be judged and kept, where these are an average beside those in training.

    Schedule-free's way there and back rounds, so checkpoints hold the point of training.
    """
    if _averages(optimizer):
        optimizer.eval()
    for p, average in _emas(optimizer):
        p.data.copy_(average)


@contextmanager
def ema_weights(optimizer: Any) -> Iterator[None]:
    """`swap_in_ema`, and back to the point of training at the end."""
    left = [(p, p.detach().clone()) for p, _ in _emas(optimizer)]
    swap_in_ema(optimizer)
    yield
    for p, value in left:
        p.data.copy_(value)
    if _averages(optimizer):
        optimizer.train()


def state_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Bytes of all tensors that the optimiser keeps between updates, each storage counted once."""
    kept = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, torch.Tensor)]
    return sum({t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in kept}.values())


def _emas(optimizer: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Parameters with their averages, where train.ema keeps these."""
    return [
        (p, optimizer.state[p][EMA])
        for group in optimizer.param_groups
        for p in group["params"]
        if EMA in optimizer.state.get(p, {})
    ]


def _averages(optimizer: torch.optim.Optimizer) -> bool:
    return "train_mode" in optimizer.param_groups[0]


def _optional(package: str, extra: str) -> Any:
    """A package of an extra. Raises ZooError where it is not installed."""
    try:
        return import_module(package)
    except ImportError as error:
        fix = f"pip install 'instructzoo-core[{extra}]', or set train.optimizer=adamw"
        raise ZooError(f"{package} is not installed", "the package of this optimiser", fix) from error
