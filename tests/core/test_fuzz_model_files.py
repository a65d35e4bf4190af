"""A saved model with a damaged file beside its weights is opened or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import fuzzed, mutated, reads_or_refuses
from kit import LLAMA, LORA, kit, recipe

from instructzoo.core import models


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adapter_config.json", "tokenizer_config.json", "recipe.yaml"])
def test_a_saved_model_with_a_damaged_file_is_opened_or_refused(tmp_path: Path, name: str) -> None:
    setup = kit(recipe(LLAMA, method=LORA))
    models.save(setup.model, setup.bundle.tokenizer, setup.recipe, tmp_path)
    path = tmp_path / name
    valid = path.read_bytes()
    models.open_saved(tmp_path)

    @fuzzed(mutated([valid]), 40)
    def opens(content: bytes) -> None:
        path.write_bytes(content)
        reads_or_refuses(lambda: models.open_saved(tmp_path))

    opens()
