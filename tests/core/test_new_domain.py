"""`zoo new` writes a domain that works at once; `zoo bundle` puts a scored model and its tables into a package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import api
from instructzoo.core.commands import new as new_command
from instructzoo.core.errors import ZooError

ROOT = Path(__file__).resolve().parents[2]
NAME = "newcomer"
"""A domain that nobody has installed."""

MOST_LINES = 230
"""Lines that a small domain may need of its own; `zoo new` leaves room below."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a core and one domain, as far as `zoo new` looks."""
    (tmp_path / "packages" / "other").mkdir(parents=True)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "shared").symlink_to(ROOT / "shared")
    return tmp_path


def installed(root: Path, name: str) -> dict[str, str]:
    """An environment with the new domain on the path and its entry point, as `pip install -e` leaves it."""
    information = root / "packages" / name / "src" / f"instructzoo_{name}-0.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: instructzoo-{name}\nVersion: 0.1.0\n")
    (information / "entry_points.txt").write_text(f"[instructzoo.domains]\n{name} = instructzoo.{name}:domain\n")
    folders = {"PYTHONPATH": str(information.parent), "INSTRUCTZOO_RUNS": str(root / "runs")}
    return {**os.environ, **folders, "INSTRUCTZOO_CACHE": str(root / "cache"), "OMP_NUM_THREADS": "1"}


def run(root: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=300)


def test_a_new_domain_passes_its_contract_and_its_model_can_be_bundled(checkout: Path) -> None:
    outcome = api.new("spelling", "Spelling backwards", checkout)
    assert all(Path(path).is_file() for path in outcome["files"])
    environment = installed(checkout, "spelling")

    tests = ["pytest", "-q", "-p", "no:cacheprovider", "-rs", "tests/spelling/test_contract.py"]
    contract = run(checkout, environment, *tests)
    assert contract.returncode == 0, contract.stdout
    assert "bundles no model yet: zoo bundle spelling --model RUN" in contract.stdout  # the release stage waits

    short = ["train.steps=12", "data.sizes={train: 300, validation: 20, test: 30}"]
    trained = run(
        checkout, environment, "instructzoo.core.cli", "reproduce", "spelling/tiny", *short, "--quiet", "--json"
    )
    assert trained.returncode == 0, trained.stderr
    folder = json.loads(trained.stdout)["run"]
    bundled = run(checkout, environment, "instructzoo.core.cli", "bundle", "spelling", "--model", folder, "--json")
    assert bundled.returncode == 0, bundled.stderr
    weights = checkout / "packages" / "spelling" / "src" / "instructzoo" / "spelling" / "weights" / "tiny"
    assert json.loads((weights / "scores.json").read_text())["run"] == "bundled"
    assert (weights / "model.safetensors").stat().st_mode & 0o044 == 0o044  # others can read it
    assert "spelling/tiny, test" in (checkout / "packages" / "spelling" / "README.md").read_text()
    readme = run(checkout, environment, *tests, "-k", "readme")
    assert readme.returncode == 0, readme.stdout


def test_a_new_domain_is_named_to_uv_and_to_the_type_checker(checkout: Path) -> None:
    before = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]
    api.new(NAME, root=checkout)
    after = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]
    assert after["uv"]["sources"] == {**before["uv"]["sources"], f"instructzoo-{NAME}": {"workspace": True}}
    assert after["mypy"]["mypy_path"] == [*before["mypy"]["mypy_path"], f"packages/{NAME}/src"]
    assert after["mypy"]["packages"] == [*before["mypy"]["packages"], f"instructzoo.{NAME}"]
    rest = {key: value for key, value in before.items() if key not in ("uv", "mypy")}
    assert {key: after[key] for key in rest} == rest


@pytest.mark.parametrize("name", ["Units", "2d", "my-domain", "class", "core", ""])
def test_a_name_that_is_no_identifier_is_refused_and_nothing_written(name: str, checkout: Path) -> None:
    before = sorted(checkout.rglob("*"))
    with pytest.raises(ZooError, match="no domain can be called"):
        api.new(name, root=checkout)
    assert sorted(checkout.rglob("*")) == before


def test_a_name_that_is_taken_is_refused(checkout: Path) -> None:
    with pytest.raises(ZooError, match=r"packages/other exists"):
        api.new("other", root=checkout)
    with pytest.raises(ZooError, match='a domain "arithmetic" is installed'):
        api.new("arithmetic", root=checkout)


def test_outside_a_checkout_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="no checkout of instructzoo"):
        api.new(NAME, root=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_package_that_zoo_new_writes_is_short(checkout: Path) -> None:
    api.new(NAME, root=checkout)
    modules = (checkout / "packages" / NAME / "src").rglob("*.py")
    lines = [line for path in modules for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) < MOST_LINES


def test_templates_are_as_the_formatter_and_the_type_checker_want_them(checkout: Path) -> None:
    api.new(NAME, root=checkout)
    folders = [str(checkout / name / NAME) for name in ("packages", "tests", "demos")]
    for command in (["check"], ["format", "--check"]):
        done = run(checkout, dict(os.environ), "ruff", *command, *folders)
        assert done.returncode == 0, done.stdout
    done = run(checkout, dict(os.environ), "mypy", "--config-file", "pyproject.toml", "-p", f"instructzoo.{NAME}")
    assert NAME not in done.stdout, done.stdout


def test_every_template_is_used_once() -> None:
    folder = Path(new_command.__file__).parents[1] / "scaffold"
    templates = {str(path.relative_to(folder)).removesuffix(".tmpl") for path in folder.rglob("*.tmpl")}
    assert templates == set(new_command.TEMPLATES)


@pytest.mark.parametrize(
    ("scores", "message"), [(None, "no scores.json"), ({}, "a domain used from a wheel")], ids=["unscored", "wheel"]
)
def test_bundling_needs_a_scored_run_and_a_checkout(
    scores: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from instructzoo.core.domain import Domain

    (tmp_path / "manifest.json").write_text("{}")
    if scores is not None:
        (tmp_path / "scores.json").write_text("{}")
        monkeypatch.setattr(Domain, "checkout", lambda domain: None)
        message = "installed from a wheel"
    with pytest.raises(ZooError, match=message):
        api.bundle("arithmetic", str(tmp_path))
