"""Workers of `zoo train --nproc`: a stop signal reaches each of them once, and none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WORKER = """#!{python} -S
import os, signal, sys, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
open("{home}/ready-" + os.environ["RANK"], "w").close()
while not seen:
    time.sleep(0.02)
time.sleep(0.5)  # for a second one
open("{home}/seen-" + os.environ["RANK"], "w").write(str(len(seen)))
"""
PARENT = """
import sys
from instructzoo.core.commands import launch
sys.executable = {worker!r}
sys.exit(launch.launch(["train"], 2))
"""


def launched(home: Path) -> subprocess.Popen[bytes]:
    """Start a parent process in its own process group, as a shell does, with two workers that count signals."""
    worker = home / "worker"
    worker.write_text(WORKER.format(python=sys.executable, home=home))
    worker.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k != "RANK"}
    command = [sys.executable, "-c", PARENT.format(worker=str(worker))]
    parent = subprocess.Popen(command, env=environment, start_new_session=True)
    for _ in range(600):
        if len(list(home.glob("ready-*"))) == 2:
            break
        time.sleep(0.05)
    time.sleep(0.2)  # until the parent forwards signals
    return parent


def test_ctrl_c_reaches_every_worker_exactly_once(tmp_path: Path) -> None:
    parent = launched(tmp_path)
    os.killpg(parent.pid, signal.SIGINT)  # what a terminal does
    assert parent.wait(timeout=30) == 0
    assert [(tmp_path / f"seen-{rank}").read_text() for rank in "01"] == ["1", "1"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_workers_end_with_a_killed_process_group(tmp_path: Path) -> None:
    parent = launched(tmp_path)
    worker_ids = subprocess.run(["pgrep", "-P", str(parent.pid)], capture_output=True, text=True).stdout.split()
    assert len(worker_ids) == 2
    os.killpg(parent.pid, signal.SIGKILL)
    parent.wait(timeout=30)
    for _ in range(200):
        if not any(running(int(number)) for number in worker_ids):
            return
        time.sleep(0.05)
    for number in worker_ids:
        os.kill(int(number), signal.SIGKILL)
    raise AssertionError("workers outlive their parent")


def running(number: int) -> bool:
    status = Path(f"/proc/{number}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
