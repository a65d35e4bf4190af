"""Peak memory of training under each optimiser, as ratios to AdamW.

    python -m tests.benchmarks.optimizer_memory [--optimizers adamw,sgd,lomo] [--layers 8] [--width 512] [--steps 3]

A freshly initialised Llama (8 layers, 512 wide, 8192 entries: 31 million weights in float32) and short batches, so that
weights, gradients and moments outweigh activations. Each optimiser trains in a process of its own, without clipping;
`lomo clip` clips, with its second backward pass. `lomo bfloat16` keeps the weights in 16 bits with stochastic rounding.

training_mb is the process's largest resident set minus its size after a tiny training; peak_mb is all of it.
per_weight is training_mb in bytes per weight. Ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import torch

CONTESTANTS = "adamw,sgd,adafactor,lion,adamw-8bit,lion-8bit,schedule-free,lomo,lomo clip,adalomo,lomo bfloat16"
MB, VOCABULARY = 2**20, 8192


def main() -> None:
    options = arguments()
    if options.contestant:
        print(json.dumps(measure_training(options.contestant, options)))
        return
    results: dict[str, dict[str, float]] = {}
    for name in options.optimizers.split(","):
        results[name] = measure(name, options)
        print(f"{name}: {results[name]}", file=sys.stderr)
    print(json.dumps(summary(results, options)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--optimizers", default=CONTESTANTS, help="names of train.optimizer, the first is the measure")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(name: str, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.optimizer_memory", "--contestant", name]
    command += [f"--layers={options.layers}", f"--width={options.width}", f"--steps={options.steps}"]
    # freed memory is returned at once, so that the peak is memory in use and not what the allocator keeps
    settings = {"OMP_NUM_THREADS": str(options.threads), "MALLOC_MMAP_THRESHOLD_": "65536", "HF_HUB_OFFLINE": "1"}
    process = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **settings})
    if process.returncode:
        raise SystemExit(process.stderr)
    result: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return result


def summary(results: dict[str, dict[str, float]], options: argparse.Namespace) -> dict[str, Any]:
    """The results, and each optimiser's ratio to the first one."""
    first = next(iter(results))
    ratios = {name: round(values["training_mb"] / results[first]["training_mb"], 2) for name, values in results.items()}
    shape = {"layers": options.layers, "width": options.width, "steps": options.steps, "threads": options.threads}
    return {**shape, "figures": results, f"training_mb_to_{first}": ratios}


def measure_training(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Train a few steps and return the peak memory of the process and of the training alone, in MB."""
    train(name, 1, 64, 1)  # imports what training needs, and loads the kernels
    before = psutil.Process().memory_info().rss
    loss, weights = train(name, options.layers, options.width, options.steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    per_weight = round((peak - before) / weights, 2)
    figures = {"peak_mb": round(peak / MB), "training_mb": round((peak - before) / MB), "per_weight": per_weight}
    return {**figures, "weights": weights, "loss": round(loss, 4)}


def train(name: str, layers: int, width: int, steps: int) -> tuple[float, int]:
    """The last loss, and the number of weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from instructzoo.core import tune
    from instructzoo.core.recipe import Model, Recipe, Train
    from instructzoo.core.runs import Run
    from instructzoo.core.text import Encoded

    optimizer, _, variant = name.partition(" ")
    dtype = "bfloat16" if variant == "bfloat16" else "float32"
    settings = Train(
        optimizer=optimizer, steps=steps, batch=4, lr=1e-4, clip=1.0 if variant == "clip" else None,
        schedule="constant", warmup=0, log_every=1,
    )  # fmt: skip
    model = Model(backbone=f"scratch:llama-{layers}x{width}", tokenizer="bpe", weights=dtype)
    recipe = Recipe(domain="arithmetic", model=model, train=settings)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=width, intermediate_size=3 * width, num_hidden_layers=layers,
        num_attention_heads=width // 32, num_key_value_heads=width // 32, tie_word_embeddings=True,
    )  # fmt: skip
    tuned = LlamaForCausalLM(config).to(getattr(torch, dtype))
    tokens = torch.randint(VOCABULARY, (4 * steps, 32), generator=torch.Generator().manual_seed(0)).tolist()
    parts = tune.EncodedSplits([Encoded(ids, ids) for ids in tokens], [], [32] * len(tokens), [])
    with tempfile.TemporaryDirectory() as folder:
        tune.fit(recipe, Run(Path(folder)), tuned, tune.Causal(0), parts, quiet=True)
        lines = [json.loads(line) for line in (Path(folder) / "metrics.jsonl").open()]
    return lines[-1]["loss"], sum(p.numel() for p in tuned.parameters())


if __name__ == "__main__":
    main()
