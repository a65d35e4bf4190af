"""Memory of this process: what it holds now, and the most that it has held."""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path

_STATUS, _CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def reset_peak() -> None:
    """Let `peak_bytes` count from now on; on systems other than Linux it counts from the start of the process."""
    with contextlib.suppress(OSError):
        _CLEAR_REFS.write_text("5")  # proc_pid_clear_refs(5): resets VmHWM


def peak_bytes() -> int:
    """Return the highest resident memory of this process, with interpreter, libraries and data, in bytes."""
    if (peak := _field("VmHWM")) is not None:
        return peak
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def current_bytes() -> int:
    """Return the resident memory of this process, in bytes; where the system does not tell, its highest so far."""
    current = _field("VmRSS")
    return peak_bytes() if current is None else current


def _field(name: str) -> int | None:
    """Return a field of /proc/self/status in bytes, or None where there is none."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    sizes = [int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")]
    return sizes[0] if sizes else None
