"""Optimisers by name, learning-rate schedules and the moving average of the weights.

The learning rate is a function of the step, so that a resumed run has nothing to restore.
"""

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
    return torch.optim.AdamW(groups, lr=train.lr, betas=train.betas, eps=train.eps, fused=True)


def _sgd(groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=train.lr)


def _adafactor(groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    # torch takes lr as the upper bound of the paper's relative step, so that it follows the schedule of the loop.
    return torch.optim.Adafactor(groups, lr=train.lr)


def _bitsandbytes(name: str, groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    optimizer_class = getattr(_optional("bitsandbytes", "quantised").optim, name)
    options: dict[str, Any] = {} if name.startswith("Lion") else {"eps": train.eps}
    return optimizer_class(groups, lr=train.lr, betas=train.betas, **options)


def _schedule_free(groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    package = _optional("schedulefree", "schedule-free")
    if train.schedule != "constant":
        problem = f"train.schedule={train.schedule} with schedule-free"
        raise ZooError(problem, "constant", "set train.schedule=constant; its average takes the place of the decay")
    optimizer = package.AdamWScheduleFree(groups, lr=train.lr, betas=train.betas, eps=train.eps)
    optimizer.train()
    return optimizer


def _lomo(optimizer_class: type[Lomo], groups: Groups, order: list[Any], train: Train) -> torch.optim.Optimizer:
    if train.precision == "float16":
        expected = "model.weights=float16, whose loss LOMO scales itself"
        raise ZooError("train.precision=float16 with LOMO", expected, "set train.precision=float32")
    if train.compile:
        problem = "train.compile with LOMO: a compiled decoder hands over all its gradients at once"
        raise ZooError(problem, "one gradient at a time", "set train.compile=false")
    return optimizer_class(groups, order, lr=train.lr)


TIMESCALE = 10_000
"""Updates after which inverse-sqrt without a warm-up has fallen to 1 / sqrt(2) of the peak."""

EMA, UPDATES = "ema", "ema_updates"
"""Keys of the moving average in a parameter's state, and of the number of averaged updates in a group."""

OPTIMIZERS: dict[str, Callable[[Groups, list[Any], Train], torch.optim.Optimizer]] = {
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


def make_optimizer(model: Any, train: Train) -> torch.optim.Optimizer:
    """Make the optimiser of a recipe over the parameters that require gradients; only matrices decay.

    Args:
        model: The tuned model.
        train: `optimizer`, `lr`, `betas`, `eps`, `weight_decay` and `ema` are read.

    Returns:
        An optimiser; with `train.ema` it keeps a moving average of the weights in its state.

    Raises:
        ZooError: The name is unknown, a package is not installed, or settings do not go together.
    """
    check_name(train)
    order = [p for _, p in adapters.trainable_parameters(model)]
    matrices, vectors = [p for p in order if p.ndim >= 2], [p for p in order if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": train.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = OPTIMIZERS[train.optimizer]([group for group in groups if group["params"]], order, train)
    if train.ema is not None:
        _add_ema(optimizer, train)
    return optimizer


def check_name(train: Train) -> None:
    """Raise a ZooError if there is no optimiser of the name `train.optimizer`."""
    if train.optimizer not in OPTIMIZERS:
        raise ZooError(f'no optimiser "{train.optimizer}"', suggest(train.optimizer, OPTIMIZERS), "set train.optimizer")


def _add_ema(optimizer: torch.optim.Optimizer, train: Train) -> None:
    """Keep an exponential moving average (EMA) of the weights in the optimiser's state.

    The decay starts low, (1 + n) / (10 + n) after n updates, so that the first weights are soon forgotten. Raises
    ZooError for optimisers that average by themselves or keep no state.
    """
    if train.optimizer in ("schedule-free", "lomo", "adalomo"):
        raise ZooError(f"train.ema with {train.optimizer}", "an optimiser without", "leave it out")
    for group in optimizer.param_groups:
        group[UPDATES] = 0

    def update_ema(optimizer: torch.optim.Optimizer, *arguments: Any) -> None:
        for group in optimizer.param_groups:
            group[UPDATES] += 1
            decay = min(train.ema or 0.0, (1 + group[UPDATES]) / (10 + group[UPDATES]))
            for p in group["params"]:
                state = optimizer.state[p]
                if p.grad is not None and EMA not in state:
                    state[EMA] = p.detach().to(torch.float32, copy=True)  # half precision would round small steps away
            averaged = [p for p in group["params"] if EMA in optimizer.state[p]]
            torch._foreach_lerp_(
                [optimizer.state[p][EMA] for p in averaged], [p.detach().float() for p in averaged], 1 - decay
            )

    optimizer.register_step_post_hook(update_ema)


def lr_at(step: int, steps: int, train: Train) -> float:
    """Return the learning rate of one update: a linear warm-up, then the schedule.

    cosine and linear fall from the peak to `final_lr` over all updates after the warm-up; constant stays; inverse-sqrt
    falls with the square root of the step (arXiv:1706.03762, section 5.3); wsd (warm-up, stable, decay:
    arXiv:2404.06395, section 4) stays and falls linearly over the last updates.

    Args:
        step: Number of the update, from 0.
        steps: Updates of the whole run.
        train: `lr` is the peak, `warmup` and `decay` are shares of the steps, `final_lr` is a share of the peak.

    Example:
        >>> train = Train(lr=2.0, warmup=0.1)
        >>> lr_at(0, 100, train), lr_at(9, 100, train), round(lr_at(99, 100, train), 3)
        (0.2, 2.0, 0.001)
        >>> lr_at(30, 50, Train(lr=2.0, warmup_steps=10, schedule="linear"))
        1.0
    """
    warmup_steps = round(train.warmup * steps) if train.warmup_steps is None else train.warmup_steps
    if step < warmup_steps:
        return train.lr * (step + 1) / warmup_steps
    if train.schedule == "constant":
        return train.lr
    if train.schedule == "inverse-sqrt":
        timescale = warmup_steps or TIMESCALE
        return train.lr * math.sqrt(timescale / (timescale + step - warmup_steps))
    if train.schedule == "wsd":
        decay_steps = max(1, round(train.decay * steps))
        progress = max(0.0, (step - max(warmup_steps, steps - decay_steps)) / decay_steps)
        return train.lr * (1 - (1 - train.final_lr) * progress)
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    if train.schedule == "linear":
        return train.lr * (train.final_lr + (1 - train.final_lr) * (1 - progress))
    return train.lr * (train.final_lr + (1 - train.final_lr) * 0.5 * (1 + math.cos(math.pi * progress)))


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of all parameter groups."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def swap_in_ema(optimizer: Any) -> None:
    """Replace the parameters by their moving average, where the optimiser keeps one (EMA or schedule-free).

    Schedule-free rounds when it swaps there and back, so checkpoints hold the parameters in training.
    """
    if _is_schedule_free(optimizer):
        optimizer.eval()
    for p, average in _emas(optimizer):
        p.data.copy_(average)


@contextmanager
def ema_weights(optimizer: Any) -> Iterator[None]:
    """Use the moving average inside the block (`swap_in_ema`), and the parameters in training after it."""
    training_values = [(p, p.detach().clone()) for p, _ in _emas(optimizer)]
    swap_in_ema(optimizer)
    yield
    for p, value in training_values:
        p.data.copy_(value)
    if _is_schedule_free(optimizer):
        optimizer.train()


def state_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Return the bytes of all tensors that the optimiser keeps between updates, each storage counted once."""
    values = [value for state in optimizer.state.values() for value in state.values()]
    storages = [value.untyped_storage() for value in values if isinstance(value, torch.Tensor)]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def _emas(optimizer: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return the parameters with their moving averages; none without `train.ema`."""
    return [
        (p, optimizer.state[p][EMA])
        for group in optimizer.param_groups
        for p in group["params"]
        if EMA in optimizer.state.get(p, {})
    ]


def _is_schedule_free(optimizer: torch.optim.Optimizer) -> bool:
    """Whether the optimiser keeps its own average and has a training and an evaluation mode."""
    return "train_mode" in optimizer.param_groups[0]


def _optional(package: str, extra: str) -> Any:
    """Import a package of an extra; raise ZooError if it is not installed."""
    try:
        return import_module(package)
    except ImportError as error:
        fix = f"pip install 'instructzoo-core[{extra}]', or set train.optimizer=adamw"
        raise ZooError(f"{package} is not installed", "the package of this optimiser", fix) from error
