"""zoo plan: an estimate of the cost of a training run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from instructzoo.core import recipe as recipes
from instructzoo.core.commands.doctor import speed
from instructzoo.core.commands.training_task import build_task, parameter_counts
from instructzoo.core.recipe import Recipe

if TYPE_CHECKING:
    from instructzoo.core.text import Batches
    from instructzoo.core.tune.planning import Shapes

PROBE_UPDATES = 10
"""Updates that are timed."""
GB = 2**30
LOOKED_AT = 2_000
"""Updates among which the largest micro-batch is looked for."""


def plan(recipe: str, overrides: Sequence[str] = (), on: str | None = None) -> dict[str, Any]:
    """Estimate parameters, memory, tokens, updates and time of a training run. Nothing is written to a run.

    On this machine, the time comes from ten real updates, spread over the run, on a model that is then discarded, and
    the memory from those updates and the largest one. On a processor that multiplies faster in bfloat16, ten more
    updates are timed in that dtype ("seconds_per_step_bfloat16"). With `on`, memory and time of another machine follow
    from the shapes of the model: neither weights nor rows are needed (`plan_on`).

    Args:
        recipe: `domain/recipe`, or a YAML file.
        overrides: Settings such as `train.batch=32`.
        on: A card of `tune/cards.py`, or several, such as "h100x8".

    Returns:
        {"recipe", "backbone", "method", "parameters": {"total", "trained", "names"}, "memory_gb": in units of 2**30
        bytes by kind, with that of the process (interpreter, libraries and rows), and "sum", the highest resident
        memory of it all (on a GPU: the sum), "rows", "tokens_per_row", "tokens", "steps", "epochs",
        "seconds_per_step", "seconds"}.

    Raises:
        ZooError: A setting, the data or the backbone is wrong, or there is no such card.
    """
    settings = recipes.load(recipe, overrides)
    return plan_here(settings) if on is None else plan_on(settings, on)


def plan_here(settings: Recipe) -> dict[str, Any]:
    """Plan a training on this machine; as `plan`."""
    from instructzoo.core.models.load import to_device
    from instructzoo.core.text import Batches
    from instructzoo.core.tune import optimizers, process_memory
    from instructzoo.core.tune.malloc import keep_freed_memory

    process_memory.reset_peak()
    if settings.train.optimizer not in ("lomo", "adalomo"):
        keep_freed_memory()  # as in training
    task = build_task(settings)
    encoded = task.encode(task.built.rows["train"])
    lengths = task.lengths(encoded)
    process = process_memory.current_bytes()
    model = to_device(task.trainable_model())
    process -= sum(p.numel() * p.element_size() for p in model.parameters() if p.device.type == "cpu")
    objective = task.objective(model)
    batches = Batches(lengths.total, settings.train, settings.seed)
    optimizer = optimizers.make_optimizer(model, settings.train)
    per_step = probe(settings, model, objective, encoded, batches, optimizer)
    peak, on_cpu = process_memory.peak_bytes(), next(model.parameters()).device.type == "cpu"
    activations = activations_of(model, objective, encoded, batches)
    memory = memory_of(model, optimizer) | {"activations": activations, "process": max(0, process)}
    total = peak if on_cpu else sum(memory.values()) - memory["process"]
    mean = sum(lengths.total) / len(lengths.total)
    return {
        "recipe": f"{settings.domain}/{settings.name}",
        "backbone": settings.model.backbone,
        "method": settings.method.name,
        "parameters": parameter_counts(model),
        "memory_gb": in_gb(memory | {"sum": total}),
        "rows": len(encoded),
        "tokens_per_row": round(mean, 1),
        "tokens": round(mean * settings.train.batch * batches.steps),
        "steps": batches.steps,
        "epochs": round(batches.steps / batches.per_epoch, 2),
        "seconds_per_step": round(per_step, 4),
        **in_bfloat16(settings, model, objective, encoded, batches, optimizer),
        "seconds": round(per_step * batches.steps),
    }


def in_gb(sizes: Mapping[str, int]) -> dict[str, float]:
    """Bytes in units of 2**30."""
    return {name: round(size / GB, 4) for name, size in sizes.items()}


def in_bfloat16(
    recipe: Recipe, model: Any, objective: Any, encoded: Sequence[Any], batches: Any, optimizer: Any
) -> dict[str, float]:
    """Seconds per update in bfloat16, on a processor that multiplies faster in it, where the recipe leaves it open."""
    import torch

    from instructzoo.core.tune.malloc import release_freed_memory

    if recipe.train.precision != "auto" or next(model.parameters()).device.type != "cpu" or not speed()["bf16_fast"]:
        return {}
    release_freed_memory()  # tensors of another dtype would not fit where those of the first updates were
    with torch.autocast("cpu", torch.bfloat16):
        seconds = probe(recipe, model, objective, encoded, batches, optimizer)
    return {"seconds_per_step_bfloat16": round(seconds, 4)}


def plan_on(settings: Recipe, on: str) -> dict[str, Any]:
    """Plan a training on other machines from the shapes of the model, for rows of `model.max_tokens` tokens.

    Args:
        settings: The recipe.
        on: Cards, such as "h100x8".

    Returns:
        {"recipe", "backbone", "method", "on", "parameters": {"total", "trained", "names"}, "memory_gb": on each card by
        kind and in sum, "card_gb", "fits", "activations_gb": {"stored", "checkpointed"}: without and with activation
        checkpointing, "sharding": "none", "ddp" or "fsdp", "micro_batch": rows, "tokens_per_row", "tflop_per_step": of
        all cards, "utilisation": assumed share of the peak rate, "seconds_per_step", "steps" and "seconds": None where
        the number of updates is not known without the rows}.

    Raises:
        ZooError: There is no such card or no such optimiser, or the shape of the backbone is not at hand.
    """
    from instructzoo.core.tune import cards, optimizers, planning

    optimizers.check_name(settings.train)
    name, card, count = cards.parse(on)
    half = planning.computes_in_half(settings.train, card)
    rows = planning.rows_per_micro_batch(settings.train, settings.model.max_tokens, count)
    shapes, cost = planning.measure(shapes_of(settings), rows, half)
    memory = planning.memory(shapes, cost, settings, count, half)
    total, steps = sum(memory.values()), steps_without_rows(settings)
    seconds = planning.seconds_per_update(cost, settings.train, rows, count, card, half)
    return {
        "recipe": f"{settings.domain}/{settings.name}",
        "backbone": settings.model.backbone,
        "method": settings.method.name,
        "on": f"{name}x{count}",
        "parameters": parameter_counts(shapes.model),
        "memory_gb": in_gb(memory | {"sum": total}),
        "card_gb": round(card.gigabytes * 1e9 / GB, 1),
        "fits": total <= card.gigabytes * 1e9,
        "activations_gb": in_gb({"stored": cost.stored, "checkpointed": cost.checkpointed}),
        "sharding": "none" if count == 1 else "fsdp" if settings.train.sharding else "ddp",
        "micro_batch": rows,
        "tokens_per_row": settings.model.max_tokens,
        "tflop_per_step": round(cost.flops * settings.train.batch / rows / 1e12, 2),
        "utilisation": planning.UTILISATION,
        "seconds_per_step": round(seconds, 7),
        "steps": steps,
        "seconds": None if steps is None else round(seconds * steps, 1),
    }


def shapes_of(settings: Recipe) -> Callable[[], Shapes]:
    """The function that builds a recipe's model of fake tensors."""
    from instructzoo.core import domain as domains
    from instructzoo.core.models import known_shapes
    from instructzoo.core.tune import planning

    domain = domains.get(settings.domain)
    if domain.objective == "own":
        build: Callable[[Recipe], Shapes] = domain.module("shapes").build
        return partial(build, settings)
    return partial(planning.text_shapes, settings, *known_shapes.config_of(settings.model))


def steps_without_rows(settings: Recipe) -> int | None:
    """Updates of a run where its number of rows is known without building them; else None."""
    train = settings.train
    if train.steps is not None:
        return train.steps
    if settings.data.sources != ("world",) or settings.data.limit is not None:
        return None
    return max(1, round(train.epochs * -(-settings.data.sizes.train // train.batch)))


def probe(recipe: Recipe, model: Any, objective: Any, encoded: Sequence[Any], batches: Any, optimizer: Any) -> float:
    """Take updates on a model that is discarded afterwards.

    Args:
        recipe: The recipe, for the settings of an update.
        model: The model with its fine-tuning method applied; its weights change.
        objective: The loss.
        encoded: The encoded training rows.
        batches: The batches of all updates, by indices into `encoded`.
        optimizer: The optimiser of the model's trainable parameters.

    Returns:
        Seconds per update: the mean of PROBE_UPDATES, spread over the run. The update with the largest micro-batch
        comes first and is not timed.
    """
    from instructzoo.core.models import adapters
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

    update(largest_micro_batch(batches)[0])
    steps = [round(k * (batches.steps - 1) / max(1, PROBE_UPDATES - 1)) for k in range(PROBE_UPDATES)]
    start = time.perf_counter()
    for step in steps:
        update(step)
    return (time.perf_counter() - start) / len(steps)


def activations_of(model: Any, objective: Any, encoded: Sequence[Any], batches: Batches) -> int:
    """Bytes of the activations that the largest micro-batch stores for its backward pass."""
    from instructzoo.core.tune.activation_memory import saved_bytes
    from instructzoo.core.tune.loop import collate
    from instructzoo.core.tune.malloc import release_freed_memory

    device, (_, rows) = next(model.parameters()).device, largest_micro_batch(batches)
    release_freed_memory()
    return saved_bytes(lambda: objective.loss(model, collate(objective, encoded, rows, device))[0], model)


def largest_micro_batch(batches: Batches) -> tuple[int, list[int]]:
    """The update with the most token positions in one micro-batch, of at most LOOKED_AT, and that micro-batch."""
    lengths, packing = batches.lengths, batches.settings.packing

    def positions(rows: list[int]) -> int:
        return sum(lengths[row] for row in rows) if packing else len(rows) * max(lengths[row] for row in rows)

    candidates = ((step, rows) for step in range(min(batches.steps, LOOKED_AT)) for rows in batches.update(step))
    return max(candidates, key=lambda candidate: positions(candidate[1]))


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
