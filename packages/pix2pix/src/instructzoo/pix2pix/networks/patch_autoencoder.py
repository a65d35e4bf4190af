"""The autoencoder of scratch backbones: two small perceptrons encode and decode each patch of a picture on its own.

A picture of 32x32 pixels becomes a grid of 4x4 patches of 8x8 pixels, each a vector of a few channels with a little
noise (a variational autoencoder, arXiv:1312.6114). It takes the place of Stable Diffusion's AutoencoderKL and has the
same interface, so diffusers' own pipelines run with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from instructzoo.pix2pix.images import Pixels

KL_WEIGHT = 2e-4
"""Weight of the Kullback-Leibler term per latent value, relative to the squared error per pixel value."""

BATCH_SIZE = 512
"""Patches of one update."""

LATENT_STD = 2.0
"""Standard deviation that latents are scaled to. The UNet sees the latents of the picture to edit unscaled, and models
followed a condition twice as large as the noised latents better.
"""


class PatchAutoencoder(ModelMixin, ConfigMixin):
    """Pictures [b, 3, h, w] in -1..1 to latents [b, latent_channels, h / patch, w / patch] and back.

    Only the length of block_out_channels matters: pipelines compute the patch size as 2 ** (length - 1).
    """

    config_name = "config.json"

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        patch: int = 8,
        latent_channels: int = 12,
        width: int = 128,
        scaling_factor: float = 1 / LATENT_STD,
        block_out_channels: tuple[int, ...] = (128, 128, 128, 128),
    ) -> None:
        super().__init__()
        pixels = 3 * patch * patch
        self.patch = patch
        self.encoder = nn.Sequential(nn.Conv2d(pixels, width, 1), nn.SiLU(), nn.Conv2d(width, 2 * latent_channels, 1))
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, width, 1), nn.SiLU(), nn.Conv2d(width, width, 1), nn.SiLU(),
            nn.Conv2d(width, pixels, 1),
        )  # fmt: skip
        self.register_buffer("spread", torch.ones(()))

    def encode(self, pixels: Tensor, return_dict: bool = True) -> Any:
        """The distribution of latents, with the interface of `AutoencoderKL.encode`.

        Args:
            pixels: Pictures [b, 3, h, w] in -1..1.
            return_dict: Whether the result has the attribute `latent_dist`; else it is a tuple.

        Returns:
            A `Gaussian` over latents [b, latent_channels, h / patch, w / patch].
        """
        posterior = Gaussian(self.encoder(pixel_unshuffle(pixels, self.patch)), self.spread)
        return SimpleNamespace(latent_dist=posterior) if return_dict else (posterior,)

    def decode(self, latents: Tensor, return_dict: bool = True, generator: Any = None) -> Any:
        """Pictures of unscaled latents. Pipelines pass a generator, which is not used.

        Args:
            latents: Latents [b, latent_channels, h / patch, w / patch].
            return_dict: Whether the result has the attribute `sample`; else it is a tuple.
            generator: Ignored.

        Returns:
            Pictures [b, 3, h, w].
        """
        pixels = pixel_shuffle(self.decoder(latents / self.spread), self.patch)
        return SimpleNamespace(sample=pixels) if return_dict else (pixels,)


class Gaussian:
    """Independent normal distributions. parameters: means and log variances, [b, 2c, h, w]."""

    def __init__(self, parameters: Tensor, spread: Tensor) -> None:
        mean, logvar = parameters.chunk(2, dim=1)
        self.logvar = logvar.clamp(-20, 10)
        self.mean, self.std = mean * spread, (self.logvar / 2).exp() * spread

    def mode(self) -> Tensor:
        """The means, [b, c, h, w]."""
        return self.mean

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """A random draw, [b, c, h, w], from the generator or, without one, from torch's global one."""
        return self.mean + self.std * torch.randn(self.mean.shape, generator=generator).to(self.mean)


def new_autoencoder(patch: int, channels: int) -> PatchAutoencoder:
    """An untrained autoencoder.

    Args:
        patch: Pixels of a patch's side, a power of two.
        channels: Values of a patch's latent vector.

    Returns:
        The autoencoder, with random weights from torch's global generator.
    """
    return PatchAutoencoder(patch, channels, block_out_channels=(128,) * patch.bit_length())


def train(model: PatchAutoencoder, pictures: Iterable[Pixels], steps: int, seed: int) -> dict[str, float]:
    """Train an autoencoder on the distinct patches of pictures, so that rare patches count as much as common ones.

    Args:
        model: The autoencoder, changed in place.
        pictures: uint8 [h, w, 3] of any sizes.
        steps: Number of updates.
        seed: Equal seeds give equal weights.

    Returns:
        {"patches": their number, "error": mean absolute error of a pixel value in 0..1, decoding the mode}.
    """
    patches = distinct_patches(pictures, model.patch)  # [n, 3, p, p]
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        sample = patches[torch.randperm(len(patches), generator=generator)[:BATCH_SIZE]]
        batch = torch.cat(list(sample), -1)[None]  # [1, 3, p, n * p]: one long picture needs one matrix product
        posterior = model.encode(batch).latent_dist
        error = (model.decode(posterior.sample(generator)).sample - batch).square().sum()
        kl = 0.5 * (posterior.mean.square() + posterior.logvar.exp() - 1 - posterior.logvar).sum()
        optimizer.zero_grad()
        ((error + KL_WEIGHT * sample[0].numel() * kl) / len(sample)).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        model.spread.fill_(LATENT_STD / float(model.encode(patches).latent_dist.mean.std()))
        reconstruction = model.decode(model.encode(patches).latent_dist.mode()).sample
    return {"patches": len(patches), "error": float((reconstruction - patches).abs().mean() / 2)}


def distinct_patches(pictures: Iterable[Pixels], patch: int) -> Tensor:
    """The distinct patches of all pictures.

    Args:
        pictures: uint8 [h, w, 3] of any sizes; margins that fill no patch are left out.
        patch: Pixels of a patch's side.

    Returns:
        [n, 3, patch, patch] in -1..1, in order of appearance.
    """
    patches_by_bytes: dict[bytes, Pixels] = {}
    for pixels in pictures:
        height, width = (side - side % patch for side in pixels.shape[:2])
        grid = pixels[:height, :width].reshape(height // patch, patch, width // patch, patch, 3).swapaxes(1, 2)
        for patch_pixels in grid.reshape(-1, patch, patch, 3):
            patches_by_bytes.setdefault(patch_pixels.tobytes(), patch_pixels)
    return to_tensor(list(patches_by_bytes.values()))


def to_tensor(pictures: Iterable[Pixels]) -> Tensor:
    """Pictures of one size, uint8 [h, w, 3], as [n, 3, h, w] in -1..1."""
    return torch.from_numpy(np.stack(list(pictures))).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pixels(pictures: Tensor) -> list[Pixels]:
    """Pictures [n, 3, h, w] in -1..1 as uint8 [h, w, 3], rounded as diffusers' pipelines round."""
    values = (pictures.float().cpu() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    return list((values * 255).round().astype(np.uint8))
