"""Code that edits a picture with an exported model by diffusers alone, for the README beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instructzoo.core.record import Row
from instructzoo.pix2pix import images, sampling

BEFORE, AFTER = "example.png", "example-edited.png"
"""The picture that the code edits, and the file that it writes, in the folder of the model."""

AUTOENCODER = '''

class PatchAutoencoder(ModelMixin, ConfigMixin):
    """The small autoencoder of models from scratch, with the interface of AutoencoderKL."""

    config_name = "config.json"

    @register_to_config
    def __init__(self, patch=8, latent_channels=12, width=128, scaling_factor=0.5, block_out_channels=(128,) * 4):
        super().__init__()
        pixels = 3 * patch * patch
        self.encoder = nn.Sequential(nn.Conv2d(pixels, width, 1), nn.SiLU(), nn.Conv2d(width, 2 * latent_channels, 1))
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, width, 1), nn.SiLU(), nn.Conv2d(width, width, 1), nn.SiLU(),
            nn.Conv2d(width, pixels, 1),
        )
        self.register_buffer("spread", torch.ones(()))

    def encode(self, pixels):
        mean, _ = self.encoder(nn.functional.pixel_unshuffle(pixels, self.config.patch)).chunk(2, dim=1)
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: mean * self.spread))

    def decode(self, latents, return_dict=True, generator=None):
        return (nn.functional.pixel_shuffle(self.decoder(latents / self.spread), self.config.patch),)

'''
"""The class of diffusers' interface that PatchAutoencoder is here, without what training needs."""


def usage_snippet(predictor: Any, row: Row, folder: Path) -> str:
    """Python code that opens an exported model in the working directory and edits one picture.

    Args:
        predictor: A predictor with the exported model.
        row: Its instruction and its picture, which is written to the folder.
        folder: The folder of the exported model.

    Returns:
        The code. It imports diffusers and nothing of instructzoo, and prints the name of the file that it writes.
    """
    from instructzoo.pix2pix.networks.patch_autoencoder import PatchAutoencoder

    (folder / BEFORE).write_bytes(images.encode(images.read(row["image"])))
    own_autoencoder = isinstance(predictor.loaded.model.vae, PatchAutoencoder)
    settings = predictor.sampling
    scheduler = sampling.scheduler_class(settings.scheduler)
    names = ["StableDiffusionInstructPix2PixPipeline", "UNet2DConditionModel", scheduler]
    vae_class = "PatchAutoencoder" if own_autoencoder else "AutoencoderKL"
    names += [] if own_autoencoder else ["AutoencoderKL"]
    guidance, image_guidance = (settings.guidance, settings.image_guidance) if settings.guided else (1.0, 1.0)
    imports = (
        "from types import SimpleNamespace\n\nimport torch\nfrom diffusers.configuration_utils import ConfigMixin, "
        "register_to_config\nfrom diffusers.models.modeling_utils import ModelMixin\nfrom torch import nn\n"
        if own_autoencoder
        else "import torch\n"
    )
    return f"""{imports}from diffusers import {", ".join(sorted(names))}
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer
{AUTOENCODER if own_autoencoder else ""}
folder = "."  # where this file is
config = {scheduler}.load_config(folder, subfolder="scheduler")
pipeline = StableDiffusionInstructPix2PixPipeline(
    vae={vae_class}.from_pretrained(folder, subfolder="vae", torch_dtype=torch.float32),
    text_encoder=CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", dtype="float32"),
    tokenizer=CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer"),
    unet=UNet2DConditionModel.from_pretrained(folder, subfolder="unet", torch_dtype=torch.float32),
    scheduler={scheduler}.from_config(config),
    safety_checker=None,
    feature_extractor=None,
    requires_safety_checker=False,
)
pipeline.set_progress_bar_config(disable=True)
edited = pipeline(
    {row["instruction"]!r},
    image=Image.open("{BEFORE}").convert("RGB"),
    num_inference_steps={settings.steps},
    guidance_scale={guidance},
    image_guidance_scale={image_guidance},
    generator=torch.Generator().manual_seed({sampling.row_seed(settings.seed, 0)}),
).images[0]
edited.save("{AFTER}")
print("{AFTER}")
"""


def prompt_text(predictor: Any, row: Row) -> str:
    """What the model reads of a row: its instruction as it is."""
    return str(row["instruction"])


def printed_same(predictor: Any, printed: str, answer: str, folder: Path) -> bool:
    """Whether the picture that the code wrote is the predictor's, to the eye."""
    written = folder / AFTER
    return written.is_file() and bool(predictor.same_answer(str(written), answer))
