"""A progress count on standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

REFRESH_SECONDS = 1.0


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
