"""The networks of an editor as one module, in the folder layout of diffusers' InstructPix2Pix pipeline.

    unet/ vae/ text_encoder/ tokenizer/ scheduler/ model_index.json

The UNet's input has twice the channels of its latents: the noised picture and, concatenated to it, the latents of the
picture to edit (arXiv:2211.09800, section 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from instructzoo.core.errors import ZooError
from instructzoo.core.text import TextTokenizer
from instructzoo.pix2pix.networks.stable_diffusion import ToError, load_components, pixels_per_latent


class Editor(nn.Module):
    """The networks of an editor. `requires_grad` says which parameters are trained.

    Args:
        unet: UNet2DConditionModel.
        vae: AutoencoderKL or PatchAutoencoder.
        text: CLIPTextModel.
        schedule: A noise scheduler.
    """

    def __init__(self, unet: Any, vae: Any, text: Any, schedule: Any) -> None:
        super().__init__()
        self.unet, self.vae, self.text = unet, vae, text
        self.schedule = schedule
        self.config = unet.config

    @property
    def scale(self) -> float:
        """The factor of the latents before noise is added; the latents of the picture to edit are not scaled."""
        return float(self.vae.config.scaling_factor)

    @property
    def patch(self) -> int:
        """Pixels along the side of one latent."""
        return pixels_per_latent(self.vae)

    @property
    def multiple(self) -> int:
        """Latents that a side must be divisible by: one halving for each level of the UNet but the last."""
        return int(2 ** (len(self.unet.config.block_out_channels) - 1))

    def encode_text(self, ids: Tensor) -> Tensor:
        """Text states [b, t, d] of token ids [b, t]. Padding is encoded as well, as in diffusers' pipelines."""
        states: Tensor = self.text(ids)[0]
        return states

    def gradient_checkpointing_enable(self, how: dict[str, Any]) -> None:
        """Trade time for memory in the UNet, and in the text encoder if it is trained."""
        self.unet.enable_gradient_checkpointing()
        if any(p.requires_grad for p in self.text.parameters()):
            self.text.gradient_checkpointing_enable(how)

    def save(self, folder: Path, tokenizer: Any) -> None:
        """Write the pipeline's folder, with safetensors only.

        Args:
            folder: The folder to write into.
            tokenizer: The tokenizer of the text encoder.
        """
        from diffusers import StableDiffusionInstructPix2PixPipeline

        StableDiffusionInstructPix2PixPipeline(
            vae=self.vae, text_encoder=self.text, tokenizer=tokenizer, unet=self.unet, scheduler=self.schedule,
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        ).save_pretrained(str(folder), safe_serialization=True)  # fmt: skip


def open_folder(
    source: str | Path, dtype: torch.dtype = torch.float32, revision: str | None = None
) -> tuple[Editor, Any]:
    """Load an editor, or a text-to-image model to make one of, in diffusers' layout.

    Args:
        source: A local folder or a hub id.
        dtype: Type of the weights.
        revision: Commit, branch or pull request of a hub id.

    Returns:
        The editor and its tokenizer; the UNet's input is as it was stored (see `widen_input`).

    Raises:
        ZooError: A part is missing, damaged or of another family of models.
    """
    from diffusers import DDPMScheduler

    from instructzoo.pix2pix.networks.patch_autoencoder import PatchAutoencoder

    expected = "a diffusers folder with unet, vae, text_encoder, tokenizer and scheduler of a Stable Diffusion 1 or 2"

    def to_error(found: str) -> ZooError:
        return ZooError(found, expected, "set model.backbone")

    components = load_components(
        source,
        DDPMScheduler,
        to_error,
        vae_class=PatchAutoencoder if _has_patch_autoencoder(source, revision, to_error) else None,
        dtype=dtype,
        revision=revision,
        clip_sample=False,  # latents have no fixed range
    )
    editor = Editor(components.unet, components.vae, components.text_encoder, components.scheduler)
    return editor, components.tokenizer


def _has_patch_autoencoder(source: str | Path, revision: str | None, to_error: ToError) -> bool:
    from diffusers import AutoencoderKL

    try:
        config = AutoencoderKL.load_config(str(source), subfolder="vae", revision=revision)
    except (OSError, ValueError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise to_error(f"cannot load {source}: {reason[:200]}") from error
    return bool(config.get("_class_name") == "PatchAutoencoder")


def widen_input(unet: Any) -> Any:
    """Double the UNet's input channels: weights are copied, those of the new channels are zero, the bias stays.

    Args:
        unet: A text-to-image UNet; an editing UNet is returned unchanged.

    Raises:
        ZooError: The UNet has neither number of input channels.
    """
    latents, inputs = unet.config.out_channels, unet.config.in_channels
    if inputs == 2 * latents:
        return unet
    if inputs != latents:
        problem = f"a UNet of {inputs} channels in and {latents} out"
        raise ZooError(problem, f"{latents} or {2 * latents} in", "take a text-to-image or an editing model")
    old_layer = unet.conv_in
    new_layer = nn.Conv2d(2 * latents, old_layer.out_channels, old_layer.kernel_size, padding=old_layer.padding).to(
        old_layer.weight
    )
    with torch.no_grad():
        new_layer.weight.zero_()
        new_layer.weight[:, :latents] = old_layer.weight
        new_layer.bias = nn.Parameter(old_layer.bias.detach().clone())
    unet.conv_in = new_layer
    unet.register_to_config(in_channels=2 * latents)
    return unet


def tokenize(tokenizer: Any, texts: Sequence[str], max_tokens: int, names: Sequence[str] = ()) -> Tensor:
    """Token ids of texts, padded.

    Args:
        tokenizer: The editor's tokenizer.
        texts: b texts.
        max_tokens: Length of every row.
        names: The place of each text, for the error message.

    Returns:
        [b, max_tokens].

    Raises:
        ZooError: A text is longer than that, or has a character that the tokenizer does not know.
    """
    start, *end = tokenizer("")["input_ids"]  # what CLIP puts around a text
    rows = [[start, *token_ids, *end] for token_ids in TextTokenizer(tokenizer).encode([[text] for text in texts])]
    for text, row, where in zip(texts, rows, names or [""] * len(texts), strict=True):
        if len(row) > max_tokens:
            problem = f'"{text[:60]}" takes {len(row)} tokens'
            raise ZooError(problem, f"at most model.max_tokens = {max_tokens}", "shorten the instruction", where)
        if tokenizer.unk_token_id in row[1:-1]:
            problem = f'"{text[:60]}" holds a character that the model does not know'
            raise ZooError(
                problem, "letters, digits and signs of its tokenizer", "write the instruction otherwise", where
            )
    return torch.tensor([[*row, *[tokenizer.pad_token_id] * (max_tokens - len(row))] for row in rows])
