"""Runs with several seeds are merged into means with an interval over the seeds."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import report
from instructzoo.core.errors import ZooError
from instructzoo.core.score.results import Results
from instructzoo.core.score.seed_aggregation import mean_over_seeds, merge_seeds

F1S = [0.41, 0.44, 0.40, 0.43, 0.42]


def scores(f1: float, **values: Any) -> dict[str, Any]:
    def system(value: float) -> dict[str, Any]:
        figures = [
            {"metric": "F1", "group": group, "value": value, "low": value - 0.05, "high": value + 0.05, "n": n}
            for group, n in (("all", 200), ("asqp", 100))
        ]
        return {"scorer": "strict", "figures": figures, "headline": ["F1", "all"], "notes": [], "counts": {}}

    setup = {"domain": "absa", "recipe": "k5", "part": "test", "scorer": "strict", "n": 200, "backbone": "b"}
    paper = [{"metric": "F1", "group": "asqp", "value": 0.5, "system": "theirs", "source": "table 1"}]
    systems = {"model": system(f1), "constant": system(0.1)}
    command = "zoo train absa/k5 seed=0"
    return setup | {"systems": systems, "paired": {}, "paper": paper, "command": command} | values


def test_the_interval_over_seeds_is_that_of_student_s_t() -> None:
    """As in the textbook: the mean, and 2.776 standard errors for five seeds."""
    mean = mean_over_seeds("F1", F1S)
    error = statistics.stdev(F1S) / 5**0.5
    assert mean.value == pytest.approx(0.42)
    assert mean.high - mean.value == pytest.approx(2.7764 * error, rel=1e-4)
    assert mean.value - mean.low == pytest.approx(2.7764 * error, rel=1e-4)
    assert (mean.n, mean_over_seeds("F1", F1S, n=200).n) == (5, 200)
    two = mean_over_seeds("F1", [0.4, 0.6])
    assert (two.low, two.high) == (0, 1), "the interval of a fraction stays in 0..1"
    assert mean_over_seeds("time (s)", [1.0, 9.0]).low < 0


def test_fewer_than_two_valid_seeds_are_an_error() -> None:
    for values in ([], [0.4], [0.4, float("nan")]):
        with pytest.raises(ZooError, match="at least two seeds"):
            mean_over_seeds("F1", values)


def test_runs_of_different_setups_are_not_averaged() -> None:
    for key, name, other in (
        ("recipe", "recipe", "k10"),
        ("scorer", "scorer", "lenient"),
        ("n", "n", 100),
        ("part", "split", "validation"),
    ):
        with pytest.raises(ZooError, match=f"{name} {other} beside"):
            merge_seeds([Results.from_dict(scores(0.4)), Results.from_dict(scores(0.4, **{key: other}))])
    single_run = Results.from_dict(scores(0.4))
    assert merge_seeds([single_run]) == single_run


def test_a_readme_shows_the_mean_of_several_seeds_with_its_interval(tmp_path: Path) -> None:
    files = []
    for number, value in enumerate(F1S):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(scores(value)))
        files.append(str(path))
    readme = tmp_path / "README.md"
    readme.write_text(
        "<!-- results:absa/k5 -->\nold\n<!-- /results -->\n<!-- results:absa/one -->\n<!-- /results -->\n"
    )
    assert report.main([str(readme), f"absa/k5={','.join(files)}", f"absa/one={files[0]}"]) == 0
    five_seeds, one_seed = readme.read_text().split("<!-- results:absa/one -->")
    assert "means of 5 seeds" in five_seeds
    assert "| this model | strict | 42.0 [40.0, 44.0] |" in five_seeds
    assert "| most frequent training output | strict | 10.0 [10.0, 10.0] |" in five_seeds
    assert "| asqp | 100 | 42.0 [40.0, 44.0] | 50.0 |" in five_seeds
    assert "| this model | strict | 41.0 [36.0, 46.0] |" in one_seed
    assert "seeds" not in one_seed


def test_folds_are_merged_into_their_means_over_all_rows() -> None:
    folds = [
        Results.from_dict(scores(value, n=n, fold=f"{k}/3"))
        for k, (value, n) in enumerate(zip(F1S[:3], (10, 11, 10), strict=True), 1)
    ]
    merged = merge_seeds(folds)
    assert (merged.n, merged.runs, merged.scored_rows) == (31, 3, "folds of the training part, 31 rows")
    assert merged.model.headline_value().value == pytest.approx(sum(F1S[:3]) / 3)
    assert merged.model.headline_value().n == 600  # of all folds together
    table = report.results_table(*(scores(value, n=10, fold=f"{k}/3") for k, value in enumerate(F1S[:3], 1)))
    assert "folds of the training part, 30 rows" in table
    assert "means of 3 folds, in brackets 95% intervals over the folds" in table
    assert "and so on with each fold" in table
    assert "fold 2/5 of the training part" in report.results_table(scores(0.4, fold="2/5"))


@pytest.mark.parametrize("folds", [("1/3", "2/3"), ("1/2", "1/2"), ("1/2", ""), ("1/2", "2/3")])
def test_a_missing_or_repeated_fold_is_an_error(folds: tuple[str, str]) -> None:
    with pytest.raises(ZooError, match="the folds"):
        merge_seeds([Results.from_dict(scores(0.4, fold=fold)) for fold in folds])
