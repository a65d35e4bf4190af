"""The lower bounds of the pyproject files are the versions that .ci/bounds installs and tests."""

from __future__ import annotations

import runpy
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]


def pins(name: str) -> dict[str, Version]:
    """Name and version of every pin in a file of constraints."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    requirements = [Requirement(line) for line in lines if line]
    return {r.name.lower(): Version(str(r.specifier).removeprefix("==")) for r in requirements}


def test_every_lower_bound_is_the_version_that_is_installed_and_tested_as_the_oldest() -> None:
    tested = pins("constraints-lower.txt")
    bounds = list(runpy.run_path(str(ROOT / "tests/wheels/lower_bounds.py"))["requirements"]())
    assert len(bounds) > 20
    for file, name, bound in bounds:
        if name != "torch":
            assert tested[name] == Version(bound), f"{file}: {name}>={bound}; run make constraints-lower"


def test_no_distribution_states_two_bounds_of_one_package() -> None:
    bounds: dict[str, set[str]] = {}
    for _, name, bound in runpy.run_path(str(ROOT / "tests/wheels/lower_bounds.py"))["requirements"]():
        bounds.setdefault(name, set()).add(bound)
    assert {name: found for name, found in bounds.items() if len(found) > 1} == {}


def test_the_oldest_versions_run_on_the_torch_that_all_else_is_tested_with() -> None:
    assert pins("constraints-lower.txt")["torch"] == pins("constraints.txt")["torch"]
