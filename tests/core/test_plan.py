"""zoo plan on this machine counts the process; on other machines it needs shapes alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from instructzoo.core import api
from instructzoo.core import recipe as recipes
from instructzoo.core.commands import plan
from instructzoo.core.errors import ZooError
from instructzoo.core.models import known_shapes, scratch
from instructzoo.core.recipe import Model, Train
from instructzoo.core.terminal import plan_printers
from instructzoo.core.text import Batches
from instructzoo.core.tune import cards, planning, process_memory
from instructzoo.core.tune.activation_memory import saved_bytes

PARAMETERS = {
    "llama-7b": 6_738_415_616,
    "smollm2-135m": 134_515_008,
    "smollm2-360m": 361_821_120,
    "google-t5/t5-base": 222_903_552,
    "flan-t5-small": 76_961_152,
    "flan-t5-base": 247_577_856,
    "google/flan-t5-xl": 2_849_757_184,
    "google/flan-t5-xxl": 11_135_332_352,
}
"""Numbers of parameters of the published weights."""

QUICK = ("smollm2-135m", "google-t5/t5-base")

SMALL = ["model.backbone=scratch:llama-2x64", "model.max_tokens=64", "model.tokenizer=bpe", "train.batch=4"]


def shapes(recipe: str, *overrides: str) -> planning.Shapes:
    with torch.device("meta"):
        return plan.shapes_of(recipes.load(recipe, overrides))()


@pytest.mark.parametrize(
    "backbone", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PARAMETERS]
)
def test_known_shapes_have_the_published_number_of_parameters(backbone: str) -> None:
    model = shapes("arithmetic/small", f"model.backbone={backbone}", "method.name=full").model
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[backbone]


@pytest.mark.parametrize("recipe", ["arithmetic/paper", "uie/paper", "absa/paper"])
def test_every_text_backbone_of_a_paper_recipe_has_a_known_shape(recipe: str) -> None:
    known_shapes.config_of(recipes.load(recipe).model)


def test_a_backbone_of_unknown_shape_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"the shape of some/model is not at hand; expected a folder with config\.json"):
        known_shapes.config_of(Model(backbone="some/model"))
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(ZooError, match=r"cannot read .*config\.json"):
        known_shapes.config_of(Model(backbone=str(tmp_path)))
    texts = ('{"model_type": "nosuch"}', '{"model_type": "llama", "hidden_size": "x"}', '{"model_type": "clip"}')
    for malformed in texts:
        (tmp_path / "config.json").write_text(malformed)
        with pytest.raises(ZooError, match="cannot load") as caught:
            known_shapes.config_of(Model(backbone=str(tmp_path)))
        assert len(str(caught.value)) < 700
    scratch.config_of("scratch:t5-1x32", 100, 64, 0.0).save_pretrained(tmp_path)
    config, tied = known_shapes.config_of(Model(backbone=str(tmp_path)))
    assert (config.d_model, config.vocab_size, tied) == (32, 100, True)


@pytest.mark.parametrize(("text", "expected"), [("h100", ("h100", 1)), ("A100-80x4", ("a100-80", 4))])
def test_cards_are_read_with_their_number(text: str, expected: tuple[str, int]) -> None:
    name, card, count = cards.parse(text)
    assert (name, count) == expected
    assert card.gigabytes == 80


@pytest.mark.parametrize("text", ["h100x0", "hh100", "", "x8", "h100x", "h100x-1"])
def test_an_unknown_card_is_an_error_that_names_the_known_ones(text: str) -> None:
    with pytest.raises(ZooError, match=r"no card.*rtx4090"):
        api.plan("arithmetic/tiny", on=text)


def test_a_plan_of_another_machine_needs_neither_weights_nor_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("rows or weights were asked for")

    monkeypatch.setattr(plan, "build_task", refuse)
    before = process_memory.current_bytes()
    result = api.plan("absa/small", ["method={name: full}", "train.batch=1"], on="l4")
    assert result["parameters"]["trained"] == PARAMETERS["smollm2-135m"]
    assert process_memory.current_bytes() - before < 4 * PARAMETERS["smollm2-135m"], "no weights were allocated"
    memory = result["memory_gb"]
    assert memory["weights"] == memory["gradients"] == memory["optimizer"] / 2 == pytest.approx(0.5011, abs=1e-3)
    assert result["fits"] and memory["sum"] < result["card_gb"]
    assert (result["steps"], result["seconds"]) == (None, None), "rows of a corpus are not counted without it"
    assert result["activations_gb"]["checkpointed"] < result["activations_gb"]["stored"]


def test_stored_activations_of_shapes_are_those_of_real_tensors_within_a_tenth() -> None:
    recipe = recipes.load("arithmetic/small", [*SMALL, "method.name=full"])
    with torch.device("meta"):
        _, cost = planning.measure(plan.shapes_of(recipe), rows=4, half=False)
    real = planning.text_shapes(recipe, *known_shapes.config_of(recipe.model))
    stored = saved_bytes(lambda: real.loss(4), real.model.train())
    assert cost.stored == pytest.approx(stored, rel=0.1)


def test_sharding_divides_what_ddp_copies() -> None:
    settings = [*SMALL, "method.name=full", "train.precision=float32", "train.batch=8"]
    ddp = api.plan("arithmetic/small", settings, on="t4x4")
    fsdp = api.plan("arithmetic/small", [*settings, "train.sharding=true"], on="t4x4")
    assert (ddp["sharding"], fsdp["sharding"]) == ("ddp", "fsdp")
    for kind in ("weights", "gradients", "optimizer"):
        assert fsdp["memory_gb"][kind] == pytest.approx(ddp["memory_gb"][kind] / 4, abs=2e-4)
    assert ddp["memory_gb"]["exchange"] == ddp["memory_gb"]["gradients"], "DDP's buckets"


def test_a_quantised_base_takes_one_byte_per_weight_of_its_linear_layers() -> None:
    recipe = recipes.load("arithmetic/paper")
    model = shapes("arithmetic/paper").model
    linear = 32 * (4 * 4096**2 + 3 * 4096 * 11_008)
    rest = sum(p.numel() for p in model.parameters()) - linear
    assert planning.weight_bytes(model, recipe.model) == linear + 4 * rest


def test_what_is_not_quantised_takes_four_bytes_per_weight_whatever_the_dtype() -> None:
    sizes = []
    for weights in ("float32", "bfloat16"):
        overrides = [*SMALL, "model.quantisation=nf4", f"model.weights={weights}"]
        model = shapes("arithmetic/small", *overrides).model
        sizes.append(planning.weight_bytes(model, recipes.load("arithmetic/small", overrides).model))
    assert sizes[0] == sizes[1]


def test_a_plan_of_another_machine_names_an_unknown_optimiser() -> None:
    with pytest.raises(ZooError, match='no optimiser "adamm"; did you mean "adamw"'):
        api.plan("arithmetic/small", [*SMALL, "train.optimizer=adamm"], on="l4")


def test_time_follows_from_operations_peak_rate_and_the_stated_utilisation() -> None:
    cost, train = planning.Cost(0, 0, 35 * 10**12, 5 * 10**12), Train(batch=8, precision="float32")
    card = cards.Card(10, float32=1.0, half=100.0)
    assert planning.seconds_per_update(cost, train, 2, 1, card, half=False) == pytest.approx(400)
    assert planning.seconds_per_update(cost, train, 2, 4, card, half=True) == pytest.approx(1)
    checkpointing = train.model_copy(update={"activation_checkpointing": True})
    assert planning.seconds_per_update(cost, checkpointing, 2, 4, card, half=True) == pytest.approx(8 / 7)


def test_auto_precision_is_half_only_where_the_card_multiplies_bfloat16() -> None:
    assert planning.computes_in_half(Train(), cards.CARDS["l4"])
    assert not planning.computes_in_half(Train(), cards.CARDS["t4"])
    assert planning.computes_in_half(Train(precision="float16"), cards.CARDS["t4"])


def test_the_largest_micro_batch_is_one_that_the_run_has() -> None:
    lengths = [3, 9, 4, 2, 8, 1]
    batches = Batches(lengths, Train(batch=3, micro_tokens=16), seed=0)
    step, rows = plan.largest_micro_batch(batches)
    assert rows in batches.update(step)
    sizes = [len(b) * max(lengths[r] for r in b) for s in range(batches.steps) for b in batches.update(s)]
    assert len(rows) * max(lengths[row] for row in rows) == max(sizes)


def test_the_peak_of_the_process_counts_memory_that_was_freed_again() -> None:
    process_memory.reset_peak()
    before = process_memory.current_bytes()
    block = torch.ones(30_000_000)
    del block
    assert process_memory.peak_bytes() > before + 100e6


def test_every_card_is_found_by_its_name_alone_and_by_its_number() -> None:
    for name in cards.CARDS:
        assert cards.parse(name)[::2] == (name, 1)
        assert cards.parse(f"{name}X8")[::2] == (name, 8)


@pytest.mark.parametrize("text", ["h1000", "h100x0", "x8", "", "rtx", "a100"])
def test_an_unknown_card_is_an_error_with_a_suggestion_or_the_list(text: str) -> None:
    with pytest.raises(ZooError, match="CARD or CARDxN, of a10"):
        cards.parse(text)


def test_the_estimate_of_a_tiny_model_on_a_large_card_is_not_printed_as_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan_printers.plan_on(api.plan("uie/tiny", on="h100x8"))
    printed = " ".join(capsys.readouterr().out.split())
    assert "weights 0.00 GB" not in printed
    assert " 0.00 s per step" not in printed
    assert " 0.00 h" not in printed
