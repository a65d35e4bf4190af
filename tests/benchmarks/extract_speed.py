"""Speed and memory of batch prediction in the domains whose answers are tuples: sentences a minute, peak megabytes.

    python -m tests.benchmarks.extract_speed [--domains absa,uie] [--sentences 500] [--rounds 3]
                                             [--files 2000,20000] [--tokens 8] [--threads 2] [--run DOMAIN=FOLDER]

The bundled models (or those of --run) answer held-out rows of their worlds through `Predictor.stream`, as `zoo predict`
does. A sentence costs one question in absa (asqp) and three in uie (ner, re, ee), as in the demos. Where a domain holds
answers to a grammar, both ways are measured, in alternating order. Seconds are given twice: on the clock, and of the
processor (the fairer figure where other work shares the machine).

Memory: files of --files rows are answered from disk to disk, each in a process of its own, with answers cut at --tokens
tokens, since it is the file whose share is asked for. peak_mb is the process's largest resident set.

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
"""World settings of the questions that a sentence is asked."""

SECONDS = {"clock": time.perf_counter, "processor": time.process_time}


def main() -> None:
    options = arguments()
    if options.child:
        print(json.dumps({"peak_mb": answer_file(*options.child, options)}))
        return
    import torch

    torch.set_num_threads(options.threads)
    found = {}
    for domain in options.domains.split(","):
        found[domain] = {"speed": speed(domain, options), "memory": memory(domain, options)}
        print(f"{domain}: {found[domain]}", file=sys.stderr)
    print(json.dumps({"threads": options.threads, "cut_at": options.tokens, "domains": found}))


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


def opened(domain_name: str, options: argparse.Namespace) -> Any:
    from instructzoo.core import domain as domains
    from instructzoo.core.infer import Predictor

    domain = domains.get(domain_name)
    chosen = dict(each.split("=", 1) for each in options.run)
    return Predictor.load(domain, Path(chosen[domain_name]) if domain_name in chosen else domain.bundled_model())


def rows_of(predictor: Any, count: int, split: str) -> Any:
    world = predictor.domain.module("world")
    settings = {**predictor.recipe.data.world, **QUESTIONS[predictor.domain.name]}
    return world.generate(count, 5, split, world.Settings(**settings))


def speed(domain: str, options: argparse.Namespace) -> dict[str, Any]:
    """Questions and sentences a minute (medians over the rounds), held to the grammar and free."""
    predictor = opened(domain, options)
    each = len(QUESTIONS[domain]["tasks"])
    rows = [("", row) for row in rows_of(predictor, options.sentences * each, "test")]
    ways = (
        {"held": predictor.with_constraints(True), "free": predictor.with_constraints(False)}
        if predictor.domain.constrained
        else {"": predictor}
    )
    for way in ways.values():
        list(way.stream(rows[:8]))  # first calls set up what later ones find
    spent: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for turn in range(options.rounds):
        for name in sorted(ways, reverse=bool(turn % 2)):
            began = {unit: clock() for unit, clock in SECONDS.items()}
            answered = sum(1 for _ in ways[name].stream(rows))
            spent[name].append({unit: clock() - began[unit] for unit, clock in SECONDS.items()})
            assert answered == len(rows)
            print(f"round {turn + 1} {domain} {name}: {spent[name][-1]}", file=sys.stderr)
    medians = {name: {u: statistics.median(s[u] for s in turns) for u in SECONDS} for name, turns in spent.items()}
    rates = {name: {u: round(60 * len(rows) / s) for u, s in each_way.items()} for name, each_way in medians.items()}
    sentences = {name: {u: round(rate / each) for u, rate in units.items()} for name, units in rates.items()}
    return {"questions_a_sentence": each, "questions_a_minute": rates, "sentences_a_minute": sentences}


def memory(domain: str, options: argparse.Namespace) -> dict[str, int]:
    """Peak megabytes by the rows of the file."""
    settings = {"OMP_NUM_THREADS": str(options.threads), "MALLOC_MMAP_THRESHOLD_": "65536", "HF_HUB_OFFLINE": "1"}
    found = {}
    for count in filter(None, options.files.split(",")):
        command = [sys.executable, "-m", "tests.benchmarks.extract_speed", "--child", domain, count]
        command += [f"--tokens={options.tokens}", *(f"--run={each}" for each in options.run)]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **settings})
        if done.returncode:
            raise SystemExit(done.stderr)
        found[count] = json.loads(done.stdout.splitlines()[-1])["peak_mb"]
        print(f"{domain}, {count} rows: {found[count]} MB", file=sys.stderr)
    return found


def answer_file(domain: str, count: str, options: argparse.Namespace) -> int:
    """Write `count` rows of the world to a file, answer it into another, and return the peak in MB."""
    from instructzoo.core.data import read_jsonl, write_jsonl

    predictor = opened(domain, options)
    decode = predictor.recipe.decode.model_copy(update={"max_new_tokens": options.tokens})
    predictor = replace(predictor, recipe=predictor.recipe.model_copy(update={"decode": decode}))
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "rows.jsonl", Path(folder) / "answers.jsonl"
        few = list(rows_of(predictor, 1000, "train"))  # the world's own memory of its rows is not asked for
        write_jsonl(source, itertools.islice(itertools.cycle(few), int(count)))
        answered = ({**row, "prediction": text} for row, text in predictor.stream(read_jsonl(source)))
        assert write_jsonl(target, answered) == int(count)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
