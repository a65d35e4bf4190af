"""Samples pairs of pictures for two captions with a text-to-image model (arXiv:2211.09800, section 3.1).

Both pictures of a pair start from the same noise, get the same noise at every step, and share their self-attention
(prompt_to_prompt) for the first fraction p of the steps, p drawn for each pair. Many pairs are sampled for a triplet,
and CLIP keeps those whose change follows the captions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from instructzoo.core.errors import ZooError
from instructzoo.core.models.quiet import quiet
from instructzoo.pix2pix.images import Pixels
from instructzoo.pix2pix.metrics import clip_metrics
from instructzoo.pix2pix.metrics.clip_metrics import Clip
from instructzoo.pix2pix.networks.stable_diffusion import load_components, pixels_per_latent
from instructzoo.pix2pix.synthesis import prompt_to_prompt
from instructzoo.pix2pix.synthesis.dataset_writer import SampledPair
from instructzoo.pix2pix.synthesis.seed_triplets import Triplet

COMPONENTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
TOO_LONG = "a caption is longer than the text encoder reads"


class PairDraw(NamedTuple):
    """The random settings of a pair: seed of its noise, fraction of steps with shared attention, guidance scale."""

    seed: int
    sharing: float
    guidance: float


@dataclass(frozen=True)
class Thresholds:
    """Least similarities of an accepted pair, and how many are kept per triplet (the paper's: .7, .2, .2 and 4)."""

    images: float
    caption: float
    direction: float
    keep: int


@dataclass(frozen=True)
class StableDiffusion:
    """A text-to-image pipeline. Only the stored scheduler's settings are used: sampling takes ancestral Euler steps."""

    unet: Any
    vae: Any
    text: Any
    tokenizer: Any
    scheduler: Any

    @classmethod
    def load(cls, path: str) -> StableDiffusion:
        """Load a text-to-image pipeline from a local folder, in float16 on an accelerator.

        Raises:
            ZooError: A part is missing, or is not that of a text-to-image Stable Diffusion 1 or 2.
        """
        import torch
        from diffusers import EulerAncestralDiscreteScheduler

        folder = Path(path).expanduser()
        if missing := [name for name in COMPONENTS if not (folder / name).is_dir()]:
            found = f"no folder {missing[0]} in {folder}"
            raise ZooError(found, f"a text-to-image pipeline of {', '.join(COMPONENTS)}", where="diffusion")

        def to_error(found: str) -> ZooError:
            return ZooError(found, "a text-to-image Stable Diffusion 1 or 2", where="diffusion")

        device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        dtype = torch.float32 if device is None or device.type == "cpu" else torch.float16
        with quiet():
            parts = load_components(
                folder, EulerAncestralDiscreteScheduler, to_error, dtype=dtype, local_files_only=True
            )
        inputs = parts.unet.config.in_channels
        if inputs != parts.vae.config.latent_channels:
            raise to_error(f"{folder}: a UNet of {inputs} channels")
        for network in (parts.unet, parts.vae, parts.text_encoder):
            network.to(device or "cpu").eval().requires_grad_(False)
        return cls(parts.unet, parts.vae, parts.text_encoder, parts.tokenizer, parts.scheduler)

    @property
    def scale(self) -> int:
        """Pixels along the side of one latent."""
        return pixels_per_latent(self.vae)

    def fits(self, caption: str) -> bool:
        """Whether a whole caption fits into the text encoder."""
        return len(self.tokenizer(caption, split_special_tokens=True, verbose=False)["input_ids"]) <= self._length

    @property
    def _length(self) -> int:
        return int(self.text.config.max_position_embeddings)

    def encode_captions(self, captions: Sequence[str]) -> Any:
        """Text states of n captions, [n, t, d]."""
        ids = self.tokenizer(
            list(captions),
            padding="max_length",
            max_length=self._length,
            split_special_tokens=True,  # a caption is text, also where it spells out <|endoftext|>
            return_tensors="pt",
        )
        return self.text(ids["input_ids"].to(self.text.device))[0]


def draw_pairs(
    seed: int, number: int, samples: int, sharing: tuple[float, float], guidance: tuple[float, float]
) -> list[PairDraw]:
    """The settings of the pairs of a triplet.

    Args:
        seed: Seed of the set.
        number: Number of the triplet.
        samples: Number of pairs; the first k draws are the same for any number.
        sharing: Range of the fraction of steps with shared attention.
        guidance: Range of the guidance scale.

    Returns:
        One draw per pair; all seeds are distinct.
    """
    draws_by_seed: dict[int, PairDraw] = {}
    rng = np.random.default_rng([seed, number])
    while len(draws_by_seed) < samples:
        pair_seed = int(rng.integers(2**32))
        draw = PairDraw(pair_seed, float(rng.uniform(*sharing)), float(rng.uniform(*guidance)))
        draws_by_seed.setdefault(pair_seed, draw)
    return list(draws_by_seed.values())


def sample_pairs(
    model: StableDiffusion, triplet: Triplet, draws: Sequence[PairDraw], steps: int, size: int
) -> list[SampledPair]:
    """Sample a pair for each draw, all in one batch.

    Args:
        model: The text-to-image pipeline.
        triplet: Its captions are the prompts.
        draws: The settings of n pairs; a pair depends on its own draw only.
        steps: Denoising steps.
        size: Height and width in pixels.

    Returns:
        The pairs in the order of `draws`, without CLIP similarities.

    Raises:
        ZooError: A picture has values that are not finite.
    """
    import torch
    from diffusers import EulerAncestralDiscreteScheduler
    from diffusers.utils.torch_utils import randn_tensor

    unet, n = model.unet, len(draws)
    scheduler = EulerAncestralDiscreteScheduler.from_config(model.scheduler.config)
    scheduler.set_timesteps(steps, device=unet.device)
    # Two generators of one seed give both pictures of a pair the same noise, at the start and at every step. They are
    # on the CPU, so that a seed gives the same noise on every device.
    generators = [torch.Generator("cpu").manual_seed(draw.seed) for draw in draws for _ in range(2)]
    side = size // model.scale
    shape = (2 * n, unet.config.in_channels, side, side)
    with torch.no_grad(), prompt_to_prompt.shared_attention(unet) as sharing:
        empty_state, before, after = model.encode_captions(["", triplet.input, triplet.output])
        text_states = torch.cat(
            [empty_state.expand(2 * n, -1, -1), torch.stack([before, after]).repeat(n, 1, 1)]
        )  # [4n, tokens, c]
        guidance = torch.tensor([draw.guidance for draw in draws], device=unet.device).repeat_interleave(2)[
            :, None, None, None
        ]
        latents = randn_tensor(shape, generator=generators, device=unet.device, dtype=torch.float32)
        latents = latents * scheduler.init_noise_sigma
        for step, time in enumerate(scheduler.timesteps):
            sharing.pairs = torch.tensor([step < draw.sharing * steps for draw in draws])
            unet_input = scheduler.scale_model_input(latents, time).to(unet.dtype).repeat(2, 1, 1, 1)  # [4n, c, h, w]
            unconditional, conditional = (
                unet(unet_input, time, encoder_hidden_states=text_states).sample.float().chunk(2)
            )
            latents = scheduler.step(
                unconditional + guidance * (conditional - unconditional), time, latents, generator=generators
            ).prev_sample
        pixels = _decoded(model, latents)
    return [SampledPair(*draw, pixels[2 * k], pixels[2 * k + 1]) for k, draw in enumerate(draws)]


def _decoded(model: StableDiffusion, latents: Any) -> list[Pixels]:
    """Pictures of latents [b, c, h, w], one at a time, because decoding needs more memory than sampling."""
    import torch

    vae, pictures = model.vae, []
    for latent in latents.split(1):
        values = vae.decode((latent / vae.config.scaling_factor).to(vae.dtype)).sample[0].float()
        if not bool(torch.isfinite(values).all()):
            raise ZooError("the model gave a picture that holds NaN", "numbers", "try it on a processor, in float32")
        pictures.append(((values / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy())
    return pictures


def add_similarities(pairs: Sequence[SampledPair], triplet: Triplet, clip: Clip) -> list[SampledPair]:
    """The pairs with their CLIP similarities.

    Args:
        pairs: The pairs of one triplet.
        triplet: Its captions, which the pictures are compared with.
        clip: The CLIP model.

    Returns:
        Copies of the pairs in their order.
    """
    n = len(pairs)
    before, after = [pair.before for pair in pairs], [pair.after for pair in pairs]
    similarity = clip_metrics.measure_similarity(clip, before, after, [triplet.input] * n, [triplet.output] * n)
    values = zip(similarity.before, similarity.after, similarity.direction, similarity.image, strict=True)
    return [replace(pair, clip=tuple(map(float, row))) for pair, row in zip(pairs, values, strict=True)]


def select_pairs(pairs: Sequence[SampledPair], limits: Thresholds) -> tuple[list[SampledPair], Counter[str]]:
    """The measured pairs above all thresholds, best by direction first, and counts of the others by reason.

    Args:
        pairs: The pairs of one triplet, with their CLIP similarities.
        limits: The thresholds, and the largest number of pairs to keep.

    Returns:
        The kept pairs, and the number of rejected ones by reason.
    """
    rejected: Counter[str] = Counter()
    passed = []
    for pair in pairs:
        if reason := _below(pair, limits):
            rejected[reason] += 1
        else:
            passed.append(pair)
    passed.sort(key=lambda pair: -_clip(pair)[2])
    rejected["not among the best of their triplet"] += len(passed[limits.keep :])
    return passed[: limits.keep], +rejected


def _below(pair: SampledPair, limits: Thresholds) -> str:
    """The first threshold that a pair misses; "" if it passes."""
    before, after, direction, images = _clip(pair)
    if any(value != value for value in _clip(pair)):
        raise ZooError("a CLIP similarity that is NaN", "numbers", "use another CLIP model, in float32", "clip")
    if images < limits.images:
        return "the pictures differ too much"
    if min(before, after) < limits.caption:
        return "a picture does not show its caption"
    return "the change does not follow the captions" if direction < limits.direction else ""


def _clip(pair: SampledPair) -> tuple[float, ...]:
    if pair.clip is None:
        raise ZooError("a pair without CLIP similarities", "one that was measured")
    return pair.clip
