"""zoo doctor: what this machine can run, and advice. It only measures and reads; nothing is changed."""

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
from instructzoo.core.atomic_files import existing_parent

PROBE_SECONDS = 0.2
"""Time that one measurement of speed takes."""

OPTIONAL = {
    "gradio": "demos; pip install 'instructzoo-core[demo]'",
    "bitsandbytes": "quantised bases, 8-bit and paged optimisers; pip install 'instructzoo-core[quantised]'",
    "schedulefree": "train.optimizer=schedule-free; pip install 'instructzoo-core[schedule-free]'",
    "gguf": "zoo fetch smollm2-135m; pip install 'instructzoo-core[gguf]'",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

CHECKPOINT_GB = 3.2
"""Full fine-tuning of 135M parameters in fp32: weights and two moments (12 bytes each), twice while a new checkpoint
replaces the old one."""

TRAINING_MEMORY_GB = 4.0
"""The same model in memory: with gradients (16 bytes per parameter), activations and the libraries."""


def doctor() -> dict[str, Any]:
    """Report the software, hardware, domains and caches of this machine.

    Returns:
        Facts by group ("torch", "devices", "cores", "speed", "memory", "disk", "optional", "domains", "cache",
        "backbones"), then "advice": lines for a person. Sizes are in GB (2**30 bytes), speeds in GFLOP/s.
    """
    facts: dict[str, Any] = {
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
    return facts | {"advice": advice(facts)}


def _torch() -> dict[str, Any]:
    """Version, devices, cores and speed of torch; the reason instead where torch does not load."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return {"torch": f"broken: {error}"}
    import psutil

    devices = {"cpu": runs.processor()}
    for index in range(torch.cuda.device_count()):
        gpu = torch.cuda.get_device_properties(index)
        devices[f"cuda:{index}"] = f"{gpu.name}, {_gb(gpu.total_memory)} GB"
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple GPU"
    physical = psutil.cpu_count(logical=False)
    cores = {
        "logical": os.cpu_count(),
        "physical": physical,
        "usable": _usable_cores(),
        "threads": torch.get_num_threads(),
    }
    return {"torch": torch.__version__, "devices": devices, "cores": cores, "speed": speed()}


def speed() -> dict[str, Any]:
    """Measure matrix multiplication on the first device in float32 and bfloat16.

    bfloat16 is measured because a processor without AVX512-BF16 or AMX accepts it and emulates it slowly.

    Returns:
        {"device", "float32_gflops", "bfloat16_gflops", "bf16_fast": whether bfloat16 is at least 1.2 times as fast,
        "bf16_instructions"}.
    """
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    float32, bfloat16 = matmul(device, torch.float32), matmul(device, torch.bfloat16)
    return {
        "device": device.type,
        "float32_gflops": round(float32),
        "bfloat16_gflops": round(bfloat16),
        "bf16_fast": bfloat16 >= 1.2 * float32,
        "bf16_instructions": _bf16_instructions(device),
    }


def matmul(device: Any, dtype: Any, seconds: float = PROBE_SECONDS) -> float:
    """GFLOP/s of products of square matrices, by the fastest within about `seconds`: other programs may be running.

    Args:
        device: The torch device. Matrices are 4096 x 4096 on CUDA devices and 512 x 512 on all others.
        dtype: The torch data type of the matrices.
        seconds: How long products are repeated.

    Returns:
        10⁹ floating-point operations per second.
    """
    import torch

    size = 4096 if device.type == "cuda" else 512
    matrix = torch.ones(size, size, device=device, dtype=dtype)
    best, end = float("inf"), time.perf_counter() + seconds
    with torch.inference_mode():
        matrix @ matrix  # the first product includes set-up
        while True:
            start = time.perf_counter()
            matrix @ matrix
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            now = time.perf_counter()
            best = min(best, now - start)
            if now > end:
                return 2 * size**3 / best / 1e9


def _bf16_instructions(device: Any) -> str:
    """The bfloat16 instructions of the device, or "none"."""
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


def _usable_cores() -> int | None:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if platform.system() == "Linux" else os.cpu_count()


def _memory() -> dict[str, float]:
    """Main memory in GB."""
    import psutil

    memory = psutil.virtual_memory()
    return {"total_gb": _gb(memory.total), "free_gb": _gb(memory.available)}


def _disk() -> dict[str, Any]:
    """Free disk space of the folder of runs and of the cache, in GB."""
    folders = {"runs": runs.root(), "cache": runs.cache()}
    return {f"{name}_free_gb": _gb(shutil.disk_usage(existing_parent(path)).free) for name, path in folders.items()}


def _optional() -> dict[str, str]:
    """Versions of the optional packages and paths of the browser programs; "missing" where there is none."""
    versions = {}
    for name in OPTIONAL:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "missing"
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return versions | {"chromium": browser or "missing", "chromedriver": shutil.which("chromedriver") or "missing"}


def _domains() -> dict[str, str]:
    """Every installed domain: "ok", or why it does not work."""
    states = {}
    for name, domain in domains.discover().items():
        if isinstance(domain, domains.BrokenDomain):
            states[name] = f"broken: {domain.reason}"
            continue
        try:
            missing = domains.missing_modules(domain)
        except Exception as error:  # noqa: BLE001 - an error in one domain must not hide the rest of the machine
            states[name] = f"broken: {type(error).__name__}: {error}"
            continue
        states[name] = f"broken: no {', '.join(module + '.py' for module in missing)}" if missing else "ok"
    return states


def _cache() -> dict[str, Any]:
    """The folder of the cache and its size."""
    folder = runs.cache()
    size = (
        sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        if folder.is_dir()
        else 0
    )
    return {"folder": str(folder), "size_gb": _gb(size)}


def _backbones() -> dict[str, str]:
    """Which pinned backbones are in the cache; models by hub id are in the hub's own cache."""
    from instructzoo.core.models import downloads
    from instructzoo.core.models.backbones import BACKBONES

    return {
        backbone.name: "fetched" if downloads.ready(backbone) else "not fetched"
        for backbone in BACKBONES.values()
        if backbone.files
    }


def advice(facts: dict[str, Any]) -> list[str]:
    """Lines of advice that follow from the facts of `doctor`, the most serious first."""
    lines = [f"torch does not load: {facts['torch']}"] if "speed" not in facts else []
    lines += [f"domain {name} is {state}" for name, state in facts["domains"].items() if state != "ok"]
    if not facts["domains"]:
        lines.append("no domain is installed: pip install instructzoo-arithmetic")
    free = facts["disk"]["runs_free_gb"]
    if free < 2 * CHECKPOINT_GB:
        lines.append(f"{free} GB free on disk: checkpoints of a small recipe need up to {CHECKPOINT_GB} GB")
    memory = facts["memory"]["free_gb"]
    if memory < TRAINING_MEMORY_GB:
        lines.append(
            f"{memory} GB of memory free: enough for tiny recipes; small ones need up to {TRAINING_MEMORY_GB} GB"
        )
    if "speed" in facts:
        lines += _speed_advice(facts)
    lines += [
        f"{name} is missing: it is for {use}" for name, use in OPTIONAL.items() if facts["optional"][name] == "missing"
    ]
    if "missing" in (facts["optional"]["chromium"], facts["optional"]["chromedriver"]):
        lines.append("Chromium or its driver is missing: the tests in tests/browser are skipped")
    return lines


def _speed_advice(facts: dict[str, Any]) -> list[str]:
    """Advice on GPUs, bfloat16 and the number of threads."""
    lines, speed, cores = [], facts["speed"], facts["cores"]
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
