"""Speed of generation: infer.generate compared with a plain `model.generate` loop, measured in alternation.

    python -m tests.benchmarks.generate_speed [--rows 512] [--batch 32] [--rounds 3] [--threads 2]

The arithmetic package's bundled model answers rows of its world, all operations, greedily. Contestants:

    zoo      infer.generate with the token budget of `batch` rows of the longest prompt
    plain    model.generate over batches of `batch` rows as they come, padded on the left
    static   the same with cache_implementation="static", which transformers compiles for on accelerators only

All must give identical answers. Seconds are given twice: on the clock, and of the processor (the fairer figure where
other work shares the machine). A round measures all contestants, in alternating order. Ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

Prompts = Sequence[Sequence[int]]
SECONDS = {"clock": time.perf_counter, "processor": time.process_time}


def main() -> None:
    options = arguments()
    import torch

    torch.set_num_threads(options.threads)
    bundle, prompts, decode = load_task(options)
    contestants = {
        "zoo": lambda: zoo(bundle, prompts, decode),
        "plain": lambda: plain(bundle, prompts, options, decode),
        "static": lambda: plain(bundle, prompts, options, decode, cache="static"),
    }
    warmup = prompts[:8]
    zoo(bundle, warmup, decode)  # first calls initialise what later ones reuse
    plain(bundle, warmup, options, decode)
    plain(bundle, warmup, options, decode, cache="static")
    seconds_by_name: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    answers: list[str] = []
    for turn in range(options.rounds):
        for name in sorted(contestants, reverse=bool(turn % 2)):
            seconds, contestant_answers = measure(contestants[name])
            seconds_by_name[name].append(seconds)
            assert contestant_answers == (answers or contestant_answers), f"{name} answers differently"
            answers = contestant_answers
            print(f"round {turn + 1} {name}: {seconds}", file=sys.stderr)
    print(json.dumps(summary(seconds_by_name, answers, bundle, options)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def load_task(options: argparse.Namespace) -> tuple[Any, Prompts, Any]:
    """The bundled model, prompts in the order in which the world draws them, and how both decode."""
    from instructzoo.arithmetic import world
    from instructzoo.core import domain as domains
    from instructzoo.core.infer import Predictor

    domain = domains.get("arithmetic")
    predictor = Predictor.load(domain, domain.bundled_model())
    rows = world.generate(options.rows, 3, "test", world.Settings(**predictor.recipe.data.world))
    encoder = predictor.encoder()
    prompts = [encoder.prompt(row) for row in rows]
    decode = predictor.recipe.decode
    batch_tokens = options.batch * (max(map(len, prompts)) + decode.max_new_tokens)
    return predictor.loaded, prompts, decode.model_copy(update={"batch_tokens": batch_tokens})


def zoo(bundle: Any, prompts: Prompts, decode: Any) -> list[str]:
    from instructzoo.core.infer import generate

    return generate(bundle, prompts, decode)


def plain(
    bundle: Any, prompts: Prompts, options: argparse.Namespace, decode: Any, cache: str | None = None
) -> list[str]:
    import torch

    model, tokenizer, answers = bundle.model, bundle.tokenizer, []
    tokenizer.padding_side = "left"
    for start in range(0, len(prompts), options.batch):
        batch = tokenizer.pad({"input_ids": list(prompts[start : start + options.batch])}, return_tensors="pt")
        with torch.no_grad():
            output_ids = model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                max_new_tokens=decode.max_new_tokens,
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=tokenizer.eos_token_id,
                cache_implementation=cache,
            )
        answers += tokenizer.batch_decode(output_ids[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    return answers


def measure(contestant: Callable[[], list[str]]) -> tuple[dict[str, float], list[str]]:
    start = {name: clock() for name, clock in SECONDS.items()}
    answers = contestant()
    return {name: round(clock() - start[name], 2) for name, clock in SECONDS.items()}, answers


def summary(
    seconds_by_name: dict[str, list[dict[str, float]]], answers: list[str], bundle: Any, options: argparse.Namespace
) -> dict[str, Any]:
    """Examples per second of all (medians over the rounds), and zoo's ratios to the loops of model.generate."""
    rates = {
        name: {unit: round(options.rows / statistics.median(r[unit] for r in rounds), 1) for unit in SECONDS}
        for name, rounds in seconds_by_name.items()
    }
    lengths = [len(bundle.tokenizer(a, add_special_tokens=False)["input_ids"]) for a in answers]
    return {
        **vars(options),
        "answer_tokens": {"mean": round(statistics.mean(lengths), 1), "longest": max(lengths)},
        "examples_per_second": rates,
        **{
            f"zoo_to_{name}": {unit: round(rates["zoo"][unit] / rates[name][unit], 2) for unit in SECONDS}
            for name in ("plain", "static")
        },
    }


if __name__ == "__main__":
    main()
