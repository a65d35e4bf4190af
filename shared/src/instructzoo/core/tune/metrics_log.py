"""metrics.jsonl: one line of JSON for each logged update and for each validation."""

from __future__ import annotations

import json
from typing import Any

from instructzoo.core import runs
from instructzoo.core.runs import Run
from instructzoo.core.tune.checkpoints import State


class MetricsLog:
    """Writer of metrics.jsonl. A resumed run first drops the lines that are later than its checkpoint."""

    def __init__(self, run: Run, step: int) -> None:
        self.path, self.is_main = run.path("metrics.jsonl"), run.is_main
        if not run.is_main:
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True) if self.path.is_file() else []
        runs.write_text(self.path, "".join(line for line in lines if self._is_until(line, step)))

    @staticmethod
    def _is_until(line: str, step: int) -> bool:
        """Whether a line was written to its end and belongs to an update up to `step`."""
        return line.endswith("\n") and json.loads(line)["step"] <= step

    def step(self, state: State, **values: float | None) -> None:
        """Append the metrics of one update."""
        pace = {"seconds": round(state.seconds, 2), "tokens_per_second": round(state.tokens / max(state.seconds, 1e-9))}
        self.line({"step": state.step, **values, "examples": state.examples, "tokens": state.tokens, **pace})

    def line(self, values: dict[str, Any]) -> None:
        """Append one line; only the main process writes."""
        if not self.is_main:
            return
        with runs.disk_errors(self.path), self.path.open("a") as file:
            file.write(json.dumps(values) + "\n")
