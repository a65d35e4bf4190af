"""Answers of an editor: guidance by the paper's formula, and the same pictures in diffusers' own pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from editing import editing_setup, recipe, rows, save_model, stable_diffusion_folder

from instructzoo.core import ZooError, infer
from instructzoo.core import domain as domains
from instructzoo.pix2pix import images, sampling
from instructzoo.pix2pix.data import image_transforms
from instructzoo.pix2pix.networks import editor
from instructzoo.pix2pix.networks.patch_autoencoder import to_pixels, to_tensor
from instructzoo.pix2pix.objective import row_seed
from instructzoo.pix2pix.predictor import Predictor


def shaken(tuned: Any) -> Any:
    """Weights moved, so that the condition counts."""
    torch.manual_seed(4)
    with torch.no_grad():
        for p in tuned.unet.parameters():
            p.add_(torch.randn_like(p) * 0.03)
    return tuned.eval()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    settings = recipe()
    task, tuned, _, _ = editing_setup(settings)
    folder = save_model(settings, shaken(tuned), task.loaded.tokenizer, tmp_path_factory.mktemp("made") / "model")
    predictor: Predictor = infer.load(domains.get("pix2pix"), folder)
    return predictor


@pytest.fixture(scope="module")
def latent(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """An editor made of a text-to-image model with an AutoencoderKL."""
    home = tmp_path_factory.mktemp("latent")
    settings = recipe(str(stable_diffusion_folder(home / "base")), model={"options": {"resolution": 32}})
    task, tuned, _, _ = editing_setup(settings, 10)
    folder = save_model(settings, shaken(tuned), task.loaded.tokenizer, home / "model")
    predictor: Predictor = infer.load(domains.get("pix2pix"), folder)
    return predictor


def by_pipeline(predictor: Predictor, row: dict[str, Any], number: int) -> np.ndarray:
    """What diffusers' own pipeline makes of a row with the same noise, [h, w, 3] in 0..1."""
    from diffusers import StableDiffusionInstructPix2PixPipeline

    pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(str(predictor.folder), safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    settings = predictor.sampling
    pipeline.scheduler = sampling.make_scheduler(predictor.loaded.model, settings.scheduler)
    network = predictor.loaded.model
    side = predictor.resolution // network.patch
    draw = torch.Generator().manual_seed(row_seed(settings.seed, number))
    noise = torch.randn((network.unet.config.out_channels, side, side), generator=draw)[None]
    length = predictor.recipe.model.max_tokens
    ids = editor.tokenize(predictor.loaded.tokenizer, [row["instruction"], ""], length)
    words = network.encode_text(ids)
    picture: np.ndarray = pipeline(
        image=(to_tensor([images.read(row["image"])]) + 1) / 2,
        prompt_embeds=words[:1], negative_prompt_embeds=words[1:],
        num_inference_steps=settings.steps, guidance_scale=settings.guidance,
        image_guidance_scale=settings.image_guidance, latents=noise, output_type="np",
    ).images[0]  # fmt: skip
    return picture


@pytest.mark.parametrize("kind", ["scratch", "latent"])
@pytest.mark.parametrize("scheduler", ["ddim", "euler"])
def test_pictures_equal_those_of_the_diffusers_pipeline(
    kind: str, scheduler: str, request: pytest.FixtureRequest
) -> None:
    predictor: Predictor = request.getfixturevalue(kind).sampled(
        scheduler=scheduler, guidance=3.0, image_guidance=1.5, steps=4
    )
    row = rows(1)[0]
    network = predictor.loaded.model
    ids = editor.tokenize(predictor.loaded.tokenizer, [row["instruction"], ""], predictor.recipe.model.max_tokens)
    before = to_tensor([images.read(row["image"])])
    ours = sampling.denoise(network, before, ids[:1], ids[1], predictor.sampling, [0])
    picture = (ours[0] / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy()
    theirs = by_pipeline(predictor, row, 0)
    assert np.abs(picture - theirs).max() < 1e-4
    assert picture.std() > 0.01


def test_the_saved_pipeline_encodes_instructions_as_the_predictor_does(scratch: Predictor) -> None:
    """The pipeline's own tokenizer and encoder, given the text, say what the predictor's say."""
    from diffusers import StableDiffusionInstructPix2PixPipeline

    pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(str(scratch.folder), safety_checker=None)
    text = rows(1)[0]["instruction"]
    embeddings = pipeline._encode_prompt(text, "cpu", 1, True)
    ids = editor.tokenize(scratch.loaded.tokenizer, [text, "", ""], scratch.recipe.model.max_tokens)
    torch.testing.assert_close(embeddings, scratch.loaded.model.encode_text(ids), rtol=1e-5, atol=1e-5)


def test_guidance_follows_the_formula_of_the_paper(scratch: Predictor) -> None:
    """One step of three separate forwards, put together by hand."""
    predictor = scratch.sampled(steps=1, guidance=4.0, image_guidance=1.7)
    row = rows(1)[0]
    network = predictor.loaded.model
    ids = editor.tokenize(predictor.loaded.tokenizer, [row["instruction"], ""], predictor.recipe.model.max_tokens)
    before = to_tensor([images.read(row["image"])])
    latents = sampling.denoise(network, before, ids[:1], ids[1], predictor.sampling, [5])
    with torch.no_grad():
        shown = network.vae.encode(before).latent_dist.mode()
        x = torch.randn(shown.shape[1:], generator=torch.Generator().manual_seed(row_seed(0, 5)))[None]
        schedule = sampling.make_scheduler(network, "ddim")
        schedule.set_timesteps(1)
        time = schedule.timesteps[0]

        def predict(picture: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = network.unet(torch.cat([x, picture], 1), time, words).sample
            return answer

        text, nothing = network.encode_text(ids).split(1)
        none, seen = predict(torch.zeros_like(shown), nothing), predict(shown, nothing)
        guided = none + 1.7 * (seen - none) + 4.0 * (predict(shown, text) - seen)
        latent = schedule.step(guided, time, x, return_dict=False)[0]
        expected = network.vae.decode(latent / network.scale, return_dict=False)[0]
    torch.testing.assert_close(latents, expected, rtol=1e-4, atol=1e-4)


def test_guidance_scales_of_one_equal_no_guidance_and_others_do_not(scratch: Predictor) -> None:
    test_rows = rows(1)
    plain = scratch.sampled(guided=False).answer(test_rows)
    ones = scratch.sampled(guidance=1.0, image_guidance=1.0).answer(test_rows)
    assert scratch.same_answer(plain[0], ones[0])
    assert scratch.sampled(guidance=0.5, image_guidance=0.5).answer(test_rows) != plain  # below 1 guides too
    assert scratch.sampled(guidance=6.0).answer(test_rows) != plain


def test_an_answer_does_not_depend_on_its_batch(scratch: Predictor) -> None:
    test_rows = rows(5)
    together = scratch.answer(test_rows)
    alone = [text for _, text in scratch.stream([("", row) for row in test_rows], batch=1)]
    assert all(scratch.same_answer(a, b) for a, b in zip(together, alone, strict=True))
    assert scratch.sampled(seed=1).answer(test_rows) != together


@pytest.mark.parametrize(
    "scheduler", [*sampling.SCHEDULERS, "PNDMScheduler", "HeunDiscreteScheduler", "KDPM2AncestralDiscreteScheduler"]
)
def test_every_scheduler_runs_and_is_reproducible(scratch: Predictor, scheduler: str) -> None:
    (answer,) = scratch.sampled(scheduler=scheduler, steps=5).answer(rows(1))
    assert images.read(answer).shape == (32, 32, 3)
    assert scratch.sampled(scheduler=scheduler, steps=5).answer(rows(1)) == [answer]


def test_an_unknown_scheduler_is_an_error(scratch: Predictor) -> None:
    for name in ("ddimm", "FlowMatchEulerDiscreteScheduler", "Module"):
        with pytest.raises(ZooError, match="no scheduler"):
            scratch.sampled(scheduler=name).answer(rows(1))


def test_an_answer_has_the_size_of_its_input_picture(scratch: Predictor) -> None:
    wide = images.to_uri(np.zeros((50, 91, 3), np.uint8))
    test_rows = [rows(1)[0] | {"image": wide}, rows(1)[0]]
    assert [images.read(answer).shape for answer in scratch.answer(test_rows)] == [(50, 91, 3), (32, 32, 3)]


def test_a_unet_of_two_levels_edits_pictures_of_odd_size(latent: Predictor) -> None:
    assert latent.loaded.model.multiple == 2
    pixels, _ = image_transforms.resize_whole(np.zeros((37, 61, 3), np.uint8), 32, latent.loaded.model.patch * 2)
    assert pixels.shape[0] % 4 == pixels.shape[1] % 4 == 0
    odd = images.to_uri(np.zeros((37, 61, 3), np.uint8))
    assert images.read(latent.answer([rows(1)[0] | {"image": odd}])[0]).shape == (37, 61, 3)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"image": ""}, 'no "image"'),
        ({"image": "/nowhere/a.png"}, "no file"),
        ({"image": "data:image/png;base64,AAAA"}, "cannot read"),
        ({"instruction": "add " * 60}, "shorten the instruction"),
    ],
)
def test_rows_before_a_bad_row_are_answered_and_the_error_names_it(
    scratch: Predictor, change: dict[str, str], expected: str
) -> None:
    good = rows(2)
    stream = scratch.stream([("f:1", good[0]), ("f:2", good[1] | change)])
    assert next(stream)[0] is good[0]
    with pytest.raises(ZooError, match=expected) as caught:
        next(stream)
    assert "f:2" in str(caught.value)


def test_an_exported_model_makes_the_same_edits(scratch: Predictor, latent: Predictor, tmp_path: Path) -> None:
    for name, predictor in (("scratch", scratch), ("latent", latent)):
        before = predictor.answer(rows(3))
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.yaml").write_text(predictor.recipe.resolved(), encoding="utf-8")
        after = predictor.exported(tmp_path / name, half=False).answer(rows(3))
        assert all(predictor.same_answer(a, b) for a, b in zip(before, after, strict=True))


def test_rounding_to_pixels_equals_that_of_diffusers() -> None:
    from diffusers.image_processor import VaeImageProcessor

    torch.manual_seed(0)
    pictures = torch.randn(2, 3, 4, 4)
    theirs = VaeImageProcessor().postprocess(pictures, output_type="pil")
    assert all(np.array_equal(ours, np.array(other)) for ours, other in zip(to_pixels(pictures), theirs, strict=True))
