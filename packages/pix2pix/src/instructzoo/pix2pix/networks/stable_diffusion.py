"""Loads the parts of a Stable Diffusion 1 or 2 from a folder in diffusers' layout or from the hub.

    unet/ vae/ text_encoder/ tokenizer/ scheduler/

Only safetensors are opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructzoo.core.errors import ZooError

if TYPE_CHECKING:
    import torch

ToError = Callable[[str], ZooError]
"""Makes the error for a description of what was found."""


@dataclass(frozen=True)
class Components:
    """The parts of a pipeline, as diffusers and transformers name their classes.

    Attributes:
        unet: UNet2DConditionModel.
        vae: AutoencoderKL or PatchAutoencoder.
        text_encoder: CLIPTextModel.
        tokenizer: CLIPTokenizer.
        scheduler: A noise scheduler.
    """

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    scheduler: Any


def load_components(
    source: str | Path,
    scheduler_class: Any,
    to_error: ToError,
    *,
    vae_class: Any = None,
    dtype: torch.dtype | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    **scheduler_options: Any,
) -> Components:
    """Load all parts and check that they belong together.

    Args:
        source: A local folder or a hub id.
        scheduler_class: The scheduler's class in diffusers.
        to_error: Makes the error for a part that is missing, damaged or of another family.
        vae_class: Class of the autoencoder; AutoencoderKL if not given.
        dtype: Type of the weights; the stored one if not given.
        revision: Commit, branch or pull request of a hub id.
        local_files_only: Never use the network.
        scheduler_options: Settings of the scheduler that replace the stored ones.

    Raises:
        ZooError: What `to_error` returns.
    """
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from safetensors import SafetensorError
    from transformers import CLIPTextModel, CLIPTokenizer

    def load(part_class: Any, folder: str, **options: Any) -> Any:
        options |= {"subfolder": folder, "revision": revision, "local_files_only": local_files_only}
        return part_class.from_pretrained(str(source), **options)

    try:
        components = Components(
            tokenizer=load(CLIPTokenizer, "tokenizer"),
            text_encoder=load(CLIPTextModel, "text_encoder", dtype=dtype, use_safetensors=True),
            vae=load(vae_class or AutoencoderKL, "vae", torch_dtype=dtype, use_safetensors=True),
            unet=load(UNet2DConditionModel, "unet", torch_dtype=dtype, use_safetensors=True),
            scheduler=load(scheduler_class, "scheduler", **scheduler_options),
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, ImportError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise to_error(f"cannot load {source}: {reason[:200]}") from error
    _check_fit(components, source, to_error)
    return components


def _check_fit(components: Components, source: str | Path, to_error: ToError) -> None:
    """Raise an error where the parts are not those of a Stable Diffusion 1 or 2, or not of one model."""
    unet, vae, text = components.unet.config, components.vae.config, components.text_encoder.config
    faults = {
        f"a UNet that asks for {unet.addition_embed_type} too": unet.addition_embed_type is not None,
        f"text of {text.hidden_size} channels": text.hidden_size != unet.cross_attention_dim,
        f"latents of {vae.latent_channels} channels": vae.latent_channels != unet.out_channels,
    }
    for fault, is_present in faults.items():
        if is_present:
            raise to_error(f"{source}: {fault}")


def pixels_per_latent(vae: Any) -> int:
    """Pixels along the side of one latent: one halving for each level of the autoencoder but the last."""
    return int(2 ** (len(vae.config.block_out_channels) - 1))
