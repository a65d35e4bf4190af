"""Rows a second of the arithmetic corpus on one core: `python -m tests.benchmarks.synthesis_speed [--chunks 20]`.

Every chunk counts with all columns of its rows, as an arrow table, checks by Python integers included. The last line is
JSON. `seconds` is wall time, `cpu_seconds` the time of this one process on its core; on a busy machine the first is the
longer one, and both rates are given.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time

from instructzoo.arithmetic.world.synthesis import goat_dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, default=20, help=f"chunks of {goat_dataset.CHUNK_SIZE} rows to write")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    goat_dataset.make_chunk(arguments.seed, 0)  # imports and caches
    walls, cpus, rows, size = [], [], 0, 0
    for number in range(arguments.chunks):
        wall, cpu = time.perf_counter(), time.process_time()
        table = goat_dataset.make_chunk(arguments.seed, number)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        rows, size = rows + table.num_rows, size + table.nbytes
    print(f"{rows} rows of {len(table.column_names)} columns, {size / rows:.0f} bytes each, in {sum(walls):.2f} s")
    figures = {
        "benchmark": "synthesis_speed",
        "rows": rows,
        "columns": table.column_names,
        "seconds": round(sum(walls), 3),
        "cpu_seconds": round(sum(cpus), 3),
        "rows_per_second": round(rows / sum(walls)),
        "rows_per_cpu_second": round(rows / sum(cpus)),
        "median_chunk_rows_per_second": round(goat_dataset.CHUNK_SIZE / statistics.median(walls)),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
