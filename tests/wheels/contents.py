"""What stands in the built wheels: `python tests/wheels/contents.py FOLDER`. A line per wheel; exit code 1 on a fault.

A wheel holds every file of its own package's source folder, its recipes, its learning curve and its licence, and
nothing else: a file in `instructzoo/__init__.py`, or in another distribution's package, would hide or overwrite what
others installed.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 10 * 2**20  # bytes: 3 MB of tiny, 6 MB of small, and the code


def expected(distribution: Path, package: str) -> set[str]:
    """Names in the wheel of all that a distribution's package must ship."""
    source = distribution / "src"
    files = {str(p.relative_to(source)) for p in source.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    recipes = (ROOT / "recipes" / package).glob("*.yaml") if package != "core" else []
    curve = (ROOT / "docs" / "results" / package / "curve").glob("*")
    return (
        files
        | {f"instructzoo/{package}/recipes/{p.name}" for p in recipes}
        | {f"instructzoo/{package}/curve/{p.name}" for p in curve}
    )


def faults(wheel: Path, distribution: Path, package: str) -> list[str]:
    """Everything wrong with one wheel, in words."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    information = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    wanted = expected(distribution, package)
    problems = [f"{name} is missing" for name in sorted(wanted - names)]
    strangers = {name for name in names - wanted if not name.startswith(f"{information}/")}
    problems += [f"{name} does not belong there" for name in sorted(strangers)]
    problems += [f"{name} is outside its own package" for name in sorted(wanted) if name.split("/")[1] != package]
    must = [f"{information}/licenses/LICENSE", f"{information}/entry_points.txt"]
    if package != "core":
        must.append(f"instructzoo/{package}/recipes/tiny.yaml")
    for model in ("tiny", "small"):
        weights = f"instructzoo/{package}/weights/{model}/"
        if any(name.startswith(weights) for name in wanted):  # a bundled model is shipped with its scores
            must += [f"{weights}{name}" for name in ("scores.json", "recipe.yaml", "hashes.json", "README.md")]
            if not any(name.startswith(weights) and name.endswith(".safetensors") for name in names):
                problems.append(f"{weights}*.safetensors is missing")
    problems += [f"{name} is missing" for name in must if name not in names]
    if wheel.stat().st_size > LARGEST:
        problems.append(f"{wheel.stat().st_size} bytes, more than {LARGEST}")
    return problems


def main() -> int:
    folder = Path(sys.argv[1])
    bad = 0
    for distribution in (ROOT / "shared", *sorted(p.parent for p in (ROOT / "packages").glob("*/pyproject.toml"))):
        package = "core" if distribution.name == "shared" else distribution.name
        wheels = list(folder.glob(f"instructzoo_{package}-*.whl"))
        problems = faults(wheels[0], distribution, package) if len(wheels) == 1 else [f"{len(wheels)} wheels, not one"]
        size = sum(wheel.stat().st_size for wheel in wheels) / 2**20
        print(f"{package}: {size:.2f} MB, {'; '.join(problems) or 'complete'}")
        bad += len(problems)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
