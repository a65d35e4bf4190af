"""The bundled model matches its recipe and its recorded scores."""

from __future__ import annotations

import pytest
from bundled_models import assert_fingerprint_of_recipe, assert_reproduces, recorded_scores

from instructzoo.core.score import Scores

OPERATIONS = ("add", "subtract", "multiply", "divide")
HARDEST = ("add 5D+5D", "subtract 5D-5D", "multiply 2D*2D", "divide 4D/1D")


@pytest.fixture(scope="module")
def recorded() -> Scores:
    return recorded_scores("arithmetic")


def test_the_bundled_model_has_the_fingerprint_of_its_recipe() -> None:
    assert_fingerprint_of_recipe("arithmetic")


@pytest.mark.parametrize("group", (*OPERATIONS, *HARDEST))
def test_recorded_exact_match_of_the_bundled_model_is_at_least_0_97(recorded: Scores, group: str) -> None:
    metric_value = recorded.get("exact match", group)
    assert metric_value is not None
    assert metric_value.n >= 100
    assert metric_value.value >= 0.97


@pytest.mark.slow
def test_the_bundled_model_reproduces_its_recorded_scores(recorded: Scores) -> None:
    assert_reproduces("arithmetic", recorded)
