"""The progress bar of a run: loss, tokens per second, time left. Plain lines where the output is no terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

LINE_SECONDS = 15.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    def __init__(self, step: int, steps: int, quiet: bool = False) -> None:
        self.steps, self.quiet = steps, quiet
        self.first, self.began, self.printed = step, time.monotonic(), 0.0
        self.console = Console(file=sys.stderr)
        self.bar = Bar(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.4f}  {task.fields[pace]:,.0f} tokens/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=quiet or not self.console.is_terminal,
        )
        self.task = self.bar.add_task("training", total=steps, completed=step, loss=0.0, pace=0.0)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def update(self, step: int, loss: float, pace: float) -> None:
        self.bar.update(self.task, completed=step, loss=loss, pace=pace)
        if self.quiet or self.console.is_terminal:
            return
        now = time.monotonic()
        if now - self.printed > LINE_SECONDS or step == self.steps:
            left = (now - self.began) / max(1, step - self.first) * (self.steps - step)
            pace_and_rest = f"{pace:,.0f} tokens/s  left {left:.0f} s"
            sys.stderr.write(f"step {step}/{self.steps}  loss {loss:.4f}  {pace_and_rest}\n")
            self.printed = now
