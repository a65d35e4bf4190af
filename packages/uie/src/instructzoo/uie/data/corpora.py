"""The published sets: where their files lie, in which format, under which licence; and your own files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from instructzoo.core.data import readers as core_readers
from instructzoo.core.data.line_files import part_of
from instructzoo.core.data.split import PARTS
from instructzoo.core.errors import ZooError, suggest
from instructzoo.uie.data import readers

OWN_SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".tsv", ".txt", ".ann", ".json", ".jsonl")


@dataclass(frozen=True)
class Corpus:
    """A published set. home: its folder; files: a pattern of the name for each part; reader: one of READERS."""

    home: str
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
        {part: rf"{word}\.CoNLL04\.json" for part, word in zip(PARTS, ("train", "valid", "test"), strict=True)},
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
        {part: rf"{word}\.jsonl?" for part, word in zip(PARTS, ("train", "dev", "test"), strict=True)},
        "phee",
        "MIT",
    ),
}
"""Homes and names of the files as their repositories have them; the package's README says which these are."""


def locate(name: str, path: str | None, alone: bool) -> dict[str, list[Path]]:
    """The files of a published set by part.

    path: a folder that holds the set's home (crossner/ai/), or its last part (ai/), or the folder ie/ of these; with
    one source also the set's own folder, or one file (its name says which part it is, else it is train).
    Raises ZooError where none of its files is found.
    """
    root, corpus = _root(name, path), CORPORA[name]
    if root.is_file():
        if not alone:
            raise ZooError(f"one file for several sources ({name} and others)", "a folder", where="data.path")
        return {part_of(root.name): [root]}
    last = corpus.home.rpartition("/")[2]
    places = [root / "ie" / corpus.home, root / corpus.home, root / last, root / name]
    foreign = {c.home.rpartition("/")[2] for c in CORPORA.values()} - {last}
    if alone and root.resolve().name not in foreign:
        places.append(root)
    for folder in places:
        if found := _parts(folder, corpus):
            return found
    wanted = f"{corpus.home}/ with {', '.join(corpus.files)} files"
    raise ZooError(f"no file of {name}", wanted, suggest(last, [p.name for p in root.iterdir()]), str(root))


def _root(name: str, path: str | None) -> Path:
    if path is None:
        fix = "set data.path; the package's README says where to get the sets"
        raise ZooError(f'the source "{name}" is read from files', "data.path", fix, "data.path")
    return core_readers.existing(path, folder=True)


def _parts(folder: Path, corpus: Corpus) -> dict[str, list[Path]]:
    if not folder.is_dir():
        return {}
    found: dict[str, list[Path]] = {}
    for file in sorted(p for p in folder.iterdir() if p.is_file()):
        for part, pattern in corpus.files.items():
            if re.fullmatch(pattern, file.name, re.IGNORECASE):
                found.setdefault(part, []).append(file)
    return {part: found[part] for part in PARTS if part in found}


def own_files(path: str | None, alone: bool) -> tuple[dict[str, list[Path]], list[str]]:
    """Your own file, or all files of a folder, by part; and the names that were passed over.

    A part is named in the file's name or its folder's ("dev/7.ann"), else the file is train. With other sources beside,
    the folder is own/ in data.path. Raises ZooError for a data file in no known format, and where there is none at all.
    """
    root = _root("own", path)
    if not alone:
        root = core_readers.existing(root / "own", folder=True)
    every = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
    found: dict[str, list[Path]] = {}
    passed = []
    for file in every:
        if len(every) > 1 and file.suffix.lower() not in OWN_SUFFIXES:
            passed.append(file.name)
        elif file.suffix.lower() != ".txt" or not file.with_suffix(".ann").is_file() or len(every) == 1:
            _known(file)
            inside = file.name if file == root else file.relative_to(root).as_posix()
            found.setdefault(part_of(inside), []).append(file)
    if not found:
        raise ZooError("no data file in this folder", f"files that end in {', '.join(OWN_SUFFIXES)}", where=str(root))
    return found, passed


def _known(file: Path) -> None:
    if readers.format_of(file) is None:
        forms = f"one of {', '.join(readers.READERS)}"
        raise ZooError("a file in no known format", forms, "the package's README describes them", str(file))


def name_of(path: Path) -> str:
    """The published set that a file belongs to, by its name and folders; "" where it is none."""
    place = path.resolve()
    for name, corpus in CORPORA.items():
        fits = any(re.fullmatch(pattern, place.name, re.IGNORECASE) for pattern in corpus.files.values())
        if fits and place.parent.as_posix().endswith(f"/{corpus.home}"):
            return name
    return ""
