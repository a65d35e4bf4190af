"""A quantised base, as QLoRA has it: frozen, with an adapter that trains and merges; here on the CPU, in float32."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import answered, kit, mean_loss, recipe, started, sums, wild

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
    places = {}
    for backbone in BACKBONES:
        made = kit(recipe(backbone))
        wild(made.tuned, 0.5)
        places[backbone] = tmp_path_factory.mktemp("base")
        models.save_plain(made.tuned, made.loaded.tokenizer, places[backbone])
    return places


def qlora(base: Path, kind: str, method: str = "lora") -> Recipe:
    return recipe(str(base), model={"quantisation": kind}, method={"name": method, "rank": 8, "alpha": 16}, train=TRAIN)


@EACH
@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_quantised_model_answers_the_same_reloaded_and_nearly_so_merged(
    kind: str, backbone: str, bases: dict[str, Path], tmp_path: Path
) -> None:
    """Merging goes into the dequantised base; merged into the quantised one the update would be rounded away."""
    made = kit(qlora(bases[backbone], kind), sums(16))
    names = [name for name, _ in adapters.trainable_parameters(made.tuned)]
    assert names and all("lora_" in name for name in names)
    untuned = answered(made, made.loaded, 200)
    made.fit(started(made.recipe, tmp_path / "run"))
    made.tuned.eval()
    said = answered(made, made.loaded, 200)
    assert said != untuned

    models.save(made.tuned, made.loaded.tokenizer, made.recipe, tmp_path / "model")
    again = models.open_saved(tmp_path / "model")
    assert adapters.is_quantised(again.model)
    assert answered(made, again, 200) == said
    plain = adapters.merged(again.model)
    assert not adapters.is_quantised(plain)
    differ = sum(
        one != other
        for one, other in zip(answered(made, ModelBundle(plain, again.tokenizer, again.kind), 200), said, strict=True)
    )
    # LLM.int8 rounds activations as well, which a merged model in float32 does not.
    assert differ <= (40 if kind == "int8" else 0)
    models.save_plain(plain, again.tokenizer, tmp_path / "plain")
    opened = models.open_plain(tmp_path / "plain", made.recipe.model)
    assert not adapters.is_quantised(opened.model)
    assert answered(made, opened, 200) == answered(made, ModelBundle(plain, again.tokenizer, again.kind), 200)


@EACH
def test_training_on_a_quantised_base_changes_only_the_adapter(
    kind: str, bases: dict[str, Path], tmp_path: Path
) -> None:
    made = kit(qlora(bases[BACKBONES[0]], kind), sums(8))
    frozen = {name: p.clone() for name, p in made.tuned.named_parameters() if not p.requires_grad}
    first = mean_loss(made)
    made.fit(started(made.recipe, tmp_path))
    assert mean_loss(made) < first - 0.5
    assert all(frozen[name].equal(p) for name, p in made.tuned.named_parameters() if name in frozen)


@pytest.mark.parametrize("method", ["ia3", "oft", "vera", "prompt", "adapter", "bitfit", "norms"])
def test_other_methods_lower_the_loss_on_a_quantised_base(method: str, bases: dict[str, Path], tmp_path: Path) -> None:
    made = kit(qlora(bases[BACKBONES[0]], "nf4", method), sums(8))
    first = mean_loss(made)
    made.fit(started(made.recipe, tmp_path))
    assert mean_loss(made) < first


def test_full_tuning_of_a_quantised_base_is_an_error() -> None:
    with pytest.raises((ZooError, ValueError), match="quantised base"):
        Recipe.model_validate({"domain": "arithmetic", "model": {"backbone": "llama-7b", "quantisation": "int8"}})
