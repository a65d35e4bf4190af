"""The bundled model has the fingerprint of its recipe, and reaches its target and its recorded scores."""

from __future__ import annotations

import pytest
from bundled_models import assert_reproduces, recorded_scores

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.score import Scores
from instructzoo.dialogue import world


@pytest.fixture(scope="module")
def recorded() -> Scores:
    return recorded_scores("dialogue")


def test_the_bundled_model_has_the_fingerprint_of_its_recipe() -> None:
    stored = runs.stored_recipe(domains.get("dialogue").bundled_model())
    assert stored.fingerprint() == recipes.load("dialogue/tiny").fingerprint()


TARGETS = {("accuracy", "intent_classification"): 0.9, ("joint goal accuracy", "belief_state_generation"): 0.85}


@pytest.mark.parametrize(("figure", "target"), TARGETS.items())
def test_the_recorded_score_of_the_bundled_model_reaches_its_target(
    recorded: Scores, figure: tuple[str, str], target: float
) -> None:
    metric_value = recorded.get(*figure)
    assert metric_value is not None
    assert metric_value.n >= 200
    assert metric_value.value >= target


def test_the_recorded_scores_speak_of_every_task_type_of_the_microworld(recorded: Scores) -> None:
    assert all(recorded.get("accuracy", task) for task in world.TASKS)


@pytest.mark.slow
def test_the_bundled_model_reproduces_its_recorded_scores(recorded: Scores) -> None:
    assert_reproduces("dialogue", recorded)
