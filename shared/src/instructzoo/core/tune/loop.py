"""The training loop. Every domain and every tuning method runs through `fit`, top to bottom."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

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
from instructzoo.core.tune.metrics_log import MetricsLog
from instructzoo.core.tune.objectives import Batch, LossModule, Objective
from instructzoo.core.tune.progress_bar import Progress
from instructzoo.core.tune.stop_signals import stop_signals

VALIDATIONS = 10
"""Validations of a run whose recipe does not say how often."""


@dataclass(frozen=True)
class EncodedSplits:
    """Encoded training and validation rows, and the number of tokens of each row."""

    train: Sequence[Any]
    validation: Sequence[Any]
    train_lengths: Sequence[int]
    validation_lengths: Sequence[int]


class UpdateSums(NamedTuple):
    """What the ranks must know of one update together: a sum over its targets, and what asks for a checkpoint."""

    loss: float
    num_targets: float
    checkpoint_due: float
    stop_signals: float

    def all_reduce(self) -> UpdateSums:
        """Return each field summed over all ranks, in one exchange."""
        return UpdateSums(*distributed.all_reduce_sum(*self))


def fit(
    recipe: Recipe, run: Run, model: Any, objective: Objective, splits: EncodedSplits, quiet: bool = False
) -> State:
    """Train `model` in place and leave the parameters of the best validation in it.

    A run that has checkpoints continues from the newest sound one.

    Args:
        recipe: Settings of the run; the loop reads `train` and `seed`.
        run: Run directory for checkpoints, metrics.jsonl and the manifest.
        model: Backbone with the tuning method applied. Of a sharded model only the main process keeps all parameters.
        objective: Makes batches of rows, and of a batch its summed loss and its number of targets.
        splits: Encoded rows.
        quiet: Show no progress bar.

    Returns:
        Where the run ended: updates done, best validation loss, examples and tokens seen.

    Raises:
        ZooError: The loss, the gradient or the validation loss is not a finite number.
        Stopped: SIGTERM, SIGHUP or Ctrl-C came; a checkpoint has been saved.
    """
    settings = recipe.train
    if settings.optimizer not in ("lomo", "adalomo"):  # these two are chosen to use little memory
        keep_freed_memory()
    AcceleratorState._reset_state(reset_partial_state=False)  # else a second run could not use another precision
    accelerator = Accelerator(mixed_precision=precision(settings), cpu=not torch.accelerator.is_available())
    device, rank, world_size = accelerator.device, accelerator.process_index, accelerator.num_processes
    batches = Batches(splits.train_lengths, settings, recipe.seed, rank, world_size)
    loss_module = LossModule(model, objective)
    fsdp.apply_fsdp(loss_module, model, settings, half=precision(settings) == "bf16")
    optimizer = optimizers.make_optimizer(model, settings)
    if isinstance(optimizer, Lomo):
        lomo.refuse_accumulation(splits.train_lengths, settings)
        lomo.refuse_ranks(world_size)
    wrapped_model, optimizer = accelerate_prepare(accelerator, loss_module, optimizer, settings)
    with distributed.main_first():  # the main process removes damaged checkpoints
        state = checkpoints.restore(run, model, optimizer)
    eval_every = settings.evaluate_every or max(1, batches.steps // VALIDATIONS)

    with stop_signals() as signals, Progress(state.step, batches.steps, quiet) as progress:
        log, last_save = MetricsLog(run, state.step), time.monotonic()
        while state.step < batches.steps:
            started = time.monotonic()
            # Dropout is a function of seed, step and rank, so that a resumed run draws the same.
            torch.manual_seed(recipe.seed * 1_000_003 + state.step + (rank << 40))
            wrapped_model.train()

            # forward and backward
            loss_sum, num_targets = torch.zeros(2, device=device)
            micro_batches = batches.update(state.step)
            for i, rows in enumerate(micro_batches, start=1):
                with fsdp.sync_gradients(accelerator, wrapped_model, i == len(micro_batches)):
                    loss, n = summed_loss(wrapped_model, objective, splits.train, rows, device)
                    backward(accelerator, optimizer, loss)
                loss_sum, num_targets = loss_sum + loss.detach(), num_targets + n

            # sum over ranks
            checkpoint_due = run.is_main and time.monotonic() - last_save > 60 * settings.checkpoint_minutes
            total = UpdateSums(float(loss_sum), float(num_targets), checkpoint_due, len(signals)).all_reduce()
            train_loss = total.loss / total.num_targets

            # step the optimizer
            targets_per_rank = total.num_targets / world_size  # gradients are sums over targets, averaged over ranks
            grad_norm = divide_and_clip(accelerator, optimizer, model, targets_per_rank, settings.clip)
            scaled = uses_grad_scaler(optimizer, settings)
            raise_if_nonfinite(train_loss, grad_norm, state.step, micro_batches, settings, scaled)
            lr = optimizers.lr_at(state.step, batches.steps, settings)
            optimizers.set_lr(optimizer, lr)
            optimizer.step()
            optimizer.zero_grad()

            # logging
            examples = batches.rows(state.step)  # of all ranks
            num_tokens, seconds = sum(splits.train_lengths[row] for row in examples), time.monotonic() - started
            state.advance(len(examples), num_tokens, seconds)
            is_last = state.step == batches.steps
            progress.update(state.step, train_loss, num_tokens / seconds)
            if is_last or state.step % settings.log_every == 0:
                log.step(state, loss=train_loss, lr=lr, grad_norm=grad_norm, epoch=batches.epoch_of(state.step))

            # validation
            if splits.validation and (is_last or state.step % eval_every == 0):
                with optimizers.ema_weights(optimizer):
                    val_loss = validation_loss(loss_module, objective, splits, settings, device)
                    record_validation(run, state, model, val_loss, log)
                if settings.patience and state.stale >= settings.patience:
                    reason = f"{state.stale} validations without a better loss, at step {state.step}"
                    run.update_manifest(stopped_early=reason)
                    break

            # checkpoint
            # Ranks must stop together: where there are several, a signal that came after the sum waits for the next.
            stop = total.stop_signals or (world_size == 1 and signals)
            every = settings.checkpoint_every
            if stop or total.checkpoint_due or (every and state.step % every == 0):
                checkpoints.save(run, state, model, optimizer)
                last_save = time.monotonic()
            if stop:
                distributed.wait_for_everyone()
                raise Stopped(state.step, signals[0] if signals else signal.SIGTERM)

    optimizers.swap_in_ema(optimizer)
    distributed.wait_for_everyone()
    if splits.validation:
        checkpoints.load_best(run, state, model)
    fsdp.gather_full_params(model, run.is_main)
    return state


def validation_loss(
    loss_module: Any, objective: Objective, splits: EncodedSplits, settings: Train, device: Any
) -> float:
    """Return the mean loss per target (nats) over the validation rows of all ranks.

    It is one sum divided by one count, so that it does not depend on the batch size. `loss_module` stays in eval mode.
    """
    loss_module.eval()
    loss_sum, num_targets, lengths = 0.0, 0.0, splits.validation_lengths
    with torch.no_grad():
        for rows in rank_micro_batches(range(len(lengths)), lengths, settings, *distributed.rank_and_world_size()):
            loss, n = summed_loss(loss_module, objective, splits.validation, rows, device)
            loss_sum, num_targets = loss_sum + float(loss), num_targets + float(n)
    loss_sum, num_targets = distributed.all_reduce_sum(loss_sum, num_targets)
    return loss_sum / num_targets


def summed_loss(
    module: Any, objective: Objective, encoded: Sequence[Any], rows: Sequence[int], device: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the summed loss of these rows and its number of targets; zeros where there are no rows.

    A rank without rows still runs forward and backward on some row, since every rank must take part in the exchange
    of gradients. Multiplied by 0 (and not left out), its loss keeps the graph and adds gradients of zero.
    """
    loss, n = module(collate(objective, encoded, rows or [0], device))
    return (loss, n) if rows else (loss * 0, n * 0)


def record_validation(run: Run, state: State, model: Any, val_loss: float, log: MetricsLog) -> None:
    """Log a validation, save the parameters if it is the best so far; raise ZooError if the loss is not finite."""
    if not math.isfinite(val_loss):
        raise ZooError(f"the validation loss is {val_loss} at step {state.step}", "a number", "lower train.lr")
    state.stale += 1
    if val_loss < state.best:
        state.best, state.best_step, state.stale = val_loss, state.step, 0
        checkpoints.save_best(run, state, model)
    log.line({"step": state.step, "validation_loss": val_loss})


def accelerate_prepare(
    accelerator: Accelerator, loss_module: LossModule, optimizer: Any, settings: Train
) -> tuple[Any, Any]:
    """Put model and optimiser on their device, with activation checkpointing and compilation as the settings say."""
    backbone = adapters.unwrap_peft(loss_module.model)
    if settings.activation_checkpointing:
        backbone.gradient_checkpointing_enable({"use_reentrant": False})
    if settings.compile:
        backbone.get_decoder().compile(dynamic=True)  # in place: parameters keep their names
    if fsdp.is_fsdp_module(loss_module):  # FSDP exchanges gradients by itself
        return loss_module, optimizer
    if isinstance(optimizer, Lomo):  # accelerate's wrapper would scale and step from outside
        return accelerator.prepare(loss_module), optimizer
    return accelerator.prepare(loss_module, optimizer)


def backward(accelerator: Accelerator, optimizer: Any, loss: torch.Tensor) -> None:
    """Add the gradients of a micro-batch. LOMO keeps the loss instead, and runs backward inside its step."""
    if isinstance(optimizer, Lomo):
        optimizer.hold(loss)
    else:
        accelerator.backward(loss)


def divide_and_clip(
    accelerator: Accelerator, optimizer: Any, model: Any, num_targets: float, max_norm: float | None
) -> float | None:
    """Divide summed gradients by the number of targets of the update, and clip them to `max_norm`.

    Args:
        num_targets: Targets of the update divided by the number of ranks, since gradients are means over ranks.
        max_norm: Largest norm of the mean gradients of all trainable parameters; None leaves them unclipped.

    Returns:
        The norm before clipping; None for LOMO without clipping, which never has all gradients at once.
    """
    if isinstance(optimizer, Lomo):
        return optimizer.divide_and_clip(num_targets, max_norm)
    accelerator.unscale_gradients(optimizer)  # removes the loss scale of float16
    parameters = [p for _, p in adapters.trainable_parameters(model) if p.grad is not None]
    gradients = [p.grad for p in parameters]
    torch._foreach_mul_([fsdp.local_tensor(gradient) for gradient in gradients], 1 / num_targets)
    limit = max_norm if max_norm is not None else math.inf
    if fsdp.is_sharded(model):
        return fsdp.clip_sharded_gradients(gradients, limit)
    norm = torch.nn.utils.get_total_norm(gradients)
    # torch's clip_grad_norm_ multiplies by 1 too where nothing is clipped: a pass over all gradients for nothing.
    if float(norm) + 1e-6 > limit:
        torch.nn.utils.clip_grads_with_norm_(parameters, limit, norm)
    return float(norm)


def uses_grad_scaler(optimizer: Any, settings: Train) -> bool:
    """Whether losses are scaled for float16: then a gradient may overflow now and then, and its update is skipped."""
    return settings.precision == "float16" or (isinstance(optimizer, Lomo) and optimizer.scaled)


def raise_if_nonfinite(
    loss: float,
    grad_norm: float | None,
    step: int,
    micro_batches: Sequence[Sequence[int]],
    settings: Train,
    scaled: bool,
) -> None:
    """Stop before a loss or a gradient that is not finite reaches the parameters; `step` counts from 0.

    Raises:
        ZooError: `loss` or `grad_norm` (unless `scaled`: float16 skips the update) is not finite; it names the rows.
    """
    if math.isfinite(loss) and (grad_norm is None or math.isfinite(grad_norm) or scaled):
        return
    rows = [row for micro_batch in micro_batches for row in micro_batch][:8]
    raise ZooError(
        f"the loss is {loss} and its gradient's norm {grad_norm} at step {step + 1}",
        "numbers",
        f"lower train.lr (now {settings.lr:.2g}) or look at training rows {rows}; earlier checkpoints are kept",
    )


def precision(settings: Train) -> str:
    """Return accelerate's name of the mixed precision; "auto" is bf16 only where the GPU multiplies it natively."""
    names = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}
    if settings.precision != "auto":
        return names[settings.precision]
    native = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16" if native else "no"


def collate(objective: Objective, encoded: Sequence[Any], rows: Sequence[int], device: Any) -> Batch:
    """Return the batch of the rows with these indices, on the device."""
    batch = objective.collate([encoded[row] for row in rows])
    return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
