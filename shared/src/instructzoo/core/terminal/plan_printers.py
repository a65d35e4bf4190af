"""What `zoo plan` prints for people, and the table of trained parameters that `zoo train` prints too."""

from __future__ import annotations

from typing import Any

from instructzoo.core.terminal.console import line, pairs, put, table

MIN_SPEEDUP = 1.1
"""How many times as fast bfloat16 must be before a plan recommends it."""


def plan(result: dict[str, Any]) -> None:
    """The estimate of `zoo plan`."""
    counts, minutes = result["parameters"], result["seconds"] / 60
    pairs(
        {
            "recipe": f"{result['recipe']} ({result['backbone']}, {result['method']})",
            "parameters": f"{counts['total']:,}, trained {counts['trained']:,}"
            f" ({counts['trained'] / counts['total']:.1%})",
            "memory": ", ".join(f"{name} {size:.3f} GB" for name, size in result["memory_gb"].items()),
            "rows": f"{result['rows']:,} of {result['tokens_per_row']} tokens",
            "work": f"{result['steps']:,} steps ({result['epochs']} epochs), {result['tokens']:,} tokens",
            "time": f"{result['seconds_per_step']:.3f} s per step, {minutes:.1f} min in all without validation",
        }
    )
    speedup = result["seconds_per_step"] / result.get("seconds_per_step_bfloat16", float("inf"))
    if speedup > MIN_SPEEDUP:
        line(f"train.precision=bfloat16 is {speedup:.1f} times as fast here; report it with the scores")
    parameters(counts)


def plan_on(result: dict[str, Any]) -> None:
    """The estimate of `zoo plan --on`."""
    counts, sizes, activations = result["parameters"], result["memory_gb"], result["activations_gb"]
    verdict = "fits" if result["fits"] else "does not fit"
    known = result["seconds"] is not None
    pairs(
        {
            "recipe": f"{result['recipe']} ({result['backbone']}, {result['method']})",
            "on": f"{result['on']}, sharding {result['sharding']}",
            "parameters": f"{counts['total']:,}, trained {counts['trained']:,}"
            f" ({counts['trained'] / counts['total']:.1%})",
            "memory": ", ".join(f"{name} {_number(size)} GB" for name, size in sizes.items()),
            "card": f"{verdict}: {sizes['sum']:.1f} of {result['card_gb']} GB on each card",
            "activations": f"{_number(activations['stored'])} GB stored, {_number(activations['checkpointed'])} GB with"
            " train.activation_checkpointing",
            "rows": f"{result['micro_batch']} a micro-batch, of {result['tokens_per_row']} (model.max_tokens) tokens",
            "time": f"at least {_number(result['seconds_per_step'])} s per step, {result['tflop_per_step']:,} TFLOP at"
            f" {result['utilisation']:.0%} of the peak rate (assumed; launching kernels takes longer in tiny models)",
            "in all": f"{result['steps']:,} steps, {_number(result['seconds'] / 3600)} h"
            if known
            else "the number of steps follows from the rows; train.steps=N gives the time of N steps",
        }
    )
    parameters(counts)


def _number(value: float) -> str:
    """Two decimals, or two digits of a number below 0.1."""
    return f"{value:.2f}" if value >= 0.1 or not value else f"{value:.2g}"


MAX_NAMES = 24
"""Names of parameters that are shown at most."""


def parameters(counts: dict[str, Any]) -> None:
    """The trained parameters by name, equal names of all layers summed."""
    grid = table("trained", "parameters")
    names = list(counts["names"].items())
    if len(names) > MAX_NAMES:
        names.sort(key=lambda pair: -pair[1])
    for name, count in names[:MAX_NAMES]:
        grid.add_row(_short(name), f"{count:,}")
    if rest := names[MAX_NAMES:]:
        grid.add_row(f"{len(rest)} smaller ones", f"{sum(count for _, count in rest):,}")
    grid.add_row("in all", f"{counts['trained']:,}")
    put(grid)


def _short(name: str) -> str:
    """A parameter's name without what peft puts around it: model.layers.*.self_attn.q_proj.lora_A."""
    return name.removeprefix("base_model.model.").replace(".default", "").removesuffix(".weight")
