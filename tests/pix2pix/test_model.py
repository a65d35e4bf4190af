"""Backbones: an editor made from a text-to-image model starts with that model's predictions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from editing import editing_setup, editing_task, recipe, rows, save_model, stable_diffusion_folder

from instructzoo.core import ZooError
from instructzoo.core.models.quiet import quiet
from instructzoo.pix2pix import model
from instructzoo.pix2pix.model import TRAINED_FILE
from instructzoo.pix2pix.networks import editor

LORA = {"name": "lora", "rank": 2, "alpha": 4}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stable_diffusion_folder(tmp_path_factory.mktemp("stable"))


@torch.no_grad()
def test_a_fresh_editor_equals_its_base_model(base: Path) -> None:
    from diffusers import UNet2DConditionModel

    plain = UNet2DConditionModel.from_pretrained(base / "unet")
    plain.conv_in.bias.normal_()
    before = plain.conv_in.bias.clone()
    torch.manual_seed(1)
    x, time, words = torch.randn(3, 4, 8, 8), torch.tensor([3, 400, 999]), torch.randn(3, 7, 32)
    expected = plain(x, time, words).sample
    wide = editor.widen_input(plain)
    for condition in (torch.zeros_like(x), torch.randn_like(x) * 5):
        assert torch.equal(wide(torch.cat([x, condition], 1), time, words).sample, expected)
    assert torch.equal(wide.conv_in.bias, before)
    assert wide.config.in_channels == 8


def test_an_editor_is_not_widened_again(tmp_path: Path) -> None:
    loaded, _ = editor.open_folder(stable_diffusion_folder(tmp_path / "eight", inputs=8))
    weight = loaded.unet.conv_in.weight
    assert editor.widen_input(loaded.unet).conv_in.weight is weight


def test_a_unet_of_other_channels_is_an_error(tmp_path: Path) -> None:
    loaded, _ = editor.open_folder(stable_diffusion_folder(tmp_path / "nine", inputs=9))
    with pytest.raises(ZooError, match="9 channels in and 4 out"):
        editor.widen_input(loaded.unet)


def test_the_condition_channels_get_a_gradient(base: Path) -> None:
    """The new channels begin at zero and learn from the first update."""
    task, tuned, objective, encoded = editing_setup(recipe(str(base)))
    tuned.train()
    loss, count = objective.loss(tuned, objective.collate(encoded[:4]))
    (loss / count).backward()
    assert float(tuned.unet.conv_in.weight.grad[:, 4:].abs().sum()) > 0
    assert task.loaded.model.vae.training is False or all(p.grad is None for p in tuned.vae.parameters())


@pytest.mark.parametrize(
    ("name", "expected"),
    [("scratch:unet-1x30", "multiple of 32"), ("scratch:unet-0x32", "width"), ("scratch:u", "unet")],
)
def test_an_invalid_scratch_name_is_an_error(name: str, expected: str) -> None:
    with pytest.raises(ZooError, match=expected):
        editing_task(recipe(name))


def test_a_folder_without_its_components_is_an_error(base: Path, tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(ZooError, match="a diffusers folder with unet"):
        editing_task(recipe(str(tmp_path)))


def test_the_same_seed_initializes_the_same_weights() -> None:
    first, other = (editing_task(recipe()).loaded.model.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], other[name]) for name in first)
    third = editing_task(recipe(seed=1)).loaded.model.state_dict()
    assert not torch.equal(first["unet.conv_in.weight"], third["unet.conv_in.weight"])


def test_each_method_trains_only_its_own_parameters(base: Path) -> None:
    def parts(settings: object) -> set[str]:
        tuned = editing_task(settings).trainable_model()  # type: ignore[arg-type]
        return {name.split(".")[0] for name, p in tuned.named_parameters() if p.requires_grad}

    assert parts(recipe()) == {"unet", "text"}
    assert parts(recipe(str(base))) == {"unet"}
    assert parts(recipe(str(base), model={"options": {"train_text": True}})) == {"unet", "text"}
    tuned = editing_task(recipe(str(base), method=LORA)).trainable_model()
    trained = {name for name, p in tuned.named_parameters() if p.requires_grad}
    assert {"unet.conv_in.weight", "unet.conv_in.bias"} <= trained
    assert all("lora" in name or "conv_in" in name for name in trained)
    with pytest.raises(ZooError, match="full or lora"):
        editing_task(recipe(str(base), method={"name": "ia3"})).trainable_model()


def test_a_saved_or_merged_lora_adapter_has_the_same_loss(base: Path, tmp_path: Path) -> None:
    settings = recipe(str(base), method=LORA)
    task, tuned, objective, encoded = editing_setup(settings)
    with torch.no_grad():
        for p in tuned.parameters():
            if p.requires_grad:
                p.add_(torch.randn_like(p) * 0.05)
    tuned.eval()
    batch = objective.collate(encoded[:4])
    expected = objective.loss(tuned, batch)[0]
    folder = save_model(settings, tuned, task.loaded.tokenizer, tmp_path / "lora")
    assert (folder / TRAINED_FILE).is_file()
    assert not list(folder.rglob("*.bin"))
    again = model.open_saved(folder).model
    assert torch.equal(objective.loss(again, batch)[0], expected)
    merged = model.merge_lora(again)
    assert not [name for name in merged.state_dict() if "lora" in name]
    torch.testing.assert_close(objective.loss(merged, batch)[0], expected, rtol=1e-4, atol=1e-4)


def test_a_saved_lora_adapter_keeps_its_prediction_type(base: Path, tmp_path: Path) -> None:
    settings = recipe(str(base), method=LORA, objective={"prediction": "v_prediction"})
    task, tuned, _, _ = editing_setup(settings)
    folder = save_model(settings, tuned, task.loaded.tokenizer, tmp_path / "lora")
    assert model.open_saved(folder).model.schedule.config.prediction_type == "v_prediction"


def test_lora_targets_the_named_modules_and_unknown_ones_are_an_error(base: Path) -> None:
    with pytest.raises(ZooError, match=r"set method\.targets"):
        editing_task(recipe(str(base), method=LORA | {"targets": ("to_x",)})).trainable_model()
    every = editing_task(recipe(str(base), method=LORA | {"targets": "all-linear"})).trainable_model()
    assert any("ff.net" in name and "lora" in name for name, p in every.named_parameters() if p.requires_grad)


def test_a_text_encoder_of_another_width_is_an_error_on_loading(base: Path, tmp_path: Path) -> None:
    import json
    import shutil

    folder = shutil.copytree(base, tmp_path / "other")
    config = json.loads((folder / "text_encoder" / "config.json").read_text())
    (folder / "text_encoder" / "config.json").write_text(json.dumps(config | {"hidden_size": 64}))
    (folder / "text_encoder" / "model.safetensors").unlink()
    from transformers import CLIPTextConfig, CLIPTextModel

    CLIPTextModel(CLIPTextConfig(**config | {"hidden_size": 64})).save_pretrained(folder / "text_encoder")
    with pytest.raises(ZooError, match="text of 64 channels"):
        editing_task(recipe(str(folder)))


def test_a_max_tokens_other_than_that_of_the_pipeline_is_an_error(base: Path) -> None:
    with pytest.raises(ZooError, match=r"set model\.max_tokens=24"):
        editing_task(recipe(str(base), model={"max_tokens": 16}))


def test_a_saved_scratch_editor_has_the_same_loss_and_input_ids(tmp_path: Path) -> None:
    settings = recipe()
    task, tuned, objective, encoded = editing_setup(settings)
    batch = objective.collate(encoded[:4])
    expected = objective.loss(tuned.eval(), batch)[0]
    again = model.open_saved(save_model(settings, tuned, task.loaded.tokenizer, tmp_path / "whole"))
    assert torch.equal(objective.loss(again.model, batch)[0], expected)
    text = rows(1)[0]["instruction"]
    assert again.tokenizer(text)["input_ids"] == task.loaded.tokenizer(text)["input_ids"]


def test_a_resumed_run_loads_its_autoencoder_without_reading_rows(tmp_path: Path) -> None:
    settings = recipe()
    task = editing_task(settings)
    task.save_tokenizer(tmp_path)

    def nothing() -> object:
        raise AssertionError("rows were read")

    again = model.load(settings, nothing, tmp_path)  # type: ignore[arg-type]
    first, second = task.loaded.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_no_word_is_tokenized_as_the_end_of_text() -> None:
    tokenizer = model.train_tokenizer(["make the red circle blue"], recipe().model)
    ids = tokenizer("make the red circle blue")["input_ids"]
    assert len(ids) == 7
    assert tokenizer.eos_token_id not in ids[:-1]
    unseen = tokenizer("zebra 7 !")["input_ids"]
    assert tokenizer.eos_token_id not in unseen[:-1]


def test_a_tokenizer_has_the_same_vocabulary_in_every_process() -> None:
    program = (
        "from instructzoo.core.recipe import Model\n"
        "from instructzoo.pix2pix import model\n"
        "own = Model(backbone='made', vocabulary=256, max_tokens=24)\n"
        "print(sorted(model.train_tokenizer(['make the red circle blue', 'add a square'], own).get_vocab().items()))"
    )
    vocabularies = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout for _ in range(3)
    }
    assert len(vocabularies) == 1
    assert "circle</w>" in vocabularies.pop()


def test_an_unknown_character_is_an_error() -> None:
    task = editing_task(recipe())
    with pytest.raises(ZooError, match="a character that the model does not know"):
        editor.tokenize(task.loaded.tokenizer, ["make it ✨ red"], 24)


def test_a_too_long_instruction_is_an_error() -> None:
    task = editing_task(recipe())
    with pytest.raises(ZooError, match="shorten the instruction"):
        editor.tokenize(task.loaded.tokenizer, ["make it red " * 20], 24)


def test_activation_checkpointing_leaves_the_gradients_unchanged() -> None:
    gradients = []
    for checkpointing in (False, True):
        _, tuned, objective, encoded = editing_setup(recipe())
        if checkpointing:
            tuned.gradient_checkpointing_enable({"use_reentrant": False})
        tuned.train()
        torch.manual_seed(3)
        loss, count = objective.loss(tuned, objective.collate(encoded[:4]))
        (loss / count).backward()
        gradients.append([p.grad.clone() for p in tuned.parameters() if p.grad is not None])
    for plain, again in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, again, rtol=1e-4, atol=1e-6)


def test_quiet_does_not_hide_errors() -> None:
    with quiet(), pytest.raises(ZooError):
        editor.open_folder("/nowhere/at/all")
