"""SIGTERM and SIGHUP end a program as Ctrl-C does: through its `finally` blocks, which remove temporary files."""

from __future__ import annotations

import os
import signal
from typing import Any

STOP_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a process to end: from `kill`, a batch system or a shutdown, and from a terminal that is closed."""


def is_ignored(number: int) -> bool:
    """Whether this process was started to ignore a signal, as nohup does with SIGHUP."""
    return signal.getsignal(number) == signal.SIG_IGN


def exit_on_stop_signals() -> None:
    """Turn the next stop signal into SystemExit (code 128 + its number); a second one ends the process at once.

    A signal that is ignored stays so. Outside the main thread, where signals cannot be handled, nothing changes.
    """
    process = os.getpid()

    def handler(number: int, frame: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        if os.getpid() != process:  # a forked worker has nothing to clean up
            os.kill(os.getpid(), number)
        raise SystemExit(128 + number)

    for number in STOP_SIGNALS:
        if not is_ignored(number):
            try:
                signal.signal(number, handler)
            except ValueError:  # not the main thread
                return
