"""Loads the parts of a Stable Diffusion 1 or 2 from a folder in diffusers' layout or from the hub.

    unet/ vae/ text_encoder/ tokenizer/ scheduler/

Only safetensors are opened, as weight_files.py finds them, and only noise schedules by betas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructzoo.core.errors import ZooError
from instructzoo.pix2pix.networks import weight_files

if TYPE_CHECKING:
    import torch

ToError = Callable[[str], ZooError]
"""Makes the error for a description of what was found."""

BETA_SCHEDULERS = frozenset({"LCMScheduler", "TCDScheduler", "DDIMParallelScheduler", "DDPMParallelScheduler"})
"""Schedulers by betas that diffusers does not count among those of DDPMScheduler."""

OTHER_FAMILY = "EDMEulerScheduler"
"""Counted among the compatible ones by diffusers, but for networks whose inputs are scaled otherwise."""


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

    place = {"revision": revision, "local_files_only": local_files_only}

    def load_network(part_class: Any, part: str, dtype_name: str) -> Any:
        options = place | {"subfolder": part, "use_safetensors": True, "output_loading_info": True, dtype_name: dtype}
        if part == "text_encoder":
            options["ignore_mismatched_sizes"] = True  # transformers then tells which, and they are an error below
        network, info = _load_variant(part_class, source, part, options)
        weight_files.check_loaded_keys(part, info, str(source))
        return network

    try:
        check_noise_schedule(scheduler_class.load_config(str(source), subfolder="scheduler", **place), str(source))
        components = Components(
            tokenizer=CLIPTokenizer.from_pretrained(str(source), subfolder="tokenizer", **place),
            text_encoder=load_network(CLIPTextModel, "text_encoder", "dtype"),
            vae=load_network(vae_class or AutoencoderKL, "vae", "torch_dtype"),
            unet=load_network(UNet2DConditionModel, "unet", "torch_dtype"),
            scheduler=scheduler_class.from_pretrained(str(source), subfolder="scheduler", **place, **scheduler_options),
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, ImportError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise to_error(f"cannot load {source}: {reason[:200].rstrip(' .')}") from error
    _check_fit(components, source, to_error)
    return components


def _load_variant(part_class: Any, source: str | Path, part: str, options: dict[str, Any]) -> Any:
    """A network and its loading information: of a folder the weights that are there, of a hub id fp16 if need be."""
    folder = Path(source)
    if folder.is_dir():
        return part_class.from_pretrained(str(source), variant=weight_files.find_variant(folder / part), **options)
    try:
        return part_class.from_pretrained(str(source), **options)
    except OSError as error:
        try:
            return part_class.from_pretrained(str(source), variant="fp16", **options)
        except OSError:
            raise error from None


def check_noise_schedule(config: Any, source: str) -> None:
    """Check that a stored scheduler adds noise by betas, as Stable Diffusion 1 and 2 do.

    Args:
        config: The content of scheduler_config.json.
        source: The pipeline's folder or hub id, for the error message.

    Raises:
        ZooError: It is of another family, such as flow matching, or its betas or what is predicted do not fit.
    """
    from diffusers import DDPMScheduler

    name = str(config.get("_class_name", "DDPMScheduler"))
    compatible = {cls.__name__ for cls in DDPMScheduler._get_compatibles()} - {OTHER_FAMILY}
    known = {"DDPMScheduler"} | compatible | BETA_SCHEDULERS
    has_betas = config.get("trained_betas") is not None or "beta_schedule" in config
    if name not in known or not has_betas:
        family = f"a scheduler of the class {name}" + (", without betas" if name in known else "")
        fix = "take a Stable Diffusion 1 or 2 that was trained to tell noise or velocity"
        raise ZooError(family, "a noise schedule by betas, such as DDIMScheduler or PNDMScheduler", fix, source)
    if config.get("rescale_betas_zero_snr") and config.get("prediction_type", "epsilon") == "epsilon":
        problem = "a schedule that ends in pure noise (rescale_betas_zero_snr) for a model that tells the noise"
        raise ZooError(problem, "prediction_type v_prediction: pure noise says nothing of the picture", where=source)


def _check_fit(components: Components, source: str | Path, to_error: ToError) -> None:
    """Raise an error where the parts are not those of a Stable Diffusion 1 or 2, or not of one model."""
    unet, vae, text = components.unet.config, components.vae.config, components.text_encoder.config
    n_tokens = len(components.tokenizer)
    faults = {
        f"a UNet that asks for {unet.addition_embed_type} too": unet.addition_embed_type is not None,
        f"text of {text.hidden_size} channels": text.hidden_size != unet.cross_attention_dim,
        f"a tokenizer of {n_tokens:,} tokens for {text.vocab_size:,}": n_tokens > text.vocab_size,
        "a tokenizer without vocabulary": n_tokens <= len(components.tokenizer.all_special_tokens),
        f"latents of {vae.latent_channels} channels": vae.latent_channels != unet.out_channels,
    }
    for fault, is_present in faults.items():
        if is_present:
            raise to_error(f"{source}: {fault}")


def pixels_per_latent(vae: Any) -> int:
    """Pixels along the side of one latent: one halving for each level of the autoencoder but the last."""
    return int(2 ** (len(vae.config.block_out_channels) - 1))
