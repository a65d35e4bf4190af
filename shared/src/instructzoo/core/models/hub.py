"""Repositories of the hub: their safetensors, configuration and tokenizer are fetched; no code and no pickles."""

from __future__ import annotations

from pathlib import Path

from instructzoo.core.atomic_files import read_object
from instructzoo.core.errors import ZooError

HUB_FILES = ("*.json", "*.safetensors", "*.txt", "*.model")
"""Files that are fetched from a repository in the layout of transformers or peft."""

PIPELINE = "model_index.json"
"""The file by which a pipeline of diffusers is known."""

PIPELINE_FILES = (PIPELINE, *(f"{part}/*" for part in ("unet", "vae", "text_encoder", "tokenizer", "scheduler")))
"""Files that are fetched of a pipeline: beside its parts, repositories often hold all weights once more in one file."""

WEIGHTED = ("unet", "vae", "text_encoder")
"""Parts of a pipeline that have weights."""

NEVER = ("*.bin", "*.ckpt", "*.pt", "*.pth", "*.pkl", "*.msgpack", "*.h5", "*.onnx", "*.py")
HALF = ("*.fp16.*", "*.non_ema.*")
"""Weights of a pipeline that stand beside the full ones."""


class NoSafetensors(ZooError):
    """A repository holds no safetensors, and pickles are not opened."""


def snapshot(repository: str, revision: str = "", offline: bool = False) -> Path:
    """Fetch a repository into the hub's own cache; a second call finds it there.

    Args:
        repository: A hub id.
        revision: Commit, branch or pull request; "" for the main branch.
        offline: Whether it is only looked for in the cache.

    Returns:
        The folder of the snapshot.

    Raises:
        NoSafetensors: There are no weights that are opened.
        ZooError: It cannot be fetched, or is not in the cache.
    """
    files: tuple[str, ...] = HUB_FILES
    ignored: tuple[str, ...] = NEVER
    if (_fetch(repository, (PIPELINE,), (), revision, offline) / PIPELINE).is_file():
        files, ignored = PIPELINE_FILES, (*NEVER, *HALF)
    path = _fetch(repository, files, ignored, revision, offline)
    if files is PIPELINE_FILES and not _has_safetensors(path):  # some pipelines have weights in half precision alone
        path = _fetch(repository, files, NEVER, revision, offline)
    if not _has_safetensors(path):
        fix = "convert them where you trust them, and name the folder (docs/models.md)"
        raise NoSafetensors(f"{repository} holds no safetensors", "weights as safetensors; pickles are not opened", fix)
    if missing := missing_files(path):
        problem = f"{repository} was fetched in part: {', '.join(missing[:3])} is missing"
        raise ZooError(problem, "all of its files", f"zoo fetch {repository}, where there is a network")
    return path


def missing_files(snapshot: Path) -> list[str]:
    """What a repository lacks that its own files name: an interrupted fetch leaves a folder that looks complete.

    Args:
        snapshot: The folder of a repository.

    Returns:
        Names of the files: shards of an index, the weights of a part of a pipeline, a configuration.
    """
    missing = []
    for index in sorted(snapshot.rglob("*.safetensors.index.json")):
        shards = set(read_object(index).get("weight_map", {}).values())
        missing += [
            str((index.parent / name).relative_to(snapshot))
            for name in sorted(shards)
            if not (index.parent / name).is_file()
        ]
    if (snapshot / PIPELINE).is_file():
        parts = read_object(snapshot / PIPELINE)
        missing += [
            f"{part}/*.safetensors" for part in WEIGHTED if part in parts and not _has_safetensors(snapshot / part)
        ]
    elif not any((snapshot / name).is_file() for name in ("config.json", "adapter_config.json")):
        missing.append("config.json")
    return missing


def _has_safetensors(path: Path) -> bool:
    return any(path.rglob("*.safetensors"))


def _fetch(repository: str, files: tuple[str, ...], ignored: tuple[str, ...], revision: str, offline: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        folder = snapshot_download(
            repository,
            revision=revision or None,
            allow_patterns=list(files),
            ignore_patterns=list(ignored),
            local_files_only=offline,
        )
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ZooError(f"cannot fetch {repository}: {reason}", "a hub id and a network", "check both") from error
    return Path(folder)
