"""Versions, hardware and time, as manifests record them."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "transformers", "peft", "accelerate", "datasets", "tokenizers", "safetensors", "numpy")
"""Packages whose versions a manifest records."""


def environment() -> dict[str, Any]:
    """Versions and hardware, as every manifest records them: {"versions": ..., "hardware": ...}."""
    import psutil

    versions = {"python": platform.python_version()}
    for name in (*PACKAGES, "instructzoo-core"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    hardware = {
        "processor": processor(),
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
        "cores": psutil.cpu_count(logical=True),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if names := gpus():
        hardware["gpus"] = names
    return {"versions": versions, "hardware": hardware}


def gpus() -> list[str]:
    """The names of the CUDA cards that this process sees; none before torch is imported, which takes seconds."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def processor() -> str:
    """The processor's model name, or its architecture where the system does not give a name."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def now() -> str:
    """The time in UTC, such as 2026-11-27T19:49:50Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
