"""QLoRA: a quantised frozen base with an adapter that is trained and merged; here on the CPU, in float32."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import greedy_answers, kit, mean_loss, recipe, started, sums, wild

from instructzoo.core import models
from instructzoo.core.errors import ZooError
from instructzoo.core.models import ModelBundle, adapters
from instructzoo.core.recipe import Recipe

pytest.importorskip("bitsandbytes")

KINDS = ("nf4", "fp4", "int8")
BACKBONES = ("scratch:llama-2x64", "scratch:t5-1x64")
EACH = pytest.mark.parametrize("kind", KINDS)
TRAIN = {"steps": 30, "lr": 1e-2, "schedule": "constant", "warmup": 0}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {}
    for backbone in BACKBONES:
        setup = kit(recipe(backbone))
        wild(setup.model, 0.5)
        folders[backbone] = tmp_path_factory.mktemp("base")
        models.save_plain(setup.model, setup.bundle.tokenizer, folders[backbone])
    return folders


def qlora(base: Path, kind: str, method: str = "lora") -> Recipe:
    return recipe(str(base), model={"quantisation": kind}, method={"name": method, "rank": 8, "alpha": 16}, train=TRAIN)


@EACH
@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_quantised_model_answers_the_same_reloaded_and_nearly_so_merged(
    kind: str, backbone: str, bases: dict[str, Path], tmp_path: Path
) -> None:
    """An adapter is merged into the dequantised base: in the quantised one its update would be rounded away."""
    setup = kit(qlora(bases[backbone], kind), sums(16))
    names = [name for name, _ in adapters.trainable_parameters(setup.model)]
    assert names and all("lora_" in name for name in names)
    untuned = greedy_answers(setup, setup.bundle, 200)
    setup.fit(started(setup.recipe, tmp_path / "run"))
    setup.model.eval()
    tuned_answers = greedy_answers(setup, setup.bundle, 200)
    assert tuned_answers != untuned

    models.save(setup.model, setup.bundle.tokenizer, setup.recipe, tmp_path / "model")
    reloaded = models.open_saved(tmp_path / "model")
    assert adapters.is_quantised(reloaded.model)
    assert greedy_answers(setup, reloaded, 200) == tuned_answers
    plain = adapters.merged(reloaded.model)
    assert not adapters.is_quantised(plain)
    merged_answers = greedy_answers(setup, ModelBundle(plain, reloaded.tokenizer, reloaded.kind), 200)
    differ = sum(merged_answer != answer for merged_answer, answer in zip(merged_answers, tuned_answers, strict=True))
    # LLM.int8 rounds activations as well, which a merged model in float32 does not.
    assert differ <= (40 if kind == "int8" else 0)
    models.save_plain(plain, reloaded.tokenizer, tmp_path / "plain")
    opened = models.open_plain(tmp_path / "plain", setup.recipe.model)
    assert not adapters.is_quantised(opened.model)
    assert greedy_answers(setup, opened, 200) == merged_answers


@EACH
def test_training_on_a_quantised_base_changes_only_the_adapter(
    kind: str, bases: dict[str, Path], tmp_path: Path
) -> None:
    setup = kit(qlora(bases[BACKBONES[0]], kind), sums(8))
    frozen = {name: p.clone() for name, p in setup.model.named_parameters() if not p.requires_grad}
    first = mean_loss(setup)
    setup.fit(started(setup.recipe, tmp_path))
    assert mean_loss(setup) < first - 0.5
    assert all(frozen[name].equal(p) for name, p in setup.model.named_parameters() if name in frozen)


@pytest.mark.parametrize("method", ["ia3", "oft", "vera", "prompt", "adapter", "bitfit", "norms"])
def test_other_methods_lower_the_loss_on_a_quantised_base(method: str, bases: dict[str, Path], tmp_path: Path) -> None:
    setup = kit(qlora(bases[BACKBONES[0]], "nf4", method), sums(8))
    first = mean_loss(setup)
    setup.fit(started(setup.recipe, tmp_path))
    assert mean_loss(setup) < first


def test_full_tuning_of_a_quantised_base_is_an_error() -> None:
    with pytest.raises((ZooError, ValueError), match="quantised base"):
        Recipe.model_validate({"domain": "arithmetic", "model": {"backbone": "llama-7b", "quantisation": "int8"}})
