"""Shared by the tests of model, objective and predictor: rows of the synthetic world, editors of random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.data import BuiltData
from instructzoo.core.models import ModelBundle
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.pix2pix import model, objective, world
from instructzoo.pix2pix.objective import EditingTask

torch.set_num_threads(1)

SCRATCH = "scratch:unet-1x32"


def recipe(backbone: str = SCRATCH, **groups: Any) -> Recipe:
    """A recipe of few steps. groups: `train={"steps": 3}` and the like, or top-level settings."""
    options = {"resolution": 32, "fit_steps": 30, "text_layers": 1, "text_width": 32}
    train = {"steps": 6, "batch": 8, "lr": 1e-3, "warmup": 0.1, "log_every": 1, "checkpoint_minutes": 60}
    settings = {"backbone": backbone, "tokenizer": "bpe", "vocabulary": 512, "max_tokens": 24, "options": options}
    decode = {"options": {"steps": 3, "guidance": 2.0, "scheduler": "ddim"}}
    values = {"domain": "pix2pix", "name": "tried", "decode": decode, "model": settings | groups.pop("model", {})}
    return Recipe.model_validate(values | {"train": train | groups.pop("train", {})} | groups)


def rows(n: int, seed: int = 0, split: str = "train") -> list[Row]:
    return list(world.generate(n, seed, split))


def editing_task(settings: Recipe, n: int = 40, loaded: ModelBundle | None = None) -> EditingTask:
    """A recipe made ready with rows of the world, no file read or written."""
    train = rows(n)
    built = BuiltData({"train": train}, {}, "made", Path())  # type: ignore[arg-type]
    return EditingTask(settings, domains.get("pix2pix"), built, loaded or model.load(settings, lambda: iter(train)))


def editing_setup(settings: Recipe, n: int = 40) -> tuple[EditingTask, Any, objective.EditingObjective, list[Any]]:
    """EditingTask, the tuned editor, its objective and the encoded rows."""
    task = editing_task(settings, n)
    tuned = task.trainable_model()
    return task, tuned, task.objective(tuned), task.encode(task.built.rows["train"])


def stable_diffusion_folder(folder: Path, inputs: int = 4, prediction: str = "epsilon") -> Path:
    """A diffusers folder of random weights: pictures of 16x16 pixels as latents of 8x8, two levels in the UNet."""
    from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = model.train_tokenizer((row["instruction"] for row in rows(40)), recipe().model)
    torch.manual_seed(0)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=24,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=inputs,
        out_channels=4,
        block_out_channels=(32, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        block_out_channels=(16, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=8,
    )
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDPMScheduler(beta_schedule="scaled_linear", prediction_type=prediction),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(str(folder))
    return folder


def save_model(settings: Recipe, tuned: Any, tokenizer: Any, folder: Path) -> Path:
    with runs.atomic_folder(folder) as fresh:
        model.save(tuned, tokenizer, settings, fresh)
    return folder
