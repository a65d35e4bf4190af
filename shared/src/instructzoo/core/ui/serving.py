"""Serving a demo until it is told to stop."""

from __future__ import annotations

from typing import Any

from instructzoo.core.stop_signals import exit_on_stop_signals


def serve_until_stopped(blocks: Any) -> None:
    """Serve a launched demo until Ctrl-C, SIGTERM or SIGHUP, then close it: its visitors' files are deleted.

    Args:
        blocks: The demo.
    """
    exit_on_stop_signals()
    try:
        blocks.block_thread()
    finally:
        blocks.close(verbose=False)
