"""zoo plan: what a training will cost, before it starts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from instructzoo.core import recipe as recipes
from instructzoo.core.commands.doctor import speed
from instructzoo.core.commands.training_task import build_task, counts
from instructzoo.core.recipe import Recipe

PROBE_STEPS = 10
GB = 2**30


def plan(recipe: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Parameters, memory by part (GB), tokens, steps and the time from a ten-step probe. Nothing is written to a run.

    The probe takes ten real updates, spread over the run, on a model that is then thrown away; on a processor that
    multiplies faster in bfloat16, ten more in that ("seconds_per_step_bfloat16").
    """
    import torch

    from instructzoo.core.models.load import to_device
    from instructzoo.core.text import Batches
    from instructzoo.core.tune import optimizers

    settings = recipes.load(recipe, overrides)
    ready = build_task(settings)
    encoded = ready.encode(ready.built.rows["train"])
    costs = ready.lengths(encoded)
    tuned = to_device(ready.tune())
    objective = ready.objective(tuned)
    batches = Batches(costs.total, settings.train, settings.seed)
    optimizer = optimizers.make(tuned, settings.train)
    per_step, activations = probe(settings, tuned, objective, encoded, batches, optimizer)
    half = {}
    if settings.train.precision == "auto" and next(tuned.parameters()).device.type == "cpu" and speed()["bf16_fast"]:
        with torch.autocast("cpu", torch.bfloat16):
            faster, _ = probe(settings, tuned, objective, encoded, batches, optimizer)
        half = {"seconds_per_step_bfloat16": round(faster, 4)}
    parameters = counts(tuned)
    memory = memory_of(tuned, optimizer) | {"activations": activations}
    mean = sum(costs.total) / len(costs.total)
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
        **half,
        "seconds": round(per_step * batches.steps),
    }


def probe(
    recipe: Recipe, tuned: Any, objective: Any, encoded: Sequence[Any], batches: Any, optimizer: Any
) -> tuple[float, int]:
    """Seconds per update, the mean of ten spread over the run; and the bytes of activations of the largest batch."""
    from instructzoo.core.models import adapters
    from instructzoo.core.tune.activation_memory import saved_bytes
    from instructzoo.core.tune.lomo import Lomo
    from instructzoo.core.tune.loop import collate

    device = next(tuned.parameters()).device

    tuned.train()
    if recipe.train.activation_checkpointing:
        adapters.unwrap_peft(tuned).gradient_checkpointing_enable({"use_reentrant": False})

    def update(step: int) -> None:
        for rows in batches.update(step):
            loss, count = objective.loss(tuned, collate(objective, encoded, rows, device))
            if isinstance(optimizer, Lomo):
                optimizer.hold(loss)
                optimizer.divide_and_clip(int(count), recipe.train.clip)
            else:
                (loss / count).backward()
        optimizer.step()
        optimizer.zero_grad()

    longest = max(range(len(encoded)), key=lambda row: batches.lengths[row])
    size = recipe.train.micro_batch or max(
        1, min(recipe.train.batch, recipe.train.micro_tokens // batches.lengths[longest])
    )
    activations = saved_bytes(
        lambda: objective.loss(tuned, collate(objective, encoded, [longest] * size, device))[0], tuned
    )
    update(0)
    steps = [round(k * (batches.steps - 1) / max(1, PROBE_STEPS - 1)) for k in range(PROBE_STEPS)]
    begun = time.perf_counter()
    for step in steps:
        update(step)
    return (time.perf_counter() - begun) / len(steps), activations


def memory_of(tuned: Any, optimizer: Any) -> dict[str, int]:
    """Bytes of weights, of gradients (LOMO: the largest one, others: all) and of what the optimiser holds by now."""
    from instructzoo.core.tune.lomo import Lomo
    from instructzoo.core.tune.optimizers import state_bytes

    weights = sum(p.numel() * p.element_size() for p in tuned.parameters())
    gradients = [p.numel() * p.element_size() for p in tuned.parameters() if p.requires_grad]
    held = max(gradients) if isinstance(optimizer, Lomo) else sum(gradients)
    return {"weights": weights, "gradients": held, "optimizer": state_bytes(optimizer)}
