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
from instructzoo.pix2pix.networks.stable_diffusion import OTHER_FAMILY

SCHEDULERS = {
    "ddim": "DDIMScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-ancestral": "EulerAncestralDiscreteScheduler",
    "dpm": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
}
"""Short names of diffusers' classes."""

SCHEDULER_SETTING, STEPS_SETTING = "decode.options.scheduler", "decode.options.steps"


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

    known = [scheduler.name for scheduler in KarrasDiffusionSchedulers if scheduler.name != OTHER_FAMILY]
    class_name = SCHEDULERS.get(name, name)
    if class_name not in known:
        raise ZooError(f'no scheduler "{name}"', suggest(name, [*SCHEDULERS, *known]), where=SCHEDULER_SETTING)
    return class_name


def make_scheduler(model: Editor, name: str, steps: int | None = None) -> Any:
    """A scheduler with the noise levels that the model was trained on.

    Args:
        model: The editor.
        name: As of `scheduler_class`.
        steps: The denoising steps that it is made for, if known: their time steps are set, none beyond the training's.

    Raises:
        ZooError: As of `scheduler_class`, or the scheduler cannot take these noise levels or that many steps.
    """
    import diffusers

    class_name, config = scheduler_class(name), model.schedule.config
    scheduler_type = getattr(diffusers, class_name)
    zero_snr = "rescale_betas_zero_snr"
    if config.get(zero_snr) and zero_snr not in signature(scheduler_type.__init__).parameters:
        problem = f"{class_name} with a model whose noise schedule ends in pure noise ({zero_snr})"
        raise ZooError(problem, "ddim, euler, dpm or unipc", "choose one of them", SCHEDULER_SETTING)
    try:
        schedule = scheduler_type.from_config(config)
        if steps is not None and not _spans_training(schedule, steps):
            schedule = scheduler_type.from_config(config, timestep_spacing="trailing")
            schedule.set_timesteps(steps)
    except (ImportError, ValueError, NotImplementedError, IndexError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        problem = f"{class_name} cannot make {'any' if steps is None else f'{steps:,}'} steps ({reason})"
        raise ZooError(problem, "a scheduler that can", "choose another, or more steps", SCHEDULER_SETTING) from error
    return schedule


def _spans_training(schedule: Any, steps: int) -> bool:
    """Set the time steps, and say whether they begin near the noise and stay within those of the training.

    They do not where one single step is the last one, which sees next to no noise, nor where the offset of 1 that
    Stable Diffusion's folders have leads from about as many steps as the training's to one beyond it.

    Raises:
        ZooError: More steps than those of the training.
    """
    total = int(schedule.config.num_train_timesteps)
    if steps > total:
        raise ZooError(f"{steps:,} denoising steps", f"at most {total:,}, those of the training", where=STEPS_SETTING)
    try:
        schedule.set_timesteps(steps)
    except IndexError:
        return False
    return total / 2 <= float(max(schedule.timesteps)) <= total - 1


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

    Raises:
        ZooError: The scheduler or the number of steps does not fit, or a prediction is not of numbers.
    """
    device, dtype = before.device, model.unet.dtype
    schedule = make_scheduler(model, settings.scheduler, settings.steps)
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
    check_finite(latents, "latents")
    edited: Tensor = model.vae.decode((latents / model.scale).to(model.vae.dtype), return_dict=False)[0]
    check_finite(edited, "picture")
    return edited


def check_finite(values: Tensor, name: str) -> None:
    """Check that a model gave numbers; others would become black pixels.

    Args:
        values: What it gave, of any shape.
        name: What the message calls it.

    Raises:
        ZooError: There is NaN or infinity.
    """
    count = int((~torch.isfinite(values)).sum())
    if count:
        problem = f"the model gave NaN or infinity for {count:,} of {values.numel():,} values of the {name}"
        fix = "train it again, or, where float16 overflows, export it without --half"
        raise ZooError(problem, "numbers", fix)
