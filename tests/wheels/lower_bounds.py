"""The lower bounds of all distributions as pins for pip: `python tests/wheels/lower_bounds.py` prints them.

torch is left out: the environment of `make install` and that of the bounds share one build of it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def requirements(root: Path = ROOT) -> Iterator[tuple[str, str, str]]:
    """(file, name, lower bound) of everything that a distribution needs beside the distributions of the zoo.

    Args:
        root: The checkout.

    Raises:
        ValueError: A requirement has no lower bound.
    """
    for path in (root / "shared/pyproject.toml", *sorted((root / "packages").glob("*/pyproject.toml"))):
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        extras = project.get("optional-dependencies", {}).values()
        for requirement in (*project["dependencies"], *(line for extra in extras for line in extra)):
            match = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?>=([\d.]+)", requirement.replace(" ", ""))
            if match is None:
                raise ValueError(f"{path}: {requirement} has no lower bound")
            if not match[1].startswith("instructzoo-"):
                yield str(path.relative_to(root)), match[1].lower(), match[2]


def main() -> None:
    for pin in sorted({f"{name}=={bound}" for _, name, bound in requirements() if name != "torch"}):
        sys.stdout.write(f"{pin}\n")


if __name__ == "__main__":
    main()
