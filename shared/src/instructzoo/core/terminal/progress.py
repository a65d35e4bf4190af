"""Progress on standard error: a count, or a part of a known number with the time left."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

REFRESH_SECONDS = 1.0
LOG_SECONDS = 60.0
"""Seconds between two lines of `Progress` where standard error is no terminal."""


class Counter:
    """A line such as `answered 1,250 (310/s)`, rewritten once a second on a terminal, and written once elsewhere.

    Args:
        label: The word before the number.
        quiet: Whether to write nothing.
    """

    def __init__(self, label: str, quiet: bool = False) -> None:
        self.label, self.quiet, self.number = label, quiet, 0
        self.started = self.refreshed = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def update(self, number: int) -> None:
        """Set the count; the line is rewritten when a second has passed."""
        self.number = number
        if self.terminal and not self.quiet and time.monotonic() - self.refreshed > REFRESH_SECONDS:
            self.refreshed = time.monotonic()
            sys.stderr.write(f"\r{self._line()}")
            sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.quiet:
            sys.stderr.write(("\r" if self.terminal else "") + self._line() + "\n")

    def _line(self) -> str:
        return f"{self.label} {self.number:,} ({self.number / max(1e-9, time.monotonic() - self.started):,.0f}/s)"


class Progress(Counter):
    """A line such as `model: 120 of 544 rows, 3:10 left`, rewritten on a terminal and written once a minute elsewhere.

    Args:
        label: What is going on.
        total: The number of rows.
        quiet: Whether to write nothing.
        done: How many of them an earlier call has done.
    """

    def __init__(self, label: str, total: int, quiet: bool = False, done: int = 0) -> None:
        super().__init__(label, quiet)
        self.total, self.done, self.number = total, done, done
        self._show()

    def update(self, number: int) -> None:
        """Set the number of rows that are done."""
        self.number = number
        if time.monotonic() - self.refreshed > (REFRESH_SECONDS if self.terminal else LOG_SECONDS):
            self._show()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.number = self.total
            self._show(last=True)
        elif self.terminal and not self.quiet:
            sys.stderr.write("\n")

    def _show(self, last: bool = False) -> None:
        self.refreshed = time.monotonic()
        if not self.quiet:
            start, end = ("\r", "\033[K" + "\n" * last) if self.terminal else ("", "\n")
            sys.stderr.write(start + self._line() + end)
            sys.stderr.flush()

    def _line(self) -> str:
        seconds = time.monotonic() - self.started
        count = f"{self.label}: {self.number:,} of {self.total:,} rows"
        if self.number == self.total:
            return f"{count} in {_clock(seconds)}"
        if self.number <= self.done:
            return count
        return f"{count}, {_clock(seconds / (self.number - self.done) * (self.total - self.number))} left"


def progress_counter(label: str, total: int | None, quiet: bool = False, done: int = 0) -> Counter:
    """A count with the time left where the number of rows is known, else without.

    Args:
        label: What is going on.
        total: The number of rows; None where it is not known.
        quiet: Whether to write nothing.
        done: How many of them an earlier call has done.
    """
    return Counter(label, quiet) if total is None else Progress(label, total, quiet, done)


def _clock(seconds: float) -> str:
    """Minutes and seconds, such as 3:10."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
