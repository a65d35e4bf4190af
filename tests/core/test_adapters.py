"""Tuning methods: what is trained, and that a saved, a reloaded and a merged model answer as the tuned one did."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, answered, apart, kit, mean_loss, recipe, started, sums, weights, wild

from instructzoo.core import models
from instructzoo.core.errors import ZooError
from instructzoo.core.models import ModelBundle, adapters
from instructzoo.core.recipe import Method

BOTH = pytest.mark.parametrize("backbone", [LLAMA, T5])
TRAIN = {"steps": 12, "lr": 3e-2, "warmup": 0, "weight_decay": 0.1}

NEW: dict[str, tuple[dict[str, Any], str]] = {
    "lora": (LORA, "lora_"),
    "dora": (LORA | {"dora": True}, "lora_"),
    "rslora": (LORA | {"rslora": True}, "lora_"),
    "ia3": ({"name": "ia3"}, "ia3_l"),
    "vera": ({"name": "vera", "rank": 8}, "vera_lambda"),
    "oft": ({"name": "oft", "rank": 8}, "oft_R"),
    "prefix": ({"name": "prefix", "tokens": 4}, "prompt_encoder"),
    "prompt": ({"name": "prompt", "tokens": 4}, "prompt_encoder"),
    "p-tuning": ({"name": "p-tuning", "tokens": 4, "width": 16}, "prompt_encoder"),
    "adapter": ({"name": "adapter", "width": 8}, r"\.(down|up)\."),
    "parallel-adapter": ({"name": "parallel-adapter", "width": 8}, r"\.(down|up)\."),
    "bitfit": ({"name": "bitfit"}, r"\.bias$"),
    "norms": ({"name": "norms"}, "norm"),
    "subset": ({"name": "subset", "pattern": r"\.0\..*(q_proj|SelfAttention\.q)\."}, r"q_proj|SelfAttention\.q"),
}
"""Every method besides full: its settings, and the names of what it alone trains."""

EACH = pytest.mark.parametrize("name", NEW)
UNMERGED = {"prefix", "prompt", "p-tuning", "adapter", "parallel-adapter"}
"""Methods whose result is no plain model."""


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pretrained backbones on disk, whose answers are many and change with small changes of the weights."""
    places = {}
    for backbone in (LLAMA, T5):
        made = kit(recipe(backbone))
        wild(made.tuned)
        places[backbone] = tmp_path_factory.mktemp("base")
        models.save_plain(made.tuned, made.loaded.tokenizer, places[backbone])
    return places


def disturbed(made: Kit) -> ModelBundle:
    """The tuned model with other weights in what the method trains."""
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _, p in adapters.trainable_parameters(made.tuned):
            p.add_(torch.randn(p.shape, generator=draw) * (5 if adapters.uses_virtual_tokens(made.tuned) else 0.5))
    return ModelBundle(made.tuned.eval(), made.loaded.tokenizer, made.loaded.kind)


def test_every_adapter_method_is_covered_by_these_tests() -> None:
    assert {settings["name"] for settings, _ in NEW.values()} == set(adapters.METHODS) - {"full"}


@BOTH
@EACH
def test_a_method_trains_exactly_its_own_parameters(backbone: str, name: str, tmp_path: Path) -> None:
    method, own = NEW[name]
    settings = recipe(backbone, method=method, train=TRAIN | {"steps": 6})
    made = kit(settings)
    before = weights(made.tuned)
    trained = {known for known, _ in adapters.trainable_parameters(made.tuned)}
    assert trained == {known for known in before if re.search(own, known, re.IGNORECASE)}
    assert sum(adapters.summary(made.tuned).values()) == sum(before[known].numel() for known in trained)
    made.fit(started(settings, tmp_path))
    after = weights(made.tuned)
    moved = {known for known in before if not torch.equal(before[known], after[known])}
    # A bias of keys shifts all scores of a query alike, so its gradient is zero but for rounding.
    still = {known for known in trained - moved if "k_proj" in known or "Attention.k." in known}
    assert moved | still == trained


@BOTH
@EACH
def test_every_method_lowers_the_loss_on_eight_rows(backbone: str, name: str, tmp_path: Path) -> None:
    """The same eight rows at every update: the loss falls, if only a little where the backbone is untrained."""
    method, _ = NEW[name]
    rate = {"ia3": 0.3, "vera": 0.3, "oft": 0.3, "bitfit": 0.1, "norms": 0.1}.get(name, 3e-2)
    settings = recipe(backbone, method=method, train={"steps": 40, "lr": rate, "schedule": "constant", "warmup": 0})
    made = kit(settings, sums(8))
    begun = kit(settings, sums(8))
    made.fit(started(settings, tmp_path))
    assert mean_loss(made) < mean_loss(begun) - 0.02


def test_full_tuning_updates_every_weight(tmp_path: Path) -> None:
    settings = recipe(train=TRAIN)
    made = kit(settings)
    before = weights(made.tuned)
    made.fit(started(settings, tmp_path))
    assert not [name for name, value in weights(made.tuned).items() if torch.equal(value, before[name])]


@BOTH
@pytest.mark.parametrize("name", ["full", *NEW])
def test_reloaded_and_merged_models_answer_as_the_tuned_model(
    backbone: str, name: str, bases: dict[str, Path], tmp_path: Path
) -> None:
    method = {"name": "full"} if name == "full" else NEW[name][0]
    made = kit(recipe(str(bases[backbone]), method=method))
    untuned = answered(made, made.loaded, 200)
    loaded = disturbed(made)
    said = answered(made, loaded, 200)
    assert sum(one != other for one, other in zip(said, untuned, strict=True)) > 30
    assert len(set(said)) > 2

    folder = tmp_path / "model"
    models.save(made.tuned, loaded.tokenizer, made.recipe, folder)
    again = models.open_saved(folder)
    assert not again.model.training
    assert again.kind == loaded.kind
    assert answered(made, again, 200) == said
    assert not list(folder.glob("*.bin")) and not list(folder.glob("*.pt"))
    if name != "full":
        held = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
        assert held < bases[backbone].joinpath("model.safetensors").stat().st_size

    if name in UNMERGED or (name, backbone) == ("bitfit", T5):
        with pytest.raises(ZooError, match=r"adds virtual tokens|has no place in a plain"):
            adapters.merged(again.model)
        return
    plain = adapters.merged(again.model)
    assert answered(made, ModelBundle(plain, again.tokenizer, again.kind), 200) == said
    plain.save_pretrained(str(tmp_path / "plain"))
    again.tokenizer.save_pretrained(str(tmp_path / "plain"))
    opened = models.open_plain(tmp_path / "plain", made.recipe.model)
    assert answered(made, opened, 200) == said
    assert apart(weights(opened.model), weights(plain)) == 0


@pytest.mark.parametrize("name", ["full", "lora", "bitfit"])
def test_a_damaged_saved_model_is_a_clear_error(name: str, tmp_path: Path) -> None:
    made = kit(recipe(method={"name": name}))
    models.save(made.tuned, made.loaded.tokenizer, made.recipe, tmp_path)
    (weights_file,) = tmp_path.glob("*.safetensors")
    weights_file.write_bytes(weights_file.read_bytes()[:-100])
    with pytest.raises(ZooError, match="cannot load"):
        models.open_saved(tmp_path)
    weights_file.unlink()
    with pytest.raises(ZooError, match="cannot load"):
        models.open_saved(tmp_path)
    (tmp_path / "recipe.yaml").unlink()
    with pytest.raises(ZooError, match=r"no recipe\.yaml"):
        models.open_saved(tmp_path)


@pytest.mark.parametrize("name", ["lora", "vera", "adapter", "prompt"])
def test_adapter_init_follows_its_seed_and_leaves_the_global_rng_alone(name: str) -> None:
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(123)
        model = adapters.apply(kit(recipe()).loaded.model, recipe(method=NEW[name][0]).method, seed)
        states.append(weights(model) | dict(model.named_buffers()))  # VeRA's frozen projections are buffers
        drawn = float(torch.rand(()))
    torch.manual_seed(123)
    assert drawn == float(torch.rand(()))
    assert apart(states[0], states[1]) == 0
    assert apart(states[0], states[2]) > 0


@BOTH
@pytest.mark.parametrize("name", ["adapter", "parallel-adapter", "bitfit"])
def test_a_fresh_adapter_or_bias_leaves_the_loss_unchanged(backbone: str, name: str) -> None:
    made, bare = kit(recipe(backbone, method=NEW[name][0])), kit(recipe(backbone))
    assert mean_loss(made) == mean_loss(bare)


def test_an_unknown_method_target_or_pattern_is_a_clear_error() -> None:
    model = kit(recipe()).loaded.model
    with pytest.raises(ZooError, match='no tuning method "lorra"; did you mean "lora"'):
        adapters.apply(model, Method(name="lorra"))
    with pytest.raises(ZooError, match=r"Target modules .*set method\.targets"):
        adapters.apply(model, Method(name="lora", targets=("query",)))
    with pytest.raises(ZooError, match=r"no module is called block; expected one of .*mlp.*set method\.targets"):
        adapters.apply(model, Method(name="adapter", targets=("block",)))
    with pytest.raises(ZooError, match=r"subset without method\.pattern; expected a regular expression"):
        adapters.apply(model, Method(name="subset"))
    with pytest.raises(ZooError, match='no parameter is called "quiery"'):
        adapters.apply(model, Method(name="subset", pattern="quiery"))
    with pytest.raises(ZooError, match=r"method\.pattern"):
        adapters.apply(model, Method(name="subset", pattern="("))


def test_only_the_named_target_modules_get_an_adapter() -> None:
    made = kit(recipe(method=LORA | {"targets": ["q_proj", "v_proj"]}))
    touched = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name, _ in adapters.trainable_parameters(made.tuned)}
    assert touched == {"q_proj", "v_proj"}
    every = kit(recipe(method=LORA))
    touched = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name, _ in adapters.trainable_parameters(every.tuned)}
    assert touched == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    houlsby = kit(recipe(method={"name": "adapter", "width": 8, "targets": ["mlp", "o_proj"]}))
    assert {
        name.split(".down")[0].rsplit(".", 1)[-1]
        for name, _ in adapters.trainable_parameters(houlsby.tuned)
        if "down" in name
    } == {
        "mlp",
        "o_proj",
    }


def test_an_adapter_on_lm_head_is_trained_with_supervised_logits_only(tmp_path: Path) -> None:
    settings = recipe(method=LORA | {"targets": ["lm_head"]}, train=TRAIN)
    made = kit(settings)
    assert made.objective.supervised_logits
    before = weights(made.tuned)
    assert [name for name, _ in adapters.trainable_parameters(made.tuned) if "lm_head.lora_B" in name]
    made.fit(started(settings, tmp_path))
    assert all(not torch.equal(before[name], p) for name, p in adapters.trainable_parameters(made.tuned))
