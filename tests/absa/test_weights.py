"""The bundled model has the fingerprint of its recipe and reproduces its recorded scores."""

from __future__ import annotations

import pytest
from bundled_models import assert_fingerprint_of_recipe, assert_reproduces, recorded_scores

from instructzoo.core.score import Scores


@pytest.fixture(scope="module")
def recorded() -> Scores:
    return recorded_scores("absa")


def test_the_bundled_model_has_the_fingerprint_of_its_recipe() -> None:
    assert_fingerprint_of_recipe("absa")


@pytest.mark.parametrize("task", ["ae", "aesc", "tasd", "aste", "asqp"])
def test_the_recorded_f1_of_the_bundled_model_is_at_least_0_9(recorded: Scores, task: str) -> None:
    metric_value = recorded.get("F1", task)
    assert metric_value is not None
    assert metric_value.n >= 100
    assert metric_value.value >= 0.9


@pytest.mark.slow
def test_the_bundled_model_reproduces_its_recorded_scores(recorded: Scores) -> None:
    assert_reproduces("absa", recorded)
