"""zoo doctor: what this machine can run, and what to know before trying. Pure data; nothing is changed."""

from __future__ import annotations

import os
import platform
import shutil
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import runs

PROBE_SECONDS = 0.2
OPTIONAL = {
    "gradio": "demos; pip install 'instructzoo-core[demo]'",
    "bitsandbytes": "quantised bases, 8-bit and paged optimisers; pip install 'instructzoo-core[quantised]'",
    "schedulefree": "train.optimizer=schedule-free; pip install 'instructzoo-core[schedule-free]'",
    "gguf": "zoo fetch smollm2-135m; pip install 'instructzoo-core[gguf]'",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

CHECKPOINT_GB = 3.2
"""Full tuning of 135M parameters in fp32: weights and two moments (12 bytes), twice while one replaces the other."""

TRAINING_MEMORY_GB = 4.0
"""The same with gradients (16 bytes a parameter), its activations and the libraries."""


def doctor() -> dict[str, Any]:
    """Facts by group, then `advice`: lines for a person. Sizes in GB (2**30 bytes), speeds in GFLOP/s."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **_torch(),
        "memory": _memory(),
        "disk": _disk(),
        "optional": _optional(),
        "domains": _domains(),
        "cache": _cache(),
        "backbones": _backbones(),
    }
    return found | {"advice": advice(found)}


def _torch() -> dict[str, Any]:
    """Version, devices, cores and speed; where torch does not load, the reason stands in its place."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return {"torch": f"broken: {error}"}
    import psutil

    devices = {"cpu": runs.processor()}
    for number in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(number)
        devices[f"cuda:{number}"] = f"{card.name}, {_gb(card.total_memory)} GB"
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple GPU"
    physical = psutil.cpu_count(logical=False)
    cores = {"logical": os.cpu_count(), "physical": physical, "usable": _usable(), "threads": torch.get_num_threads()}
    return {"torch": torch.__version__, "devices": devices, "cores": cores, "speed": speed()}


def speed() -> dict[str, Any]:
    """Matrix multiplication on the first device in float32 and bfloat16; `bf16_fast`: 1.2 times as fast or better.

    Measured, since a processor without AVX512-BF16 or AMX accepts bfloat16 and emulates it slowly.
    """
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    single, half = matmul(device, torch.float32), matmul(device, torch.bfloat16)
    return {
        "device": device.type,
        "float32_gflops": round(single),
        "bfloat16_gflops": round(half),
        "bf16_fast": half >= 1.2 * single,
        "bf16_instructions": _bf16_instructions(device),
    }


def matmul(device: Any, dtype: Any, seconds: float = PROBE_SECONDS) -> float:
    """GFLOP/s of square products within about `seconds`, by the quickest of them: others may be using the machine."""
    import torch

    size = 4096 if device.type == "cuda" else 512
    left = torch.ones(size, size, device=device, dtype=dtype)
    best, end = float("inf"), time.perf_counter() + seconds
    with torch.inference_mode():
        left @ left  # the first one pays for set-up
        while True:
            start = time.perf_counter()
            left @ left
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            now = time.perf_counter()
            best = min(best, now - start)
            if now > end:
                return 2 * size**3 / best / 1e9


def _bf16_instructions(device: Any) -> str:
    import torch

    if device.type == "cuda":
        return "yes" if torch.cuda.is_bf16_supported(including_emulation=False) else "none"
    info = Path("/proc/cpuinfo")
    flags = set(info.read_text().split()) if info.is_file() else set()
    names = [
        name
        for flag, name in (("amx_bf16", "AMX"), ("avx512_bf16", "AVX512-BF16"), ("bf16", "Arm BF16"))
        if flag in flags
    ]
    return ", ".join(names) or "none"


def _usable() -> int | None:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if platform.system() == "Linux" else os.cpu_count()


def _memory() -> dict[str, float]:
    import psutil

    memory = psutil.virtual_memory()
    return {"total_gb": _gb(memory.total), "free_gb": _gb(memory.available)}


def _disk() -> dict[str, Any]:
    """Free space where runs are written and where the cache is."""
    places = {"runs": runs.root(), "cache": runs.cache()}
    return {f"{name}_free_gb": _gb(shutil.disk_usage(_existing(place)).free) for name, place in places.items()}


def _existing(path: Path) -> Path:
    return next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())


def _optional() -> dict[str, str]:
    found = {}
    for name in OPTIONAL:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return found | {"chromium": browser or "missing", "chromedriver": shutil.which("chromedriver") or "missing"}


def _domains() -> dict[str, str]:
    """Every installed domain: its version, or why it does not work."""
    found = {}
    for name, domain in domains.discover().items():
        if isinstance(domain, domains.BrokenDomain):
            found[name] = f"broken: {domain.reason}"
            continue
        try:
            missing = domains.missing_modules(domain)
        except Exception as error:  # noqa: BLE001 - a fault of one domain must not hide the rest of the machine
            found[name] = f"broken: {type(error).__name__}: {error}"
            continue
        found[name] = f"broken: no {', '.join(m + '.py' for m in missing)}" if missing else "ok"
    return found


def _cache() -> dict[str, Any]:
    folder = runs.cache()
    size = (
        sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink()) if folder.is_dir() else 0
    )
    return {"folder": str(folder), "size_gb": _gb(size)}


def _backbones() -> dict[str, str]:
    """The pinned assets of the table; hub ids are kept in the hub's own cache."""
    from instructzoo.core.models import downloads
    from instructzoo.core.models.backbones import BACKBONES

    return {b.name: "fetched" if downloads.ready(b) else "not fetched" for b in BACKBONES.values() if b.files}


def advice(found: dict[str, Any]) -> list[str]:
    """What follows from the facts, most hindering first; empty where nothing hinders."""
    lines = [f"torch does not load: {found['torch']}"] if "speed" not in found else []
    lines += [f"domain {name} is {state}" for name, state in found["domains"].items() if state != "ok"]
    if not found["domains"]:
        lines.append("no domain is installed: pip install instructzoo-arithmetic")
    free = found["disk"]["runs_free_gb"]
    if free < 2 * CHECKPOINT_GB:
        lines.append(f"{free} GB free on disk: checkpoints of a small recipe need up to {CHECKPOINT_GB} GB")
    memory = found["memory"]["free_gb"]
    if memory < TRAINING_MEMORY_GB:
        lines.append(
            f"{memory} GB of memory free: enough for tiny recipes; small ones need up to {TRAINING_MEMORY_GB} GB"
        )
    if "speed" in found:
        lines += _advice_speed(found)
    lines += [
        f"{name} is missing: it is for {use}" for name, use in OPTIONAL.items() if found["optional"][name] == "missing"
    ]
    if "missing" in (found["optional"]["chromium"], found["optional"]["chromedriver"]):
        lines.append("Chromium or its driver is missing: the tests in tests/browser are skipped")
    return lines


def _advice_speed(found: dict[str, Any]) -> list[str]:
    lines, speed, cores = [], found["speed"], found["cores"]
    if speed["device"] == "cpu":
        lines.append("no GPU: tiny recipes take minutes here, small ones hours; paper recipes need a GPU")
    if not speed["bf16_fast"]:
        lines.append(
            f"bfloat16 is no faster than float32 here ({speed['bfloat16_gflops']} against"
            f" {speed['float32_gflops']} GFLOP/s): keep train.precision at auto or float32"
        )
    if cores["threads"] > (cores["usable"] or cores["threads"]):
        lines.append(
            f"torch uses {cores['threads']} threads on {cores['usable']} cores: set OMP_NUM_THREADS={cores['usable']}"
        )
    return lines


def _gb(size: float) -> float:
    return round(size / 2**30, 1)
