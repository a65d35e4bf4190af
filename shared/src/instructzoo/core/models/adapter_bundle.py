"""An adapter as a package bundles it: float16, without tokenizer and without its base, which is a pinned asset.

adapter_config.json  adapter_model.safetensors  recipe.yaml  labels.json  base.json
"""

from __future__ import annotations

from pathlib import Path

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapter_base
from instructzoo.core.models.backbones import BACKBONES
from instructzoo.core.recipe import Recipe

CONFIG, WEIGHTS, LABELS = "adapter_config.json", "adapter_model.safetensors", "labels.json"


def write(source: Path, recipe: Recipe, folder: Path) -> None:
    """Copy an adapter of peft in float16. Nothing of the machine that trained it is named in the copy.

    Args:
        source: The folder of the adapter, as a run saved it.
        recipe: Its recipe.
        folder: The folder to write to, which exists.

    Raises:
        ZooError: The folder holds no adapter, its base is no pinned asset, or a weight is too large for float16.
    """
    from safetensors.torch import load_file, save_file

    if not (source / CONFIG).is_file() or not (source / WEIGHTS).is_file():
        raise ZooError(f"{source} holds no adapter", f"{CONFIG} and {WEIGHTS}, as method lora saves them", "--as tiny")
    pinned = sorted(name for name, backbone in BACKBONES.items() if backbone.files)
    if recipe.model.backbone not in pinned:
        raise ZooError(f"an adapter on {recipe.model.backbone}", f"a pinned base: {', '.join(pinned)}", "train on one")
    halves = {name: values.half().contiguous() for name, values in load_file(source / WEIGHTS).items()}
    if overflowing := sorted(name for name, values in halves.items() if not values.isfinite().all()):
        raise ZooError(f"{overflowing[0]} is too large for float16", "at most 65504", "train with a lower train.lr")
    save_file(halves, folder / WEIGHTS, metadata={"format": "pt"})
    config = runs.read_object(source / CONFIG, "the configuration of an adapter")
    runs.write_json(folder / CONFIG, config | {"base_model_name_or_path": recipe.model.backbone})
    runs.write_json(folder / adapter_base.BASE, adapter_base.identity(None, recipe.model))
    without_path = recipe.model_copy(update={"data": recipe.data.model_copy(update={"path": None})})
    runs.write_text(folder / "recipe.yaml", without_path.resolved())
    if (source / LABELS).is_file():
        runs.write_text(folder / LABELS, (source / LABELS).read_text(encoding="utf-8"))
