"""How OpenMP threads wait: seconds of a short training on an idle machine and beside busy processes.

    python -m tests.benchmarks.thread_waiting --idle-steps 120 --busy-steps 40 --busy 3 --rounds 1

Each training is a process of its own (`zoo train arithmetic/tiny`), and the settings alternate within a round. The same
is asked of the tokenizers' threads, which wait by sleeping: `--tokenizer-rows` rows are tokenized with one thread and
with several. The last line is JSON: for each setting the median of the training's own seconds, idle and busy. Without
other work on the machine, "idle" is what it says.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = {
    "default (long spin)": {"KMP_BLOCKTIME": "200"},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "short spin": {"GOMP_SPINCOUNT": "1000"},
}
"""Environment of each setting. GNU OpenMP ignores KMP_BLOCKTIME, which only keeps the command line from choosing."""

TOKENIZER_SETTINGS = {
    "tokenizers, one thread": {"TOKENIZERS_PARALLELISM": "false"},
    "tokenizers, all threads": {"TOKENIZERS_PARALLELISM": "true"},
}

TOKENIZE = """
import sys, time
from instructzoo.core import data, domain, infer, recipe
arithmetic = domain.get("arithmetic")
predictor = infer.load(arithmetic, arithmetic.bundled_model())
settings = recipe.load("arithmetic/tiny", [f"data.sizes={{train: {sys.argv[1]}, validation: 8, test: 8}}"])
rows = list(data.build(settings).rows["train"])
encoder = predictor.encoder()
encoder.encode_all(rows[:1000])
start = time.perf_counter()
encoder.encode_all(rows)
print(time.perf_counter() - start)
"""

CHOICES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def training_seconds(setting: dict[str, str], steps: int, folder: Path) -> float:
    """Seconds that the updates of one training take, start-up and data aside."""
    environment = {name: value for name, value in os.environ.items() if name not in CHOICES} | setting
    environment |= {"INSTRUCTZOO_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory(dir=folder) as runs:
        command = [sys.executable, "-m", "instructzoo.core.cli", "train", "arithmetic/tiny", f"train.steps={steps}"]
        command += [
            "train.evaluate_every=100000",
            "data.sizes={train: 20000, validation: 8, test: 8}",
            "--quiet",
            "--json",
        ]
        environment["INSTRUCTZOO_RUNS"] = runs
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["seconds"])


def tokenizing_seconds(setting: dict[str, str], rows: int, folder: Path) -> float:
    """Seconds that the texts of rows take to become token ids, in a process of its own."""
    environment = {**os.environ, **setting, "INSTRUCTZOO_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", TOKENIZE, str(rows)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


@contextmanager
def busy_processes(n: int) -> Iterator[None]:
    """`n` processes that compute all the time, while the block runs."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle-steps", type=int, default=120)
    parser.add_argument("--busy-steps", type=int, default=40)
    parser.add_argument("--busy", type=int, default=3, help="busy processes")
    parser.add_argument("--tokenizer-rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    names = (*SETTINGS, *TOKENIZER_SETTINGS)
    seconds: dict[str, dict[str, list[float]]] = {name: {"idle": [], "busy": []} for name in names}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        training_seconds(SETTINGS["short spin"], 2, folder)  # builds the rows
        tokenizing_seconds({}, options.tokenizer_rows, folder)

        def tokenize_with_each_setting(state: str) -> None:
            for setting, environment in TOKENIZER_SETTINGS.items():
                seconds[setting][state].append(tokenizing_seconds(environment, options.tokenizer_rows, folder))

        for _ in range(options.rounds):
            for setting, environment in SETTINGS.items():
                seconds[setting]["idle"].append(training_seconds(environment, options.idle_steps, folder))
            tokenize_with_each_setting("idle")
            with busy_processes(options.busy):
                for setting, environment in SETTINGS.items():
                    seconds[setting]["busy"].append(training_seconds(environment, options.busy_steps, folder))
                tokenize_with_each_setting("busy")
    medians = {
        setting: {state: round(statistics.median(values), 1) for state, values in states.items()}
        for setting, states in seconds.items()
    }
    print(json.dumps({**vars(options), "seconds": medians}))


if __name__ == "__main__":
    main()
