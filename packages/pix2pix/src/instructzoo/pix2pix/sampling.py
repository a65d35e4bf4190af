"""Denoises edited pictures under two guidance scales (arXiv:2211.09800, section 3.2.1).

    e = e(none) + s_I (e(picture) - e(none)) + s_T (e(picture, instruction) - e(picture))

The three predictions are one batch through the UNet.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from instructzoo.core import recipe as recipes
from instructzoo.core.errors import ZooError, suggest
from instructzoo.pix2pix.networks.editor import Editor

SCHEDULERS = {
    "ddim": "DDIMScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-ancestral": "EulerAncestralDiscreteScheduler",
    "dpm": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
}
"""Short names of diffusers' classes."""

SCHEDULER_SETTING = "decode.options.scheduler"


class Settings(recipes.Settings):
    """How a picture is denoised. Steps and scales default to those of the paper's demo."""

    steps: int = Field(100, ge=1, le=1000, description="denoising steps")
    guidance: float = Field(7.5, ge=0, le=50, description="s_T, weight of the instruction; not used if guided is false")
    image_guidance: float = Field(1.5, ge=0, le=50, description="s_I, weight of the picture; likewise")
    guided: bool = Field(True, description="false: the conditional prediction alone, a third of the work")
    scheduler: str = Field(
        "euler-ancestral",
        description="ddim, euler, euler-ancestral, dpm, unipc, or the name of another scheduler class of diffusers",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="seed of the initial noise; combined with the row's number")


def row_seed(seed: int, row: int) -> int:
    """One seed from an update's seed and a row's number (the mixing step of SplitMix64)."""
    mixed = (seed + 0x9E3779B97F4A7C15 * (row + 1)) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (mixed ^ (mixed >> 31)) & 0x7FFFFFFFFFFFFFFF


def scheduler_class(name: str) -> str:
    """The class name in diffusers that a scheduler's name stands for.

    Raises:
        ZooError: There is no such scheduler, or it is for another family of models.
    """
    from diffusers.schedulers.scheduling_utils import KarrasDiffusionSchedulers

    known = [scheduler.name for scheduler in KarrasDiffusionSchedulers]
    class_name = SCHEDULERS.get(name, name)
    if class_name not in known:
        raise ZooError(f'no scheduler "{name}"', suggest(name, [*SCHEDULERS, *known]), where=SCHEDULER_SETTING)
    return class_name


def make_scheduler(model: Editor, name: str) -> Any:
    """A scheduler with the noise levels that the model was trained on; name and errors as of `scheduler_class`."""
    import diffusers

    class_name = scheduler_class(name)
    try:
        return getattr(diffusers, class_name).from_config(model.schedule.config)
    except (ImportError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ZooError(f"{class_name}: {reason}", "one that can be made here", where=SCHEDULER_SETTING) from error


@torch.no_grad()
def denoise(
    model: Editor, before: Tensor, ids: Tensor, empty: Tensor, settings: Settings, row_numbers: list[int]
) -> Tensor:
    """Edit pictures.

    Args:
        model: The editor.
        before: Pictures before, [b, 3, h, w] in -1..1.
        ids: Token ids of the instructions, [b, t].
        empty: Token ids of the empty instruction, [t].
        settings: Scheduler, steps, guidance scales and seed.
        row_numbers: The rows' numbers, b; equal number and seed give equal noise in any batch.

    Returns:
        Edited pictures, [b, 3, h, w] in about -1..1.
    """
    device, dtype = before.device, model.unet.dtype
    schedule = make_scheduler(model, settings.scheduler)
    schedule.set_timesteps(settings.steps, device=device)
    condition = model.vae.encode(before.to(model.vae.dtype)).latent_dist.mode()  # [b, c, h, w]
    generators = [torch.Generator().manual_seed(row_seed(settings.seed, number)) for number in row_numbers]
    latents = torch.stack([torch.randn(condition.shape[1:], generator=generator) for generator in generators])
    latents = latents.to(device, dtype) * schedule.init_noise_sigma
    text_states, empty_states = model.encode_text(ids), model.encode_text(empty[None]).expand(len(ids), -1, -1)
    if settings.guided:
        text_states, condition = (
            torch.cat([text_states, empty_states, empty_states]),
            torch.cat([condition, condition, torch.zeros_like(condition)]),
        )
    step_options = {"generator": generators} if "generator" in signature(schedule.step).parameters else {}
    for time in schedule.timesteps:
        noised = schedule.scale_model_input(torch.cat([latents] * 3) if settings.guided else latents, time)
        prediction = model.unet(torch.cat([noised, condition.to(dtype)], 1), time, text_states.to(dtype)).sample
        if settings.guided:
            full, picture, none = prediction.chunk(3)
            prediction = none + settings.image_guidance * (picture - none) + settings.guidance * (full - picture)
        latents = schedule.step(prediction, time, latents, **step_options, return_dict=False)[0]
    edited: Tensor = model.vae.decode((latents / model.scale).to(model.vae.dtype), return_dict=False)[0]
    return edited
