"""SIGTERM, SIGHUP and Ctrl-C during training: the update at hand is finished and a checkpoint is saved."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from instructzoo.core.stop_signals import STOP_SIGNALS, is_ignored


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Yield a list that receives the number of a SIGTERM, SIGHUP or Ctrl-C; a second Ctrl-C interrupts at once.

    A signal that the process was started to ignore (SIGHUP under nohup) stays ignored.
    """
    received: list[int] = []

    def handler(number: int, frame: Any) -> None:
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(number)

    previous: dict[int, Callable[..., Any] | int | None] = {
        n: signal.getsignal(n) for n in (*STOP_SIGNALS, signal.SIGINT) if not is_ignored(n)
    }
    try:
        for number in previous:
            signal.signal(number, handler)
    except ValueError:  # not the main thread, where signals cannot be handled
        previous = {}
    try:
        yield received
    finally:
        for number, old_handler in previous.items():
            signal.signal(number, old_handler)
