"""Hashes of files that are read at every start: of a large one, only when it has changed.

The hashes of large files are kept in hashes.json of the cache, each with what tells that a file has changed: its size,
its inode, and when its content and its inode were changed last. The last of these no program can set back, so that a
file which another replaces with the same size and time is hashed again. Small files are hashed every time.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from instructzoo.core import runs
from instructzoo.core.errors import ZooError

LARGE = 1 << 22
"""Bytes from which the hash of a file is kept."""

SETTLED = 2.0
"""Seconds since the last change from which the hash is kept: a file system may give two changes one time."""

KEPT = 1000
"""Hashes that are kept, the newest ones."""


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hex; of a large file that has not changed, the one that was kept.

    Raises:
        OSError: There is no such file, or it cannot be read.
    """
    before = _stamp(path)
    if before[0] < LARGE:
        return runs.sha256(path)
    store, name = runs.cache() / "hashes.json", str(path.resolve())
    entry = _kept(store).get(name)
    if entry is not None and entry[:-1] == before:
        return str(entry[-1])
    digest = runs.sha256(path)
    changed = max(before[2:]) / 1e9
    if before == _stamp(path) and time.time() - changed > SETTLED:
        entries = {key: value for key, value in _kept(store).items() if key != name} | {name: [*before, digest]}
        with contextlib.suppress(ZooError):  # a cache that this user cannot write to: the file is hashed every time
            runs.write_json(store, dict(list(entries.items())[-KEPT:]))
    return digest


def _stamp(path: Path) -> list[int]:
    """Size in bytes, inode, and the times of the last changes in nanoseconds."""
    status = path.stat()
    return [status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]


def _kept(store: Path) -> dict[str, list[int | str]]:
    """The hashes that are kept, by path; none where the file is absent or damaged."""
    try:
        entries = runs.read_object(store)
    except ZooError:
        return {}
    return entries if all(isinstance(entry, list) and entry for entry in entries.values()) else {}
