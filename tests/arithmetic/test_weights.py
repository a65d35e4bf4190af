"""The bundled model matches its recipe and its recorded scores."""

from __future__ import annotations

import pytest

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.commands.eval import evaluate
from instructzoo.core.score import Scores

OPERATIONS = ("add", "subtract", "multiply", "divide")
HARDEST = ("add 5D+5D", "subtract 5D-5D", "multiply 2D*2D", "divide 4D/1D")


@pytest.fixture(scope="module")
def recorded() -> Scores:
    scores = runs.read_json(domains.get("arithmetic").bundled_model() / "scores.json")
    return Scores.from_dict(scores["systems"]["model"])


def test_the_bundled_model_has_the_fingerprint_of_its_recipe() -> None:
    recipe = runs.stored_recipe(domains.get("arithmetic").bundled_model())
    assert recipe.fingerprint() == recipes.load("arithmetic/bundled").fingerprint()


@pytest.mark.parametrize("group", (*OPERATIONS, *HARDEST))
def test_recorded_exact_match_of_the_bundled_model_is_at_least_0_97(recorded: Scores, group: str) -> None:
    metric_value = recorded.get("exact match", group)
    assert metric_value is not None
    assert metric_value.n >= 100
    assert metric_value.value >= 0.97


@pytest.mark.slow
def test_the_bundled_model_reproduces_its_recorded_scores(recorded: Scores) -> None:
    domain = domains.get("arithmetic")
    scores, _ = evaluate(domain, domain.bundled_model(), baselines=False)
    for metric_value in Scores.from_dict(scores["systems"]["model"]).metric_values:
        expected = recorded.get(metric_value.metric, metric_value.group)
        assert expected is not None
        assert metric_value.n == expected.n
        # Another processor may round a tie the other way.
        assert abs(metric_value.value - expected.value) <= 2 / metric_value.n
