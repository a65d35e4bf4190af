"""Memory and time of many rows: `python -m tests.benchmarks.data_memory --rows 50000 100000 400000`.

For each number of rows of arithmetic, `zoo data` builds them and `zoo train` takes three updates on them, twice, each
in a process of its own. /proc is read every 0.1 seconds: "anonymous" is the peak of RssAnon, the memory that is the
process's own; "resident" is VmHWM, which counts pages of memory-mapped files too, and those the kernel drops when
others need the memory. "updates_begin_after" is when all rows were encoded. The last line is JSON, with the slope in
bytes a row between the smallest and the largest set.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

Figures = dict[str, float]

STEPS = 3


def measure(command: list[str], environment: dict[str, str], log: Path) -> Figures:
    """Seconds and peak megabytes of one `zoo` command."""
    started, used, peak = time.monotonic(), processor_seconds(), [0, 0]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "instructzoo.core.cli", *command], env=environment, stdout=output, stderr=output
        )

        while process.poll() is None:
            for i, name in enumerate(("RssAnon", "VmHWM")):
                peak[i] = max(peak[i], memory_kilobytes(process.pid, name))
            time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{log.read_text()}")
    seconds, processor = time.monotonic() - started, processor_seconds() - used
    figures = {"seconds": round(seconds, 1), "processor_seconds": round(processor, 1)}
    return figures | {"anonymous_mb": peak[0] // 1000, "resident_mb": peak[1] // 1000}


def processor_seconds() -> float:
    """Seconds that all children which have ended spent on processors: what a busy machine does not change."""
    times = os.times()
    return times.children_user + times.children_system


def memory_kilobytes(pid: int, name: str) -> int:
    """A figure of /proc/PID/status; 0 where the process has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def build_and_train(rows: int, folder: Path, build_only: bool) -> dict[str, Figures]:
    """Build `rows` rows, train on them, and train again on what the first training encoded."""
    environment = os.environ | {"INSTRUCTZOO_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
    environment |= {"INSTRUCTZOO_RUNS": str(folder / "runs"), "NO_COLOR": "1"}
    world = "data.world={operations: [add, subtract], sums: 8}"
    settings = ["arithmetic/tiny", world, f"data.sizes={{train: {rows}, validation: 500, test: 500}}"]
    settings += ["model.max_tokens=128", f"train.steps={STEPS}", "train.micro_tokens=8192"]
    figures = {}
    commands = (("build", ["data"]), ("train", ["train"]), ("train again", ["train"]))
    for name, command in commands[: 1 if build_only else None]:
        started = time.time()
        run = name.replace(" ", "-")
        ids = ["--quiet", "--run-id", run] if command == ["train"] else []
        figures[name] = measure([*command, *settings, *ids], environment, folder / f"{run}.log")
        if metrics := list((folder / "runs").rglob(f"{run}/lengths.json")):
            figures[name]["updates_begin_after"] = round(metrics[0].stat().st_mtime - started, 1)
        print(f"{rows:,} rows, {name}: {figures[name]}", flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 100_000, 400_000])
    parser.add_argument("--build-only", action="store_true", help="take no training")
    options = parser.parse_args()
    figures = {}
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as name:
            figures[rows] = build_and_train(rows, Path(name), options.build_only)
    first, last = min(figures), max(figures)
    slopes = {}
    if last > first:
        for name in figures[first]:
            grown = figures[last][name]["anonymous_mb"] - figures[first][name]["anonymous_mb"]
            slopes[name] = round(1e6 * grown / (last - first))
    print(json.dumps({"figures": figures, "bytes_a_row": slopes}))


if __name__ == "__main__":
    main()
