"""Backbones of the domain: an editor from scratch, or one made from a text-to-image model of diffusers.

scratch:unet-1x64        one level of 64 channels on the patches of a PatchAutoencoder, with its own text encoder
./stable-diffusion-v1-5  a folder in diffusers' layout, or a hub id; a UNet of eight input channels is used as it is
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
from instructzoo.core.models.load import ModelBundle, to_device
from instructzoo.core.models.quiet import quiet
from instructzoo.core.recipe import Method, Model, Recipe, validate_settings
from instructzoo.core.record import Row
from instructzoo.pix2pix import images
from instructzoo.pix2pix.networks import editor, patch_autoencoder, stable_diffusion, weight_files
from instructzoo.pix2pix.networks.editor import Editor

SCRATCH_PATTERN = re.compile(r"scratch:unet-(\d+)x(\d+)")
SCRATCH_FORM = "scratch:unet-<blocks>x<width>, width a multiple of 32"

AUTOENCODER_ROWS = 4_000
"""Training rows whose pictures a scratch autoencoder is trained on."""

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"-()&"
"""Characters that a scratch tokenizer always knows, even if no training row has them; it lowercases its input."""

TRAINED_FILE = "trained.safetensors"
"""What LoRA trained, by parameter name: its matrices and the UNet's first layer, whose new channels begin at zero."""


class Settings(recipes.Settings):
    """The networks. Settings marked (scratch) apply to scratch backbones only."""

    resolution: int = Field(
        256, ge=8, description="side of a square picture in pixels; of others, the root of the area"
    )
    revision: str | None = Field(None, description="commit, branch or pull request of a hub id; none: its main branch")
    train_text: bool = Field(False, description="train the text encoder too; always so from scratch")
    patch: Literal[4, 8, 16] = Field(8, description="pixels of a patch's side (scratch)")
    channels: int = Field(12, ge=4, le=64, description="latent channels of a patch (scratch)")
    fit_steps: int = Field(4000, ge=1, description="training updates of the patch autoencoder (scratch)")
    text_layers: int = Field(2, ge=1, le=12, description="layers of the text encoder (scratch)")
    text_width: int = Field(64, ge=32, le=1024, description="channels of the text encoder (scratch)")


def settings(recipe: Recipe) -> Settings:
    """The recipe's `model.options`. Raises ZooError for unknown or invalid ones."""
    return validate_settings(Settings, recipe.model.options, "model.options")


def load(recipe: Recipe, rows: Callable[[], Iterable[Row]], saved_start: Path | None = None) -> ModelBundle:
    """Load or create the untuned editor.

    Args:
        recipe: The resolved recipe.
        rows: Gives the training rows, which a scratch tokenizer and autoencoder are trained on.
        saved_start: A folder with both from an earlier start of the run (`save_start`); used if it has them.

    Raises:
        ZooError: The backbone cannot be loaded, or model.max_tokens is not the length that it was trained with.
    """
    options, name = settings(recipe), recipe.model.backbone
    if name.startswith("scratch:"):
        if saved_start is not None and (saved_start / "vae").is_dir():
            vae, tokenizer = open_start(saved_start)
        else:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(recipe.seed)
                vae = patch_autoencoder.new_autoencoder(options.patch, options.channels)
            fit_rows = list(islice(rows(), AUTOENCODER_ROWS))
            tokenizer = train_tokenizer((row["instruction"] for row in fit_rows), recipe.model)
            patch_autoencoder.train(vae, _read_pictures(fit_rows), options.fit_steps, recipe.seed)
        return ModelBundle(_scratch(recipe, options, vae, tokenizer), tokenizer, "editor")
    from instructzoo.core.models.resolve import resolve

    weight_files.check_single_file(name)
    location = _local_folder(name) or resolve(name)
    with quiet():
        model, tokenizer = editor.open_folder(location, revision=options.revision)
    editor.widen_input(model.unet)
    pipeline_length = min(tokenizer.model_max_length, model.text.config.max_position_embeddings)
    if recipe.model.max_tokens != pipeline_length:
        raise ZooError(
            f"model.max_tokens = {recipe.model.max_tokens}",
            f"{pipeline_length}, which the backbone's own pipeline pads to",
            f"set model.max_tokens={pipeline_length}",
        )
    return ModelBundle(model, tokenizer, "editor")


def set_prediction_type(model: Editor, recipe: Recipe) -> str:
    """Set what the UNet predicts, in its scheduler as well.

    Returns:
        "epsilon" or "v_prediction".

    Raises:
        ZooError: The backbone predicts something else.
    """
    prediction = recipe.objective.get("prediction", "backbone")
    if prediction != "backbone":
        model.schedule.register_to_config(prediction_type=prediction)
    prediction_type = str(model.schedule.config.prediction_type)
    if prediction_type not in ("epsilon", "v_prediction"):
        raise ZooError(
            f"a backbone that tells {prediction_type}", "epsilon or v_prediction", "set objective.prediction"
        )
    stable_diffusion.check_noise_schedule(model.schedule.config, recipe.model.backbone)
    return prediction_type


def apply_method(model: Editor, method: Method, recipe: Recipe) -> Editor:
    """Make exactly the parameters trainable that the method trains.

    Args:
        model: The untuned editor, changed in place.
        method: "full", or "lora" with its settings.
        recipe: Its seed initialises LoRA.

    Raises:
        ZooError: Editors do not support the method, or its target modules do not exist.
    """
    model.requires_grad_(False)
    if method.name == "full":
        model.unet.requires_grad_(True)
        if settings(recipe).train_text or recipe.model.backbone.startswith("scratch:"):
            model.text.requires_grad_(True)
        return model
    if method.name != "lora":
        raise ZooError(f"method {method.name} on an editor", "full or lora", "set method.name")
    from peft import LoraConfig

    lora_config = LoraConfig(
        r=method.rank, lora_alpha=method.alpha, lora_dropout=method.dropout, use_dora=method.dora,
        use_rslora=method.rslora, target_modules=_targets(model, method),
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        try:
            model.unet.add_adapter(lora_config)
        except ValueError as error:
            raise ZooError(str(error).splitlines()[0], "names of the UNet's modules", "set method.targets") from error
    model.unet.conv_in.requires_grad_(True)
    return model


def _targets(model: Editor, method: Method) -> list[str]:
    """Names of the modules that LoRA adapts; by default the attention projections, as in diffusers."""
    if method.targets == "all-linear":
        return [name for name, module in model.unet.named_modules() if isinstance(module, torch.nn.Linear)]
    return list(method.targets or ("to_q", "to_k", "to_v", "to_out.0"))


def save(model: Editor, tokenizer: Any, recipe: Recipe, folder: Path) -> None:
    """Write what was trained: the whole pipeline ("full"), or LoRA's matrices with the first layer."""
    from safetensors.torch import save_file

    with quiet():
        if recipe.method.name == "full":
            model.save(folder, tokenizer)
        else:
            trained = {n: p.detach().cpu().contiguous() for n, p in model.named_parameters() if p.requires_grad}
            save_file(trained, folder / TRAINED_FILE)
            tokenizer.save_pretrained(str(folder / "tokenizer"))
            if recipe.model.backbone.startswith("scratch:"):
                save_start(model, tokenizer, folder)
    runs.write_text(folder / "recipe.yaml", recipe.resolved())


def open_saved(folder: Path) -> ModelBundle:
    """Open what `save` or `zoo export` wrote, or another editor of diffusers, in float32. Raises ZooError otherwise."""
    with quiet():
        if not (folder / TRAINED_FILE).is_file():
            model, tokenizer = editor.open_folder(folder)
            return ModelBundle(to_device(model.eval().requires_grad_(False)), tokenizer, "editor")
        recipe = runs.stored_recipe(folder)
        loaded = load(recipe, list, folder)
        tuned = apply_method(loaded.model, recipe.method, recipe)
        _load_trained(tuned, folder / TRAINED_FILE)
        set_prediction_type(tuned, recipe)
    return ModelBundle(to_device(tuned.eval().requires_grad_(False)), loaded.tokenizer, "editor")


def merge_lora(model: Editor) -> Editor:
    """The editor with LoRA's update added to the weights."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    if any(isinstance(module, BaseTunerLayer) for module in model.unet.modules()):
        model.unet.fuse_lora()
        model.unet.unload_lora()
    return model


def save_start(model: Editor, tokenizer: Any, folder: Path) -> None:
    """Save what a scratch editor learnt from the rows before training: its autoencoder and its tokenizer."""
    model.vae.save_pretrained(str(folder / "vae"))
    tokenizer.save_pretrained(str(folder / "tokenizer"))


def open_start(folder: Path) -> tuple[Any, Any]:
    """The autoencoder and tokenizer that `save_start` wrote."""
    from transformers import CLIPTokenizer

    vae = patch_autoencoder.PatchAutoencoder.from_config(
        patch_autoencoder.PatchAutoencoder.load_config(str(folder / "vae"))
    )
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    vae.load_state_dict(weight_files.load_exactly(weights, vae.state_dict()))
    return vae.eval(), CLIPTokenizer.from_pretrained(str(folder / "tokenizer"))


def train_tokenizer(texts: Iterable[str], model_settings: Model) -> Any:
    """Train a tokenizer of CLIP's kind.

    Args:
        texts: The same texts give the same ids.
        model_settings: Vocabulary size, and max_tokens, which diffusers' pipelines pad to.
    """
    from tokenizers import models, trainers
    from transformers import CLIPTokenizer

    ends = ["<|startoftext|>", "<|endoftext|>"]
    backend = CLIPTokenizer(vocab={token: i for i, token in enumerate(ends)}, merges=[]).backend_tokenizer
    backend.model = models.BPE(end_of_word_suffix="</w>", unk_token=ends[1])
    trainer = trainers.BpeTrainer(
        vocab_size=model_settings.vocabulary,
        min_frequency=1,
        # Without this, word endings get their ids in hash table order, which differs from process to process.
        special_tokens=[*ends, *(f"{letter}</w>" for letter in ALPHABET)],
        end_of_word_suffix="</w>",
        show_progress=False,
        initial_alphabet=list(ALPHABET),
    )
    backend.train_from_iterator(texts, trainer)
    trained_model = json.loads(backend.to_str())["model"]
    merges = [tuple(pair) for pair in trained_model["merges"]]
    return CLIPTokenizer(vocab=trained_model["vocab"], merges=merges, model_max_length=model_settings.max_tokens)


def _scratch(recipe: Recipe, options: Settings, vae: Any, tokenizer: Any) -> Editor:
    """An editor with random UNet and text encoder around a trained autoencoder and tokenizer."""
    from diffusers import DDPMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    match = SCRATCH_PATTERN.fullmatch(recipe.model.backbone)
    if not match or not int(match[1]) or not int(match[2]) or int(match[2]) % 32:
        raise ZooError(f'no scratch backbone "{recipe.model.backbone}"', SCRATCH_FORM, "set model.backbone")
    blocks, width = int(match[1]), int(match[2])
    channels = vae.config.latent_channels
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        text = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokenizer), hidden_size=options.text_width, intermediate_size=4 * options.text_width,
                num_hidden_layers=options.text_layers, num_attention_heads=options.text_width // 16,
                max_position_embeddings=recipe.model.max_tokens, pad_token_id=tokenizer.pad_token_id,
                bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
            )
        )  # fmt: skip
        unet = UNet2DConditionModel(
            sample_size=options.resolution // options.patch, in_channels=2 * channels, out_channels=channels,
            block_out_channels=(width,), layers_per_block=blocks, down_block_types=("CrossAttnDownBlock2D",),
            up_block_types=("CrossAttnUpBlock2D",), cross_attention_dim=options.text_width,
            attention_head_dim=width // 16, norm_num_groups=8,
        )  # fmt: skip
    schedule = DDPMScheduler(
        num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        prediction_type="v_prediction", clip_sample=False, steps_offset=1, timestep_spacing="trailing",
    )  # fmt: skip
    return Editor(unet, vae, text, schedule)


def _read_pictures(rows: Iterable[Row]) -> Iterable[images.Pixels]:
    """All pictures of some rows, before and after."""
    return (images.read(row[column], row["id"]) for row in rows for column in ("image", "edited"))


def _local_folder(name: str) -> Path | None:
    """A local folder in diffusers' layout; None for other names."""
    folder = Path(name).expanduser()
    return folder if (folder / "model_index.json").is_file() else None


def _load_trained(model: Editor, path: Path) -> None:
    """Load LoRA's matrices and the first layer into the editor."""
    expected = {n: p for n, p in model.named_parameters() if p.requires_grad}
    model.load_state_dict(weight_files.load_exactly(path, expected), strict=False)
