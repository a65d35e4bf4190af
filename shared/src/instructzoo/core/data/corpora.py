"""Where the files of a published corpus lie in the folder that a user names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from instructzoo.core.data import readers
from instructzoo.core.data.line_files import split_from_name
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError, suggest


def data_path(source: str, path: str | None) -> Path:
    """data.path of a source that is read from files.

    Args:
        source: The source's name, for the error message.
        path: data.path as the recipe has it; None where it is not set.

    Returns:
        The path of the existing file or folder.

    Raises:
        ZooError: Where data.path is not set, or names nothing that exists.
    """
    if path is None:
        fix = "set data.path to a file or folder that holds it; the package's README says where to get published sets"
        raise ZooError(f'the source "{source}" is read from files', "data.path", fix, "data.path")
    return readers.existing_path(path, folder=True)


def locate(
    name: str,
    folder: str,
    files: Mapping[str, str],
    path: str | None,
    alone: bool,
    collection: str = "",
    siblings: Iterable[str] = (),
) -> dict[str, list[Path]]:
    """The files of a published corpus by split.

    Args:
        name: The source's name, such as "asqp/rest15".
        folder: The corpus's own folder, from its family's down, such as "asqp/rest15".
        files: For each split a regular expression that file names, or paths below the folder, match as a whole
            (upper and lower case alike).
        path: data.path: one file (its name says which split it is, else it is train); the corpus's own folder; its
            family's folder; or one that holds the families, or holds them in `collection`.
        alone: Whether no other source is read from data.path; only then it may be one file or the corpus's own folder.
        collection: A folder that may stand around the families, such as "absa".
        siblings: Folders of the other corpora: one of their names is never taken for this corpus's own folder.

    Raises:
        ZooError: Where data.path is not set or none of the corpus's files is found.
    """
    root = data_path(name, path)
    if root.is_file():
        if not alone:
            raise ZooError(f"one file for several sources ({name} and others)", "a folder", where="data.path")
        return {split_from_name(root.name): [root]}
    own_name = folder.rpartition("/")[2]
    candidates = [root / collection / folder, root / folder, root / own_name, root / name]
    foreign_names = {sibling.rpartition("/")[2].lower() for sibling in siblings} - {own_name.lower()}
    if alone and root.resolve().name.lower() not in foreign_names:
        candidates.append(root)
    for candidate in candidates:
        if by_split := _files_by_split(candidate, files):
            return by_split
    expected = f"{folder}/ with {', '.join(files)} files"
    raise ZooError(f"no file of {name}", expected, suggest(own_name, [p.name for p in root.iterdir()]), str(root))


def one_file_per_split(by_split: Mapping[str, list[Path]]) -> dict[str, Path]:
    """The one file of each split.

    Raises:
        ZooError: For several files of one split.
    """
    for split, paths in by_split.items():
        if len(paths) > 1:
            found = f"{len(paths)} {split} files: {', '.join(path.name for path in paths)}"
            raise ZooError(found, "one", "name the file in data.path", str(paths[0].parent))
    return {split: paths[0] for split, paths in by_split.items()}


def _files_by_split(folder: Path, files: Mapping[str, str]) -> dict[str, list[Path]]:
    if not folder.is_dir():
        return {}
    by_name = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    by_split = {
        split: [path for name, path in by_name.items() if re.fullmatch(files[split], name, re.IGNORECASE)]
        for split in SPLITS
        if split in files
    }
    return {split: paths for split, paths in by_split.items() if paths}
