"""Files and folders that are written completely or not at all, and JSON files with errors that name the line.

`.NAME.xxxxxxxx.tmp` beside NAME is what a process is writing. The process holds a lock on it, so that the next writer
of NAME can tell what a killed process left (which it removes) from what another process is writing at the time.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
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
        with _temporary(path, folder=False) as (temporary, handle):
            try:
                with os.fdopen(os.dup(handle), "w", encoding="utf-8", newline="\n") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise


@contextlib.contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that becomes `folder` when the block succeeds, and is removed when it raises.

    Its files get the mode that the user's umask gives, also where a library chose another one (safetensors: 0600).

    Raises:
        ZooError: The disk is full, or the folder cannot be written to.
    """
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(folder, folder=True) as (temporary, _):
            previous = temporary.with_name(f"{temporary.stem}.old.tmp")
            try:
                yield temporary
                _finish_files(temporary)
                if folder.exists():
                    folder.replace(previous)
                temporary.replace(folder)
            finally:
                if previous.exists() and not folder.exists():
                    previous.replace(folder)
                shutil.rmtree(temporary, ignore_errors=True)
                shutil.rmtree(previous, ignore_errors=True)


def _finish_files(folder: Path) -> None:
    """Flush the files of a new folder to disk, and let whoever may open the folder open them."""
    mode = folder.stat().st_mode & 0o666
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)
            with path.open("rb") as file:
                os.fsync(file.fileno())


@contextlib.contextmanager
def _temporary(path: Path, folder: bool) -> Iterator[tuple[Path, int]]:
    """Create and lock an empty temporary file or folder for `path`; the lock ends with the block or the process.

    Yields:
        Its path and its file descriptor.
    """
    import fcntl

    remove_stale_files(path)
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        if folder:
            temporary.mkdir()
            handle = os.open(temporary, os.O_RDONLY)
        else:
            handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if temporary.exists():  # else another writer has taken it for a stale one, before it was locked
                yield temporary, handle
                return
        finally:
            os.close(handle)


def remove_stale_files(path: Path) -> None:
    """Remove what killed processes were writing to `path`; what a living process is writing stays."""
    for temporary in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        if _is_locked(temporary) is False:
            _restore_or_remove(temporary)


def _is_locked(path: Path) -> bool | None:
    """Whether a living process writes a temporary file or folder; None where the file system does not tell."""
    import fcntl

    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(handle)
    return False


def _restore_or_remove(path: Path) -> None:
    """Remove what a killed process left. `.NAME.xxxxxxxx.old.tmp`, if it is all that there is of NAME, becomes NAME."""
    name, _, kind = path.name[1:].removesuffix(".tmp").rpartition(".")
    target = path.with_name(name.rpartition(".")[0] or name)
    if kind == "old" and not target.exists():  # killed between the two renames of `atomic_folder`
        path.replace(target)
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


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
        absent = number == errno.ENOENT and str(getattr(error, "filename", "")).startswith(str(path.parent))
        if number is not None and (absent or number in UNWRITABLE):
            problem = f"cannot write: {os.strerror(number)}"
            raise ZooError(problem, "a folder that may be written", where=str(path)) from error
        raise


def check_writable(folder: Path) -> None:
    """Raise a ZooError for a folder that may not be written to, before hours of work whose result belongs there."""
    if not os.access(folder, os.W_OK):
        raise ZooError("cannot write: Permission denied", "a folder that may be written", where=str(folder))


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
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets in thousands
        raise ZooError(f"malformed JSON: {error}", "JSON", where=str(path)) from error
    except OSError as error:
        raise ZooError(f"cannot read: {error.strerror}", "a JSON file", where=str(path)) from error


def read_object(path: Path, expected: str = "a JSON object") -> dict[str, Any]:
    """Parse a JSON file that holds an object.

    Args:
        path: The file.
        expected: What the file should hold, for the error.

    Raises:
        ZooError: It cannot be read, is no JSON, or holds another kind of value; the error names the file.
    """
    values = read_json(path)
    if not isinstance(values, dict):
        found = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(values), "a number")
        raise ZooError(f"the file holds {found}", expected, "put it back, or remove it", str(path))
    return values


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_temporary_files(folder: Path) -> None:
    """Remove what killed processes were writing anywhere in `folder`, which the caller must have locked."""
    for path in list(folder.rglob(".*.tmp")):
        if not _is_locked(path):
            _restore_or_remove(path)
