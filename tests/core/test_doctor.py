"""zoo doctor: facts that are measured, faults that do not take it down."""

from __future__ import annotations

import builtins
import json
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch

from instructzoo.core import domain as domains
from instructzoo.core.api import doctor
from instructzoo.core.commands.doctor import advice, matmul
from instructzoo.core.domain import BrokenDomain


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return doctor()


def test_the_findings_of_the_doctor_are_complete_plain_json(found: dict[str, Any]) -> None:
    assert json.loads(json.dumps(found)) == found
    groups = {
        "torch",
        "devices",
        "cores",
        "speed",
        "memory",
        "disk",
        "optional",
        "domains",
        "cache",
        "backbones",
        "advice",
    }
    assert groups <= set(found)
    assert found["torch"] == torch.__version__
    assert found["domains"]["arithmetic"] == "ok"
    assert found["memory"]["total_gb"] >= found["memory"]["free_gb"] > 0


def test_bfloat16_slower_than_float32_is_not_called_fast(found: dict[str, Any]) -> None:
    speed = found["speed"]
    assert speed["float32_gflops"] > 0 and speed["bfloat16_gflops"] >= 0
    if speed["bfloat16_gflops"] < speed["float32_gflops"]:
        assert not speed["bf16_fast"]
        assert any("bfloat16" in line for line in found["advice"])


def test_the_speed_probe_is_of_the_order_of_a_timed_matmul() -> None:
    size, times = 512, []
    left = torch.ones(size, size)
    for _ in range(5):
        start = time.perf_counter()
        left @ left
        times.append(time.perf_counter() - start)
    by_hand = 2 * size**3 / min(times) / 1e9
    assert matmul(torch.device("cpu"), torch.float32, 0.05) == pytest.approx(by_hand, rel=0.9)


def test_the_doctor_reports_a_broken_domain_beside_the_others(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any]
) -> None:
    whole = domains.discover()
    monkeypatch.setattr(
        domains, "discover", lambda: whole | {"torn": BrokenDomain("torn", "ImportError: no module named x")}
    )
    seen = doctor()
    assert seen["domains"]["torn"] == "broken: ImportError: no module named x"
    assert seen["domains"]["arithmetic"] == "ok"
    assert "domain torn is broken: ImportError: no module named x" in seen["advice"]


def test_the_doctor_reports_a_missing_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_torch(name: str, *rest: Any, **named: Any) -> Any:
        if name == "torch":
            raise ImportError("libtorch.so: cannot open shared object file")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    monkeypatch.setattr(domains, "discover", dict)
    seen = doctor()
    assert seen["torch"] == "broken: libtorch.so: cannot open shared object file"
    assert seen["advice"][0].startswith("torch does not load")


def test_little_free_disk_or_memory_is_in_the_advice(found: dict[str, Any]) -> None:
    calm = found | {"disk": {"runs_free_gb": 500.0}, "memory": {"free_gb": 64.0}}
    tight = found | {"disk": {"runs_free_gb": 1.5}, "memory": {"free_gb": 1.0}}
    said = set(advice(tight)) - set(advice(calm))
    assert len(said) == 2
    assert any("1.5 GB free on disk" in line for line in said) and any("1.0 GB of memory" in line for line in said)


def test_a_missing_optional_package_is_reported(monkeypatch: pytest.MonkeyPatch, found: dict[str, Any]) -> None:
    real = metadata.version

    def without(name: str) -> str:
        if name == "gguf":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", without)
    monkeypatch.setattr(domains, "discover", dict)
    seen = doctor()
    assert seen["optional"]["gguf"] == "missing"
    assert any(line.startswith("gguf is missing") and "smollm2-135m" in line for line in seen["advice"])


def test_the_doctor_creates_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTRUCTZOO_CACHE", str(tmp_path / "a" / "cache"))
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "b" / "runs"))
    monkeypatch.setattr(domains, "discover", dict)
    assert doctor()["cache"]["size_gb"] == 0
    assert not list(tmp_path.iterdir())
