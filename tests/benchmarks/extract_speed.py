"""Speed and memory of batch prediction in the domains whose answers are tuples: sentences a minute, peak megabytes.

    python -m tests.benchmarks.extract_speed [--domains absa,uie] [--sentences 500] [--rounds 3]
                                             [--files 2000,20000] [--tokens 8] [--threads 2] [--run DOMAIN=FOLDER]

The bundled models (or those of --run) answer held-out rows of their worlds through `Predictor.stream`, as `zoo predict`
does. A sentence costs one question in absa (asqp) and three in uie (ner, re, ee), as in the demos. Where a domain
constrains answers by a grammar, both ways are measured, in alternating order. Seconds are given twice: on the clock,
and of the processor (the fairer figure where other work shares the machine).

Memory: files of --files rows are answered from disk to disk, each in a process of its own, with answers limited to
--tokens tokens, since the memory that grows with the file is measured. peak_mb is the process's largest resident set.

Ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import itertools
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

QUESTIONS: dict[str, dict[str, Any]] = {
    "absa": {"tasks": ("asqp",), "weights": {}},
    "uie": {"tasks": {"ner": 1, "re": 1, "ee": 1}},
}
"""World settings of the questions that are asked about a sentence."""

SECONDS = {"clock": time.perf_counter, "processor": time.process_time}


def main() -> None:
    options = arguments()
    if options.child:
        print(json.dumps({"peak_mb": answer_file(*options.child, options)}))
        return
    import torch

    torch.set_num_threads(options.threads)
    results = {}
    for domain in options.domains.split(","):
        results[domain] = {"speed": speed(domain, options), "memory": memory(domain, options)}
        print(f"{domain}: {results[domain]}", file=sys.stderr)
    print(json.dumps({"threads": options.threads, "cut_at": options.tokens, "domains": results}))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--domains", default="absa,uie")
    parser.add_argument("--sentences", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", default="2000,20000", help="rows of the files whose memory is compared; '' for none")
    parser.add_argument("--tokens", type=int, default=8, help="tokens of an answer where memory is measured")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--run", action="append", default=[], metavar="DOMAIN=FOLDER", help="a model of your own")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def load_predictor(domain_name: str, options: argparse.Namespace) -> Any:
    from instructzoo.core import domain as domains
    from instructzoo.core.infer import Predictor

    domain = domains.get(domain_name)
    folders = dict(option.split("=", 1) for option in options.run)
    return Predictor.load(domain, Path(folders[domain_name]) if domain_name in folders else domain.bundled_model())


def rows_of(predictor: Any, count: int, split: str) -> Any:
    world = predictor.domain.module("world")
    settings = {**predictor.recipe.data.world, **QUESTIONS[predictor.domain.name]}
    return world.generate(count, 5, split, world.Settings(**settings))


def speed(domain: str, options: argparse.Namespace) -> dict[str, Any]:
    """Questions and sentences a minute (medians over the rounds), constrained ("held") and unconstrained ("free")."""
    predictor = load_predictor(domain, options)
    questions_per_sentence = len(QUESTIONS[domain]["tasks"])
    rows = [("", row) for row in rows_of(predictor, options.sentences * questions_per_sentence, "test")]
    predictors = (
        {"held": predictor.with_constraints(True), "free": predictor.with_constraints(False)}
        if predictor.domain.constrained
        else {"": predictor}
    )
    for variant in predictors.values():
        list(variant.stream(rows[:8]))  # first calls initialise what later ones reuse
    spent: dict[str, list[dict[str, float]]] = {name: [] for name in predictors}
    for turn in range(options.rounds):
        for name in sorted(predictors, reverse=bool(turn % 2)):
            start = {unit: clock() for unit, clock in SECONDS.items()}
            answered = sum(1 for _ in predictors[name].stream(rows))
            spent[name].append({unit: clock() - start[unit] for unit, clock in SECONDS.items()})
            assert answered == len(rows)
            print(f"round {turn + 1} {domain} {name}: {spent[name][-1]}", file=sys.stderr)
    medians = {name: {u: statistics.median(s[u] for s in turns) for u in SECONDS} for name, turns in spent.items()}
    rates = {
        name: {u: round(60 * len(rows) / s) for u, s in seconds_by_clock.items()}
        for name, seconds_by_clock in medians.items()
    }
    sentences = {
        name: {u: round(rate / questions_per_sentence) for u, rate in units.items()} for name, units in rates.items()
    }
    return {
        "questions_a_sentence": questions_per_sentence,
        "questions_a_minute": rates,
        "sentences_a_minute": sentences,
    }


def memory(domain: str, options: argparse.Namespace) -> dict[str, int]:
    """Peak megabytes by the number of rows of the file."""
    settings = {"OMP_NUM_THREADS": str(options.threads), "MALLOC_MMAP_THRESHOLD_": "65536", "HF_HUB_OFFLINE": "1"}
    results = {}
    for count in filter(None, options.files.split(",")):
        command = [sys.executable, "-m", "tests.benchmarks.extract_speed", "--child", domain, count]
        command += [f"--tokens={options.tokens}", *(f"--run={option}" for option in options.run)]
        process = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **settings})
        if process.returncode:
            raise SystemExit(process.stderr)
        results[count] = json.loads(process.stdout.splitlines()[-1])["peak_mb"]
        print(f"{domain}, {count} rows: {results[count]} MB", file=sys.stderr)
    return results


def answer_file(domain: str, count: str, options: argparse.Namespace) -> int:
    """Write `count` rows of the world to a file, answer it into another, and return the peak in MB."""
    from instructzoo.core.data import read_jsonl, write_jsonl

    predictor = load_predictor(domain, options)
    decode = predictor.recipe.decode.model_copy(update={"max_new_tokens": options.tokens})
    predictor = replace(predictor, recipe=predictor.recipe.model_copy(update={"decode": decode}))
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "rows.jsonl", Path(folder) / "answers.jsonl"
        rows = list(rows_of(predictor, 1000, "train"))  # repeated, so that the memory of the world is not measured
        write_jsonl(source, itertools.islice(itertools.cycle(rows), int(count)))
        answered = ({**row, "prediction": text} for row, text in predictor.stream(read_jsonl(source)))
        assert write_jsonl(target, answered) == int(count)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
