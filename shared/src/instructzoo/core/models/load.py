"""Loading and saving: untuned backbones for training, and tuned models as a run saved them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapter_base, adapters, backbone_checks, scratch, tokenizers
from instructzoo.core.models.backbones import BACKBONES
from instructzoo.core.models.load_errors import load_errors
from instructzoo.core.models.quiet import quiet
from instructzoo.core.models.resolve import resolve
from instructzoo.core.models.weight_checks import check_backbone
from instructzoo.core.recipe import Model, Recipe
from instructzoo.core.runs import stored_recipe


@dataclass(frozen=True)
class ModelBundle:
    """A transformers model, its tokenizer, and its kind ("causal" or "seq2seq")."""

    model: Any
    tokenizer: Any
    kind: str


def load(
    settings: Model,
    seed: int,
    texts: Callable[[], Iterable[str]],
    tokenizer_folder: Path | None = None,
    revision: str | None = None,
) -> ModelBundle:
    """Load an untuned backbone.

    Args:
        settings: `backbone`, `weights`, `quantisation` and, of a model from scratch, its other settings.
        seed: Seed of the weights of a model from scratch.
        texts: Gives training prompts and targets, on which the tokenizer of a model from scratch is trained.
        tokenizer_folder: Where a resumed run has saved that tokenizer; if it is there, it is used.
        revision: Commit of a hub id; the newest by default.

    Raises:
        ZooError: The backbone is unknown, cannot be fetched, is damaged or incomplete, or is no language model.

    Example:
        >>> bundle = load(Model(backbone="smollm2-135m"), seed=0, texts=list)
        >>> bundle.kind
        'causal'
    """
    if settings.backbone.startswith("scratch:"):
        if tokenizer_folder and (tokenizer_folder / "tokenizer.json").is_file():
            tokenizer = open_tokenizer(tokenizer_folder)
        else:
            tokenizer = tokenizers.train_tokenizer(str(settings.tokenizer), texts(), settings.vocabulary)
        model = scratch.build_model(settings.backbone, tokenizer, settings.max_tokens, settings.dropout, seed)
        model = model.to(_dtype(settings))
        return ModelBundle(model, tokenizer, scratch.kind_of(settings.backbone))
    source = _language_model(settings.backbone)
    if isinstance(source, Path) and (source / "adapter_config.json").is_file():
        found = f"{source} holds an adapter (adapter_config.json)"
        raise ZooError(
            found, "a whole model", "merge the adapter and save the model, or take its base", "model.backbone"
        )
    model, kind = _pretrained(source, settings, revision)
    if kind == "causal":
        backbone_checks.check_causal(model, source)
    return ModelBundle(model, with_padding(open_tokenizer(source), backbone_checks.embedding_rows(model)), kind)


def _language_model(backbone: str) -> Path | str:
    """Return what transformers opens for a backbone; raise ZooError if it is known to be no language model."""
    known = BACKBONES.get(backbone)
    if known and known.kind not in ("causal", "seq2seq"):
        found, expected = f"{backbone} is a model of kind {known.kind}", "a causal or a seq2seq one"
        raise ZooError(found, expected, "take smollm2-135m or flan-t5-small, for example", "model.backbone")
    return resolve(backbone)


def open_other(folder: Path, recipe: Recipe) -> ModelBundle:
    """Open a model of another program for inference, on the accelerator if there is one.

    Args:
        folder: A model in the Hugging Face layout, or an adapter of peft on the recipe's backbone.
        recipe: Its settings `model` apply, and those of the method to an adapter.

    Returns:
        The model, with its base's tokenizer where it is an adapter.

    Raises:
        ZooError: The backbone cannot be loaded, or the folder is damaged.
    """
    if not (folder / "adapter_config.json").is_file() or (folder / "config.json").is_file():
        return open_plain(folder, recipe.model)
    base = load(recipe.model, recipe.seed, list, folder)
    with load_errors(folder):
        model = adapters.reload(base.model, recipe.method, folder)
    return ModelBundle(to_device(model.eval()), base.tokenizer, base.kind)


def open_saved(folder: Path) -> ModelBundle:
    """Open a tuned model that `save` has written, for inference, on the accelerator if there is one.

    Raises:
        ZooError: The folder is missing or damaged, or the adapter was trained on another base than the one at hand.
    """
    recipe = stored_recipe(folder)
    if recipe.method.name == "full" or (folder / "config.json").is_file():  # or an adapter that `zoo export` has merged
        return open_plain(folder, recipe.model)
    base = load(recipe.model, recipe.seed, list, folder, adapter_base.commit(folder, recipe.model))
    adapter_base.check(folder, base.model, recipe.model)
    with load_errors(folder):
        model = adapters.reload(base.model, recipe.method, folder)
    # A bundled adapter comes without its base's tokenizer; one from scratch is never without its own.
    has_tokenizer = (folder / "tokenizer_config.json").is_file() or recipe.model.backbone.startswith("scratch:")
    tokenizer = open_tokenizer(folder) if has_tokenizer else base.tokenizer
    return ModelBundle(to_device(model.eval()), tokenizer, base.kind)


def open_plain(folder: Path, settings: Model) -> ModelBundle:
    """Open a model in the plain Hugging Face layout, as `zoo export` writes it; it is not quantised.

    Args:
        folder: Folder with configuration, safetensors and tokenizer.
        settings: Only `weights`, the dtype, is read.

    Returns:
        The model in evaluation mode, on the accelerator if there is one.

    Raises:
        ZooError: The folder is missing or damaged.
    """
    model, kind = _pretrained(folder, settings.model_copy(update={"quantisation": "none"}))
    return ModelBundle(to_device(model.eval()), open_tokenizer(folder), kind)


def to_device(model: Any) -> Any:
    """Move a model to the accelerator if there is one; a quantised model is there already."""
    import torch

    if adapters.is_quantised(model) or not torch.accelerator.is_available():
        return model
    return model.to(torch.accelerator.current_accelerator())


def save(model: Any, tokenizer: Any, recipe: Recipe, folder: Path) -> None:
    """Write the trained parameters, the tokenizer and the recipe; `open_saved` reads them.

    Args:
        model: Tuned model: of `full` all weights are written, else the adapter alone.
        tokenizer: Tokenizer of the model.
        recipe: Recipe of the run. For an adapter on pretrained weights, `base.json` records which they are.
        folder: Folder to write to.
    """
    with quiet():
        adapters.save(model, folder)
    if recipe.method.name != "full" and not recipe.model.backbone.startswith("scratch:"):
        adapter_base.write(folder, model, recipe.model)
    tokenizer.save_pretrained(str(folder))
    (folder / "recipe.yaml").write_text(recipe.resolved(), encoding="utf-8")


def save_plain(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write model and tokenizer in the plain Hugging Face layout, which other programs open.

    Args:
        model: A transformers model without adapters, such as `adapters.merged` returns.
        tokenizer: Tokenizer of the model.
        folder: Folder to write to.
    """
    with quiet():
        model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))


def open_tokenizer(source: Path | str) -> Any:
    """Open the tokenizer of a folder or a hub id. Raises ZooError if there is none."""
    from transformers import AutoTokenizer

    with load_errors(source):
        return AutoTokenizer.from_pretrained(str(source), trust_remote_code=False)


def with_padding(tokenizer: Any, rows: int | None = None) -> Any:
    """Let EOS be the padding token if there is none, or none that the model knows; no token ever sees padding.

    Args:
        tokenizer: The tokenizer, changed in place. Labels come from the segments, so EOS is still supervised.
        rows: The rows of the model's embedding table, if padding beyond it is to be replaced too.
    """
    if tokenizer.pad_token_id is None or (rows is not None and tokenizer.pad_token_id >= rows):
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _pretrained(source: Path | str, settings: Model, revision: str | None = None) -> tuple[Any, str]:
    """Load a pretrained model from a folder or a hub id; return it with its kind."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    with load_errors(source), quiet():
        config = AutoConfig.from_pretrained(str(source), trust_remote_code=False, revision=revision or "main")
        seq2seq = bool(config.is_encoder_decoder)
        auto_class = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
        dtype = torch.bfloat16 if settings.quantisation != "none" and torch.cuda.is_available() else _dtype(settings)
        model, loading_info = auto_class.from_pretrained(
            str(source),
            config=config,
            dtype=dtype,
            trust_remote_code=False,
            use_safetensors=True,
            revision=revision or "main",
            quantization_config=_quantization_config(settings),
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are named with the others
        )
    if model._hf_peft_config_loaded:  # transformers has put the adapter of a hub repository on the model
        raise ZooError(
            f"{source} holds an adapter", "a whole model", "take its base, or a merged one", "model.backbone"
        )
    check_backbone(source, model, loading_info)
    backbone_checks.reset_generation(model)
    if seq2seq:
        backbone_checks.set_decoder_start(model, source)
    if settings.quantisation != "none":
        from bitsandbytes.nn.modules import Linear4bit
        from peft import prepare_model_for_kbit_training

        for layer in (m for m in model.modules() if isinstance(m, Linear4bit)):
            # On processors with AVX512-BF16 bitsandbytes would repack it at the first evaluation, for products in
            # bfloat16 without a gradient: training would continue without learning.
            layer.support_avx512bf16_for_cpu = False

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)  # freezes, norms in float32
    return model, "seq2seq" if seq2seq else "causal"


def _dtype(settings: Model) -> Any:
    """Return the torch dtype of the weights."""
    import torch

    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[settings.weights]


def _quantization_config(settings: Model) -> Any:
    """Return the bitsandbytes configuration of a frozen base, or None."""
    import torch

    if settings.quantisation == "none":
        return None
    from transformers import BitsAndBytesConfig

    if settings.quantisation == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    compute_dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=settings.quantisation,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype,
    )
