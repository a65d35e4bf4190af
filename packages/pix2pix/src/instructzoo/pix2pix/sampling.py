"""Edited pictures by denoising under two guidance scales (arXiv:2211.09800, section 3.2.1).

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

WHERE = "decode.options.scheduler"


class Settings(recipes.Settings):
    """How a picture is denoised. The defaults of steps and scales are the paper's demo's."""

    steps: int = Field(100, ge=1, le=1000, description="denoising steps")
    guidance: float = Field(
        7.5, ge=0, le=50, description="s_T, weight of the instruction; unused where guided is false"
    )
    image_guidance: float = Field(1.5, ge=0, le=50, description="s_I, weight of the picture; unused likewise")
    guided: bool = Field(True, description="false: the conditional prediction alone, a third of the work")
    scheduler: str = Field(
        "euler-ancestral",
        description="ddim, euler, euler-ancestral, dpm, unipc, or the name of another scheduler class of diffusers",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="seed of the start noise; a row's number is mixed in")


def row_seed(seed: int, row: int) -> int:
    """One seed of the update's and the row's number (the mixing step of splitmix64)."""
    mixed = (seed + 0x9E3779B97F4A7C15 * (row + 1)) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (mixed ^ (mixed >> 31)) & 0x7FFFFFFFFFFFFFFF


def named(name: str) -> str:
    """The class of diffusers that a scheduler's name stands for.

    Raises ZooError for a name that is none, or of a scheduler of another family of models.
    """
    from diffusers.schedulers.scheduling_utils import KarrasDiffusionSchedulers

    known = [one.name for one in KarrasDiffusionSchedulers]
    chosen = SCHEDULERS.get(name, name)
    if chosen not in known:
        raise ZooError(f'no scheduler "{name}"', suggest(name, [*SCHEDULERS, *known]), where=WHERE)
    return chosen


def scheduler(model: Editor, name: str) -> Any:
    """diffusers' scheduler of that name, with the noise levels that the model was trained on; errors as in `named`."""
    import diffusers

    chosen = named(name)
    try:
        return getattr(diffusers, chosen).from_config(model.schedule.config)
    except (ImportError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ZooError(f"{chosen}: {reason}", "one that can be made here", where=WHERE) from error


@torch.no_grad()
def denoise(model: Editor, before: Tensor, ids: Tensor, empty: Tensor, own: Settings, numbers: list[int]) -> Tensor:
    """Edited pictures [b, 3, h, w] in -1..1 of pictures before, likewise, and ids [b, t] of their instructions.

    empty: ids of no instruction [t]. numbers: the rows' numbers; equal number and seed give equal noise in any batch.
    """
    device, dtype = before.device, model.unet.dtype
    schedule = scheduler(model, own.scheduler)
    schedule.set_timesteps(own.steps, device=device)
    shown = model.vae.encode(before.to(model.vae.dtype)).latent_dist.mode()  # [b, c, h, w]
    draws = [torch.Generator().manual_seed(row_seed(own.seed, number)) for number in numbers]
    x = torch.stack([torch.randn(shown.shape[1:], generator=draw) for draw in draws])
    x = x.to(device, dtype) * schedule.init_noise_sigma
    words, nothing = model.words(ids), model.words(empty[None]).expand(len(ids), -1, -1)
    if own.guided:
        words, shown = torch.cat([words, nothing, nothing]), torch.cat([shown, shown, torch.zeros_like(shown)])
    noisy = {"generator": draws} if "generator" in signature(schedule.step).parameters else {}
    for time in schedule.timesteps:
        noised = schedule.scale_model_input(torch.cat([x] * 3) if own.guided else x, time)
        said = model.unet(torch.cat([noised, shown.to(dtype)], 1), time, words.to(dtype)).sample
        if own.guided:
            full, picture, none = said.chunk(3)
            said = none + own.image_guidance * (picture - none) + own.guidance * (full - picture)
        x = schedule.step(said, time, x, **noisy, return_dict=False)[0]
    edited: Tensor = model.vae.decode((x / model.scale).to(model.vae.dtype), return_dict=False)[0]
    return edited
