"""CLIP similarities, on a tiny model of CLIP's architecture with random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from instructzoo.core.errors import ZooError
from instructzoo.pix2pix import images
from instructzoo.pix2pix.metrics import clip_metrics
from instructzoo.pix2pix.metrics.clip_metrics import Clip

SIZE = 16
TEXTS = ["a red circle on a white ground", "a blue circle on a white ground", "an empty black ground"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

    home = tmp_path_factory.mktemp("clip")
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    bpe.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["<|startoftext|>", "<|endoftext|>"]
    bpe.train_from_iterator(
        TEXTS, trainers.BpeTrainer(min_frequency=1, end_of_word_suffix="</w>", special_tokens=special)
    )
    saved = json.loads(bpe.to_str())["model"]
    tokenizer = CLIPTokenizer(vocab=saved["vocab"], merges=[tuple(merge) for merge in saved["merges"]])
    tokenizer.save_pretrained(home)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**tower, "vocab_size": len(tokenizer), "max_position_embeddings": 16}
    text |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config={**text, "initializer_range": 0.5},
        vision_config={**tower, "image_size": SIZE, "patch_size": 8},
        projection_dim=24,
        initializer_factor=5.0,
    )
    CLIPModel(config).save_pretrained(home)
    return home


@pytest.fixture(scope="module")
def clip(folder: Path) -> Clip:
    return Clip.load(folder)


def picture(seed: int, height: int = 24, width: int = 40) -> images.Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_float_pictures_are_an_error_and_bytes_are_normalized_as_for_clip(clip: Clip) -> None:
    """The fault of the published evaluation. Such a picture is refused, and bytes are normalised as CLIP knows them."""
    wrong = picture(0) / 127.5 - 1
    with pytest.raises(ZooError, match="expected uint8"):
        clip.images([wrong])  # type: ignore[list-item]
    white, black = np.full((SIZE, SIZE, 3), 255, np.uint8), np.zeros((SIZE, SIZE, 3), np.uint8)
    for flat, level in ((white, 1.0), (black, 0.0)):
        pixels = clip_metrics.preprocess(flat, SIZE)
        expected = (level - np.array(clip_metrics.MEAN)) / np.array(clip_metrics.STD)
        assert np.allclose(pixels, expected[:, None, None], atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(24, 40), (40, 25), (16, 16), (7, 9), (33, 100)])
def test_pictures_are_preprocessed_as_by_the_clip_processor(height: int, width: int) -> None:
    from transformers import CLIPImageProcessorPil

    shot = picture(1, height, width)
    processor = CLIPImageProcessorPil(size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE})
    expected = processor(images=shot, return_tensors="np")["pixel_values"][0]
    assert np.allclose(clip_metrics.preprocess(shot, SIZE), expected, atol=1e-5)


def test_embeddings_equal_those_of_transformers(clip: Clip) -> None:
    import torch

    pixels = torch.from_numpy(np.stack([clip_metrics.preprocess(picture(seed), SIZE) for seed in (0, 1)]))
    inputs = clip.tokenizer(TEXTS[:2], padding=True, return_tensors="pt")
    with torch.inference_mode():
        whole = clip.model(pixel_values=pixels, **inputs)
    assert np.allclose(clip.images([picture(0), picture(1)]), whole.image_embeds, atol=1e-5)
    assert np.allclose(clip.texts(TEXTS[:2]), whole.text_embeds, atol=1e-5)


def test_an_embedding_does_not_depend_on_its_batch(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [picture(seed, 20 + seed) for seed in range(5)]
    together, text_embeddings = clip.images(pictures), clip.texts(TEXTS)
    monkeypatch.setattr(clip_metrics, "BATCH_SIZE", 2)
    assert np.allclose(clip.images(pictures), together, atol=1e-5)
    assert np.allclose(clip.texts(TEXTS), text_embeddings, atol=1e-5)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert len({tuple(row.round(3)) for row in text_embeddings}) == len(TEXTS)
    assert clip.images([]).shape == (0, 24)


def test_a_long_caption_has_a_finite_embedding(clip: Clip) -> None:
    assert np.isfinite(clip.texts([" ".join(TEXTS * 20)])).all()


def test_an_unchanged_picture_or_caption_has_direction_zero(clip: Clip) -> None:
    shots = [picture(0), picture(1), picture(2)]
    similarity = clip_metrics.measure_similarity(
        clip, shots, [shots[0], picture(5), picture(6)], [TEXTS[0]] * 3, [TEXTS[1], TEXTS[2], TEXTS[0]]
    )
    assert similarity.image[0] == pytest.approx(1, abs=1e-5)
    assert similarity.direction[0] == 0  # the same picture
    assert similarity.direction[2] == 0  # the same caption
    assert similarity.direction[1] != 0
    assert (similarity.image[1:] < 1).all()


def test_direction_is_positive_with_and_negative_against_the_captions() -> None:
    axes = np.eye(4, dtype=np.float32)
    there = clip_metrics.directional_similarity(axes[:1], axes[1:2], axes[:1], axes[1:2])
    against = clip_metrics.directional_similarity(axes[1:2], axes[:1], axes[:1], axes[1:2])
    aside = clip_metrics.directional_similarity(axes[:1], axes[1:2], axes[2:3], axes[3:4])
    assert (there[0], against[0], aside[0]) == pytest.approx((1, -1, 0), abs=1e-6)


def test_the_filter_rejects_a_pair_below_any_threshold() -> None:
    good = np.array([0.7, 0.2, 0.2, 0.2], np.float32)  # image, direction, before, after
    pairs = np.stack([good, *(good - 0.01 * np.eye(4, dtype=np.float32))])
    kept = clip_metrics.Similarity(*pairs.T).passes_filter()
    assert kept.tolist() == [True, False, False, False, False]


def test_pairs_without_a_caption_are_an_error(clip: Clip) -> None:
    with pytest.raises(ZooError, match="as many of each"):
        clip_metrics.measure_similarity(clip, [picture(0)], [picture(1)], TEXTS[:1], [])


def test_a_folder_without_a_clip_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"no config\.json and no model\.safetensors"):
        Clip.load(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ZooError, match='a model of type "bert"; expected clip'):
        Clip.load(tmp_path)


def test_a_clip_model_without_all_its_weights_is_an_error_that_names_them(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = Path(shutil.copytree(folder, tmp_path / "clip"))
    weights = load_file(copy / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ZooError, match=r"no weights for visual_projection.weight"):
        Clip.load(copy)
