"""What is checked of a run's manifest and recipe before they are used, since both can be edited or damaged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.core import settings
from instructzoo.core.errors import ZooError

MANIFEST_TYPES = (
    ("state", str, "a text"),
    ("fingerprint", str, "a text"),
    ("data", str, "a text"),
    ("recipe", dict, "an object"),
    ("outcome", dict, "an object"),
    ("resumed", list, "a list"),
    ("checkpoint", int, "a whole number"),
)
"""The values of a manifest that commands rely on."""


def check_manifest(manifest: Mapping[str, Any], path: Path) -> None:
    """Check the types of a manifest's values.

    Args:
        manifest: The content.
        path: The file.

    Raises:
        ZooError: A value is of another type.
    """
    for key, kind, expected in MANIFEST_TYPES:
        if not isinstance(manifest.get(key, kind()), kind):
            raise ZooError(f"{key} is {_shown(manifest[key])}", expected, "put it back", str(path))


def check_scores(scores: Mapping[str, Any], path: Path) -> None:
    """Check that the content of a scores.json has the numbers that cards and tables show.

    Args:
        scores: The content.
        path: The file.

    Raises:
        ZooError: The model has no scores, or a system's are malformed.
    """
    systems = scores.get("systems")
    if not isinstance(systems, dict) or not isinstance(systems.get("model"), dict):
        raise ZooError("no scores of the model", _SCORES, "zoo eval writes them again", str(path))
    for name, system in systems.items():
        figures = system.get("figures") if isinstance(system, dict) else None
        if not isinstance(figures, list) or not all(map(_is_figure, figures)) or (name == "model" and not figures):
            raise ZooError(f"malformed scores of {name}", _SCORES, "zoo eval writes them again", str(path))


_SCORES = '{"systems": {"model": {"figures": [{"metric", "value", "low", "high", "n"}, ...], ...}, ...}, ...}'


def _is_figure(figure: Any) -> bool:
    """Whether a value of scores.json is a number with its interval and its n."""
    names = ("value", "low", "high", "n")
    return isinstance(figure, dict) and all(isinstance(figure.get(name), int | float) for name in names)


def check_settings(path: Path, started_with: Mapping[str, Any]) -> None:
    """Check that the recipe.yaml of a run still holds the settings that the run began with.

    Args:
        path: The file.
        started_with: All settings, as the manifest holds them.

    Raises:
        ZooError: A setting was changed, added or removed; the first one is named.
    """
    found, expected = dict(_flat(settings.read(path)[0])), dict(_flat(started_with))
    for key in sorted(found.keys() | expected.keys()):
        if found.get(key) != expected.get(key):
            problem = f"{key} = {_shown(found[key])}" if key in found else f"no setting {key}"
            began_with = _shown(expected[key]) if key in expected else "no such setting"
            fix = "put it back, or train other settings as another run"
            raise ZooError(problem, f"{began_with}, as the run began (manifest.json)", fix, str(path))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Pairs of dotted key and value."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(value: Any) -> str:
    """A value in one short line."""
    return json.dumps(value, ensure_ascii=False, default=str)[:60]
