"""What every domain must do. Tests of this domain's own behaviour stand in files beside this one."""

from pathlib import Path

from instructzoo.core.domain import Domain
from instructzoo.core.testing import DomainContract


class TestDialogue(DomainContract):
    name = "dialogue"

    def test_the_bundled_model_answers_held_out_rows(self, domain: Domain, bundled: Path) -> None:
        """At least 80% of intents, slots and states: free text is right only where it equals the one reference."""
        from instructzoo.core import infer

        predictor = infer.load(domain, bundled)
        world = domain.module("world")
        tasks = {"intent_classification": 1, "slot_filling": 1, "belief_state_generation": 1}
        settings = world.Settings(**{**predictor.recipe.data.world, "tasks": tasks})
        test = list(world.generate(40, 0, "test", settings))
        correct = domain.module("metrics").correct(test, predictor.answer(test), "strict")
        assert sum(correct) >= 0.8 * len(test)
