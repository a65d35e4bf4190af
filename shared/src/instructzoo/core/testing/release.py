"""The second stage of a domain's contract: its bundled models, and the tables that show their scores."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from instructzoo.core.domain import Domain
from instructzoo.core.shelf import LARGEST
from instructzoo.core.testing.shared_fixtures import Contract


class ReleaseContract(Contract):
    """Tests of the bundled model and of the tables that show its scores; skipped while there is no model."""

    @pytest.fixture
    def bundled(self, domain: Domain) -> Path:
        if not domain.has_bundled_model():
            pytest.skip(f"{domain.name} bundles no model yet: zoo bundle {domain.name} --model RUN")
        return domain.bundled_model()

    def test_the_bundled_model_answers_held_out_rows(self, domain: Domain, bundled: Path) -> None:
        from instructzoo.core import infer

        predictor = infer.load(domain, bundled)
        world = domain.module("world")
        settings = world.Settings(**predictor.recipe.data.world)
        test = list(world.generate(40, 0, "test", settings))
        correct = domain.module("metrics").correct(test, predictor.answer(test), "strict")
        assert sum(correct) >= 0.8 * len(test)

    def test_bundled_models_are_small_and_have_scores_and_a_card(self, domain: Domain, bundled: Path) -> None:
        from instructzoo.core.report.model_card import bundled_card

        for model in (model for model in domain.shelf().values() if model.bundled):
            folder = domain.bundled_model(model.name)
            size = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
            assert size <= LARGEST[model.kind], f"{model.name}: {size} bytes"
            assert (folder / "scores.json").is_file(), f"{model.name} is not scored"
            card = bundled_card(domain, model, (folder / "recipe.yaml").read_text(encoding="utf-8"))
            assert (folder / "README.md").read_text(encoding="utf-8") == card, (
                "python -m instructzoo.core.commands.bundle"
            )
            assert (folder / "hashes.json").is_file(), f"{model.name}: python -m instructzoo.core.model_hashes {folder}"

    def test_the_readme_shows_the_scores_of_the_bundled_model(self, domain: Domain, bundled: Path) -> None:
        from instructzoo.core import runs
        from instructzoo.core.report import results_table

        root = domain.checkout()
        if root is None:
            pytest.skip("a wheel ships no README: the checkout's is tested")
        page = (root / "packages" / domain.name / "README.md").read_text(encoding="utf-8")
        marker = rf"<!-- results:{domain.name}/weights/tiny -->\n(.*?)\n<!-- /results -->"
        table = re.search(marker, page, re.DOTALL)
        assert table, f"no table of the bundled model: zoo bundle {domain.name} --model RUN"
        assert table[1].strip() == results_table(runs.read_json(bundled / "scores.json")).strip()
