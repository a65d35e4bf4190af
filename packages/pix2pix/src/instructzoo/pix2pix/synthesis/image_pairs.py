"""Pairs of pictures of two captions, by a text-to-image model (arXiv:2211.09800, section 3.1).

Both pictures of a pair start from the same noise, get the same noise at every step, and share their self-attention
(attention.py) for the first p of the steps, p drawn for each pair. Many pairs are sampled for a triplet, and CLIP keeps
those whose change follows the captions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from instructzoo.core.errors import ZooError
from instructzoo.pix2pix.images import Pixels
from instructzoo.pix2pix.metrics import clip_metrics
from instructzoo.pix2pix.metrics.clip_metrics import Clip
from instructzoo.pix2pix.synthesis import prompt_to_prompt
from instructzoo.pix2pix.synthesis.dataset_writer import Pair
from instructzoo.pix2pix.synthesis.seed_triplets import Triplet

PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
TOO_LONG = "a caption is longer than the text encoder reads"


class Draw(NamedTuple):
    """What is drawn for a pair: the seed of its noise, the share of steps with shared attention, the guidance."""

    seed: int
    sharing: float
    guidance: float


@dataclass(frozen=True)
class Thresholds:
    """Least similarities of a kept pair, and how many are kept for a triplet at most (the paper's: .7, .2, .2, 4)."""

    images: float
    caption: float
    direction: float
    keep: int


@dataclass(frozen=True)
class Model:
    """The parts of a Stable Diffusion pipeline. scheduler: its settings; sampled is with ancestral Euler steps."""

    unet: Any
    vae: Any
    text: Any
    tokenizer: Any
    scheduler: Any

    @classmethod
    def load(cls, text: str) -> Model:
        """The parts in a folder as diffusers saves pipelines, in float16 on an accelerator. Only safetensors are read.

        Raises ZooError where a part is missing, or is none of Stable Diffusion 1 or 2.
        """
        import torch
        from diffusers import AutoencoderKL, EulerAncestralDiscreteScheduler, UNet2DConditionModel
        from transformers import AutoTokenizer, CLIPTextModel

        from instructzoo.core.models.load import quiet

        folder = Path(text).expanduser()
        if missing := [part for part in PARTS if not (folder / part).is_dir()]:
            found = f"no folder {missing[0]} in {folder}"
            raise ZooError(found, f"a text-to-image pipeline of {', '.join(PARTS)}", where="diffusion")
        device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
        how = {"local_files_only": True}
        kind = torch.float32 if device is None or device.type == "cpu" else torch.float16
        held: dict[str, Any] = {}
        try:
            with quiet():
                for part, family in zip(PARTS[:3], (UNet2DConditionModel, AutoencoderKL, CLIPTextModel), strict=True):
                    dtype = {"dtype" if part == "text_encoder" else "torch_dtype": kind}
                    weights = family.from_pretrained(str(folder / part), use_safetensors=True, **dtype, **how)
                    held[part] = weights.to(device).eval().requires_grad_(False)
                tokenizer = AutoTokenizer.from_pretrained(str(folder / "tokenizer"), trust_remote_code=False, **how)
                scheduler = EulerAncestralDiscreteScheduler.from_pretrained(str(folder / "scheduler"), **how)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            found = f"cannot load {folder}: {reason[:200]}"
            raise ZooError(found, "a Stable Diffusion pipeline", where="diffusion") from error
        return cls(held["unet"], held["vae"], held["text_encoder"], tokenizer, scheduler).checked(folder)

    def checked(self, folder: Path) -> Model:
        """Itself. Raises ZooError where the parts do not fit, or the UNet asks for more than text and time."""
        config = self.unet.config
        faults = {
            f"a UNet of {config.in_channels} channels": config.in_channels != self.vae.config.latent_channels,
            f"a UNet that asks for {config.addition_embed_type} too": config.addition_embed_type is not None,
            f"text of {self.text.config.hidden_size} channels": config.cross_attention_dim
            != self.text.config.hidden_size,
        }
        if found := [fault for fault, there in faults.items() if there]:
            raise ZooError(f"{folder}: {found[0]}", "a text-to-image Stable Diffusion 1 or 2", where="diffusion")
        return self

    @property
    def scale(self) -> int:
        """Pixels along a side of one latent."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    def reads(self, caption: str) -> bool:
        """Whether a caption fits the text encoder, whole."""
        return len(self.tokenizer(caption)["input_ids"]) <= self._length

    @property
    def _length(self) -> int:
        return int(self.text.config.max_position_embeddings)

    def encoded(self, captions: Sequence[str]) -> Any:
        """Hidden states of captions, [n, tokens, c]."""
        ids = self.tokenizer(list(captions), padding="max_length", max_length=self._length, return_tensors="pt")
        return self.text(ids["input_ids"].to(self.text.device))[0]


def draws(
    seed: int, number: int, samples: int, sharing: tuple[float, float], guidance: tuple[float, float]
) -> list[Draw]:
    """What is drawn for the pairs of triplet `number`; the first k are the same for any number of samples."""
    found: dict[int, Draw] = {}
    rng = np.random.default_rng([seed, number])
    while len(found) < samples:
        own = int(rng.integers(2**32))
        drawn = Draw(own, float(rng.uniform(*sharing)), float(rng.uniform(*guidance)))
        found.setdefault(own, drawn)
    return list(found.values())


def sample(model: Model, triplet: Triplet, drawn: Sequence[Draw], steps: int, size: int) -> list[Pair]:
    """A pair for each draw, all in one batch. size: pixels along a side. A pair depends on its own draw alone."""
    import torch
    from diffusers import EulerAncestralDiscreteScheduler
    from diffusers.utils.torch_utils import randn_tensor

    unet, n = model.unet, len(drawn)
    scheduler = EulerAncestralDiscreteScheduler.from_config(model.scheduler.config)
    scheduler.set_timesteps(steps, device=unet.device)
    # Two generators of one seed give both pictures of a pair the same noise, at the start and at every step; on the
    # processor, so that a seed means the same noise everywhere.
    generators = [torch.Generator("cpu").manual_seed(draw.seed) for draw in drawn for _ in range(2)]
    side = size // model.scale
    shape = (2 * n, unet.config.in_channels, side, side)
    with torch.no_grad(), prompt_to_prompt.shared(unet) as sharing:
        none, before, after = model.encoded(["", triplet.input, triplet.output])
        text = torch.cat([none.expand(2 * n, -1, -1), torch.stack([before, after]).repeat(n, 1, 1)])  # [4n, tokens, c]
        scale = torch.tensor([draw.guidance for draw in drawn], device=unet.device).repeat_interleave(2)[
            :, None, None, None
        ]
        latents = randn_tensor(shape, generator=generators, device=unet.device, dtype=torch.float32)
        latents = latents * scheduler.init_noise_sigma
        for step, time in enumerate(scheduler.timesteps):
            sharing.pairs = torch.tensor([step < draw.sharing * steps for draw in drawn])
            seen = scheduler.scale_model_input(latents, time).to(unet.dtype).repeat(2, 1, 1, 1)  # [4n, c, h, w]
            free, told = unet(seen, time, encoder_hidden_states=text).sample.float().chunk(2)
            latents = scheduler.step(free + scale * (told - free), time, latents, generator=generators).prev_sample
        pixels = _decoded(model, latents)
    return [Pair(*draw, pixels[2 * k], pixels[2 * k + 1]) for k, draw in enumerate(drawn)]


def _decoded(model: Model, latents: Any) -> list[Pixels]:
    """Pictures of latents [b, c, h, w], one by one: decoding takes more memory than sampling."""
    import torch

    vae, found = model.vae, []
    for one in latents.split(1):
        values = vae.decode((one / vae.config.scaling_factor).to(vae.dtype)).sample[0].float()
        if not bool(torch.isfinite(values).all()):
            raise ZooError("the model gave a picture that holds NaN", "numbers", "try it on a processor, in float32")
        found.append(((values / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy())
    return found


def measured(pairs: Sequence[Pair], triplet: Triplet, clip: Clip) -> list[Pair]:
    """Pairs with their CLIP similarities."""
    n = len(pairs)
    before, after = [pair.before for pair in pairs], [pair.after for pair in pairs]
    found = clip_metrics.measure(clip, before, after, [triplet.input] * n, [triplet.output] * n)
    values = zip(found.before, found.after, found.direction, found.image, strict=True)
    return [replace(pair, clip=tuple(map(float, one))) for pair, one in zip(pairs, values, strict=True)]


def chosen(pairs: Sequence[Pair], limits: Thresholds) -> tuple[list[Pair], Counter[str]]:
    """The measured pairs above all thresholds, the best by direction first, and the others by reason."""
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


def _below(pair: Pair, limits: Thresholds) -> str:
    """The first threshold that a pair misses; "" where it passes."""
    before, after, direction, images = _clip(pair)
    if images < limits.images:
        return "the pictures differ too much"
    if min(before, after) < limits.caption:
        return "a picture does not show its caption"
    return "the change does not follow the captions" if direction < limits.direction else ""


def _clip(pair: Pair) -> tuple[float, ...]:
    if pair.clip is None:
        raise ZooError("a pair without CLIP similarities", "one that was measured")
    return pair.clip
