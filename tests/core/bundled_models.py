"""What tests of bundled models share: the recorded scores, the recipe, and that the model reproduces both."""

from __future__ import annotations

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.commands.eval import evaluate
from instructzoo.core.score import Scores


def recorded_scores(name: str) -> Scores:
    """The scores of the model itself in scores.json beside a domain's bundled model."""
    scores = runs.read_json(domains.get(name).bundled_model() / "scores.json")
    return Scores.from_dict(scores["systems"]["model"])


def assert_fingerprint_of_recipe(name: str) -> None:
    """The stored recipe is today's recipe `<name>/bundled`."""
    stored = runs.stored_recipe(domains.get(name).bundled_model())
    assert stored.fingerprint() == recipes.load(f"{name}/bundled").fingerprint()


def assert_reproduces(name: str, recorded: Scores) -> None:
    """The model reaches every recorded value again, on as many rows."""
    domain = domains.get(name)
    current, _ = evaluate(domain, domain.bundled_model(), baselines=False)
    for metric_value in Scores.from_dict(current["systems"]["model"]).metric_values:
        expected = recorded.get(metric_value.metric, metric_value.group)
        assert expected is not None
        assert metric_value.n == expected.n
        # Another processor may round a tie the other way.
        assert abs(metric_value.value - expected.value) <= 2 / metric_value.n
