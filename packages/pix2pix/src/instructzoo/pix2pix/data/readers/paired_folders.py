"""Pairs as files of one name in two folders.

    before/lake.png   after/lake.png   after/lake.txt      the instruction, beside the picture after
    instructions.csv                                       or all instructions: columns file and instruction, and what
                                                           you have of input, output (captions) and kind

The suffixes of the two pictures may differ. The parts of a split may have folders of their own: train/before/lake.png.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.core.data import readers
from instructzoo.core.data.line_files import lines
from instructzoo.core.data.split import PARTS
from instructzoo.core.errors import ZooError, suggest
from instructzoo.pix2pix.data.readers.base import UNPAIRED, Edit, Tally, pictures, text

TABLE = "instructions.csv"
COLUMNS = ("file", "instruction", "input", "output", "kind")


def parts(folder: Path, before: str) -> dict[str, Path]:
    """Folders by part: those named after the parts, where they hold pairs; else the folder itself as train."""
    found = {part: folder / part for part in PARTS if (folder / part / before).is_dir()}
    return found or {"train": folder}


def pairs(folder: Path, before: str, after: str, tally: Tally) -> Iterator[Edit]:
    """Pairs of a folder by name. before, after: names of the two folders.

    Raises ZooError for a folder that is missing, a picture without its partner (counted where the tally skips), one
    without an instruction, and two of one name.
    """
    folder = folder.absolute()
    sides = [_named(folder, name) for name in (before, after)]
    told = _table(folder / TABLE)
    for name in sorted(sides[0].keys() ^ sides[1].keys()):
        has, lacks = (before, after) if name in sides[0] else (after, before)
        found = f"{has}/{name} and nothing of that name in {lacks}"
        tally.drop(ZooError(found, "two pictures of one name", "add or remove one", str(folder)), UNPAIRED)
    both = [name for name in sides[0] if name in sides[1]]
    if unused := sorted(set(told) - set(sides[0]) - set(sides[1])):
        where, values = told[unused[0]]
        raise ZooError(f'no picture "{values["file"]}"', suggest(unused[0], both), "mend or remove the line", where)
    for name in both:
        where, values = told.get(name) or _beside(sides[1][name])
        texts = {column: text(values, column, where) for column in COLUMNS[2:]}
        files = (str(sides[0][name]), str(sides[1][name]))
        yield Edit(where, text(values, "instruction", where, needed=True), (files,), **texts)


def _named(folder: Path, side: str) -> dict[str, Path]:
    """Pictures of one side by their path below it, without the suffix."""
    root = folder / side
    if not root.is_dir():
        beside = [path.name for path in folder.iterdir() if path.is_dir()]
        fix = "data.options.before and data.options.after name the folders"
        raise ZooError(f'no folder "{side}"', suggest(side, beside), fix, str(folder))
    found: dict[str, Path] = {}
    for path in pictures(root):
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in found:
            raise ZooError(f"{found[name].name} and {path.name}", "one picture of a name", "remove one", str(root))
        found[name] = path
    if not found:
        raise ZooError("no picture in this folder", "PNG or JPEG files", where=str(root))
    return found


def _table(path: Path) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Lines of instructions.csv by the picture's name without suffix; none where it is not there."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for where, values in readers.read(path) if path.is_file() else ():
        if unknown := [name for name in values if name not in COLUMNS]:
            raise ZooError(f'column "{unknown[0]}"', suggest(unknown[0], COLUMNS), where=where)
        name = Path(text(values, "file", where, needed=True)).with_suffix("").as_posix()
        if name in found:
            raise ZooError(f'a second line for "{name}"', "one line for every pair", "remove one", where)
        found[name] = where, values
    return found


def _beside(picture: Path) -> tuple[str, Mapping[str, Any]]:
    """The instruction in the text file beside a picture, its line breaks as spaces."""
    path = picture.with_suffix(".txt")
    if not path.is_file():
        fix = f"write it to {path.name} beside it, or to {TABLE}"
        raise ZooError("no instruction for this picture", "one", fix, str(picture))
    words = " ".join(line for _, line in lines(path, some=False)).split()
    return str(path), {"instruction": " ".join(words)}
