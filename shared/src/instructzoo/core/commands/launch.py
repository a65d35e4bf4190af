"""zoo train --nproc N: run the command in N processes of this machine, which train one run together."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from types import FrameType

from instructzoo.core.errors import ZooError
from instructzoo.core.stop_signals import STOP_SIGNALS, is_ignored

POLL_SECONDS = 0.2
GRACE_SECONDS = 60.0
"""How long the other processes may take to end after one has failed."""

Worker = subprocess.Popen[bytes]


def launch(arguments: Sequence[str], nproc: int) -> int:
    """Run `zoo <arguments>` in several processes of this machine.

    Process 0 prints; the standard error of another process is shown only if that process failed. A stop signal is
    forwarded to all workers. Each worker is a session of its own: otherwise Ctrl-C would reach it twice, from the
    terminal and from here, and a second signal stops a training run before it has saved.

    Args:
        arguments: The command line after `zoo`, with --nproc.
        nproc: The number of processes.

    Returns:
        The exit code of the first process that failed, else 0.

    Raises:
        ZooError: A launcher (torchrun, accelerate or Slurm) started this process already.
    """
    if "RANK" in os.environ:
        raise ZooError("--nproc under a launcher", "one of the two", "leave --nproc out")
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // nproc))
    environment = {
        "WORLD_SIZE": str(nproc),
        "LOCAL_WORLD_SIZE": str(nproc),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "OMP_NUM_THREADS": threads,
    }
    command = [sys.executable, "-m", "instructzoo.core.cli", *_without_nproc(arguments)]
    with ExitStack() as files:
        error_files = [files.enter_context(tempfile.TemporaryFile()) for _ in range(nproc)]
        workers = [
            subprocess.Popen(
                command,
                env={**os.environ, **environment, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stderr=error_files[rank] if rank else None,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
            for rank in range(nproc)
        ]
        _forward_signals(workers)
        failed = _wait(workers)
        if failed:  # rank 0 writes to this terminal anyway
            error_files[failed].seek(0)
            shutil.copyfileobj(error_files[failed], sys.stderr.buffer)
    code = 0 if failed is None else workers[failed].returncode
    return 128 - code if code < 0 else code


def _without_nproc(arguments: Sequence[str]) -> list[str]:
    """The command line of the workers."""
    arguments = list(arguments)
    for i, argument in enumerate(arguments):
        if argument == "--nproc":
            return arguments[:i] + arguments[i + 2 :]
        if argument.startswith("--nproc="):
            return arguments[:i] + arguments[i + 1 :]
    return arguments


def _end_with_parent() -> None:
    """Let Linux send the worker SIGTERM when its parent is gone: killing the parent's group does not reach it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1: PR_SET_PDEATHSIG


def _forward_signals(workers: Sequence[Worker]) -> None:
    """Send every stop signal that this process receives to all workers."""

    def forward(number: int, frame: FrameType | None) -> None:
        for worker in workers:
            worker.send_signal(number)

    for number in (*STOP_SIGNALS, signal.SIGINT):  # a closed terminal signals this process alone
        if not is_ignored(number):  # under nohup
            signal.signal(number, forward)


def _wait(workers: Sequence[Worker]) -> int | None:
    """Wait for all workers and return the rank of the first that failed, or None. A failure ends the other workers."""
    failed, deadline = None, float("inf")
    while True:
        codes = [worker.poll() for worker in workers]
        if failed is None and any(codes):
            failed = next(rank for rank, code in enumerate(codes) if code)
            deadline = time.monotonic() + GRACE_SECONDS
            for worker in workers:
                worker.terminate()
        if None not in codes:
            return failed
        if time.monotonic() > deadline:
            for worker in workers:
                worker.kill()
        time.sleep(POLL_SECONDS)


def _free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
