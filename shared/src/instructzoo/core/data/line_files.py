"""What readers of corpora share: numbered lines, errors about them, rows left out, and the split of a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from instructzoo.core.data.readers import existing_path, numbered_lines, shorten
from instructzoo.core.errors import ZooError

_SPLIT_WORDS = {
    "train": "train(?:ing)?",
    "validation": "dev|devel|development|val|valid|validation|testa",
    "test": "test|testing|testb|gold",
}
_SPLIT_PATTERNS = {
    split: re.compile(rf"(?<![a-z])(?:{words})(?:set|data)?(?![a-z])") for split, words in _SPLIT_WORDS.items()
}


class LeftOut(NamedTuple):
    """A row that a reader leaves out, and why: `reason` is counted as a remark."""

    where: str
    reason: str


class _Remarked(Protocol):
    """A dataclass with remarks."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def remarks(self) -> tuple[str, ...]: ...


T = TypeVar("T", bound=_Remarked)


def without_left_out(rows: Iterable[T | LeftOut], path: Path, expected: str, fix: str) -> Iterator[T]:
    """The rows of a file that are not left out; every one that is becomes a remark of a row beside it.

    Args:
        rows: What a reader made of the rows of the file.
        path: The file.
        expected: What the file should hold, for the error.
        fix: What to do where it holds nothing of the kind.

    Yields:
        The rows.

    Raises:
        ZooError: Where all rows are left out.
    """
    reasons: list[str] = []
    waiting: T | None = None
    for row in rows:
        if isinstance(row, LeftOut):
            reasons.append(row.reason)
            continue
        if waiting is not None:
            yield waiting
        waiting, reasons = replace(row, remarks=(*row.remarks, *reasons)), []
    if waiting is not None:
        yield replace(waiting, remarks=(*waiting.remarks, *reasons))
    elif reasons:
        counts = "; ".join(f"{reasons.count(reason):,} {reason}" for reason in dict.fromkeys(reasons))
        raise ZooError(f"no row is left: {counts}", expected, fix, str(path))


def lines(path: Path, require_text: bool = True) -> Iterator[tuple[int, str]]:
    """Read the lines of a file, blank ones included. Only a line feed ends a line.

    Args:
        path: The file.
        require_text: Whether a file without text is an error.

    Yields:
        The number of each line, from 1, and its text without line feed and carriage return.

    Raises:
        ZooError: The file is missing, is not UTF-8, or has no text although `require_text` is set.
    """
    empty = True
    with existing_path(path).open("rb") as file:
        for number, line in numbered_lines(file, str(path)):
            empty = empty and not line.strip()
            yield number, line
    if require_text and empty:
        raise ZooError("holds no sentence", "at least one", "check that the file was written whole", str(path))


def malformed(found: object, form: str, where: str) -> ZooError:
    """The error for content that does not have the expected form.

    Args:
        found: The content; a value that is not a text is shown as Python writes it. Long ones are shortened.
        form: The expected form in words.
        where: File and line.

    Returns:
        The error, for the caller to raise.
    """
    text = found if isinstance(found, str) else repr(found)
    return ZooError(f"found {shorten(text)}", form, "correct or remove it", where)


def split_from_name(name: str) -> str:
    """Recognise the split of a file from its name.

    Only complete words count: "device_reviews.csv" is not "dev". eng.testa of CoNLL-2003 is its development split.

    Args:
        name: The name of the file, or its path below the data's folder.

    Returns:
        "train", "validation" or "test"; "train" if the name contains no word for a split.
    """
    return next((split for split, pattern in _SPLIT_PATTERNS.items() if pattern.search(name.lower())), "train")
