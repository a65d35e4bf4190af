"""Writes JSON Lines: a complete file at once, or a file that is appended to and may have been cut off by a kill."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from instructzoo.core import runs


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write JSON Lines; if an error occurs, no file is written.

    Args:
        path: The file.
        rows: The objects; an iterator is written as a stream.

    Returns:
        The number of lines.
    """
    count = 0
    with runs.atomic_file(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def repair_jsonl(path: Path) -> int:
    """Prepare a file of JSON Lines for appending: an incomplete last line, left by a kill, is removed.

    Args:
        path: The file; it need not exist.

    Returns:
        The number of complete lines.
    """
    if not path.is_file():
        return 0
    line_count, end = 0, 0
    with path.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            line_count, end = line_count + 1, end + len(line)
        file.truncate(end)
    return line_count
