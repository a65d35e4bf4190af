"""The K-shot sampler draws what the public one draws, and reports the classes that it cannot fill."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from instructzoo.absa.data import few_shot
from instructzoo.absa.data.readers import text_lines
from instructzoo.absa.data.readers.base import Sentence
from instructzoo.absa.schema import Quad
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
    result = []
    for number, row in enumerate(rows):
        quads = tuple(Quad("It", category, "good", "positive") for category in row)
        result.append(Sentence(f"sentence  {number}", quads, f"f:{number}"))
    return result


def published(root: Path, name: str) -> list[Sentence]:
    reader = text_lines.read_aste if name == "lap14" else text_lines.read_asqp
    return list(reader(root / "absa" / FILES[name]))


@pytest.mark.realdata
def test_draws_equal_those_of_the_public_few_shot_sampler(realdata: Path) -> None:
    corpora = {name: published(realdata, name) for name in FILES}
    digest_lines = (realdata / "absa" / "kshot_sha256.txt").read_text().splitlines()
    assert len(digest_lines) == 30
    for line in digest_lines:
        digest, path = line.split()
        name, file = path.split("/")
        _, _, k, _, seed = file.removesuffix(".txt").split("_")
        index = [few_shot.seed_of_draw(i) for i in range(5)].index(int(seed))
        drawn = few_shot.sample(corpora[name], int(k), index)
        text = few_shot.to_lines([corpora[name][i] for i in drawn.indices])
        assert hashlib.sha256(text.encode()).hexdigest() == digest, path


@pytest.mark.realdata
def test_draws_have_the_published_sizes_and_report_unfilled_classes(realdata: Path) -> None:
    for name in FILES:
        corpus = published(realdata, name)
        for k, sizes in SIZES.items():
            draws = [few_shot.sample(corpus, k, index) for index in range(5)]
            assert [len(draw.indices) for draw in draws] == sizes[name]
            short = {"rest15": {20: 16, 50: 16}, "rest16": {50: 23}}.get(name, {}).get(k)
            assert all(draw.unfilled == ({"LOCATION": short} if short else {}) for draw in draws), (name, k)


@pytest.mark.realdata
def test_a_draw_written_as_lines_is_read_back_unchanged(realdata: Path, tmp_path: Path) -> None:
    for name in FILES:
        corpus = published(realdata, name)
        chosen = [corpus[i] for i in few_shot.sample(corpus, 10).indices]
        path = tmp_path / f"{name}.txt"
        path.write_text(few_shot.to_lines(chosen), encoding="utf-8")
        again = list(text_lines.read_asqp(path))
        assert few_shot.to_lines(again) == path.read_text(encoding="utf-8")
        assert [s.tasks for s in again] == [s.tasks for s in chosen]


def test_unfilled_classes_are_reported() -> None:
    drawn = few_shot.sample(sentences(["FOOD#QUALITY"], ["FOOD#PRICES"], ["DRINKS#QUALITY"]), 2)
    assert drawn.counts == {"FOOD": 2, "DRINKS": 1}
    assert drawn.unfilled == {"DRINKS": 1}
    assert sorted(drawn.indices) == [0, 1, 2]


def test_sentences_of_filled_classes_are_not_drawn() -> None:
    rows = [["FOOD#QUALITY"]] * 50 + [["DRINKS#QUALITY", "FOOD#QUALITY"]]
    drawn = few_shot.sample(sentences(*rows), 1)
    assert len(drawn.indices) <= 2
    assert 50 in drawn.indices
    assert not drawn.unfilled


def test_draws_differ_by_index_and_are_reproducible() -> None:
    rows = sentences(*[[f"{name}#GENERAL"] for name in "ABCD" * 20])
    draws = [few_shot.sample(rows, 3, index).indices for index in range(5)]
    assert len(set(draws)) == 5
    assert draws == [few_shot.sample(rows, 3, index).indices for index in range(5)]
    assert [few_shot.seed_of_draw(index) for index in range(3)] == [12347, 13584, 14821]


def test_lines_are_written_in_the_published_format() -> None:
    quads = (Quad(None, "FOOD#QUALITY", "Fine", "positive"), Quad("Wine List", None, None, "neutral"))
    text = few_shot.to_lines([Sentence("It was  Fine .", quads, "f:1")])
    assert text == (
        "It was Fine .####[('none', 'FOOD#QUALITY', 'positive', 'fine'), ('wine list', 'laptop', 'neutral', 'none')]\n"
    )


def test_no_classes_or_zero_shots_is_an_error() -> None:
    with pytest.raises(ZooError, match="no sentence has a tuple"):
        few_shot.sample(sentences([], []), 5)
    with pytest.raises(ZooError, match="0 shots; expected at least 1"):
        few_shot.sample(sentences(["FOOD#QUALITY"]), 0)
