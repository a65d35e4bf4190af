"""Tuning methods: which parameters of a backbone are trained. One thin table over peft; `full` is all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.recipe import Method

METHODS = ("full", "lora")


def apply(model: Any, method: Method, seed: int = 0) -> Any:
    """The model with `method` on it: only what the method trains requires gradients. Adapter weights come from `seed`.

    Raises ZooError for an unknown method, or for targets that match no module.
    """
    import torch

    if method.name == "full":
        model.requires_grad_(True)
        return model
    if method.name != "lora":
        raise ZooError(f'no tuning method "{method.name}"', suggest(method.name, METHODS), "set method.name")
    from peft import LoraConfig, TaskType, get_peft_model

    task = TaskType.SEQ_2_SEQ_LM if model.config.is_encoder_decoder else TaskType.CAUSAL_LM
    config = LoraConfig(
        task_type=task,
        r=method.rank,
        lora_alpha=method.alpha,
        lora_dropout=method.dropout,
        target_modules=method.targets if isinstance(method.targets, str) else list(method.targets),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return get_peft_model(model, config)
        except ValueError as error:
            raise ZooError(
                str(error).splitlines()[0], "names of the backbone's modules", "set method.targets"
            ) from error


def plain(model: Any) -> Any:
    """The transformers model inside, adapters in place: what has the decoder and the output embeddings."""
    from peft import PeftModel

    return model.get_base_model() if isinstance(model, PeftModel) else model


def trained(model: Any) -> Iterator[tuple[str, Any]]:
    """Names and parameters that the method trains."""
    return ((name, p) for name, p in model.named_parameters() if p.requires_grad)


def merged(model: Any) -> Any:
    """One plain model with the adapter's update added to the base weights."""
    from peft import PeftModel

    return model.merge_and_unload() if isinstance(model, PeftModel) else model


def reload(model: Any, folder: Path) -> Any:
    """Put a saved adapter back on its backbone, for inference."""
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(folder))
