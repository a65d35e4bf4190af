"""Tuple F1 counts every tuple once; its edge cases and its interval are defined."""

from __future__ import annotations

import time

import numpy as np
import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.score import MetricValue
from instructzoo.core.score.intervals import LEVEL
from instructzoo.core.score.tuple_f1 import count_tuples, macro_average, tuple_metrics


def values(gold: list[list[str]], predicted: list[list[str]]) -> list[float]:
    return [f.value for f in tuple_metrics(count_tuples(gold, predicted))]


def drawn(rows: int, seed: int = 0) -> tuple[list[list[int]], list[list[int]]]:
    rng = np.random.default_rng(seed)
    gold = [rng.integers(0, 6, size=rng.integers(0, 4)).tolist() for _ in range(rows)]
    predicted = [[int(rng.integers(0, 6)) if rng.random() < 0.4 else label for label in row] for row in gold]
    return gold, predicted


def test_a_repeated_tuple_is_a_hit_only_as_often_as_in_the_gold() -> None:
    counts = count_tuples([["a", "b"], ["a", "a"], []], [["a", "a", "a"], ["a", "a"], []])
    assert counts.hits.tolist() == [1, 2, 0]
    assert counts.predicted.tolist() == [3, 2, 0]
    assert counts.gold.tolist() == [2, 2, 0]
    assert counts.all_correct() == [False, True, True]
    f1, precision, recall = tuple_metrics(counts)
    assert (f1.value, precision.value, recall.value) == pytest.approx((6 / 9, 3 / 5, 3 / 4))
    assert (f1.metric, precision.metric, recall.metric) == ("F1", "precision", "recall")
    assert {f.n for f in (f1, precision, recall)} == {3}


def test_the_order_of_tuples_and_rows_does_not_change_the_score() -> None:
    gold, predicted = drawn(300)
    f1 = tuple_metrics(count_tuples(gold, predicted))[0]
    reversed_f1 = tuple_metrics(count_tuples([g[::-1] for g in gold[::-1]], [s[::-1] for s in predicted[::-1]]))[0]
    assert reversed_f1.value == pytest.approx(f1.value)
    assert reversed_f1 == tuple_metrics(count_tuples(gold[::-1], predicted[::-1]))[0]


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([[], []], [[], []], [1, 1, 1]),
        ([["a"], []], [[], []], [0, 0, 0]),
        ([[], []], [["a"], []], [0, 0, 0]),
        ([["a"], ["b"]], [["a"], ["b"]], [1, 1, 1]),
        ([["a"], ["b"]], [["b"], ["a"]], [0, 0, 0]),
    ],
)
def test_empty_gold_or_answers_have_defined_scores_and_wide_intervals(
    gold: list[list[str]], predicted: list[list[str]], expected: list[float]
) -> None:
    assert values(gold, predicted) == expected
    for value in tuple_metrics(count_tuples(gold, predicted)):
        assert 0 <= value.low <= value.value <= value.high <= 1
        assert value.high - value.low > 0.3, "two rows say little"


def test_the_interval_agrees_with_a_plain_bootstrap_over_rows() -> None:
    """The reference draws the rows one by one."""
    gold, predicted = drawn(400)
    counts = count_tuples(gold, predicted)
    metric_values = tuple_metrics(counts)
    rng = np.random.default_rng(1)
    picks = rng.integers(0, 400, size=(2000, 400))
    hits, predicted_sums, gold_sums = (getattr(counts, name)[picks].sum(1) for name in ("hits", "predicted", "gold"))
    ratios = (2 * hits / (predicted_sums + gold_sums), hits / predicted_sums, hits / gold_sums)
    for value, draws in zip(metric_values, ratios, strict=True):
        low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        assert value.low == pytest.approx(low, abs=0.008)
        assert value.high == pytest.approx(high, abs=0.008)


def test_the_interval_covers_the_true_f1_about_as_often_as_it_says() -> None:
    """The F1 of 20,000 rows lies in the 95% intervals of samples of 80 rows nearly as often as it should."""
    truth = tuple_metrics(count_tuples(*drawn(20_000, 5)))[0].value
    samples = [tuple_metrics(count_tuples(*drawn(80, seed)))[0] for seed in range(200)]
    coverage = np.mean([f.low <= truth <= f.high for f in samples])
    assert 0.89 <= coverage <= 0.99


def test_ten_thousand_rows_are_scored_within_a_second() -> None:
    gold, predicted = drawn(10_000)
    start = time.process_time()
    tuple_metrics(count_tuples(gold, predicted))
    assert time.process_time() - start < 1


def test_a_subset_of_rows_is_scored_as_those_rows_alone() -> None:
    gold, predicted = drawn(50)
    subset = count_tuples(gold, predicted).select(range(10, 20))
    assert tuple_metrics(subset) == tuple_metrics(count_tuples(gold[10:20], predicted[10:20]))
    assert tuple_metrics(subset, "asqp")[0].group == "asqp"


def test_groups_of_any_size_weigh_the_same_in_the_macro_mean() -> None:
    large = MetricValue("F1", 0.8, 0.7, 0.9, 1000, "large")
    small = MetricValue("F1", 0.4, 0.2, 0.7, 10, "small")
    mean = macro_average([large, small])
    assert (mean.metric, mean.group, mean.n) == ("macro F1", "all", 1010)
    assert mean.value == pytest.approx(0.6)
    assert mean.low == pytest.approx(0.6 - np.hypot(0.1, 0.2) / 2)
    assert mean.high == pytest.approx(0.6 + np.hypot(0.1, 0.3) / 2)
    assert macro_average([large]).low == pytest.approx(large.low)


def test_a_missing_answer_or_no_rows_is_an_error() -> None:
    with pytest.raises(ZooError, match="1 answers for 2 rows"):
        count_tuples([["a"], ["b"]], [["a"]])
    with pytest.raises(ZooError, match="no rows"):
        tuple_metrics(count_tuples([], []))
    with pytest.raises(ZooError, match="no figures"):
        macro_average([])
