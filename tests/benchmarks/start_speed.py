"""Start-up time of `zoo --help` and `zoo list`, relative to a bare Python start.

    python -m tests.benchmarks.start_speed

Alternates the three, ten rounds. Ends with one line of JSON: the best seconds of each and their ratio to bare Python.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

ROUNDS = 10
ZOO = "from instructzoo.core.cli import main; main()"
COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "zoo --help": [sys.executable, "-c", ZOO, "--help"],
    "zoo list": [sys.executable, "-c", ZOO, "list"],
}


def main() -> None:
    best = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            best[name] = min(best[name], time.perf_counter() - start)
    ratios = {name: round(seconds / best["python"], 2) for name, seconds in best.items()}
    print(json.dumps({"seconds": {n: round(s, 3) for n, s in best.items()}, "ratio_to_python": ratios}))


if __name__ == "__main__":
    main()
