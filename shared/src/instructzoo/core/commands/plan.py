"""zoo plan: an estimate of the cost of a training run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from instructzoo.core import recipe as recipes
from instructzoo.core.commands.doctor import speed
from instructzoo.core.commands.training_task import build_task, parameter_counts
from instructzoo.core.recipe import Recipe

PROBE_UPDATES = 10
"""Updates that are timed."""
GB = 2**30


def plan(recipe: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Estimate parameters, memory, tokens, updates and time of a training run. Nothing is written to a run.

    The time comes from ten real updates, spread over the run, on a model that is then discarded. On a processor that
    multiplies faster in bfloat16, ten more updates are timed in that dtype ("seconds_per_step_bfloat16").

    Args:
        recipe: `domain/recipe`, or a YAML file.
        overrides: Settings such as `train.batch=32`.

    Returns:
        {"recipe", "backbone", "method", "parameters": {"total", "trained", "names"}, "memory_gb": by kind and in sum
        (2**30 bytes), "rows", "tokens_per_row", "tokens", "steps", "epochs", "seconds_per_step", "seconds"}.

    Raises:
        ZooError: A setting, the data or the backbone is wrong.
    """
    import torch

    from instructzoo.core.models.load import to_device
    from instructzoo.core.text import Batches
    from instructzoo.core.tune import optimizers

    settings = recipes.load(recipe, overrides)
    task = build_task(settings)
    encoded = task.encode(task.built.rows["train"])
    lengths = task.lengths(encoded)
    model = to_device(task.trainable_model())
    objective = task.objective(model)
    batches = Batches(lengths.total, settings.train, settings.seed)
    optimizer = optimizers.make_optimizer(model, settings.train)
    per_step, activations = probe(settings, model, objective, encoded, batches, optimizer)
    in_bfloat16 = {}
    if settings.train.precision == "auto" and next(model.parameters()).device.type == "cpu" and speed()["bf16_fast"]:
        with torch.autocast("cpu", torch.bfloat16):
            faster, _ = probe(settings, model, objective, encoded, batches, optimizer)
        in_bfloat16 = {"seconds_per_step_bfloat16": round(faster, 4)}
    parameters = parameter_counts(model)
    memory = memory_of(model, optimizer) | {"activations": activations}
    mean = sum(lengths.total) / len(lengths.total)
    return {
        "recipe": f"{settings.domain}/{settings.name}",
        "backbone": settings.model.backbone,
        "method": settings.method.name,
        "parameters": parameters,
        "memory_gb": {name: round(size / GB, 4) for name, size in (memory | {"sum": sum(memory.values())}).items()},
        "rows": len(encoded),
        "tokens_per_row": round(mean, 1),
        "tokens": round(mean * settings.train.batch * batches.steps),
        "steps": batches.steps,
        "epochs": round(batches.steps / batches.per_epoch, 2),
        "seconds_per_step": round(per_step, 4),
        **in_bfloat16,
        "seconds": round(per_step * batches.steps),
    }


def probe(
    recipe: Recipe, model: Any, objective: Any, encoded: Sequence[Any], batches: Any, optimizer: Any
) -> tuple[float, int]:
    """Take updates on a model that is discarded afterwards.

    Args:
        recipe: The recipe, for the settings of an update.
        model: The model with its fine-tuning method applied; its weights change.
        objective: The loss.
        encoded: The encoded training rows.
        batches: The batches of all updates, by indices into `encoded`.
        optimizer: The optimiser of the model's trainable parameters.

    Returns:
        Seconds per update (mean of PROBE_UPDATES, spread over the run), and bytes of the activations of the largest
        micro-batch.
    """
    from instructzoo.core.models import adapters
    from instructzoo.core.tune.activation_memory import saved_bytes
    from instructzoo.core.tune.lomo import Lomo
    from instructzoo.core.tune.loop import collate

    device = next(model.parameters()).device

    model.train()
    if recipe.train.activation_checkpointing:
        adapters.unwrap_peft(model).gradient_checkpointing_enable({"use_reentrant": False})

    def update(step: int) -> None:
        for indices in batches.update(step):
            loss, count = objective.loss(model, collate(objective, encoded, indices, device))
            if isinstance(optimizer, Lomo):
                optimizer.hold(loss)
                optimizer.divide_and_clip(int(count), recipe.train.clip)
            else:
                (loss / count).backward()
        optimizer.step()
        optimizer.zero_grad()

    longest = max(range(len(encoded)), key=lambda index: batches.lengths[index])
    size = recipe.train.micro_batch or max(
        1, min(recipe.train.batch, recipe.train.micro_tokens // batches.lengths[longest])
    )
    activations = saved_bytes(
        lambda: objective.loss(model, collate(objective, encoded, [longest] * size, device))[0], model
    )
    update(0)
    steps = [round(k * (batches.steps - 1) / max(1, PROBE_UPDATES - 1)) for k in range(PROBE_UPDATES)]
    start = time.perf_counter()
    for step in steps:
        update(step)
    return (time.perf_counter() - start) / len(steps), activations


def memory_of(model: Any, optimizer: Any) -> dict[str, int]:
    """Bytes of weights, gradients and optimiser state after the probe; LOMO holds one gradient at a time.

    Args:
        model: The model with its fine-tuning method applied.
        optimizer: The optimiser after at least one update.

    Returns:
        Bytes under the keys "weights", "gradients" and "optimizer".
    """
    from instructzoo.core.tune.lomo import Lomo
    from instructzoo.core.tune.optimizers import state_bytes

    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    gradients = [p.numel() * p.element_size() for p in model.parameters() if p.requires_grad]
    gradient_bytes = max(gradients) if isinstance(optimizer, Lomo) else sum(gradients)
    return {"weights": weights, "gradients": gradient_bytes, "optimizer": state_bytes(optimizer)}
