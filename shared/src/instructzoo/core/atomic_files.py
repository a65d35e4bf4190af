"""Files and folders that are written completely or not at all, and JSON files with errors that name the line.

A name that begins with "." and ends with ".tmp" is a file that was being written when its process was killed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from instructzoo.core.errors import ZooError

UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG)
"""Error numbers of a path that cannot be written to."""


def write_text(path: Path, text: str) -> None:
    """Write or replace a file, completely or not at all."""
    with atomic_file(path) as file:
        file.write(text)


def write_json(path: Path, values: Any) -> None:
    """Write or replace a JSON file, completely or not at all; what JSON does not know is written as text."""
    write_text(path, json.dumps(values, indent=2, ensure_ascii=False, default=str) + "\n")


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[str]]:
    """Open a text file that appears at `path` when the block succeeds, and not at all when it raises.

    It is written to a temporary file in the same folder, flushed to disk and renamed; an older file stays until then.

    Raises:
        ZooError: The disk is full, or the folder cannot be written to.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that becomes `folder` when the block succeeds, and is removed when it raises.

    Raises:
        ZooError: The disk is full, or the folder cannot be written to.
    """
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp"))
        previous = temporary.with_name(f"{temporary.stem}.old.tmp")
        try:
            yield temporary
            for path in temporary.rglob("*"):
                if path.is_file():
                    with path.open("rb") as file:
                        os.fsync(file.fileno())
            temporary.chmod(0o755)
            if folder.exists():
                folder.replace(previous)
            temporary.replace(folder)
        finally:
            if previous.exists() and not folder.exists():
                previous.replace(folder)
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(previous, ignore_errors=True)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the errors of a full disk or an unwritable folder into a ZooError."""
    try:
        yield
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else _os_error_number(str(error))
        if number in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(existing_parent(path)).free / 2**20
            problem = f"the disk is full ({free:.0f} MB free)"
            raise ZooError(problem, "room to write", "free some and run again", str(path)) from error
        if number is not None and number in UNWRITABLE:
            problem = f"cannot write: {os.strerror(number)}"
            raise ZooError(problem, "a folder that may be written", where=str(path)) from error
        raise


def _os_error_number(text: str) -> int:
    """The system's error number in a message of safetensors, which has its own exception; 0 where there is none."""
    match = re.search(r"\(os error (\d+)\)", text)
    return int(match[1]) if match else 0


def existing_parent(path: Path) -> Path:
    """The nearest folder around `path` that exists."""
    return next(p for p in (path, *path.absolute().parents) if p.exists())


def read_json(path: Path) -> Any:
    """Parse a JSON file.

    Raises:
        ZooError: It cannot be read or is no JSON; the error names the file and the line.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ZooError(f"malformed JSON: {error.msg}", "JSON", where=f"{path}:{error.lineno}") from error
    except UnicodeDecodeError as error:
        raise ZooError(f"malformed JSON: {error.reason}", "UTF-8 text", where=str(path)) from error
    except OSError as error:
        raise ZooError(f"cannot read: {error.strerror}", "a JSON file", where=str(path)) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_temporary_files(folder: Path) -> None:
    """Remove what a killed process was writing in `folder`."""
    for path in list(folder.rglob(".*.tmp")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
