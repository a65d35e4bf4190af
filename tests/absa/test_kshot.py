"""The K-shot sampler draws what the public one draws, and says where it cannot fill a class."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from instructzoo.absa import kshot, readers_lines
from instructzoo.absa.quads import Quad
from instructzoo.absa.readers_base import Sentence
from instructzoo.core.errors import ZooError

FILES = {
    "rest15": "asqp/rest15/train.txt",
    "rest16": "asqp/rest16/train.txt",
    "lap14": "aste_v2/14lap/train_triplets.txt",
}
SIZES = {
    5: {"rest15": [25, 23, 18, 22, 23], "rest16": [22, 23, 26, 23, 25], "lap14": [11, 11, 11, 9, 9]},
    10: {"rest15": [46, 47, 40, 44, 43], "rest16": [43, 47, 50, 44, 47], "lap14": [19, 20, 19, 17, 19]},
    20: {"rest15": [86, 84, 77, 85, 81], "rest16": [77, 90, 95, 87, 94], "lap14": [40, 41, 41, 37, 41]},
    50: {"rest15": [181, 182, 178, 190, 185], "rest16": [179, 197, 201, 200, 199], "lap14": [106, 104, 100, 97, 104]},
}
"""Sentences of draws 0 to 4, as the repository's own scripts made them."""


def sentences(*rows: list[str]) -> list[Sentence]:
    """Sentences with one tuple for each category."""
    made = []
    for number, row in enumerate(rows):
        quads = tuple(Quad("It", category, "good", "positive") for category in row)
        made.append(Sentence(f"sentence  {number}", quads, f"f:{number}"))
    return made


def published(root: Path, name: str) -> list[Sentence]:
    reader = readers_lines.aste if name == "lap14" else readers_lines.asqp
    return list(reader(root / "absa" / FILES[name]))


@pytest.mark.realdata
def test_a_draw_differs_from_the_public_samplers(realdata: Path) -> None:
    corpora = {name: published(realdata, name) for name in FILES}
    wanted = (realdata / "absa" / "kshot_sha256.txt").read_text().splitlines()
    assert len(wanted) == 30
    for line in wanted:
        digest, path = line.split()
        name, file = path.split("/")
        _, _, k, _, seed = file.removesuffix(".txt").split("_")
        index = [kshot.seed(i) for i in range(5)].index(int(seed))
        drawn = kshot.sample(corpora[name], int(k), index)
        text = kshot.lines([corpora[name][place] for place in drawn.places])
        assert hashlib.sha256(text.encode()).hexdigest() == digest, path


@pytest.mark.realdata
def test_a_draw_has_another_size_or_hides_an_unfilled_class(realdata: Path) -> None:
    for name in FILES:
        corpus = published(realdata, name)
        for k, sizes in SIZES.items():
            drawn = [kshot.sample(corpus, k, index) for index in range(5)]
            assert [len(one.places) for one in drawn] == sizes[name]
            short = {"rest15": {20: 16, 50: 16}, "rest16": {50: 23}}.get(name, {}).get(k)
            assert all(one.unfilled == ({"LOCATION": short} if short else {}) for one in drawn), (name, k)


@pytest.mark.realdata
def test_a_published_draw_is_not_read_back(realdata: Path, tmp_path: Path) -> None:
    for name in FILES:
        corpus = published(realdata, name)
        chosen = [corpus[place] for place in kshot.sample(corpus, 10).places]
        path = tmp_path / f"{name}.txt"
        path.write_text(kshot.lines(chosen), encoding="utf-8")
        again = list(readers_lines.asqp(path))
        assert kshot.lines(again) == path.read_text(encoding="utf-8")
        assert [s.tasks for s in again] == [s.tasks for s in chosen]


def test_a_class_that_runs_short_is_not_reported() -> None:
    drawn = kshot.sample(sentences(["FOOD#QUALITY"], ["FOOD#PRICES"], ["DRINKS#QUALITY"]), 2)
    assert drawn.counts == {"FOOD": 2, "DRINKS": 1}
    assert drawn.unfilled == {"DRINKS": 1}
    assert sorted(drawn.places) == [0, 1, 2]


def test_a_sentence_of_filled_classes_is_drawn() -> None:
    rows = [["FOOD#QUALITY"]] * 50 + [["DRINKS#QUALITY", "FOOD#QUALITY"]]
    drawn = kshot.sample(sentences(*rows), 1)
    assert len(drawn.places) <= 2
    assert 50 in drawn.places
    assert not drawn.unfilled


def test_another_draw_is_the_same() -> None:
    rows = sentences(*[[f"{name}#GENERAL"] for name in "ABCD" * 20])
    draws = [kshot.sample(rows, 3, index).places for index in range(5)]
    assert len(set(draws)) == 5
    assert draws == [kshot.sample(rows, 3, index).places for index in range(5)]
    assert [kshot.seed(index) for index in range(3)] == [12347, 13584, 14821]


def test_a_published_line_differs() -> None:
    quads = (Quad(None, "FOOD#QUALITY", "Fine", "positive"), Quad("Wine List", None, None, "neutral"))
    text = kshot.lines([Sentence("It was  Fine .", quads, "f:1")])
    assert text == (
        "It was Fine .####[('none', 'FOOD#QUALITY', 'positive', 'fine'), ('wine list', 'laptop', 'neutral', 'none')]\n"
    )


def test_data_without_classes_ends_in_a_traceback() -> None:
    with pytest.raises(ZooError, match="no sentence has a tuple"):
        kshot.sample(sentences([], []), 5)
    with pytest.raises(ZooError, match="0 shots; expected at least 1"):
        kshot.sample(sentences(["FOOD#QUALITY"]), 0)
