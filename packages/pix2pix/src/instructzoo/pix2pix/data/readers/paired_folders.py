"""Reads pairs as files of one name in two folders.

    before/lake.png   after/lake.png   after/lake.txt      the instruction, beside the picture after
    instructions.csv                                       or all instructions: columns file and instruction, and
                                                           optionally input, output (captions) and kind

The two pictures may have different suffixes. Splits may have folders of their own: train/before/lake.png.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.core.data import readers
from instructzoo.core.data.line_files import lines
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError, suggest
from instructzoo.pix2pix.data.readers.base import UNPAIRED, EditExample, Tally, picture_files, read_text

TABLE_FILE = "instructions.csv"
COLUMNS = ("file", "instruction", "input", "output", "kind")


def find_splits(folder: Path, before: str) -> dict[str, Path]:
    """Folders by split: those named after splits if they contain pairs, else the folder itself as train.

    Args:
        folder: The folder of the set.
        before: Name of the folder of pictures before.

    Returns:
        The folder of each split that was found.
    """
    folders = {split: folder / split for split in SPLITS if (folder / split / before).is_dir()}
    return folders or {"train": folder}


def read_examples(folder: Path, before: str, after: str, tally: Tally) -> Iterator[EditExample]:
    """Pairs of a folder by name.

    Args:
        folder: Contains both folders and perhaps instructions.csv.
        before: Name of the folder of pictures before.
        after: Name of the folder of pictures after.
        tally: Counts pictures without a partner if it skips errors.

    Yields:
        An example for each pair.

    Raises:
        ZooError: A folder is missing, a picture lacks its partner or its instruction, or two pictures have one name.
    """
    folder = folder.absolute()
    pictures = [_pictures_by_name(folder, name) for name in (before, after)]
    table = _read_table(folder / TABLE_FILE)
    for name in sorted(pictures[0].keys() ^ pictures[1].keys()):
        present_in, missing_in = (before, after) if name in pictures[0] else (after, before)
        problem = f"{present_in}/{name} and nothing of that name in {missing_in}"
        tally.skip_or_raise(ZooError(problem, "two pictures of one name", "add or remove one", str(folder)), UNPAIRED)
    names = [name for name in pictures[0] if name in pictures[1]]
    if extra := sorted(set(table) - set(pictures[0]) - set(pictures[1])):
        where, values = table[extra[0]]
        raise ZooError(f'no picture "{values["file"]}"', suggest(extra[0], names), "correct or remove the line", where)
    for name in names:
        where, values = table.get(name) or _read_text_file(pictures[1][name])
        texts = {column: read_text(values, column, where) for column in COLUMNS[2:]}
        files = (str(pictures[0][name]), str(pictures[1][name]))
        yield EditExample(where, read_text(values, "instruction", where, required=True), (files,), **texts)


def _pictures_by_name(folder: Path, side: str) -> dict[str, Path]:
    """Pictures of one folder by their path below it, without the suffix."""
    root = folder / side
    if not root.is_dir():
        other_folders = [path.name for path in folder.iterdir() if path.is_dir()]
        fix = "data.options.before and data.options.after name the folders"
        raise ZooError(f'no folder "{side}"', suggest(side, other_folders), fix, str(folder))
    pictures: dict[str, Path] = {}
    for path in picture_files(root):
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in pictures:
            raise ZooError(f"{pictures[name].name} and {path.name}", "one picture of a name", "remove one", str(root))
        pictures[name] = path
    if not pictures:
        raise ZooError("no picture in this folder", "PNG or JPEG files", where=str(root))
    return pictures


def _read_table(path: Path) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Lines of instructions.csv by the picture's name without suffix; empty if there is no such file."""
    lines_by_name: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for where, values in readers.read(path) if path.is_file() else ():
        if unknown := [name for name in values if name not in COLUMNS]:
            raise ZooError(f'column "{unknown[0]}"', suggest(unknown[0], COLUMNS), where=where)
        file = Path(read_text(values, "file", where, required=True))
        if not file.name:
            raise ZooError(f'"file" is {file}', "a picture's name", "correct or remove the line", where)
        name = file.with_suffix("").as_posix()
        if name in lines_by_name:
            raise ZooError(f'a second line for "{name}"', "one line for every pair", "remove one", where)
        lines_by_name[name] = where, values
    return lines_by_name


def _read_text_file(picture: Path) -> tuple[str, Mapping[str, Any]]:
    """The instruction in the text file beside a picture, with line breaks as spaces."""
    path = picture.with_suffix(".txt")
    if not path.is_file():
        fix = f"write it to {path.name} beside it, or to {TABLE_FILE}"
        raise ZooError("no instruction for this picture", "one", fix, str(picture))
    instruction_words = " ".join(line for _, line in lines(path, require_text=False)).split()
    return str(path), {"instruction": " ".join(instruction_words)}
