"""The loop. Every domain and method runs through it, top to bottom."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from instructzoo.core import runs
from instructzoo.core.errors import Stopped, ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Recipe, Train
from instructzoo.core.runs import Run
from instructzoo.core.text import Batches
from instructzoo.core.text.batching import rank_micro_batches
from instructzoo.core.tune import checkpoints, distributed, fsdp, lomo, optimizers
from instructzoo.core.tune.checkpoints import State
from instructzoo.core.tune.lomo import Lomo
from instructzoo.core.tune.malloc import keep_freed_memory
from instructzoo.core.tune.objectives import Batch, LossModule, Objective
from instructzoo.core.tune.progress_bar import Progress

VALIDATIONS = 10
"""Validations of a run whose recipe does not say how often."""


@dataclass(frozen=True)
class EncodedSplits:
    """Encoded training and validation rows. lengths: tokens per training row."""

    train: Sequence[Any]
    validation: Sequence[Any]
    lengths: Sequence[int]
    validation_lengths: Sequence[int]


def fit(recipe: Recipe, run: Run, tuned: Any, objective: Objective, parts: EncodedSplits, quiet: bool = False) -> State:
    """Train `tuned` in place and leave the parameters of the best validation in it.

    Resumes from the run's newest sound checkpoint. Of a sharded model only the process that writes is left whole.
    Raises ZooError for a loss that is no number, Stopped on SIGTERM.
    """
    settings = recipe.train
    if settings.optimizer not in ("lomo", "adalomo"):  # whose point is to hold little
        keep_freed_memory()
    AcceleratorState._reset_state(reset_partial_state=False)  # it would refuse another precision than the run before
    accelerator = Accelerator(mixed_precision=precision(settings), cpu=not torch.accelerator.is_available())
    rank, world = accelerator.process_index, accelerator.num_processes
    batches = Batches(parts.lengths, settings, recipe.seed, rank, world)
    single = LossModule(tuned, objective)
    fsdp.apply_fsdp(single, tuned, settings, half=precision(settings) == "bf16")
    optimizer = optimizers.make(tuned, settings)
    if isinstance(optimizer, Lomo):
        lomo.refuse_accumulation(parts.lengths, settings)
        lomo.refuse_ranks(world)
    module, optimizer = accelerate_prepare(accelerator, single, optimizer, settings)
    with distributed.main_first():  # it removes damaged checkpoints
        state = checkpoints.restore(run, tuned, optimizer)
    every = settings.evaluate_every or max(1, batches.steps // VALIDATIONS)

    with stop_signals() as stop, Progress(state.step, batches.steps, quiet) as progress:
        log, saved_at = MetricsLog(run, state.step), time.monotonic()
        while state.step < batches.steps:
            began = time.monotonic()
            # Dropout is a function of the step, and another one on every rank.
            torch.manual_seed(recipe.seed * 1_000_003 + state.step + (rank << 40))
            module.train()
            losses, targets = torch.zeros(2, device=accelerator.device)
            micro_batches = batches.update(state.step)
            for i, rows in enumerate(micro_batches, start=1):
                with fsdp.sync_gradients(accelerator, module, i == len(micro_batches)):
                    loss, n = summed_loss(module, objective, parts.train, rows, accelerator.device)
                    backward(accelerator, optimizer, loss)
                losses, targets = losses + loss.detach(), targets + n
            late = run.is_main and time.monotonic() - saved_at > 60 * settings.checkpoint_minutes
            total, count, due, stopped = distributed.all_reduce_sum(float(losses), float(targets), late, len(stop))
            mean = total / count
            # Ranks average their gradients, which are sums.
            norm = divide_and_clip(accelerator, optimizer, tuned, count / world, settings.clip)
            raise_if_nonfinite(mean, norm, state.step, micro_batches, settings, uses_grad_scaler(optimizer, settings))
            lr = optimizers.lr_at(state.step, batches.steps, settings)
            optimizers.set_lr(optimizer, lr)
            optimizer.step()
            optimizer.zero_grad()

            used = batches.rows(state.step)
            tokens, took = sum(parts.lengths[row] for row in used), time.monotonic() - began
            state.advance(len(used), tokens, took)
            last = state.step == batches.steps
            progress.update(state.step, mean, tokens / took)
            if last or state.step % settings.log_every == 0:
                log.step(state, loss=mean, lr=lr, grad_norm=norm, epoch=batches.epoch_of(state.step))
            if parts.validation and (last or state.step % every == 0):
                with optimizers.ema_weights(optimizer):
                    found = validation_loss(single, objective, parts, settings, accelerator.device)
                    record_validation(run, state, tuned, found, log)
                if settings.patience and state.stale >= settings.patience:
                    run.update_manifest(
                        stopped_early=f"{state.stale} validations without a better loss, at step {state.step}"
                    )
                    break
            stopped = stopped or (len(stop) if world == 1 else 0)  # ranks must agree: theirs waits for the next sum
            if stopped or due or (settings.checkpoint_every and state.step % settings.checkpoint_every == 0):
                checkpoints.save(run, state, tuned, optimizer)
                saved_at = time.monotonic()
            if stopped:
                distributed.wait_for_everyone()
                raise Stopped(state.step, stop[0] if stop else signal.SIGTERM)

    optimizers.swap_in_ema(optimizer)
    distributed.wait_for_everyone()
    if parts.validation:
        checkpoints.load_best(run, state, tuned)
    fsdp.gather_full_params(tuned, run.is_main)
    return state


def validation_loss(module: Any, objective: Objective, parts: EncodedSplits, settings: Train, device: Any) -> float:
    """Mean loss per target over the validation rows: a sum and a count, so the batch size does not matter."""
    module.eval()
    total, count, lengths = 0.0, 0.0, parts.validation_lengths
    with torch.no_grad():
        for rows in rank_micro_batches(range(len(lengths)), lengths, settings, *distributed.rank_and_world_size()):
            loss, n = summed_loss(module, objective, parts.validation, rows, device)
            total, count = total + float(loss), count + float(n)
    total, count = distributed.all_reduce_sum(total, count)
    return total / count


def summed_loss(
    module: Any, objective: Objective, encoded: Sequence[Any], rows: Sequence[int], device: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """The summed loss of these rows and the number of its targets; of no rows, zeros, so that ranks keep step."""
    loss, n = module(collate(objective, encoded, rows or [0], device))
    return (loss, n) if rows else (loss * 0, n * 0)


def record_validation(run: Run, state: State, tuned: Any, loss: float, log: MetricsLog) -> None:
    """Record a validation; keep the parameters if it is the best one."""
    if not math.isfinite(loss):
        raise ZooError(f"the validation loss is {loss} at step {state.step}", "a number", "lower train.lr")
    state.stale += 1
    if loss < state.best:
        state.best, state.best_step, state.stale = loss, state.step, 0
        checkpoints.save_best(run, state, tuned)
    log.line({"step": state.step, "validation_loss": loss})


def accelerate_prepare(
    accelerator: Accelerator, module: LossModule, optimizer: Any, settings: Train
) -> tuple[Any, Any]:
    """Model and optimiser on their device, the model as the settings want it run."""
    plain = adapters.unwrap_peft(module.model)
    if settings.activation_checkpointing:
        plain.gradient_checkpointing_enable({"use_reentrant": False})
    if settings.compile:
        plain.get_decoder().compile(dynamic=True)  # in place: parameters keep their names
    if fsdp.is_fsdp_module(module):  # it has its own way between the processes
        return module, optimizer
    if isinstance(optimizer, Lomo):  # accelerate's wrapper would scale and step from outside
        return accelerator.prepare(module), optimizer
    return accelerator.prepare(module, optimizer)


def backward(accelerator: Accelerator, optimizer: Any, loss: torch.Tensor) -> None:
    """Add the gradients of a micro-batch. LOMO keeps the loss instead: its gradients live for a moment, in its step."""
    if isinstance(optimizer, Lomo):
        optimizer.hold(loss)
    else:
        accelerator.backward(loss)


def divide_and_clip(
    accelerator: Accelerator, optimizer: Any, tuned: Any, count: float, clip: float | None
) -> float | None:
    """Turn summed gradients into the gradient of the mean over all targets of the update.

    Returns its norm before clipping; None for LOMO without clipping, which never sees all gradients before it steps.
    """
    if isinstance(optimizer, Lomo):
        return optimizer.divide_and_clip(count, clip)
    accelerator.unscale_gradients(optimizer)  # of the factor that float16 needs
    parameters = [p for _, p in adapters.trainable_parameters(tuned) if p.grad is not None]
    gradients = [p.grad for p in parameters]
    torch._foreach_mul_([fsdp.local_tensor(gradient) for gradient in gradients], 1 / count)
    limit = clip if clip is not None else math.inf
    if fsdp.is_sharded(tuned):
        return fsdp.clip_sharded_gradients(gradients, limit)
    norm = torch.nn.utils.get_total_norm(gradients)
    if float(norm) + 1e-6 > limit:  # torch's clip_grad_norm_ multiplies by 1 too: a pass over all gradients for nothing
        torch.nn.utils.clip_grads_with_norm_(parameters, limit, norm)
    return float(norm)


def uses_grad_scaler(optimizer: Any, settings: Train) -> bool:
    """Whether losses are scaled for float16: a gradient may overflow now and then, that update is then skipped."""
    return settings.precision == "float16" or (isinstance(optimizer, Lomo) and optimizer.scaled)


def raise_if_nonfinite(
    mean: float, norm: float | None, step: int, rows: Sequence[Sequence[int]], settings: Train, scaled: bool
) -> None:
    """Stop before a loss or a gradient that is no number reaches the parameters. rows: those of each micro-batch."""
    if math.isfinite(mean) and (norm is None or math.isfinite(norm) or scaled):
        return
    named = [row for part in rows for row in part][:8]
    raise ZooError(
        f"the loss is {mean} and its gradient's norm {norm} at step {step + 1}",
        "numbers",
        f"lower train.lr (now {settings.lr:.2g}) or look at training rows {named}; earlier checkpoints are kept",
    )


def precision(settings: Train) -> str:
    """The mixed precision of accelerate: bf16 only where the device multiplies it natively."""
    names = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}
    if settings.precision != "auto":
        return names[settings.precision]
    native = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16" if native else "no"


def collate(objective: Objective, encoded: Sequence[Any], rows: Sequence[int], device: Any) -> Batch:
    """The batch of these row numbers, on the device."""
    batch = objective.collate([encoded[row] for row in rows])
    return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}


class MetricsLog:
    """metrics.jsonl. A resumed run first drops the lines that are later than its checkpoint."""

    def __init__(self, run: Run, step: int) -> None:
        self.path, self.is_main = run.path("metrics.jsonl"), run.is_main
        if not run.is_main:
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True) if self.path.is_file() else []
        runs.write_text(self.path, "".join(line for line in lines if self._holds(line, step)))

    @staticmethod
    def _holds(line: str, step: int) -> bool:
        """Whether a line was written whole and speaks of an update up to `step`."""
        return line.endswith("\n") and json.loads(line)["step"] <= step

    def step(self, state: State, **values: float | None) -> None:
        pace = {"seconds": round(state.seconds, 2), "tokens_per_second": round(state.tokens / max(state.seconds, 1e-9))}
        self.line({"step": state.step, **values, "examples": state.examples, "tokens": state.tokens, **pace})

    def line(self, values: dict[str, Any]) -> None:
        if not self.is_main:
            return
        with runs.disk_errors(self.path), self.path.open("a") as file:
            file.write(json.dumps(values) + "\n")


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """A list that holds the signal's number once SIGTERM or Ctrl-C has come; a second Ctrl-C interrupts at once."""
    stop: list[int] = []

    def handler(number: int, frame: Any) -> None:
        if stop and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.append(number)

    before: dict[int, Callable[..., Any] | int | None] = {
        n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        for number in before:
            signal.signal(number, handler)
    except ValueError:  # not the main thread: whoever runs it there handles signals
        before = {}
    try:
        yield stop
    finally:
        for number, old in before.items():
            signal.signal(number, old)
