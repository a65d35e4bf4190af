"""The published sets: where their files lie, in which format, of which domain, under which licence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from instructzoo.core.data import readers
from instructzoo.core.data.line_files import part_of
from instructzoo.core.data.split import PARTS
from instructzoo.core.errors import ZooError, suggest

RESEARCH = "no licence file (research release)"
SEMEVAL = "research use (SemEval); the CSV files' repository is MIT"


@dataclass(frozen=True)
class Corpus:
    """A published set. home: its folder, from its family's down; files: for each part, a pattern of their names."""

    home: str
    files: Mapping[str, str]
    reader: str
    domain: str
    licence: str = RESEARCH


def _asqp(name: str) -> Corpus:
    return Corpus(f"asqp/{name}", {part: rf"{file}\.txt" for part, file in _NAMES.items()}, "asqp", "restaurant")


def _acos(domain: str) -> Corpus:
    files = {part: rf"\w+_quad_{file}\.tsv" for part, file in _NAMES.items()}
    return Corpus(f"acos/{domain}", files, "acos", domain)


def _aste(name: str, domain: str) -> Corpus:
    files = {part: rf"{file}_triplets\.txt" for part, file in _NAMES.items()}
    return Corpus(f"aste_v2/{name}", files, "aste", domain)


def _semeval(year: str, word: str, domain: str) -> Corpus:
    """CSV files lie in Train/ and Test/; the names of the XML files changed with the years."""
    form = rf"(?:(?:train|test)/)?\w*{word}[\w.-]*?{{}}[\w.-]*\.(?:csv|xml|xml\.gold)"
    files = {"train": form.format("train"), "test": form.format("test")}
    return Corpus(f"semeval/SemEval{year}", files, "semeval", domain, SEMEVAL)


_NAMES = {"train": "train", "validation": "dev", "test": "test"}

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


def locate(name: str, path: str | None, alone: bool) -> dict[str, Path]:
    """The files of a published set by part.

    path: a file (one source only; its name says which part it is, else it is train) or a folder: the set's own (one
    source only), its family's (asqp/), or one that holds the families, or their folder absa/.
    Raises ZooError where none of its files is found, or two files claim one part.
    """
    if path is None:
        fix = "set data.path to a folder that holds them; the package's README says where to get them"
        raise ZooError(f'the source "{name}" is read from files', "data.path", fix, "data.path")
    root = readers.existing(path, folder=True)
    corpus = CORPORA[name]
    if root.is_file():
        if not alone:
            raise ZooError(f"one file for several sources ({name} and others)", "a folder", where="data.path")
        return {part_of(root.name): root}
    family, _, home = corpus.home.partition("/")
    places = [root / "absa" / family / home, root / family / home, root / home]
    if alone and not _foreign(root, home):
        places.append(root)
    for folder in places:
        if found := _parts(folder, corpus):
            return found
    wanted = f"{corpus.home}/ with {', '.join(corpus.files)} files"
    raise ZooError(f"no file of {name}", wanted, suggest(home, [p.name for p in root.iterdir()]), str(root))


def own_files(path: str | None, alone: bool) -> dict[str, Path]:
    """Your own file (train, unless its name speaks of another part), or the files of a folder, one for each part.

    With other sources beside, the folder is own/ in data.path.
    """
    if path is None:
        raise ZooError('the source "own" is read from files', "data.path", "name your file or folder", "data.path")
    found: dict[str, Path] = {}
    for file in readers.files(path if alone else Path(path) / "own"):
        part = part_of(file.name)
        if part in found:
            raise ZooError(f"two {part} files: {found[part].name}, {file.name}", "one", "name one", str(file.parent))
        found[part] = file
    return found


def _foreign(folder: Path, home: str) -> bool:
    """Whether a folder bears the name of another set."""
    names = {corpus.home.rpartition("/")[2].lower() for corpus in CORPORA.values()}
    return folder.resolve().name.lower() in names - {home.lower()}


def _parts(folder: Path, corpus: Corpus) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    names = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
    found: dict[str, Path] = {}
    for part in PARTS:
        pattern = corpus.files.get(part)
        fitting = [name for name in names if pattern and re.fullmatch(pattern, name, re.IGNORECASE)]
        if len(fitting) > 1:
            raise ZooError(
                f"{len(fitting)} {part} files: {', '.join(fitting)}", "one", "name the file in data.path", str(folder)
            )
        if fitting:
            found[part] = names[fitting[0]]
    return found
