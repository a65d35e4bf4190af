"""From the name of a backbone to what transformers opens: a folder, or the id of a repository on the hub."""

from __future__ import annotations

from pathlib import Path

from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.models import downloads
from instructzoo.core.models.backbones import BACKBONES, HUB_ID, local_folder


def resolve(name: str) -> Path | str:
    """Return what transformers opens for a backbone; a pinned asset that is not in the cache yet is fetched first.

    Args:
        name: A name of the table in `models/backbones.py`, a local folder, a hub id, or `scratch:...`.

    Returns:
        A local folder or a hub id; `scratch:...` as it is.

    Raises:
        ZooError: The name is unknown (with a suggestion), or it is a path to no folder or to one without config.json.

    Example:
        >>> resolve("flan-t5-small")
        'google/flan-t5-small'
    """
    if name.startswith("scratch:"):
        return name
    if (backbone := BACKBONES.get(name)) is not None:
        return downloads.fetch(name) if backbone.files else backbone.origin
    if (folder := local_folder(name)) is not None:
        return folder
    if HUB_ID.fullmatch(name):
        return name
    raise ZooError(
        f'no backbone "{name}"', suggest(name, BACKBONES), "zoo fetch --list names the known ones", "model.backbone"
    )
