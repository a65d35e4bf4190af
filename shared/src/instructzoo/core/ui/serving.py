"""Serving a demo until it is told to stop."""

from __future__ import annotations

import socket
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.stop_signals import exit_on_stop_signals


def check_port(port: int | None) -> None:
    """Raise a ZooError for a port that no demo can have, before seconds are spent on loading its model.

    Args:
        port: A port of this machine; None: any free one.

    Raises:
        ZooError: The port is out of range, or something listens on it.
    """
    if port is None:
        return
    if not 1 <= port <= 65535:
        raise ZooError(f"port {port}", "1 to 65535", "choose another --port")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ZooError(f"cannot open port {port}", "a free one", "choose another with --port") from error


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
