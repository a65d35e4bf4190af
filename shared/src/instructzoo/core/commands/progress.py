"""A running count on standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

SECONDS = 1.0


class Counter:
    """`answered 1,250 (310/s)`, rewritten once a second on a terminal and at the end elsewhere."""

    def __init__(self, what: str, quiet: bool = False) -> None:
        self.what, self.quiet, self.number = what, quiet, 0
        self.began = self.shown = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def update(self, number: int) -> None:
        self.number = number
        if self.terminal and not self.quiet and time.monotonic() - self.shown > SECONDS:
            self.shown = time.monotonic()
            sys.stderr.write(f"\r{self._line()}")
            sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.quiet:
            sys.stderr.write(("\r" if self.terminal else "") + self._line() + "\n")

    def _line(self) -> str:
        return f"{self.what} {self.number:,} ({self.number / max(1e-9, time.monotonic() - self.began):,.0f}/s)"
