"""Denoising: any number of steps begins at the noise, and a prediction of no numbers is an error."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import DDPMScheduler
from editing import editing_task, recipe, rows

from instructzoo.core import ZooError
from instructzoo.core import domain as domains
from instructzoo.pix2pix import edit_request, sampling
from instructzoo.pix2pix.demo.batch_editing import EditRequest, edit_all
from instructzoo.pix2pix.predictor import Predictor

SCHEDULERS = [*sampling.SCHEDULERS, "DDPMScheduler", "HeunDiscreteScheduler", "DEISMultistepScheduler"]


def schedule_of(**values: Any) -> Any:
    """A model with a noise schedule like those of Stable Diffusion's folders."""
    defaults = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False}
    return SimpleNamespace(schedule=DDPMScheduler(**{**defaults, "steps_offset": 1, **values}))


@pytest.mark.parametrize("spacing", ["leading", "linspace", "trailing"])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_any_number_of_steps_begins_near_the_noise_and_stays_within_the_training(name: str, spacing: str) -> None:
    for steps in (1, 2, 20, 999, 1000):
        times = sampling.make_scheduler(schedule_of(timestep_spacing=spacing), name, steps).timesteps
        assert 500 <= float(max(times)) <= 999, steps
        assert float(min(times)) >= 0
        assert len(times) >= steps


@pytest.mark.parametrize("name", sampling.SCHEDULERS)
def test_as_many_steps_as_the_training_had_can_be_made(name: str) -> None:
    small = schedule_of(num_train_timesteps=50, timestep_spacing="leading")
    schedule = sampling.make_scheduler(small, name, 50)
    latents = torch.ones(1, 1, 2, 2) * schedule.init_noise_sigma
    for time in schedule.timesteps:
        latents = schedule.step(torch.zeros_like(latents), time, latents, return_dict=False)[0]
    assert bool(torch.isfinite(latents).all())


def test_more_steps_than_those_of_the_training_are_an_error() -> None:
    with pytest.raises(ZooError, match=r"decode.options.steps: 51 denoising steps; expected at most 50"):
        sampling.make_scheduler(schedule_of(num_train_timesteps=50), "ddim", 51)


def test_a_scheduler_that_cannot_end_in_pure_noise_is_an_error_for_a_model_that_does() -> None:
    model = schedule_of(rescale_betas_zero_snr=True, prediction_type="v_prediction")
    assert sampling.make_scheduler(model, "euler", 5)
    for name in ("PNDMScheduler", "HeunDiscreteScheduler"):
        with pytest.raises(ZooError, match=r"pure noise.*ddim, euler"):
            sampling.make_scheduler(model, name, 5)


def test_a_scheduler_of_another_family_is_unknown() -> None:
    with pytest.raises(ZooError, match="no scheduler"):
        sampling.scheduler_class("EDMEulerScheduler")


@pytest.fixture(scope="module")
def broken() -> Predictor:
    """An editor whose weights the tests break."""
    settings = recipe()
    loaded = editing_task(settings).loaded
    loaded.model.eval().requires_grad_(False)
    return Predictor(domains.get("pix2pix"), settings, loaded, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e38])
@pytest.mark.parametrize("part", ["unet", "vae"])
def test_a_prediction_of_no_numbers_is_an_error_that_names_the_row(broken: Predictor, part: str, value: float) -> None:
    network = broken.loaded.model
    layer = network.unet.conv_out if part == "unet" else network.vae.decoder[-1]
    kept = layer.weight.detach().clone()
    layer.weight.fill_(value)
    try:
        with pytest.raises(ZooError, match=r"row .* NaN or infinity .* expected numbers") as caught:
            broken.answer(rows(2))
        assert rows(2)[0]["id"] in str(caught.value)
        with pytest.raises(ZooError, match=r"f.jsonl:7: the model gave NaN"):
            list(broken.stream([("f.jsonl:7", row) for row in rows(1)]))
        request = edit_request.make_row(edit_request.images.read(rows(1)[0]["image"]), "make it blue")
        with pytest.raises(ZooError, match=r"^the model gave NaN"):
            edit_request.edit_rows(broken, [request])
    finally:
        layer.weight.copy_(kept)


def test_rows_before_one_without_numbers_are_answered(broken: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil_third_row(monkeypatch)
    answers = broken.stream([(f"f.jsonl:{n}", row) for n, row in enumerate(rows(4), 1)])
    assert [next(answers)[0]["id"] for _ in range(2)] == [row["id"] for row in rows(2)]
    with pytest.raises(ZooError, match=r"f.jsonl:3"):
        next(answers)


def test_a_batch_names_the_edit_without_numbers_and_keeps_the_others(
    broken: Predictor, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    spoil_third_row(monkeypatch, "third")
    pixels = edit_request.images.read(rows(1)[0]["image"])
    requests = [EditRequest(name, f"make it {colour}", pixels) for name, colour in zip("abcd", COLOURS, strict=True)]
    (result,) = edit_all(broken, requests, 4, edit_request.EditSettings(2, 1.5, 5, 0), tmp_path)
    assert result.n_edited == 3
    assert result.faults.first[0][0] == "c"
    assert "NaN or infinity" in result.faults.first[0][1]


COLOURS = ("blue", "red", "green", "yellow")


def spoil_third_row(monkeypatch: pytest.MonkeyPatch, by: str = "number") -> None:
    """Let the model give NaN for the third row, by its number or by its instruction, however it is batched."""
    denoise = sampling.denoise
    marked: list[Any] = []

    def spoiled(model: Any, before: Any, ids: Any, empty: Any, settings: Any, numbers: list[int]) -> Any:
        edited = denoise(model, before, ids, empty, settings, numbers)
        if len(ids) == 4 and not marked:
            marked.append(ids[2].clone())
        for index in range(len(ids)):
            if numbers[index] == 2 if by == "number" else torch.equal(ids[index], marked[0]):
                edited[index] = float("nan")
        sampling.check_finite(edited, "picture")
        return edited

    monkeypatch.setattr(sampling, "denoise", spoiled)
