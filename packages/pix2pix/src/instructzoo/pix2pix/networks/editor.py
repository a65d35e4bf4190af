"""The networks of an editor as one module, and their folder: the layout of diffusers' InstructPix2Pix pipeline.

    unet/ vae/ text_encoder/ tokenizer/ scheduler/ model_index.json

The UNet has twice the channels of its latents at its input: the noised picture, and beside it the latents of the
picture to be edited (arXiv:2211.09800, section 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from instructzoo.core.errors import ZooError


class Editor(nn.Module):
    """unet: UNet2DConditionModel; vae: AutoencoderKL or PatchAutoencoder; text: CLIPTextModel; schedule: a scheduler.

    What is trained is told by requires_grad, as for every model of the house.
    """

    def __init__(self, unet: Any, vae: Any, text: Any, schedule: Any) -> None:
        super().__init__()
        self.unet, self.vae, self.text = unet, vae, text
        self.schedule = schedule
        self.config = unet.config

    @property
    def scale(self) -> float:
        """What latents are multiplied by before noise is added; the picture to be edited is shown without it."""
        return float(self.vae.config.scaling_factor)

    @property
    def patch(self) -> int:
        """Pixels of a latent's side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def multiple(self) -> int:
        """Latents that a side must be divisible by: one halving for each level of the UNet but the last."""
        return int(2 ** (len(self.unet.config.block_out_channels) - 1))

    def words(self, ids: Tensor) -> Tensor:
        """What the text encoder says of ids [b, t]: [b, t, d]. Padding is read too, as the pipelines do."""
        found: Tensor = self.text(ids)[0]
        return found

    def gradient_checkpointing_enable(self, how: dict[str, Any]) -> None:
        self.unet.enable_gradient_checkpointing()
        if any(p.requires_grad for p in self.text.parameters()):
            self.text.gradient_checkpointing_enable(how)

    def save(self, folder: Path, tokenizer: Any) -> None:
        """Write the pipeline's folder, safetensors alone."""
        from diffusers import StableDiffusionInstructPix2PixPipeline

        StableDiffusionInstructPix2PixPipeline(
            vae=self.vae, text_encoder=self.text, tokenizer=tokenizer, unet=self.unet, scheduler=self.schedule,
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        ).save_pretrained(str(folder), safe_serialization=True)  # fmt: skip


def open_folder(place: str | Path, dtype: torch.dtype = torch.float32, revision: str | None = None) -> tuple[Any, Any]:
    """An Editor and its tokenizer from a diffusers text-to-image or editing folder, or a hub id.

    Raises ZooError where a part is missing, damaged or of another family.
    """
    from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
    from safetensors import SafetensorError
    from transformers import CLIPTextModel, CLIPTokenizer

    from instructzoo.pix2pix.networks.patch_autoencoder import PatchAutoencoder

    def part(family: Any, name: str, **options: Any) -> Any:
        return family.from_pretrained(str(place), subfolder=name, revision=revision, **options)

    weights: dict[str, Any] = {"use_safetensors": True}
    try:
        tokenizer = part(CLIPTokenizer, "tokenizer")
        text = part(CLIPTextModel, "text_encoder", dtype=dtype, use_safetensors=True)
        kind = PatchAutoencoder if _is_patched(place, revision) else AutoencoderKL
        vae = part(kind, "vae", torch_dtype=dtype, **weights)
        unet = part(UNet2DConditionModel, "unet", torch_dtype=dtype, **weights)
        schedule = part(DDPMScheduler, "scheduler", clip_sample=False)  # latents have no fixed range
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, ImportError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        expected = "a diffusers folder with unet, vae, text_encoder, tokenizer and scheduler"
        raise ZooError(f"cannot load {place}: {reason}", expected, "set model.backbone") from error
    _fits(unet, vae, text, place)
    return Editor(unet, vae, text, schedule), tokenizer


def _fits(unet: Any, vae: Any, text: Any, place: str | Path) -> None:
    """Raises ZooError where the parts are not those of a Stable Diffusion 1 or 2, or not of one model."""
    unet, vae, text = unet.config, vae.config, text.config
    faults = {
        f"a UNet that asks for {unet.addition_embed_type} too": unet.addition_embed_type is not None,
        f"text of {text.hidden_size} channels": text.hidden_size != unet.cross_attention_dim,
        f"latents of {vae.latent_channels} channels": vae.latent_channels != unet.out_channels,
    }
    for fault, there in faults.items():
        if there:
            raise ZooError(f"{place}: {fault}", "a Stable Diffusion 1 or 2", "set model.backbone")


def _is_patched(place: str | Path, revision: str | None) -> bool:
    from diffusers import AutoencoderKL

    config = AutoencoderKL.load_config(str(place), subfolder="vae", revision=revision)
    return bool(config.get("_class_name") == "PatchAutoencoder")


def widen(unet: Any) -> Any:
    """The same UNet with twice its input channels: weights copied, the new channels zero, the bias kept.

    One that has them already is returned as it is. Raises ZooError for other channel numbers.
    """
    latents, inputs = unet.config.out_channels, unet.config.in_channels
    if inputs == 2 * latents:
        return unet
    if inputs != latents:
        found = f"a UNet of {inputs} channels in and {latents} out"
        raise ZooError(found, f"{latents} or {2 * latents} in", "take a text-to-image or an editing model")
    old = unet.conv_in
    new = nn.Conv2d(2 * latents, old.out_channels, old.kernel_size, padding=old.padding).to(old.weight)
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, :latents] = old.weight
        new.bias = nn.Parameter(old.bias.detach().clone())
    unet.conv_in = new
    unet.register_to_config(in_channels=2 * latents)
    return unet


def tokens(tokenizer: Any, texts: Sequence[str], length: int, names: Sequence[str] = ()) -> Tensor:
    """Ids [b, length], padded. Raises ZooError for the first text that would be cut, or that is not known.

    names: where each text stands, for the error.
    """
    rows = tokenizer(list(texts), add_special_tokens=True, verbose=False)["input_ids"]
    for text, row, where in zip(texts, rows, names or [""] * len(texts), strict=True):
        if len(row) > length:
            found = f'"{text[:60]}" takes {len(row)} tokens'
            raise ZooError(found, f"at most model.max_tokens = {length}", "shorten the instruction", where)
        if tokenizer.unk_token_id in row[1:-1]:
            found = f'"{text[:60]}" holds a character that the model does not know'
            raise ZooError(
                found, "letters, digits and signs of its tokenizer", "write the instruction otherwise", where
            )
    return torch.tensor([[*row, *[tokenizer.pad_token_id] * (length - len(row))] for row in rows])
