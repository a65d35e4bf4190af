"""The shapes of an editor, for `zoo plan --on`: its networks without weights, and a training step without pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.tune.planning import Shapes
from instructzoo.pix2pix import model
from instructzoo.pix2pix.networks.editor import Editor

UNITS = 8
"""Parts of the UNet that activation checkpointing recomputes one at a time; it has more, the first are large."""

_BLOCKS = 4
STABLE_DIFFUSION: Mapping[str, Mapping[str, Any]] = {
    "unet": {"in_channels": 4, "out_channels": 4, "cross_attention_dim": 768, "attention_head_dim": 8},
    "vae": {
        "block_out_channels": (128, 256, 512, 512),
        "down_block_types": ("DownEncoderBlock2D",) * _BLOCKS,
        "up_block_types": ("UpDecoderBlock2D",) * _BLOCKS,
        "layers_per_block": 2,
        "latent_channels": 4,
    },
    "text_encoder": {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "vocab_size": 49_408,
        "max_position_embeddings": 77,
    },
}
"""What differs from the defaults of diffusers in config.json of the parts of Stable Diffusion 1.5."""

BACKBONES = ("stable-diffusion-v1-5/stable-diffusion-v1-5", "runwayml/stable-diffusion-v1-5")


def build(recipe: Recipe) -> Shapes:
    """Build the editor of a recipe; to be called within `torch.device("meta")`.

    Args:
        recipe: The recipe.

    Returns:
        The editor with its fine-tuning method applied, and the step: the UNet, and the text encoder if it is trained.

    Raises:
        ZooError: The shape of the backbone is not at hand.
    """
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    configs = _configs(recipe.model.backbone)
    unet_config = dict(configs["unet"])
    unet_config["in_channels"] = 2 * unet_config["out_channels"]
    unet = UNet2DConditionModel.from_config(unet_config)
    vae = AutoencoderKL.from_config(dict(configs["vae"]))
    text = CLIPTextModel(CLIPTextConfig(**configs["text_encoder"]))
    editor = model.apply_method(Editor(unet, vae, text, None), recipe.method, recipe)
    side = model.settings(recipe).resolution // editor.patch
    trains_text = any(p.requires_grad for p in text.parameters())

    def loss(rows: int) -> Tensor:
        ids = torch.zeros(rows, recipe.model.max_tokens, dtype=torch.long)
        width = text.config.hidden_size
        states = editor.encode_text(ids) if trains_text else torch.zeros(rows, recipe.model.max_tokens, width)
        latents = torch.zeros(rows, unet.config.in_channels, side, side)
        predicted = editor.unet(latents, torch.zeros(rows, dtype=torch.long), encoder_hidden_states=states).sample
        total: Tensor = predicted.float().square().sum()
        return total

    return Shapes(editor, loss, UNITS, sum(p.numel() for p in editor.parameters()))


def _configs(backbone: str) -> Mapping[str, Mapping[str, Any]]:
    """The values of config.json of the parts: those of a folder, or those of the table."""
    if backbone in BACKBONES:
        return STABLE_DIFFUSION
    files = {part: Path(backbone) / part / "config.json" for part in STABLE_DIFFUSION}
    if missing := [str(path) for path in files.values() if not path.is_file()]:
        expected = f"a folder in diffusers' layout, or {BACKBONES[0]}"
        raise ZooError(f"the shape of {backbone} is not at hand: no {missing[0]}", expected, where="model.backbone")
    return {part: json.loads(path.read_text(encoding="utf-8")) for part, path in files.items()}
