"""The bundled model: it is what its recipe and its recorded scores say."""

from __future__ import annotations

import pytest

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.commands.eval import evaluate
from instructzoo.core.score import Scores


@pytest.fixture(scope="module")
def recorded() -> Scores:
    found = runs.read_json(domains.get("absa").bundled_model() / "scores.json")
    return Scores.from_dict(found["systems"]["model"])


def test_the_bundled_model_has_the_fingerprint_of_its_recipe() -> None:
    kept = runs.stored_recipe(domains.get("absa").bundled_model())
    assert kept.fingerprint() == recipes.load("absa/bundled").fingerprint()


@pytest.mark.parametrize("task", ["ae", "aesc", "tasd", "aste", "asqp"])
def test_the_recorded_f1_of_the_bundled_model_is_at_least_0_9(recorded: Scores, task: str) -> None:
    figure = recorded.get("F1", task)
    assert figure is not None
    assert figure.n >= 100
    assert figure.value >= 0.9


@pytest.mark.slow
def test_the_bundled_model_reproduces_its_recorded_scores(recorded: Scores) -> None:
    domain = domains.get("absa")
    now, _ = evaluate(domain, domain.bundled_model(), baselines=False)
    for figure in Scores.from_dict(now["systems"]["model"]).metric_values:
        held = recorded.get(figure.metric, figure.group)
        assert held is not None
        assert figure.n == held.n
        assert abs(figure.value - held.value) <= 2 / figure.n  # another processor may round a tie the other way
