"""The bundled model has the fingerprint of its recipe and reaches its recorded scores."""

from __future__ import annotations

import pytest
from bundled_models import assert_fingerprint_of_recipe, assert_reproduces, recorded_scores

from instructzoo.core.score import Scores


@pytest.fixture(scope="module")
def recorded() -> Scores:
    return recorded_scores("uie")


def test_the_bundled_model_has_the_fingerprint_of_its_recipe() -> None:
    assert_fingerprint_of_recipe("uie")


FLOORS = {"ner": 0.9, "re": 0.8, "ee trigger": 0.8, "ee argument": 0.8}


@pytest.mark.parametrize(("group", "floor"), FLOORS.items())
def test_the_recorded_f1_of_the_bundled_model_reaches_its_minimum(recorded: Scores, group: str, floor: float) -> None:
    metric_value = recorded.get("F1", group)
    assert metric_value is not None
    assert metric_value.n >= 100
    assert metric_value.value >= floor


@pytest.mark.slow
def test_the_bundled_model_reproduces_its_recorded_scores(recorded: Scores) -> None:
    assert_reproduces("uie", recorded)
