"""The published data sets: the folder and names of their files, their format, their domain and their licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from instructzoo.core.data import corpora, readers
from instructzoo.core.data.line_files import split_from_name
from instructzoo.core.errors import ZooError

RESEARCH = "no licence file (research release)"
SEMEVAL = "research use (SemEval); the CSV files' repository is MIT"


@dataclass(frozen=True)
class Corpus:
    """A published data set.

    folder: where its authors' layout has it, below the folder of its family ("asqp/rest16"); file_patterns: for each
    split, a regular expression of its file's path in that folder; reader: the format of the files.
    """

    folder: str
    file_patterns: Mapping[str, str]
    reader: str
    domain: str
    licence: str = RESEARCH


def _asqp(name: str) -> Corpus:
    return Corpus(f"asqp/{name}", {split: rf"{file}\.txt" for split, file in _FILE_NAMES.items()}, "asqp", "restaurant")


def _acos(domain: str) -> Corpus:
    patterns = {split: rf"\w+_quad_{file}\.tsv" for split, file in _FILE_NAMES.items()}
    return Corpus(f"acos/{domain}", patterns, "acos", domain)


def _aste(name: str, domain: str) -> Corpus:
    patterns = {split: rf"{file}_triplets\.txt" for split, file in _FILE_NAMES.items()}
    return Corpus(f"aste_v2/{name}", patterns, "aste", domain)


def _semeval(year: str, word: str, domain: str) -> Corpus:
    """CSV files are in Train/ and Test/; the names of the XML files changed over the years."""
    pattern = rf"(?:(?:train|test)/)?\w*{word}[\w.-]*?{{}}[\w.-]*\.(?:csv|xml|xml\.gold)"
    patterns = {"train": pattern.format("train"), "test": pattern.format("test")}
    return Corpus(f"semeval/SemEval{year}", patterns, "semeval", domain, SEMEVAL)


_FILE_NAMES = {"train": "train", "validation": "dev", "test": "test"}

CORPORA: dict[str, Corpus] = {
    "asqp/rest15": _asqp("rest15"),
    "asqp/rest16": _asqp("rest16"),
    "acos/restaurant": _acos("restaurant"),
    "acos/laptop": _acos("laptop"),
    "aste/14lap": _aste("14lap", "laptop"),
    "aste/14res": _aste("14res", "restaurant"),
    "aste/15res": _aste("15res", "restaurant"),
    "aste/16res": _aste("16res", "restaurant"),
    "semeval/2014-laptop": _semeval("14", "lap", "laptop"),
    "semeval/2014-restaurant": _semeval("14", "rest", "restaurant"),
    "semeval/2015-restaurant": _semeval("15", "rest", "restaurant"),
    "semeval/2015-hotel": _semeval("15", "hotel", "hotel"),
    "semeval/2016-restaurant": _semeval("16", "rest", "restaurant"),
}


def locate(name: str, path: str | None, only_source: bool) -> dict[str, Path]:
    """Find the files of a published data set.

    Args:
        name: one of CORPORA.
        path: `data.path`. A file (with one source only; its name says which split it is, else it is train) or a folder:
            the set's own (with one source only), its family's (asqp/), one that contains the families, or the folder
            that contains these as absa/.
        only_source: whether the recipe names no other source that is read from files.

    Returns:
        The file of each split that has one.

    Raises:
        ZooError: where no file is found, or several files belong to one split.
    """
    corpus = CORPORA[name]
    other_folders = [other.folder for other in CORPORA.values()]
    paths_by_split = corpora.locate(
        name, corpus.folder, corpus.file_patterns, path, only_source, collection="absa", siblings=other_folders
    )
    return corpora.one_file_per_split(paths_by_split)


def own_files(path: str | None, only_source: bool) -> dict[str, Path]:
    """Find your own files: one file (train, unless its name names another split), or one file per split in a folder.

    Args:
        path: `data.path`; with other sources that are read from files, the folder is own/ in it.
        only_source: whether the recipe names no other source that is read from files.

    Returns:
        A file for each split that has one.

    Raises:
        ZooError: without a path, and where two files belong to one split.
    """
    root = corpora.data_path("own", path)
    files: dict[str, Path] = {}
    for file in readers.data_files(root if only_source else root / "own"):
        split = split_from_name(file.name)
        if split in files:
            found = f"two {split} files: {files[split].name}, {file.name}"
            raise ZooError(found, "one", "name one", str(file.parent))
        files[split] = file
    return files
