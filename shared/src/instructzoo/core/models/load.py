"""Backbones into memory: fresh for training, or as a run saved them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters, scratch, tokenizers
from instructzoo.core.recipe import Model, Recipe
from instructzoo.core.runs import stored_recipe

BASE = "base.json"
"""Beside an adapter: which weights it was trained on."""


@dataclass(frozen=True)
class ModelBundle:
    """A model, its tokenizer and its kind ("causal" or "seq2seq")."""

    model: Any
    tokenizer: Any
    kind: str


def load(
    settings: Model,
    seed: int,
    texts: Callable[[], Iterable[str]],
    tokenizer_at: Path | None = None,
    revision: str | None = None,
) -> ModelBundle:
    """The untuned backbone. `texts` gives training prompts and targets, from which a scratch tokenizer is made;
    where `tokenizer_at` already holds one (a resumed run), that one is used. revision: the commit of a hub id."""
    if settings.backbone.startswith("scratch:"):
        if tokenizer_at and (tokenizer_at / "tokenizer.json").is_file():
            tokenizer = open_tokenizer(tokenizer_at)
        else:
            tokenizer = tokenizers.make(str(settings.tokenizer), texts(), settings.vocabulary)
        model = scratch.make(settings.backbone, tokenizer, settings.max_tokens, settings.dropout, seed)
        model = model.to(_type(settings))
        return ModelBundle(model, tokenizer, scratch.kind_of(settings.backbone))
    from instructzoo.core.models import backbones

    place = backbones.resolve(settings.backbone)
    model, kind = _pretrained(place, settings, revision)
    return ModelBundle(model, with_padding(open_tokenizer(place)), kind)


def open_saved(folder: Path) -> ModelBundle:
    """A trained model as `save` left it. Raises ZooError for a folder that is none or is damaged."""
    recipe = stored_recipe(folder)
    if recipe.method.name == "full" or (folder / "config.json").is_file():  # or an adapter that `zoo export` has merged
        return open_plain(folder, recipe.model)
    then = runs.read_json(folder / BASE) if (folder / BASE).is_file() else None
    base = load(recipe.model, recipe.seed, list, folder, _commit(recipe.model, then))
    if then is not None and then != (now := _base(base.model, recipe.model)):
        found = f"{folder} was trained on {then}, and {recipe.model.backbone} is now {now}"
        raise ZooError(found, "the same base", "put those weights back, or train again")
    with _one_line(folder):
        model = adapters.reload(base.model, recipe.method, folder)
    return ModelBundle(to_device(model.eval()), open_tokenizer(folder), base.kind)


def open_plain(folder: Path, settings: Model) -> ModelBundle:
    """A model in the plain Hugging Face layout, as `zoo export` writes it: never quantised."""
    model, kind = _pretrained(folder, settings.model_copy(update={"quantisation": "none"}))
    return ModelBundle(to_device(model.eval()), open_tokenizer(folder), kind)


def to_device(model: Any) -> Any:
    """The model on the accelerator, where there is one; a quantised one is there already."""
    import torch

    if adapters.is_quantised(model) or not torch.accelerator.is_available():
        return model
    return model.to(torch.accelerator.current_accelerator())


def save(model: Any, tokenizer: Any, recipe: Recipe, folder: Path) -> None:
    """Write what the method trained (all weights for `full`, the adapter otherwise), the tokenizer and the recipe."""
    with quiet():
        adapters.save(model, folder)
    if recipe.method.name != "full" and not recipe.model.backbone.startswith("scratch:"):
        runs.write_json(folder / BASE, _base(model, recipe.model))
    tokenizer.save_pretrained(str(folder))
    (folder / "recipe.yaml").write_text(recipe.resolved(), encoding="utf-8")


def _base(model: Any, settings: Model) -> dict[str, str]:
    """What tells one base from another: the sha256 of each file of weights in a folder, or the commit of a hub id."""
    from instructzoo.core.models import backbones

    place = backbones.resolve(settings.backbone)
    if isinstance(place, str):
        return {place: str(getattr(adapters.unwrap_peft(model).config, "_commit_hash", None))}
    return {path.name: runs.sha256(path) for path in sorted(place.glob("*.safetensors"))}


def _commit(settings: Model, base: dict[str, str] | None) -> str | None:
    """The commit of a hub id that an adapter was trained on; none for a folder, whose files are compared."""
    from instructzoo.core.models import backbones

    if base is None or isinstance(place := backbones.resolve(settings.backbone), Path):
        return None
    return base.get(place)


def save_plain(model: Any, tokenizer: Any, folder: Path) -> None:
    """Model and tokenizer in the plain Hugging Face layout, which other programs open."""
    with quiet():
        model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))


def open_tokenizer(place: Path | str) -> Any:
    from transformers import AutoTokenizer

    with _one_line(place):
        return AutoTokenizer.from_pretrained(str(place), trust_remote_code=False)


def with_padding(tokenizer: Any) -> Any:
    """A padding token where there is none: EOS will do, since padding is never supervised and EOS always is."""
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _pretrained(place: Path | str, settings: Model, revision: str | None = None) -> tuple[Any, str]:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    with _one_line(place), quiet():
        config = AutoConfig.from_pretrained(str(place), trust_remote_code=False, revision=revision or "main")
        seq2seq = bool(config.is_encoder_decoder)
        family = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
        dtype = torch.bfloat16 if settings.quantisation != "none" and torch.cuda.is_available() else _type(settings)
        model = family.from_pretrained(
            str(place),
            config=config,
            dtype=dtype,
            trust_remote_code=False,
            use_safetensors=True,
            revision=revision or "main",
            quantization_config=_quantised(settings),
        )
    if settings.quantisation != "none":
        from bitsandbytes.nn.modules import Linear4bit
        from peft import prepare_model_for_kbit_training

        for layer in (m for m in model.modules() if isinstance(m, Linear4bit)):
            # Processors with AVX512-BF16 would repack it at the first evaluation, for products in bfloat16 that no
            # gradient passes: training would go on without learning.
            layer.support_avx512bf16_for_cpu = False

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)  # freezes, norms in float32
    return model, "seq2seq" if seq2seq else "causal"


def _type(settings: Model) -> Any:
    import torch

    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[settings.weights]


def _quantised(settings: Model) -> Any:
    """The bitsandbytes configuration of a frozen base, or None."""
    import torch

    if settings.quantisation == "none":
        return None
    from transformers import BitsAndBytesConfig

    if settings.quantisation == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    compute = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=settings.quantisation,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )


@contextlib.contextmanager
def _one_line(place: Path | str) -> Iterator[None]:
    """What transformers, safetensors and the hub raise for a missing or damaged model, as one line."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, SafetensorError, ImportError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ZooError(
            f"cannot load {place}: {reason}",
            "a model folder or a reachable hub id",
            "zoo fetch --list names the known ones",
        ) from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' progress bars and advice, errors aside."""
    from transformers.utils import logging as hf

    shown, level = hf.is_progress_bar_enabled(), logging.getLogger("transformers").level
    hf.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.getLogger("transformers").setLevel(level)
        if shown:
            hf.enable_progress_bar()
