"""Files of a published corpus are found in every folder that a user may name, and never those of a neighbour."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructzoo.core.data.corpora import locate, one_file_per_split
from instructzoo.core.errors import ZooError

FILES = {"train": r"train\.txt", "test": r"(?:gold/)?test\.txt"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    corpus = tmp_path / "sets" / "ie" / "family" / "one"
    (corpus / "gold").mkdir(parents=True)
    for name in ("TRAIN.txt", "gold/test.txt", "notes.md"):
        (corpus / name).write_text("x")
    (corpus.parent / "two").mkdir()
    (corpus.parent / "two" / "train.txt").write_text("x")
    return tmp_path / "sets"


def found(path: Path, alone: bool = True) -> dict[str, list[Path]]:
    return locate("family/one", "family/one", FILES, str(path), alone, "ie", ("family/two",))


@pytest.mark.parametrize("below", [".", "ie", "ie/family", "ie/family/one"])
def test_the_corpus_is_found_from_every_folder_around_it(folder: Path, below: str) -> None:
    by_split = found(folder / below)
    assert {split: [p.name for p in paths] for split, paths in by_split.items()} == {
        "train": ["TRAIN.txt"],
        "test": ["test.txt"],
    }


def test_a_neighbours_folder_is_never_taken_for_the_corpus(folder: Path) -> None:
    with pytest.raises(ZooError, match="no file of family/one"):
        found(folder / "ie" / "family" / "two")


def test_one_file_is_read_where_it_is_the_only_source(folder: Path) -> None:
    file = folder / "ie" / "family" / "one" / "gold" / "test.txt"
    assert found(file) == {"test": [file]}
    with pytest.raises(ZooError, match="one file for several sources"):
        found(file, alone=False)


def test_a_missing_path_says_what_to_set() -> None:
    with pytest.raises(ZooError, match=r'data\.path: the source "family/one" is read from files'):
        locate("family/one", "family/one", FILES, None, True)


def test_two_files_of_one_split_are_an_error_where_one_is_wanted(tmp_path: Path) -> None:
    assert one_file_per_split({"train": [tmp_path]}) == {"train": tmp_path}
    with pytest.raises(ZooError, match="2 train files"):
        one_file_per_split({"train": [tmp_path / "a", tmp_path / "b"]})
