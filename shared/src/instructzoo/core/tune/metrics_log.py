"""metrics.jsonl: one line of JSON for each logged update and for each validation."""

from __future__ import annotations

import json
from typing import Any

from instructzoo.core import runs
from instructzoo.core.errors import ZooError, location
from instructzoo.core.runs import Run
from instructzoo.core.tune.checkpoints import State


class MetricsLog:
    """Writer of metrics.jsonl. A resumed run first drops the lines that are later than its checkpoint."""

    def __init__(self, run: Run, step: int) -> None:
        self.path, self.is_main = run.path("metrics.jsonl"), run.is_main
        if not run.is_main:
            return
        kept = []
        for number, line in enumerate(self._lines(), start=1):
            if line.endswith("\n") and self._step_of(line, number) <= step:  # else a killed process was writing it
                kept.append(line)
        runs.write_text(self.path, "".join(kept))

    def _lines(self) -> list[str]:
        """The lines of an earlier process, with their line feeds."""
        if not self.path.is_file():
            return []
        try:
            return self.path.read_bytes().decode("utf-8", errors="replace").splitlines(keepends=True)
        except OSError as error:
            raise ZooError(f"cannot read: {error.strerror}", "the metrics of the run", where=str(self.path)) from error

    def _step_of(self, line: str, number: int) -> int:
        """The step that a complete line belongs to. Raises ZooError for a line that this class has not written."""
        try:
            step = json.loads(line)["step"]
        except (ValueError, KeyError, TypeError, RecursionError):
            step = None
        if not isinstance(step, int):
            fix = "correct or remove the line; the rest of the run is as it was"
            raise ZooError("no metrics of a step", '{"step": ..., ...}', fix, location(self.path, number))
        return step

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
