"""Intervals have the coverage that they claim, and comparisons use the pairing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from instructzoo.core.errors import ZooError
from instructzoo.core.score import compare, confidence_interval, mean_with_ci
from instructzoo.core.score.intervals import bootstrap, sign_test, wilson


def test_a_perfect_score_has_an_interval_that_reaches_below_one() -> None:
    low, high = confidence_interval(np.ones(100))
    assert (round(low, 3), high) == (0.963, 1.0)
    low, high = confidence_interval(np.zeros(100))
    assert (low, round(high, 3)) == (0.0, 0.037)


def test_a_nearly_perfect_partial_score_is_not_overconfident() -> None:
    values = np.ones(200)
    values[0] = 0.5
    low, high = confidence_interval(values)
    assert low < 0.983 and high > 0.9975


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (3, 7), (80, 100), (1, 1000), (999, 1000)])
def test_wilson_agrees_with_the_reference_library(hits: int, n: int) -> None:
    reference = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits / n, n) == pytest.approx((reference.low, reference.high), abs=1e-9)


def test_an_interval_contains_its_value() -> None:
    rng = np.random.default_rng(0)
    for n, share in itertools.product((1, 2, 13, 400), (0.0, 0.02, 0.5, 0.99, 1.0)):
        mean = mean_with_ci("exact match", (rng.random(n) < share).astype(float))
        assert 0 <= mean.low <= mean.value <= mean.high <= 1
        assert mean.n == n


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 9, size=(300, 150))
    values = rng.binomial(lengths, 0.8) / lengths
    covered = 0
    for v, w in zip(values, lengths, strict=True):
        low, high = confidence_interval(v, w)
        covered += low <= 0.8 <= high
    assert 0.90 <= covered / 300 <= 0.985


def test_the_grouped_bootstrap_is_the_bootstrap_over_items() -> None:
    rng = np.random.default_rng(2)
    values, weights = rng.choice([0.0, 0.25, 1.0], 120), rng.integers(1, 5, 120).astype(float)
    grouped = bootstrap(values, weights, draws=20_000)
    picks = np.random.default_rng(3).integers(0, 120, size=(20_000, 120))
    plain = (values * weights)[picks].sum(1) / weights[picks].sum(1)
    assert grouped.mean() == pytest.approx(plain.mean(), abs=1e-3)
    assert grouped.std() == pytest.approx(plain.std(), rel=0.03)
    assert np.quantile(grouped, [0.025, 0.975]) == pytest.approx(np.quantile(plain, [0.025, 0.975]), abs=3e-3)


def test_the_same_scores_give_the_same_interval_in_any_order() -> None:
    values = np.random.default_rng(4).random(50)
    assert confidence_interval(values) == confidence_interval(values)
    assert confidence_interval(values) == pytest.approx(confidence_interval(values[::-1]))


def test_the_pairing_is_used() -> None:
    rng = np.random.default_rng(5)
    hard = rng.random(400)
    a, b = (hard < 0.80).astype(float), (hard < 0.76).astype(float)  # a is right wherever b is
    paired = compare(a, b)
    assert paired.low > 0 and paired.p < 0.01
    interval_a, interval_b = confidence_interval(a), confidence_interval(b)
    assert interval_a[0] < interval_b[1]  # the separate intervals overlap and would have hidden it


def test_two_equal_systems_do_not_differ_and_the_interval_is_not_a_point() -> None:
    a = (np.random.default_rng(6).random(100) < 0.5).astype(float)
    same = compare(a, a)
    assert (same.difference, same.better, same.worse, same.p, same.p_sign) == (0, 0, 0, 1.0, 1.0)
    assert same.low < -0.02 and same.high > 0.02


def test_a_clean_sweep_has_an_interval_wider_than_a_point() -> None:
    sweep = compare(np.ones(100), np.zeros(100))
    assert sweep.difference == sweep.high == 1.0
    assert 0.9 < sweep.low < 0.97


def test_swapping_the_systems_mirrors_the_comparison() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.random(300), rng.random(300) * 1.1
    comparison, swapped = compare(a, b), compare(b, a)
    assert comparison.difference == pytest.approx(-swapped.difference)
    assert (comparison.better, comparison.worse, comparison.p_sign) == (swapped.worse, swapped.better, swapped.p_sign)
    assert comparison.low == pytest.approx(-swapped.high, abs=5e-3)


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (5, 0), (0, 5), (7, 3), (40, 60), (3000, 3100)])
def test_the_sign_test_is_exact(better: int, worse: int) -> None:
    n, k = better + worse, min(better, worse)
    exact = min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n) if n else 1.0
    assert sign_test(better, worse) == pytest.approx(exact, rel=1e-9)


def test_scores_of_different_items_are_not_compared() -> None:
    with pytest.raises(ZooError, match="3 scores beside 2"):
        compare([1, 0, 1], [1, 0])


@pytest.mark.parametrize("values", [[], [1.0, math.nan]])
def test_no_items_and_nan_scores_are_refused(values: list[float]) -> None:
    with pytest.raises(ZooError):
        confidence_interval(values)
