"""zoo train --nproc N: the same command in N processes of this machine, which train one run together."""

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

POLL_SECONDS = 0.2
GRACE_SECONDS = 60.0
"""How long the others may take to end after one has failed."""

Worker = subprocess.Popen[bytes]


def launch(arguments: Sequence[str], nproc: int) -> int:
    """Run `zoo <arguments>` in `nproc` processes; returns the exit code of the first that fails, else 0.

    Process 0 speaks; what another said is shown where that one failed. A stop signal is handed on to all: the workers
    are a session of their own each, or Ctrl-C would reach them twice, by the terminal and from here, and a second one
    stops a training before it has saved.
    Under torchrun, accelerate or Slurm, --nproc is not needed.
    """
    if "RANK" in os.environ:
        raise ZooError("--nproc under a launcher", "one of the two", "leave --nproc out")
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // nproc))
    shared = {
        "WORLD_SIZE": str(nproc),
        "LOCAL_WORLD_SIZE": str(nproc),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "OMP_NUM_THREADS": threads,
    }
    command = [sys.executable, "-m", "instructzoo.core.cli", *_without_nproc(arguments)]
    with ExitStack() as files:
        said = [files.enter_context(tempfile.TemporaryFile()) for _ in range(nproc)]
        workers = [
            subprocess.Popen(
                command,
                env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stderr=said[rank] if rank else None,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
            for rank in range(nproc)
        ]
        _hand_on_signals(workers)
        failed = _wait(workers)
        if failed:  # 0 has spoken for itself
            said[failed].seek(0)
            shutil.copyfileobj(said[failed], sys.stderr.buffer)
    code = 0 if failed is None else workers[failed].returncode
    return 128 - code if code < 0 else code


def _without_nproc(arguments: Sequence[str]) -> list[str]:
    """The workers' own command line."""
    kept = list(arguments)
    for i, argument in enumerate(kept):
        if argument == "--nproc":
            return kept[:i] + kept[i + 2 :]
        if argument.startswith("--nproc="):
            return kept[:i] + kept[i + 1 :]
    return kept


def _end_with_parent() -> None:
    """A killed process group no longer takes a worker along: Linux sends it SIGTERM once its parent is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1: PR_SET_PDEATHSIG


def _hand_on_signals(workers: Sequence[Worker]) -> None:
    def hand_on(number: int, frame: FrameType | None) -> None:
        for worker in workers:
            worker.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # a closed terminal tells this process alone
        signal.signal(number, hand_on)


def _wait(workers: Sequence[Worker]) -> int | None:
    """Until all have ended: the first that failed, or None. The others would wait for it, so they are ended too."""
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
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
