"""Hashes of a model's files, kept in hashes.json beside them and checked before the model is loaded.

    {"model.safetensors": {"bytes": 2787848, "sha256": "9f86d0..."}, "unet/config.json": {...}, ...}

A flipped bit, an incomplete copy or a pointer of Git LFS is then an error, and not a model that answers nonsense. Sizes
are compared first, which costs nothing; then every file is read once, at 0.5 to 2 GB a second of one core, and loading
finds it in the system's memory afterwards. So is a file that was put there later and that a library might open. A
folder without hashes.json (of an earlier version, of another program) is loaded unchecked.

    python -m instructzoo.core.model_hashes FOLDER     after files of a bundled model were changed on purpose
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from instructzoo.core.atomic_files import read_object, sha256, write_json
from instructzoo.core.errors import ZooError

HASHES = "hashes.json"
"""The file of the hashes."""

OPENED = (".json", ".safetensors")
"""Suffixes of files that libraries open where they find them."""

UNHASHED = (HASHES, "scores.json", "everyday.json", "README.md")
"""Files that decide no answer, and may be written anew."""


def write_hashes(folder: Path) -> None:
    """Write hashes.json of the files in a folder and below it."""
    files = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    hashes = {name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for name, path in files.items()}
    write_json(folder / HASHES, hashes)


def check_hashes(folder: Path) -> None:
    """Check the files of a folder against its hashes.json, where it has one.

    Raises:
        ZooError: A file is missing, was changed or was added.
    """
    if not (folder / HASHES).is_file():
        return
    hashes = read_object(folder / HASHES, "the sizes and hashes of a model's files")
    for name, values in hashes.items():
        problem = _difference(folder / name, values)
        if problem:
            found, expected = problem
            raise ZooError(f"cannot load: {found}", expected, _FIX, str(folder / name))
    for path in _files(folder):
        if path.suffix in OPENED and path.relative_to(folder).as_posix() not in hashes:
            raise ZooError(f"cannot load: the file is not in {HASHES}", "the model as it was saved", _FIX, str(path))


_FIX = "copy or install the model again, or train it again"


def _difference(path: Path, values: object) -> tuple[str, str] | None:
    """What a file is and what it was when it was hashed, where the two differ."""
    size, digest = (values.get("bytes"), values.get("sha256")) if isinstance(values, dict) else (None, None)
    if not path.is_file():
        return "the file is missing", "all files of the saved model"
    try:
        if path.stat().st_size != size:
            return f"{path.stat().st_size:,} bytes", f"{size:,} bytes" if isinstance(size, int) else "its recorded size"
        found = sha256(path)
    except OSError as error:
        return f"cannot read: {error.strerror}", "a file that can be read"
    return None if found == digest else (f"sha256 {found[:16]}", f"{str(digest)[:16]}, as the model was saved")


def _files(folder: Path) -> Iterator[Path]:
    """The hashed files of a folder, in order; hidden ones and the caches of Python are no part of a model."""
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        hidden = any(part.startswith((".", "__")) for part in inner.parts)
        if path.is_file() and not hidden and inner.as_posix() not in UNHASHED:
            yield path


if __name__ == "__main__":
    write_hashes(Path(sys.argv[1]))
