"""A learning curve is of one setup on one set of test rows, with more and more training rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import api
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.report import results_table
from instructzoo.core.score.learning_curve import points, sentence
from instructzoo.core.score.results import Results
from instructzoo.core.terminal import printers


def scores(rows: int, value: float, items: int = 0, **other: Any) -> dict[str, Any]:
    figure = {"metric": "F1", "value": value, "low": value - 0.05, "high": value + 0.05, "n": 200, "group": "all"}
    system = {"scorer": "strict", "figures": [figure], "headline": ["F1", "all"]}
    setup = {"domain": "units", "recipe": "small", "part": "test", "scorer": "strict", "n": 200, "backbone": "b"}
    trained_on = {"trained_on": {"rows": rows, "items": items or rows, "limit": items or rows}}
    return setup | trained_on | {"systems": {"model": system}, "command": f"zoo eval units --run {rows}"} | other


def test_a_curve_is_a_table_of_training_rows_in_their_order() -> None:
    table = results_table(scores(1000, 0.6), scores(30, 0.1), scores(300, 0.4))
    assert "units/small by its number of training rows, scored on the test split, 200 rows, strict scorer" in table
    assert [line.split(" | ")[:2] for line in table.splitlines() if line.startswith("| ")][2:] == [
        ["| 30", "10.0 [5.0, 15.0]"],
        ["| 300", "40.0 [35.0, 45.0]"],
        ["| 1,000", "60.0 [55.0, 65.0]"],
    ]
    assert "| training rows | F1, % | n |" in table
    assert "Made by `zoo eval units --run 30` and so on with more rows." in table
    assert "items" in results_table(scores(60, 0.1, items=30), scores(600, 0.4, items=300))


def test_a_curve_is_one_sentence_for_the_terminal() -> None:
    curve = points([Results.from_dict(scores(rows, value)) for rows, value in ((30, 0.1), (1000, 0.6))])
    assert sentence(curve) == "F1, %: 10.0 [5.0, 15.0] after 30 training rows, 60.0 [55.0, 65.0] after 1,000 (n 200)"


def test_seeds_of_one_size_are_one_point() -> None:
    curve = points([Results.from_dict(scores(rows, value)) for rows, value in ((30, 0.1), (30, 0.2), (90, 0.4))])
    assert [(point.rows, round(point.value.value, 3), point.seeds) for point in curve] == [(30, 0.15, 2), (90, 0.4, 1)]


def test_training_splits_that_differ_by_chance_are_seeds_and_other_sizes_are_a_curve() -> None:
    draws = [scores(rows, rows / 100, trained_on={"rows": rows, "items": rows}) for rows in (22, 25)]
    assert "means of 2 seeds" in results_table(*draws)
    sizes = [scores(rows, rows / 1000, trained_on={"rows": rows, "items": rows}) for rows in (30, 300)]
    assert "by its number of training rows" in results_table(*sizes)


def test_the_curve_of_a_domain_answers_how_many_rows_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for rows, value in ((30, 0.1), (1000, 0.6)):
        files.append(tmp_path / f"{rows}.json")
        files[-1].write_text(json.dumps(scores(rows, value)))
    monkeypatch.setattr(Domain, "learning_curve", lambda domain: files)
    reviews = tmp_path / "reviews.csv"
    lines = [f"The wine number {n} was great,wine,great,positive" for n in range(60)]
    reviews.write_text("text,aspect,opinion,sentiment\n" + "\n".join(lines) + "\n")
    own = [
        "data.sources=[own]",
        f"data.path={reviews}",
        "data.near_duplicates=null",
        "data.options={}",
        "data.world={}",
    ]
    built = api.data("absa/tiny", own)
    assert built["enough"].startswith("units/small on the test split, 200 rows: F1, %: 10.0 [5.0, 15.0] after 30")
    printers.data(built)
    printed = " ".join(capsys.readouterr().out.split())
    assert "how many rows are enough? units/small" in printed
    assert "test on all rows in folds (zoo reproduce RECIPE --folds 5)" in printed
    small_world = ["data.sizes={train: 40, validation: 5, test: 5}"]
    assert "enough" not in api.data("absa/tiny", small_world)  # no rows of the user's own


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"n": 100}, "n 100 beside 200"),
        ({"backbone": "c"}, "backbone c"),
        ({"trained_on": {"limit": 90}}, "do not name"),
    ],
)
def test_a_curve_of_different_setups_is_refused(other: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        results_table(scores(30, 0.1), scores(90, 0.4, **other))
