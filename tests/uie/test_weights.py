"""The bundled model has the fingerprint of its recipe and reaches its recorded scores."""

from __future__ import annotations

import pytest

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.commands.eval import evaluate
from instructzoo.core.score import Scores


@pytest.fixture(scope="module")
def recorded() -> Scores:
    scores = runs.read_json(domains.get("uie").bundled_model() / "scores.json")
    return Scores.from_dict(scores["systems"]["model"])


def test_the_bundled_model_has_the_fingerprint_of_its_recipe() -> None:
    stored = runs.stored_recipe(domains.get("uie").bundled_model())
    assert stored.fingerprint() == recipes.load("uie/bundled").fingerprint()


FLOORS = {"ner": 0.9, "re": 0.8, "ee trigger": 0.8, "ee argument": 0.8}


@pytest.mark.parametrize(("group", "floor"), FLOORS.items())
def test_the_recorded_f1_of_the_bundled_model_reaches_its_minimum(recorded: Scores, group: str, floor: float) -> None:
    metric_value = recorded.get("F1", group)
    assert metric_value is not None
    assert metric_value.n >= 100
    assert metric_value.value >= floor


@pytest.mark.slow
def test_the_bundled_model_reproduces_its_recorded_scores(recorded: Scores) -> None:
    domain = domains.get("uie")
    scores, _ = evaluate(domain, domain.bundled_model(), baselines=False)
    for metric_value in Scores.from_dict(scores["systems"]["model"]).metric_values:
        expected = recorded.get(metric_value.metric, metric_value.group)
        assert expected is not None
        assert metric_value.n == expected.n
        # Another processor may round a tie the other way.
        assert abs(metric_value.value - expected.value) <= 2 / metric_value.n
