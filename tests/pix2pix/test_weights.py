"""The bundled model matches its recipe and its recorded scores."""

from __future__ import annotations

import pytest
from bundled_models import assert_fingerprint_of_recipe, assert_reproduces, recorded_scores

from instructzoo.core.score import Scores

FLOORS = {"all": 0.9, "background": 0.98, "remove": 0.9, "recolour": 0.9}


@pytest.fixture(scope="module")
def recorded() -> Scores:
    return recorded_scores("pix2pix")


def test_the_bundled_model_has_the_fingerprint_of_its_recipe() -> None:
    assert_fingerprint_of_recipe("pix2pix")


@pytest.mark.parametrize(("group", "floor"), FLOORS.items())
def test_recorded_edit_success_of_the_bundled_model_reaches_its_minimum(
    recorded: Scores, group: str, floor: float
) -> None:
    metric_value = recorded.get("edit success", group)
    assert metric_value is not None
    assert metric_value.n >= 100
    assert metric_value.value >= floor


def test_recorded_kept_pixels_of_the_bundled_model_are_at_least_0_97(recorded: Scores) -> None:
    kept = recorded.get("kept pixels")
    assert kept is not None and kept.value >= 0.97


@pytest.mark.slow
def test_the_bundled_model_reproduces_its_recorded_scores(recorded: Scores) -> None:
    assert_reproduces("pix2pix", recorded)
