"""Training speed and memory of this loop beside trl's SFTTrainer, as ratios in one alternating run.

    python -m tests.benchmarks.train_speed [--rows 512] [--rounds 3] [--threads 2] [--corpus FILE]
        [--backbone scratch:llama-4x256] [--vocabulary 32000] [--method full]

The same rows (arithmetic, all operations, steps written out; or a file of ASQP, `sentence####quadruples` a line, as
prompt and completion), the same backbone (a freshly initialised one gets as many rows of embeddings as --vocabulary
says), the same tokenizer, method, batch, learning rate and number of updates. Contestants, each in its own process:

    zoo       this loop with its defaults
    zoo lean  besides, micro-batches of 256 tokens, for memory; the updates are the same
    trl       SFTTrainer with the defaults that run on a CPU (use_cpu, bf16 off)
    trl best  besides, activation checkpointing off and batches grouped by length; packing is left out, since without
              flash attention it lets packed documents see each other

Tokens per second count prompt, target and stop token of every row once, padding aside, over the whole of `fit` or
`train`. Peak memory is the process's largest resident set. Ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from instructzoo.core.record import Segment

CONTESTANTS = ("zoo", "zoo lean", "trl", "trl best")
BATCH, RATE = 8, 1e-3
Pair = tuple[str, str]
"""Prompt and completion."""


def main() -> None:
    options = arguments()
    if options.contestant:
        print(json.dumps(work(options)))
        return
    rounds_by_name: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    for turn in range(options.rounds):
        for name in CONTESTANTS:
            rounds_by_name[name].append(measure(name, options))
            print(f"round {turn + 1} {name}: {rounds_by_name[name][-1]}", file=sys.stderr)
    print(json.dumps(summary(rounds_by_name, options)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--backbone", default="scratch:llama-4x256")
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--method", choices=("full", "lora"), default="full")
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(name: str, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.train_speed", *sys.argv[1:], "--contestant", name]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def summary(rounds_by_name: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> dict[str, Any]:
    """Medians over the rounds, and the ratios of this loop's to the others'."""
    middle = {
        name: {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
        for name, rounds in rounds_by_name.items()
    }
    ratios = {
        f"{ours} to {name}": {
            "tokens_per_second": round(middle[ours]["tokens_per_second"] / values["tokens_per_second"], 2),
            "peak_memory": round(middle[ours]["peak_mb"] / values["peak_mb"], 2),
        }
        for ours in ("zoo", "zoo lean")
        for name, values in middle.items()
        if not name.startswith("zoo")
    }
    return {
        **{name: str(value) for name, value in vars(options).items() if name != "contestant"},
        "median": middle,
        "ratios": ratios,
    }


def work(options: argparse.Namespace) -> dict[str, float]:
    """Train once; tokens per second, peak memory in MB and the last loss."""
    loaded, pairs = model_and_pairs(options)
    with tempfile.TemporaryDirectory() as folder:
        train = zoo if options.contestant.startswith("zoo") else trl
        tokens, seconds, loss = train(loaded, pairs, Path(folder), options.contestant in ("zoo lean", "trl best"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"tokens_per_second": round(tokens / seconds), "peak_mb": round(peak), "loss": round(loss, 4)}


def model_and_pairs(options: argparse.Namespace) -> tuple[Any, list[Pair]]:
    """The backbone with its method on it, and the rows, as the options name them."""
    from instructzoo.arithmetic import prompts, world
    from instructzoo.core import models
    from instructzoo.core.models import adapters
    from instructzoo.core.recipe import Method, Model

    if options.corpus:
        pairs = asqp(options.corpus)[: options.rows]
    else:
        made = world.generate(options.rows, 0, "train", world.Settings(short_division=False))
        pairs = [tuple(text for text, _ in prompts.render(row, 0)) for row in made]
    scratch = {"tokenizer": "bpe", "vocabulary": 8192} if options.backbone.startswith("scratch:") else {}
    loaded = models.load(Model(backbone=options.backbone, max_tokens=1024, **scratch), 0, lambda: map("".join, pairs))
    if scratch:
        loaded.model.resize_token_embeddings(options.vocabulary, mean_resizing=False)
    return replace(loaded, model=adapters.apply(loaded.model, Method(name=options.method, rank=16))), pairs


def asqp(path: Path) -> list[Pair]:
    """Sentences as questions, their quadruples as answers."""
    pairs = []
    for line in path.read_text(encoding="utf-8").splitlines():
        sentence, _, quadruples = line.partition("####")
        pairs.append((f"{sentence}\nQuadruples: ", "; ".join(", ".join(q) for q in ast.literal_eval(quadruples))))
    return pairs


class Prompts:
    """What the encoder asks of a domain: its prompt is the first of the two texts."""

    @staticmethod
    def render(row: dict[str, str], seed: int) -> list[Segment]:
        return [Segment(row["instruction"], False), Segment(row["output"], True)]


def plan(**more: Any) -> Any:
    """The settings of this loop: its defaults, what all contestants share, and `more` of Train."""
    from instructzoo.core.recipe import Model, Recipe, Train

    train = Train(batch=BATCH, lr=RATE, schedule="constant", warmup=0, log_every=1, **more)
    model = Model(backbone="scratch:llama-4x256", tokenizer="bpe")
    return Recipe(domain="arithmetic", model=model, train=train)


def encoded_pairs(loaded: Any, pairs: list[Pair]) -> Any:
    from instructzoo.core.text import Encoder

    rows = [{"instruction": question, "output": answer} for question, answer in pairs]
    return Encoder(loaded.tokenizer, Prompts, loaded.kind, 1024).encode_all(rows)


def zoo(loaded: Any, pairs: list[Pair], folder: Path, lean: bool) -> tuple[int, float, float]:
    from instructzoo.core import runs, tune
    from instructzoo.core.text import lengths

    recipe = plan(**({"micro_tokens": 256} if lean else {}))
    encoded = encoded_pairs(loaded, pairs)
    costs = lengths(encoded)
    objective = tune.choose(loaded.kind, loaded.model, loaded.tokenizer)
    run = runs.Run(folder)
    began = time.perf_counter()
    tune.fit(recipe, run, loaded.model, objective, tune.EncodedSplits(encoded, [], costs.total, []), quiet=True)
    seconds = time.perf_counter() - began
    return sum(costs.total), seconds, last_loss([json.loads(x) for x in (folder / "metrics.jsonl").open()])


def trl(loaded: Any, pairs: list[Pair], folder: Path, best: bool) -> tuple[int, float, float]:
    import datasets
    from trl import SFTConfig, SFTTrainer

    examples = datasets.Dataset.from_list([{"prompt": p, "completion": c} for p, c in pairs])
    better = {"gradient_checkpointing": False, "train_sampling_strategy": "group_by_length"} if best else {}
    config = SFTConfig(
        output_dir=str(folder),
        use_cpu=True,
        bf16=False,
        per_device_train_batch_size=BATCH,
        learning_rate=RATE,
        lr_scheduler_type="constant",
        num_train_epochs=1,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        **better,
    )
    trainer = SFTTrainer(loaded.model, config, train_dataset=examples, processing_class=loaded.tokenizer)
    tokens = sum(map(len, trainer.train_dataset["input_ids"]))
    began = time.perf_counter()
    trainer.train()
    return tokens, time.perf_counter() - began, last_loss(trainer.state.log_history)


def last_loss(lines: list[dict[str, Any]], over: int = 20) -> float:
    """Mean of the last logged losses: that all contestants learnt alike."""
    return statistics.mean([line["loss"] for line in lines if "loss" in line][-over:])


if __name__ == "__main__":
    main()
