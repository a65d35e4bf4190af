"""Backbones of the domain: an editor from scratch, or one made of any diffusers text-to-image model.

scratch:unet-1x64        one level of 64 channels on the patches of a PatchAutoencoder, a text encoder with it
./stable-diffusion-v1-5  a diffusers folder (or hub id); a UNet of eight input channels is taken as it is
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field

from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.models.load import ModelBundle, quiet, to_device
from instructzoo.core.recipe import Method, Model, Recipe, validate_part
from instructzoo.core.record import Row
from instructzoo.pix2pix import images
from instructzoo.pix2pix.networks import editor, patch_autoencoder
from instructzoo.pix2pix.networks.editor import Editor

PATTERN = re.compile(r"scratch:unet-(\d+)x(\d+)")
FORM = "scratch:unet-<blocks>x<width>, width a multiple of 32"

PICTURES = 4_000
"""Training rows whose pictures a scratch autoencoder is fitted on."""

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"-()&"
"""Characters that a scratch tokenizer knows though no training row may have them; it reads capitals as small."""

DELTA = "trained.safetensors"
"""What LoRA trained, by name: its matrices, and the UNet's first layer, whose new channels begin at zero."""


class Settings(recipes.Settings):
    """The networks. What is marked (scratch) is for scratch backbones."""

    resolution: int = Field(256, ge=8, description="pixels of a square picture's side; of others, the root of the area")
    revision: str | None = Field(None, description="commit, branch or pull request of a hub id; none: its main branch")
    train_text: bool = Field(False, description="train the text encoder too; always so from scratch")
    patch: Literal[4, 8, 16] = Field(8, description="pixels of a patch's side (scratch)")
    channels: int = Field(12, ge=4, le=64, description="numbers that a patch is coded by (scratch)")
    fit_steps: int = Field(4000, ge=1, description="updates of the patch autoencoder before the training (scratch)")
    text_layers: int = Field(2, ge=1, le=12, description="layers of the text encoder (scratch)")
    text_width: int = Field(64, ge=32, le=1024, description="channels of the text encoder (scratch)")


def settings(recipe: Recipe) -> Settings:
    return validate_part(Settings, recipe.model.options, "model.options")


def load(recipe: Recipe, rows: Callable[[], Iterable[Row]], kept: Path | None = None) -> ModelBundle:
    """The untuned editor. rows: training rows, from which a scratch tokenizer and autoencoder are made.

    kept: a folder that holds both from an earlier start of the run; used where it does.
    """
    own, name = settings(recipe), recipe.model.backbone
    if name.startswith("scratch:"):
        if kept is not None and (kept / "vae").is_dir():
            vae, tokenizer = open_kept(kept)
        else:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(recipe.seed)
                vae = patch_autoencoder.make(own.patch, own.channels)
            found = list(islice(rows(), PICTURES))
            tokenizer = make_tokenizer((row["instruction"] for row in found), recipe.model)
            patch_autoencoder.fit(vae, _pictures(found), own.fit_steps, recipe.seed)
        return ModelBundle(_scratch(recipe, own, vae, tokenizer), tokenizer, "editor")
    from instructzoo.core.models import backbones

    place = _place(name) or backbones.resolve(name)
    with quiet():
        model, tokenizer = editor.open_folder(place, revision=own.revision)
    editor.widen(model.unet)
    read = min(tokenizer.model_max_length, model.text.config.max_position_embeddings)
    if recipe.model.max_tokens != read:
        raise ZooError(
            f"model.max_tokens = {recipe.model.max_tokens}",
            f"{read}, which the backbone's own pipeline pads to",
            f"set model.max_tokens={read}",
        )
    return ModelBundle(model, tokenizer, "editor")


def aim(model: Editor, recipe: Recipe) -> str:
    """What the UNet is to tell, epsilon or v_prediction, which its scheduler is told too.

    Raises ZooError for a backbone that tells something else.
    """
    asked = recipe.objective.get("prediction", "backbone")
    if asked != "backbone":
        model.schedule.register_to_config(prediction_type=asked)
    kind = str(model.schedule.config.prediction_type)
    if kind not in ("epsilon", "v_prediction"):
        raise ZooError(f"a backbone that tells {kind}", "epsilon or v_prediction", "set objective.prediction")
    return kind


def apply(model: Editor, method: Method, recipe: Recipe) -> Editor:
    """The editor with only what the method trains requiring gradients; ZooError for a method that it has not."""
    model.requires_grad_(False)
    if method.name == "full":
        model.unet.requires_grad_(True)
        if settings(recipe).train_text or recipe.model.backbone.startswith("scratch:"):
            model.text.requires_grad_(True)
        return model
    if method.name != "lora":
        raise ZooError(f"method {method.name} on an editor", "full or lora", "set method.name")
    from peft import LoraConfig

    settings_of_lora = LoraConfig(
        r=method.rank, lora_alpha=method.alpha, lora_dropout=method.dropout, use_dora=method.dora,
        use_rslora=method.rslora, target_modules=_targets(model, method),
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        try:
            model.unet.add_adapter(settings_of_lora)
        except ValueError as error:
            raise ZooError(str(error).splitlines()[0], "names of the UNet's modules", "set method.targets") from error
    model.unet.conv_in.requires_grad_(True)
    return model


def _targets(model: Editor, method: Method) -> list[str]:
    """Names of the modules that get LoRA's matrices; by default the attention's projections, as in diffusers."""
    if method.targets == "all-linear":
        return [name for name, module in model.unet.named_modules() if isinstance(module, torch.nn.Linear)]
    return list(method.targets or ("to_q", "to_k", "to_v", "to_out.0"))


def save(model: Editor, tokenizer: Any, recipe: Recipe, folder: Path) -> None:
    """Write what was trained: the whole pipeline (full), or LoRA's matrices with the first layer."""
    from safetensors.torch import save_file

    with quiet():
        if recipe.method.name == "full":
            model.save(folder, tokenizer)
        else:
            own = {n: p.detach().cpu().contiguous() for n, p in model.named_parameters() if p.requires_grad}
            save_file(own, folder / DELTA)
            tokenizer.save_pretrained(str(folder / "tokenizer"))
            if recipe.model.backbone.startswith("scratch:"):
                keep(model, tokenizer, folder)
    runs.write_text(folder / "recipe.yaml", recipe.resolved())


def open_saved(folder: Path) -> ModelBundle:
    """An editor as `save` or `zoo export` left it, in float32. Raises ZooError for a folder that is none."""
    recipe = runs.stored_recipe(folder)
    with quiet():
        if not (folder / DELTA).is_file():
            model, tokenizer = editor.open_folder(folder)
            return ModelBundle(to_device(model.eval().requires_grad_(False)), tokenizer, "editor")
        loaded = load(recipe, list, folder)
        tuned = apply(loaded.model, recipe.method, recipe)
        _put_back(tuned, folder / DELTA)
        aim(tuned, recipe)
    return ModelBundle(to_device(tuned.eval().requires_grad_(False)), loaded.tokenizer, "editor")


def merged(model: Editor) -> Editor:
    """The editor with LoRA's update added to the weights."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    if any(isinstance(module, BaseTunerLayer) for module in model.unet.modules()):
        model.unet.fuse_lora()
        model.unet.unload_lora()
    return model


def keep(model: Editor, tokenizer: Any, folder: Path) -> None:
    """What a scratch editor's start took from the rows: its autoencoder and its tokenizer."""
    model.vae.save_pretrained(str(folder / "vae"))
    tokenizer.save_pretrained(str(folder / "tokenizer"))


def open_kept(folder: Path) -> tuple[Any, Any]:
    from transformers import CLIPTokenizer

    vae = patch_autoencoder.PatchAutoencoder.from_pretrained(str(folder / "vae"), use_safetensors=True)
    return vae, CLIPTokenizer.from_pretrained(str(folder / "tokenizer"))


def make_tokenizer(texts: Iterable[str], own: Model) -> Any:
    """CLIP's kind of tokenizer with merges learnt from `texts`. The same texts give the same ids.

    own: its vocabulary and max_tokens count; pipelines of diffusers pad to the latter.
    """
    from tokenizers import models, trainers
    from transformers import CLIPTokenizer

    ends = ["<|startoftext|>", "<|endoftext|>"]
    learning = CLIPTokenizer(vocab={token: i for i, token in enumerate(ends)}, merges=[]).backend_tokenizer
    learning.model = models.BPE(end_of_word_suffix="</w>", unk_token=ends[1])
    trainer = trainers.BpeTrainer(
        vocab_size=own.vocabulary,
        min_frequency=1,
        # Ends of words would get their ids in the order of a hash table, another one in every process.
        special_tokens=[*ends, *(f"{letter}</w>" for letter in ALPHABET)],
        end_of_word_suffix="</w>",
        show_progress=False,
        initial_alphabet=list(ALPHABET),
    )
    learning.train_from_iterator(texts, trainer)
    learnt = json.loads(learning.to_str())["model"]
    merges = [tuple(pair) for pair in learnt["merges"]]
    return CLIPTokenizer(vocab=learnt["vocab"], merges=merges, model_max_length=own.max_tokens)


def _scratch(recipe: Recipe, own: Settings, vae: Any, tokenizer: Any) -> Editor:
    from diffusers import DDPMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    match = PATTERN.fullmatch(recipe.model.backbone)
    if not match or not int(match[1]) or not int(match[2]) or int(match[2]) % 32:
        raise ZooError(f'no scratch backbone "{recipe.model.backbone}"', FORM, "set model.backbone")
    blocks, width = int(match[1]), int(match[2])
    channels = vae.config.latent_channels
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        text = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokenizer), hidden_size=own.text_width, intermediate_size=4 * own.text_width,
                num_hidden_layers=own.text_layers, num_attention_heads=own.text_width // 16,
                max_position_embeddings=recipe.model.max_tokens, pad_token_id=tokenizer.pad_token_id,
                bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
            )
        )  # fmt: skip
        unet = UNet2DConditionModel(
            sample_size=own.resolution // own.patch, in_channels=2 * channels, out_channels=channels,
            block_out_channels=(width,), layers_per_block=blocks, down_block_types=("CrossAttnDownBlock2D",),
            up_block_types=("CrossAttnUpBlock2D",), cross_attention_dim=own.text_width,
            attention_head_dim=width // 16, norm_num_groups=8,
        )  # fmt: skip
    schedule = DDPMScheduler(
        num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        prediction_type="v_prediction", clip_sample=False, steps_offset=1, timestep_spacing="trailing",
    )  # fmt: skip
    return Editor(unet, vae, text, schedule)


def _pictures(rows: Iterable[Row]) -> Iterable[images.Pixels]:
    return (images.read(row[side], row["id"]) for row in rows for side in ("image", "edited"))


def _place(name: str) -> Path | None:
    """A local diffusers folder; none for other names."""
    folder = Path(name).expanduser()
    return folder if (folder / "model_index.json").is_file() else None


def _put_back(model: Editor, path: Path) -> None:
    from safetensors.torch import load_file

    saved, own = load_file(path), {n: p for n, p in model.named_parameters() if p.requires_grad}
    if saved.keys() != own.keys():
        raise ZooError(f"{path} holds other parameters", "those of its recipe's method", "train again")
    model.load_state_dict(saved, strict=False)
