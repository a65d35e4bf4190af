"""zoo doctor: what it measures, and that a broken domain or package does not stop it."""

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
def facts() -> dict[str, Any]:
    return doctor()


def test_the_findings_of_the_doctor_are_complete_plain_json(facts: dict[str, Any]) -> None:
    assert json.loads(json.dumps(facts)) == facts
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
    assert groups <= set(facts)
    assert facts["torch"] == torch.__version__
    assert facts["domains"]["arithmetic"] == "ok"
    assert facts["memory"]["total_gb"] >= facts["memory"]["free_gb"] > 0


def test_bfloat16_slower_than_float32_is_not_called_fast(facts: dict[str, Any]) -> None:
    speed = facts["speed"]
    assert speed["float32_gflops"] > 0 and speed["bfloat16_gflops"] >= 0
    if speed["bfloat16_gflops"] < speed["float32_gflops"]:
        assert not speed["bf16_fast"]
        assert any("bfloat16" in line for line in facts["advice"])


def test_the_speed_probe_is_of_the_order_of_a_timed_matmul() -> None:
    size, times = 512, []
    left = torch.ones(size, size)
    for _ in range(5):
        start = time.perf_counter()
        left @ left
        times.append(time.perf_counter() - start)
    expected = 2 * size**3 / min(times) / 1e9
    assert matmul(torch.device("cpu"), torch.float32, 0.05) == pytest.approx(expected, rel=0.9)


def test_the_doctor_reports_a_broken_domain_beside_the_others(
    monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]
) -> None:
    installed = domains.discover()
    monkeypatch.setattr(
        domains, "discover", lambda: installed | {"torn": BrokenDomain("torn", "ImportError: no module named x")}
    )
    result = doctor()
    assert result["domains"]["torn"] == "broken: ImportError: no module named x"
    assert result["domains"]["arithmetic"] == "ok"
    assert "domain torn is broken: ImportError: no module named x" in result["advice"]


def test_the_doctor_reports_a_missing_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_torch(name: str, *rest: Any, **named: Any) -> Any:
        if name == "torch":
            raise ImportError("libtorch.so: cannot open shared object file")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    monkeypatch.setattr(domains, "discover", dict)
    result = doctor()
    assert result["torch"] == "broken: libtorch.so: cannot open shared object file"
    assert result["advice"][0].startswith("torch does not load")


def test_little_free_disk_or_memory_is_in_the_advice(facts: dict[str, Any]) -> None:
    ample = facts | {"disk": {"runs_free_gb": 500.0}, "memory": {"free_gb": 64.0}}
    scarce = facts | {"disk": {"runs_free_gb": 1.5}, "memory": {"free_gb": 1.0}}
    lines = set(advice(scarce)) - set(advice(ample))
    assert len(lines) == 2
    assert any("1.5 GB free on disk" in line for line in lines) and any("1.0 GB of memory" in line for line in lines)


def test_a_missing_optional_package_is_reported(monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]) -> None:
    real = metadata.version

    def without(name: str) -> str:
        if name == "gguf":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", without)
    monkeypatch.setattr(domains, "discover", dict)
    result = doctor()
    assert result["optional"]["gguf"] == "missing"
    assert any(line.startswith("gguf is missing") and "smollm2-135m" in line for line in result["advice"])


def test_the_doctor_creates_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTRUCTZOO_CACHE", str(tmp_path / "a" / "cache"))
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "b" / "runs"))
    monkeypatch.setattr(domains, "discover", dict)
    assert doctor()["cache"]["size_gb"] == 0
    assert not list(tmp_path.iterdir())
