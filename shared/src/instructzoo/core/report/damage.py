"""The files of a run directory that cannot be read, each with the reason: a report names them, and shows the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from instructzoo.core import runs, settings
from instructzoo.core.errors import ZooError
from instructzoo.core.report import sections
from instructzoo.core.report.sections import Block
from instructzoo.core.run_checks import check_settings
from instructzoo.core.runs import Run
from instructzoo.core.score.results import Results

Value = TypeVar("Value")

FAULTS = (ZooError, OSError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What files of unexpected content make the code raise that shows them."""


class Checked:
    """A run directory whose files were checked.

    Attributes:
        damaged: For each file that cannot be read or shown the reason, by its name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.damaged = folder, dict[str, str]()
        checks: dict[str, Callable[[Path], object]] = {
            "manifest.json": lambda path: Run(folder).manifest(),
            "recipe.yaml": _check_recipe,
            "card.json": runs.read_object,
            "lengths.json": runs.read_object,
            "scores.json": lambda path: Results.from_dict(runs.read_object(path), path.name),
            "metrics.jsonl": _check_lines,
            "predictions.jsonl": _check_lines,
        }
        for name, check in checks.items():
            path = folder / name
            if os.path.lexists(path) or (name == "recipe.yaml" and (folder / "manifest.json").is_file()):
                self.build(name, lambda check=check, path=path: check(path), None)  # type: ignore[misc]

    def build(self, name: str, build: Callable[[], Value], otherwise: Value) -> Value:
        """What `build` returns; where the content of the file makes it fail, the reason is kept.

        Args:
            name: The name of the file.
            build: Reads it.
            otherwise: The value where it fails.
        """
        try:
            return build()
        except FAULTS as error:
            self.damaged.setdefault(name, _reason(error)[:300])
            return otherwise

    def section(self, name: str, build: Callable[[Path], Block]) -> Block:
        """The section of a file, or a sentence that says why there is none."""
        block = self.build(name, lambda: build(self.folder / name), None)
        return block if block is not None else Block(self.sentence(name))

    def sentence(self, name: str) -> str:
        """Why a file is not shown."""
        return f"{name} cannot be shown: {self.damaged.get(name, 'it is empty')}."


def _reason(error: Exception) -> str:
    """What an error says, without the folder that the run is in, which may be moved."""
    if not isinstance(error, ZooError):
        return f"{type(error).__name__}: {error}"
    line = error.where.rpartition(":")[2]
    place = f"line {line}: " if line.isdigit() else ""
    return f"{place}{error.found}" + (f"; expected {error.expected}" if error.expected else "")


def _check_recipe(path: Path) -> None:
    """Raise a ZooError if recipe.yaml is gone, is no YAML or was edited; one of another version may be shown."""
    if not path.exists():
        raise ZooError("the file is missing", "the settings that the run began with")
    started_with, _ = sections.read(path.with_name("manifest.json"), "")  # which names itself if it is damaged
    started_with = started_with.get("recipe") if isinstance(started_with, dict) else None
    values = settings.read(path)[0]
    check_settings(path, started_with if isinstance(started_with, dict) else values)


def _check_lines(path: Path) -> None:
    """Raise a ZooError for lines that are no objects; the last may be the half of a line of a killed process."""
    unreadable = sections.unreadable_lines(path)
    if unreadable:
        lines = "line" if len(unreadable) == 1 else "lines"
        shown = ", ".join(map(str, unreadable[:5])) + (", ..." if len(unreadable) > 5 else "")
        raise ZooError(f"{len(unreadable)} unreadable {lines} ({shown})", "a JSON object a line", where=str(path))
