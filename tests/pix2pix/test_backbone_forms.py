"""Folders of Stable Diffusion as people have them: each opens as it was meant, or says in one line why it does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from editing import recipe, stable_diffusion_folder
from safetensors.torch import load_file, save_file

from instructzoo.core import ZooError
from instructzoo.pix2pix import model
from instructzoo.pix2pix.networks import editor, weight_files

WEIGHTS = dict.fromkeys(("unet", "vae"), "diffusion_pytorch_model") | {"text_encoder": "model"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stable_diffusion_folder(tmp_path_factory.mktemp("stable"))


@pytest.fixture
def folder(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "sd"))


def weights_file(folder: Path, part: str) -> Path:
    return folder / part / f"{WEIGHTS[part]}.safetensors"


def change_weights(folder: Path, part: str, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = load_file(weights_file(folder, part))
    change(weights)
    save_file(weights, weights_file(folder, part), metadata={"format": "pt"})


def set_scheduler(folder: Path, **values: Any) -> None:
    path = folder / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_weights_that_are_only_there_as_a_variant_are_opened(base: Path, folder: Path) -> None:
    for part in WEIGHTS:
        weights_file(folder, part).rename(folder / part / f"{WEIGHTS[part]}.fp16.safetensors")
    opened, plain = editor.open_folder(folder)[0].state_dict(), editor.open_folder(base)[0].state_dict()
    assert all(torch.equal(opened[name], plain[name]) for name in plain)


def test_a_plain_file_is_opened_before_a_variant(base: Path, folder: Path) -> None:
    shutil.copy(weights_file(folder, "unet"), folder / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    change_weights(folder, "unet", lambda weights: weights["conv_out.bias"].fill_(7))
    assert bool((editor.open_folder(folder)[0].unet.conv_out.bias == 7).all())


@pytest.mark.parametrize("suffix", [".bin", ".ckpt", ".pt"])
def test_a_pickle_is_not_opened_and_the_error_tells_how_to_convert_it(folder: Path, suffix: str) -> None:
    weights_file(folder, "vae").rename(weights_file(folder, "vae").with_suffix(suffix))
    with pytest.raises(ZooError, match=r"pickles are not opened.*DiffusionPipeline.*save_pretrained"):
        editor.open_folder(folder)


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_a_checkpoint_in_one_file_is_an_error_that_tells_how_to_convert_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"v1-5{suffix}"
    path.write_bytes(b"")
    for backbone in (path, tmp_path):
        with pytest.raises(ZooError, match=r"one file.*from_single_file.*v1-5"):
            model.load(recipe(str(backbone)), list)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_missing_left_over_and_misshapen_weights_are_errors_that_name_them(folder: Path, part: str) -> None:
    name = next(key for key in load_file(weights_file(folder, part)) if key.endswith("bias"))
    kept = weights_file(folder, part).read_bytes()
    for change, expected in (
        (lambda weights: weights.pop(name), f"{part}: no weights for {name}"),
        (lambda weights: weights.update({"extra.lora_A": torch.zeros(1)}), f"{part}: .*extra.lora_A"),
        (lambda weights: weights.update({name: torch.zeros(3)}), name),
    ):
        change_weights(folder, part, change)
        with pytest.raises(ZooError, match=expected):
            editor.open_folder(folder)
        weights_file(folder, part).write_bytes(kept)


def test_position_ids_of_older_text_encoders_are_no_fault(folder: Path) -> None:
    ids = {"text_model.embeddings.position_ids": torch.arange(24)[None]}
    change_weights(folder, "text_encoder", lambda weights: weights.update(ids))
    editor.open_folder(folder)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_a_missing_empty_or_truncated_part_is_an_error_that_names_the_folder(folder: Path, part: str) -> None:
    for damage in (shutil.rmtree, lambda path: [file.write_bytes(file.read_bytes()[:40]) for file in path.iterdir()]):
        broken = Path(shutil.copytree(folder, folder.parent / "broken"))
        damage(broken / part)
        with pytest.raises(ZooError, match="broken"):
            editor.open_folder(broken)
        shutil.rmtree(broken)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, "FlowMatchEulerDiscreteScheduler; expected a noise"),
        ({"_class_name": "EDMEulerScheduler"}, "EDMEulerScheduler"),
        ({"_class_name": "Unknown"}, "class Unknown"),
        ({"rescale_betas_zero_snr": True}, "ends in pure noise"),
    ],
)
def test_a_schedule_of_another_family_is_an_error(folder: Path, config: dict[str, Any], expected: str) -> None:
    set_scheduler(folder, **config)
    with pytest.raises(ZooError, match=expected):
        editor.open_folder(folder)


def test_a_schedule_that_ends_in_pure_noise_is_kept_for_velocity(folder: Path) -> None:
    set_scheduler(
        folder, _class_name="EulerDiscreteScheduler", rescale_betas_zero_snr=True, prediction_type="v_prediction"
    )
    schedule = editor.open_folder(folder)[0].schedule
    assert float(schedule.alphas_cumprod[-1]) == 0
    assert schedule.config.prediction_type == "v_prediction"


def test_a_backbone_that_predicts_the_picture_is_an_error(folder: Path) -> None:
    set_scheduler(folder, prediction_type="sample")
    with pytest.raises(ZooError, match="sample; expected epsilon or v_prediction"):
        model.set_prediction_type(editor.open_folder(folder)[0], recipe(str(folder)))


@pytest.mark.parametrize("damage", ["cut", "missing", "shape"])
def test_damaged_weights_of_a_trained_editor_are_an_error_with_their_file(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "trained.safetensors"
    expected = {"a": torch.zeros(2), "b": torch.zeros(3)}
    saved = {"cut": expected, "missing": {"a": torch.zeros(2)}, "shape": expected | {"b": torch.zeros(4)}}[damage]
    save_file(saved, path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(ZooError, match=f"{path.name}.*({'cannot read' if damage == 'cut' else 'other weights.*b'})"):
        weight_files.load_exactly(path, expected)
