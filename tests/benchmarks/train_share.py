"""Where training time goes: the share of the machine's matrix-multiply rate, and what is spent outside the model.

    python -m tests.benchmarks.train_share [--rows 256] [--rounds 3] [--threads 2] [--corpus FILE]
        [--backbone scratch:llama-4x256] [--vocabulary 32000] [--method full] [--compile]

The work of train_speed, through this loop alone. A round measures `fit` over all rows and, before and after it,
float32 products of two 4096 x 4096 matrices, the rate that the machine reaches at that time.

FLOPs are those that the work needs: every row by itself, without padding, logits at supervised positions, forward and
backward, as torch counts them (products of attention left out, since its CPU kernels are not counted). The share is
these FLOPs by the seconds of `fit`, over the rate of the product. Outside is the part of `fit` that is spent neither in
a forward or backward pass nor in the update (clipping included): batches, logs, checks. Last line: JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from tests.benchmarks.train_speed import encoded_pairs, model_and_pairs, plan

SIDE = 4096


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    setup, rounds = prepare(options), []
    few = replace(setup, encoded=setup.encoded[:32])
    print(f"not counted: {measure(few, options.compile)}", file=sys.stderr)  # memory is met, and code compiled
    for turn in range(options.rounds):
        rounds.append(measure(setup, options.compile))
        print(f"round {turn + 1}: {rounds[-1]}", file=sys.stderr)
    middle = {key: round(statistics.median(figures[key] for figures in rounds), 4) for key in rounds[0]}
    print(json.dumps({**{name: str(value) for name, value in vars(options).items()}, "median": middle}))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--backbone", default="scratch:llama-4x256")
    parser.add_argument("--vocabulary", type=int, default=32_000)
    parser.add_argument("--method", choices=("full", "lora"), default="full")
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args()


@dataclass
class Setup:
    """A backbone, its rows, and the FLOPs that a pass over them needs."""

    loaded: Any
    encoded: Any
    objective: Any
    flops: float


def prepare(options: argparse.Namespace) -> Setup:
    from instructzoo.core import tune

    loaded, pairs = model_and_pairs(options)
    encoded = encoded_pairs(loaded, pairs)
    objective = tune.choose(loaded.kind, loaded.model, loaded.tokenizer)
    return Setup(loaded, encoded, objective, flops(loaded.model, objective, encoded))


def measure(setup: Setup, compiled: bool) -> dict[str, float]:
    """One round. Rates in GFLOP/s, shares in 0..1."""
    from instructzoo.core import runs, tune
    from instructzoo.core.text import lengths

    costs = lengths(setup.encoded).total
    parts, before = tune.EncodedSplits(setup.encoded, [], costs, []), product()
    with tempfile.TemporaryDirectory() as folder, Clock() as clock:
        began = time.perf_counter()
        tune.fit(plan(compile=compiled), runs.Run(Path(folder)), setup.loaded.model, setup.objective, parts, quiet=True)
        seconds = time.perf_counter() - began
    peak, reached = (before + product()) / 2, setup.flops / seconds / 1e9
    return {
        "product_gflops": round(peak),
        "zoo_gflops": round(reached),
        "share": reached / peak,
        "outside": 1 - sum(clock.seconds.values()) / seconds,
        **{name: value / seconds for name, value in clock.seconds.items()},
        "tokens_per_second": sum(costs) / seconds,
    }


def product() -> float:
    """GFLOP/s of a large float32 product."""
    a, b = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    rates = []
    for _ in range(6):
        began = time.perf_counter()
        a @ b
        rates.append(2 * SIDE**3 / (time.perf_counter() - began) / 1e9)
    return statistics.median(rates[1:])


def flops(model: Any, objective: Any, encoded: Any) -> float:
    """FLOPs of forward and backward passes over all rows, one by one; the counted rows are every eighth."""
    from torch.utils.flop_counter import FlopCounterMode

    some = encoded[::8]
    model.train()
    with FlopCounterMode(display=False) as counter:
        for row in some:
            loss, _ = objective.loss(model, objective.collate([row]))
            loss.backward()
    model.zero_grad(set_to_none=True)
    return counter.get_total_flops() * sum(len(e.input_ids) for e in encoded) / sum(len(e.input_ids) for e in some)


class Clock:
    """Seconds inside the model's passes and the optimiser, by wrapping the functions that the loop calls."""

    def __init__(self) -> None:
        self.seconds = {"forward": 0.0, "backward": 0.0, "update": 0.0}

    def __enter__(self) -> Clock:
        from instructzoo.core.tune import loop, objectives, optimizers

        make = optimizers.make_optimizer

        def timed_make(*args: Any) -> Any:
            optimizer = make(*args)
            optimizer.step = self.timed("update", optimizer.step)  # type: ignore[method-assign]
            optimizer.zero_grad = self.timed("update", optimizer.zero_grad)  # type: ignore[method-assign]
            return optimizer

        self.patches = [
            mock.patch.object(objectives.Supervised, "forward", self.timed("forward", objectives.Supervised.forward)),
            mock.patch.object(loop, "backward", self.timed("backward", loop.backward)),
            mock.patch.object(loop, "divide_and_clip", self.timed("update", loop.divide_and_clip)),
            mock.patch.object(optimizers, "make", timed_make),
        ]
        for patch in self.patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        for patch in self.patches:
            patch.stop()

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def run(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds[name] += time.perf_counter() - began

        return run


if __name__ == "__main__":
    main()
