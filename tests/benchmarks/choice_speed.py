"""Speed of choosing an intent: options over a shared prefix compared with a plain loop, measured in alternation.

    python -m tests.benchmarks.choice_speed [--model small] [--rows 256] [--options 7] [--rounds 3] [--threads 2]

A model of the dialogue package is asked for the intents of single messages of its world, with the same few options for
all. Contestants:

    best     infer.choice_scoring.choose_each: what `zoo predict` and the demo use; reads likely options only
    scores   infer.choice_scoring.score_each: the probability of every option
    plain    a forward pass for each question over all its options, prompt included (a part of the rows)

All must choose the same options. Seconds are given twice: on the clock, and of the processor (the fairer figure where
other work shares the machine). Ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

SECONDS = {"clock": time.perf_counter, "processor": time.process_time}
NO_CONTEXT = "[CONTEXT] [RESPONSE]"
PLAIN_SHARE = 8
"""One of so many rows is answered by the plain loop, which would take minutes for all."""


def main() -> None:
    options = arguments()
    import torch

    torch.set_num_threads(options.threads)
    predictor, prompts, labels = load_task(options)
    contestants: dict[str, Callable[[], list[int]]] = {
        "best": lambda: best(predictor, prompts, labels),
        "scores": lambda: scores(predictor, prompts, labels),
        "plain": lambda: plain(predictor, prompts[::PLAIN_SHARE], labels),
    }
    best(predictor, prompts[:8], labels)  # first calls initialise what later ones reuse
    seconds_by_name: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for turn in range(options.rounds):
        chosen: dict[str, list[int]] = {}
        for name in sorted(contestants, reverse=bool(turn % 2)):
            start = {unit: clock() for unit, clock in SECONDS.items()}
            chosen[name] = contestants[name]()
            seconds = {unit: (clock() - start[unit]) / len(chosen[name]) for unit, clock in SECONDS.items()}
            seconds_by_name[name].append(seconds)
            print(f"round {turn + 1} {name}: {seconds} a question", file=sys.stderr)
        assert chosen["best"] == chosen["scores"]
        assert chosen["best"][::PLAIN_SHARE] == chosen["plain"]
    print(json.dumps(summary(seconds_by_name, prompts, options)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="small", help="a model of the dialogue package: a name or a run")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--options", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def load_task(options: argparse.Namespace) -> tuple[Any, list[list[int]], tuple[str, ...]]:
    """The model, prompts of the world's messages, and the intents on offer, the same in all of them."""
    from instructzoo.core import domain as domains
    from instructzoo.core.infer import open_model
    from instructzoo.dialogue import world
    from instructzoo.dialogue.prompts.instructions import INSTRUCTIONS

    predictor = open_model(domains.get("dialogue"), options.model)
    drawn = world.generate(80 * options.rows, 3, "test")
    rows = [row for row in drawn if row["task"] == "intent_classification" and row["input"].startswith(NO_CONTEXT)]
    labels = tuple(sorted({row["output"] for row in rows})[: options.options])
    instruction = INSTRUCTIONS["intent_classification"][0]
    asked = [row | {"instruction": instruction, "options": list(labels), "output": labels[0]} for row in rows]
    encoder = predictor.encoder()
    prompts = [encoder.prompt(row) for row in asked[: options.rows]]
    assert len(prompts) == options.rows, f"{len(prompts)} rows; ask for fewer"
    return predictor, prompts, labels


def best(predictor: Any, prompts: Sequence[list[int]], labels: tuple[str, ...]) -> list[int]:
    from instructzoo.core.infer.choice_scoring import choose_each

    return choose_each(predictor.loaded, prompts, [labels] * len(prompts), predictor.encoder().stop)


def scores(predictor: Any, prompts: Sequence[list[int]], labels: tuple[str, ...]) -> list[int]:
    from instructzoo.core.infer.choice_scoring import score_each

    by_row = score_each(predictor.loaded, prompts, [labels] * len(prompts), predictor.encoder().stop)
    return [max(range(len(row)), key=row.__getitem__) for row in by_row]


def plain(predictor: Any, prompts: Sequence[list[int]], labels: tuple[str, ...]) -> list[int]:
    from instructzoo.core.infer import log_likelihoods

    stop = predictor.encoder().stop
    by_row = [log_likelihoods(predictor.loaded, prompt, labels, stop=stop) for prompt in prompts]
    return [max(range(len(row)), key=row.__getitem__) for row in by_row]


def summary(
    seconds_by_name: dict[str, list[dict[str, float]]], prompts: Sequence[list[int]], options: argparse.Namespace
) -> dict[str, Any]:
    """Questions a minute (medians over the rounds), and ratios to the plain loop."""
    rates = {
        name: {unit: round(60 / statistics.median(r[unit] for r in rounds)) for unit in SECONDS}
        for name, rounds in seconds_by_name.items()
    }
    ratios = {
        f"{name}_to_plain": {unit: round(rates[name][unit] / rates["plain"][unit], 1) for unit in SECONDS}
        for name in ("best", "scores")
    }
    tokens = round(statistics.mean(map(len, prompts)), 1)
    return {**vars(options), "prompt_tokens": tokens, "questions_per_minute": rates, **ratios}


if __name__ == "__main__":
    main()
