"""zoo fetch: a pretrained backbone ahead of time."""

from __future__ import annotations

from typing import Any


def fetch(name: str) -> dict[str, Any]:
    """Resolve a backbone by name, verify its sha256 and convert it once. Returns {"name", "path"}."""
    from instructzoo.core.models import downloads

    return {"name": name, "path": str(downloads.fetch(name))}


def backbones() -> dict[str, Any]:
    """The table of known backbones: {"backbones": [{"name", "kind", "origin", "licence", "note"}]}."""
    from dataclasses import asdict

    from instructzoo.core.models.backbones import BACKBONES

    return {"backbones": [asdict(b) for b in BACKBONES.values()]}
