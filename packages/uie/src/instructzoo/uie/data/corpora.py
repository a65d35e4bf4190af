"""The published data sets: their folders, files, formats and licences; and where users' own files are found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from instructzoo.core.data import corpora as core_corpora
from instructzoo.core.data import readers as core_readers
from instructzoo.core.data.line_files import split_from_name
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError
from instructzoo.uie.data import readers

OWN_SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".tsv", ".txt", ".ann", ".json", ".jsonl")


@dataclass(frozen=True)
class Corpus:
    """A published data set.

    Attributes:
        folder: Its folder below `data.path`.
        files: For each split, a pattern of the file's name.
        reader: A key of `readers.READERS`.
        licence: The licence of the data.
    """

    folder: str
    files: Mapping[str, str]
    reader: str
    licence: str


def _crossner(domain: str) -> Corpus:
    files = {"train": r"train\.txt", "validation": r"dev\.txt", "test": r"test\.txt"}
    return Corpus(f"crossner/{domain}", files, "conll", "MIT")


CORPORA: dict[str, Corpus] = {
    **{f"crossner/{name}": _crossner(name) for name in ("ai", "literature", "music", "politics", "science")},
    "wnut17": Corpus(
        "wnut17",
        {
            "train": r"wnut17train\.conll",
            "validation": r"emerging\.dev\.conll",
            "test": r"emerging\.test(\.annotated|\.conll)*",
        },
        "conll",
        "CC-BY-4.0",
    ),
    "ncbi": Corpus(
        "ncbi_disease",
        {"train": r"train\.tsv", "validation": r"devel\.tsv", "test": r"test\.tsv"},
        "conll",
        "CC-BY-4.0",
    ),
    "conll04": Corpus(
        "conll04",
        {split: rf"{word}\.CoNLL04\.json" for split, word in zip(SPLITS, ("train", "valid", "test"), strict=True)},
        "conll04",
        "no licence file (research use)",
    ),
    "semeval2010": Corpus(
        "semeval2010_task8",
        {"train": r"TRAIN_FILE\.TXT", "test": r"TEST_FILE_FULL\.TXT"},
        "semeval",
        "CC-BY-3.0",
    ),
    "phee": Corpus(
        "phee",
        {split: rf"{word}\.jsonl?" for split, word in zip(SPLITS, ("train", "dev", "test"), strict=True)},
        "phee",
        "MIT",
    ),
}
"""Folders and names of the files as in their repositories, which the package's README lists."""


def locate(name: str, path: str | None, only_source: bool) -> dict[str, list[Path]]:
    """Find the files of a published data set.

    Args:
        name: A key of CORPORA.
        path: The setting data.path: a folder that contains the set's folder (crossner/ai/), or the last component of
            it (ai/), or a folder ie/ with one of these; with a single source also the set's own folder, or one file,
            whose name decides its split (train where it names none).
        only_source: Whether the recipe has no other source that is read from files.

    Returns:
        The files by split.

    Raises:
        ZooError: Where none of the files is found.
    """
    corpus, siblings = CORPORA[name], [other.folder for other in CORPORA.values()]
    return core_corpora.locate(name, corpus.folder, corpus.files, path, only_source, "ie", siblings)


def own_files(path: str | None, only_source: bool) -> tuple[dict[str, list[Path]], list[str]]:
    """Find the user's own file, or all files of a folder.

    Args:
        path: The setting data.path. With other sources, the folder own/ in it is read.
        only_source: Whether the recipe has no other source that is read from files.

    Returns:
        The files by split, which the name of a file or its folder decides ("dev/7.ann"; train where it names none),
        and the names of the files that were skipped.

    Raises:
        ZooError: For a data file in no known format, and where there is no data file.
    """
    root = core_corpora.data_path("own", path)
    if not only_source:
        root = core_readers.existing_path(root / "own", folder=True)
    candidates = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
    files: dict[str, list[Path]] = {}
    skipped = []
    for file in candidates:
        if len(candidates) > 1 and file.suffix.lower() not in OWN_SUFFIXES:
            skipped.append(file.name)
        elif file.suffix.lower() != ".txt" or not file.with_suffix(".ann").is_file() or len(candidates) == 1:
            if readers.format_of(file) is None:
                raise readers.unknown_format(file)
            relative = file.name if file == root else file.relative_to(root).as_posix()
            files.setdefault(split_from_name(relative), []).append(file)
    if not files:
        raise ZooError("no data file in this folder", f"files that end in {', '.join(OWN_SUFFIXES)}", where=str(root))
    return files, skipped


def name_of(path: Path) -> str:
    """The published data set that a file belongs to, by its name and folders; "" where it belongs to none."""
    resolved = path.resolve()
    for name, corpus in CORPORA.items():
        matches = any(re.fullmatch(pattern, resolved.name, re.IGNORECASE) for pattern in corpus.files.values())
        if matches and resolved.parent.as_posix().endswith(f"/{corpus.folder}"):
            return name
    return ""
