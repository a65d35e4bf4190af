"""The progress bar of a run: loss, tokens per second, time left; plain lines if the output is not a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from instructzoo.core.runs import Run

LINE_SECONDS = 15.0
"""Seconds between two lines if the output is not a terminal."""


def warn(run: Run, text: str) -> None:
    """Record a problem that a run recovered from, and say it at once: the end of the training may be days away.

    Args:
        run: The run, whose manifest keeps the warning; its main process says it.
        text: One sentence.
    """
    run.add_warning(text)
    if run.is_main:
        sys.stderr.write(f"zoo: {text}\n")


class Progress:
    """Progress bar as a context manager.

    Args:
        step: Updates already done, of a resumed run.
        steps: Updates of the whole run.
        quiet: Show nothing.
    """

    def __init__(self, step: int, steps: int, quiet: bool = False) -> None:
        self.steps, self.quiet = steps, quiet
        self.first_step, self.started, self.last_line = step, time.monotonic(), 0.0
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

    def update(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Show the state of the run; without a terminal, write a line every `LINE_SECONDS` and after the last update.

        Args:
            step: Updates done.
            loss: Training loss of the last update, in nats per target.
            tokens_per_second: Speed of the last update.
        """
        self.bar.update(self.task, completed=step, loss=loss, pace=tokens_per_second)
        if self.quiet or self.console.is_terminal:
            return
        now = time.monotonic()
        if now - self.last_line > LINE_SECONDS or step == self.steps:
            seconds_left = (now - self.started) / max(1, step - self.first_step) * (self.steps - step)
            speed = f"{tokens_per_second:,.0f} tokens/s  left {seconds_left:.0f} s"
            sys.stderr.write(f"step {step}/{self.steps}  loss {loss:.4f}  {speed}\n")
            self.last_line = now
