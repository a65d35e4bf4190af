"""Tuning methods: which parameters are trained, and that reloaded and merged models answer as the tuned model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import (
    LLAMA,
    LORA,
    T5,
    Kit,
    greedy_answers,
    kit,
    max_difference,
    mean_loss,
    recipe,
    started,
    sums,
    weights,
    wild,
)

from instructzoo.core import models
from instructzoo.core.errors import ZooError
from instructzoo.core.models import ModelBundle, adapters
from instructzoo.core.recipe import Method

BOTH = pytest.mark.parametrize("backbone", [LLAMA, T5])
TRAIN = {"steps": 12, "lr": 3e-2, "warmup": 0, "weight_decay": 0.1}

METHODS: dict[str, tuple[dict[str, Any], str]] = {
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
"""Every method besides full: its settings, and a pattern for the names of the parameters that it trains."""

EACH = pytest.mark.parametrize("name", METHODS)
UNMERGED = {"prefix", "prompt", "p-tuning", "adapter", "parallel-adapter"}
"""Methods whose result cannot be merged into a plain model."""


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Backbones on disk that give many different answers, which change with small changes of the weights."""
    folders = {}
    for backbone in (LLAMA, T5):
        setup = kit(recipe(backbone))
        wild(setup.model)
        folders[backbone] = tmp_path_factory.mktemp("base")
        models.save_plain(setup.model, setup.bundle.tokenizer, folders[backbone])
    return folders


def with_random_weights(setup: Kit) -> ModelBundle:
    """Add random numbers to the parameters that the method trains; return the model."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _, p in adapters.trainable_parameters(setup.model):
            p.add_(
                torch.randn(p.shape, generator=generator) * (5 if adapters.uses_virtual_tokens(setup.model) else 0.5)
            )
    return ModelBundle(setup.model.eval(), setup.bundle.tokenizer, setup.bundle.kind)


def test_every_adapter_method_is_covered_by_these_tests() -> None:
    assert {settings["name"] for settings, _ in METHODS.values()} == set(adapters.METHODS) - {"full"}


@BOTH
@EACH
def test_a_method_trains_exactly_its_own_parameters(backbone: str, name: str, tmp_path: Path) -> None:
    method, pattern = METHODS[name]
    settings = recipe(backbone, method=method, train=TRAIN | {"steps": 6})
    setup = kit(settings)
    before = weights(setup.model)
    trained = {parameter for parameter, _ in adapters.trainable_parameters(setup.model)}
    assert trained == {parameter for parameter in before if re.search(pattern, parameter, re.IGNORECASE)}
    assert sum(adapters.trainable_parameter_counts(setup.model).values()) == sum(
        before[parameter].numel() for parameter in trained
    )
    setup.fit(started(settings, tmp_path))
    after = weights(setup.model)
    changed = {parameter for parameter in before if not torch.equal(before[parameter], after[parameter])}
    # A bias of the keys shifts all scores of a query alike, so its gradient is zero up to rounding.
    key_biases = {p for p in trained - changed if "k_proj" in p or "Attention.k." in p}
    assert changed | key_biases == trained


@BOTH
@EACH
def test_every_method_lowers_the_loss_on_eight_rows(backbone: str, name: str, tmp_path: Path) -> None:
    """Every update has the same eight rows. The loss falls only a little, since the backbone is untrained."""
    method, _ = METHODS[name]
    lr = {"ia3": 0.3, "vera": 0.3, "oft": 0.3, "bitfit": 0.1, "norms": 0.1}.get(name, 3e-2)
    settings = recipe(backbone, method=method, train={"steps": 40, "lr": lr, "schedule": "constant", "warmup": 0})
    setup = kit(settings, sums(8))
    untrained = kit(settings, sums(8))
    setup.fit(started(settings, tmp_path))
    assert mean_loss(setup) < mean_loss(untrained) - 0.02


def test_full_tuning_updates_every_weight(tmp_path: Path) -> None:
    settings = recipe(train=TRAIN)
    setup = kit(settings)
    before = weights(setup.model)
    setup.fit(started(settings, tmp_path))
    assert not [name for name, value in weights(setup.model).items() if torch.equal(value, before[name])]


@BOTH
@pytest.mark.parametrize("name", ["full", *METHODS])
def test_reloaded_and_merged_models_answer_as_the_tuned_model(
    backbone: str, name: str, bases: dict[str, Path], tmp_path: Path
) -> None:
    method = {"name": "full"} if name == "full" else METHODS[name][0]
    setup = kit(recipe(str(bases[backbone]), method=method))
    untuned = greedy_answers(setup, setup.bundle, 200)
    bundle = with_random_weights(setup)
    tuned_answers = greedy_answers(setup, bundle, 200)
    assert sum(answer != before for answer, before in zip(tuned_answers, untuned, strict=True)) > 30
    assert len(set(tuned_answers)) > 2

    folder = tmp_path / "model"
    models.save(setup.model, bundle.tokenizer, setup.recipe, folder)
    reloaded = models.open_saved(folder)
    assert not reloaded.model.training
    assert reloaded.kind == bundle.kind
    assert greedy_answers(setup, reloaded, 200) == tuned_answers
    assert not list(folder.glob("*.bin")) and not list(folder.glob("*.pt"))
    if name != "full":
        saved_bytes = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
        assert saved_bytes < bases[backbone].joinpath("model.safetensors").stat().st_size

    if name in UNMERGED or (name, backbone) == ("bitfit", T5):
        with pytest.raises(ZooError, match=r"adds virtual tokens|has no place in a plain"):
            adapters.merged(reloaded.model)
        return
    merged = adapters.merged(reloaded.model)
    assert greedy_answers(setup, ModelBundle(merged, reloaded.tokenizer, reloaded.kind), 200) == tuned_answers
    merged.save_pretrained(str(tmp_path / "plain"))
    reloaded.tokenizer.save_pretrained(str(tmp_path / "plain"))
    opened = models.open_plain(tmp_path / "plain", setup.recipe.model)
    assert greedy_answers(setup, opened, 200) == tuned_answers
    assert max_difference(weights(opened.model), weights(merged)) == 0


@pytest.mark.parametrize("name", ["full", "lora", "bitfit"])
def test_a_damaged_saved_model_is_a_clear_error(name: str, tmp_path: Path) -> None:
    setup = kit(recipe(method={"name": name}))
    models.save(setup.model, setup.bundle.tokenizer, setup.recipe, tmp_path)
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
        model = adapters.apply(kit(recipe()).bundle.model, recipe(method=METHODS[name][0]).method, seed)
        states.append(weights(model) | dict(model.named_buffers()))  # VeRA's frozen projections are buffers
        next_random = float(torch.rand(()))
    torch.manual_seed(123)
    assert next_random == float(torch.rand(()))
    assert max_difference(states[0], states[1]) == 0
    assert max_difference(states[0], states[2]) > 0


@BOTH
@pytest.mark.parametrize("name", ["adapter", "parallel-adapter", "bitfit"])
def test_a_fresh_adapter_or_bias_leaves_the_loss_unchanged(backbone: str, name: str) -> None:
    setup, unadapted = kit(recipe(backbone, method=METHODS[name][0])), kit(recipe(backbone))
    assert mean_loss(setup) == mean_loss(unadapted)


def test_an_unknown_method_target_or_pattern_is_a_clear_error() -> None:
    model = kit(recipe()).bundle.model
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
    setup = kit(recipe(method=LORA | {"targets": ["q_proj", "v_proj"]}))
    adapted = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name, _ in adapters.trainable_parameters(setup.model)}
    assert adapted == {"q_proj", "v_proj"}
    all_linear = kit(recipe(method=LORA))
    adapted = {
        name.split(".lora_")[0].rsplit(".", 1)[-1] for name, _ in adapters.trainable_parameters(all_linear.model)
    }
    assert adapted == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    houlsby = kit(recipe(method={"name": "adapter", "width": 8, "targets": ["mlp", "o_proj"]}))
    assert {
        name.split(".down")[0].rsplit(".", 1)[-1]
        for name, _ in adapters.trainable_parameters(houlsby.model)
        if "down" in name
    } == {
        "mlp",
        "o_proj",
    }


def test_an_adapter_on_lm_head_is_trained_with_supervised_logits_only(tmp_path: Path) -> None:
    settings = recipe(method=LORA | {"targets": ["lm_head"]}, train=TRAIN)
    setup = kit(settings)
    assert setup.objective.supervised_logits
    before = weights(setup.model)
    assert [name for name, _ in adapters.trainable_parameters(setup.model) if "lm_head.lora_B" in name]
    setup.fit(started(settings, tmp_path))
    assert all(not torch.equal(before[name], p) for name, p in adapters.trainable_parameters(setup.model))
