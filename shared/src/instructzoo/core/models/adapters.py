"""Tuning methods: which parameters of a backbone are trained. A table over peft and over `extra_adapters`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.models import extra_adapters
from instructzoo.core.models.weight_checks import check_shapes
from instructzoo.core.recipe import Method

DELTA = "delta.safetensors"
"""File of trained parameters of a method that is not peft's."""


def _lora(m: Method, task: Any, targets: Any, seed: int) -> Any:
    from peft import LoraConfig

    return LoraConfig(
        task_type=task,
        r=m.rank,
        lora_alpha=m.alpha,
        lora_dropout=m.dropout,
        use_dora=m.dora,
        use_rslora=m.rslora,
        target_modules=targets or "all-linear",
    )


def _ia3(m: Method, task: Any, targets: Any, seed: int) -> Any:
    from peft import IA3Config

    # Without targets peft takes keys, values and the feed-forward output of the families it knows, as in the paper.
    return IA3Config(task_type=task, target_modules=targets, feedforward_modules=[] if targets else None)


def _prefix(m: Method, task: Any, targets: Any, seed: int) -> Any:
    from peft import PrefixTuningConfig

    return PrefixTuningConfig(task_type=task, num_virtual_tokens=m.tokens)


def _prompt(m: Method, task: Any, targets: Any, seed: int) -> Any:
    from peft import PromptTuningConfig

    return PromptTuningConfig(task_type=task, num_virtual_tokens=m.tokens)


def _p_tuning(m: Method, task: Any, targets: Any, seed: int) -> Any:
    from peft import PromptEncoderConfig

    return PromptEncoderConfig(task_type=task, num_virtual_tokens=m.tokens, encoder_hidden_size=m.width)


def _vera(m: Method, task: Any, targets: Any, seed: int) -> Any:
    from peft import VeraConfig

    return VeraConfig(
        task_type=task,
        r=m.rank,
        vera_dropout=m.dropout,
        target_modules=targets or "all-linear",
        projection_prng_key=seed,
    )


def _oft(m: Method, task: Any, targets: Any, seed: int) -> Any:
    from peft import OFTConfig

    return OFTConfig(task_type=task, r=0, oft_block_size=m.rank, target_modules=targets or "all-linear")


PEFT: dict[str, Callable[[Method, Any, Any, int], Any]] = {
    "lora": _lora,
    "ia3": _ia3,
    "prefix": _prefix,
    "prompt": _prompt,
    "p-tuning": _p_tuning,
    "vera": _vera,
    "oft": _oft,
}
METHODS = ("full", *PEFT, *extra_adapters.METHODS)


def apply(model: Any, method: Method, seed: int = 0) -> Any:
    """Apply a tuning method to a backbone: afterwards only the parameters that it trains require gradients.

    Args:
        model: A transformers model; it is changed in place.
        method: Settings of the method.
        seed: Seed of new weights; torch's global generator is left alone.

    Returns:
        The model itself, or peft's wrapper of it.

    Raises:
        ZooError: The method is unknown, or its targets match no module.
    """
    import torch

    if method.name == "full":
        model.requires_grad_(True)
        return model
    if method.name not in METHODS:
        raise ZooError(f'no tuning method "{method.name}"', suggest(method.name, METHODS), "set method.name")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if method.name in extra_adapters.METHODS:
            extra_adapters.METHODS[method.name](model, method)
            return model
        from peft import TaskType, get_peft_model

        task = TaskType.SEQ_2_SEQ_LM if model.config.is_encoder_decoder else TaskType.CAUSAL_LM
        targets = list(method.targets) if isinstance(method.targets, tuple) else method.targets
        try:
            return get_peft_model(model, PEFT[method.name](method, task, targets, seed))
        except ValueError as error:
            raise ZooError(
                str(error).splitlines()[0], "names of the backbone's modules", "set method.targets"
            ) from error


def unwrap_peft(model: Any) -> Any:
    """Return the transformers model inside peft's wrapper, with adapters in place."""
    from peft import PeftModel

    return model.get_base_model() if isinstance(model, PeftModel) else model


def uses_virtual_tokens(model: Any) -> bool:
    """Whether the method tunes virtual tokens, which only peft's wrapper adds, not the model of `unwrap_peft`."""
    from peft import PeftModel

    return isinstance(model, PeftModel) and bool(model.active_peft_config.is_prompt_learning)


def num_virtual_tokens(model: Any) -> int:
    """Count the virtual tokens that the method puts before a prompt; 0 for other methods."""
    return int(model.active_peft_config.num_virtual_tokens) if uses_virtual_tokens(model) else 0


def trainable_parameters(model: Any) -> Iterator[tuple[str, Any]]:
    """Return names and parameters that require gradients."""
    return ((name, p) for name, p in model.named_parameters() if p.requires_grad)


def trainable_parameter_counts(model: Any) -> dict[str, int]:
    """Count the trainable parameters by name, all layers together: {"model.layers.*.mlp.down_proj.weight": 98304}."""
    counts: Counter[str] = Counter()
    for name, parameter in trainable_parameters(model):
        counts[re.sub(r"\.\d+\.", ".*.", name)] += parameter.numel()
    return dict(counts)


def merged(model: Any) -> Any:
    """Merge an adapter into its base weights; a quantised base is dequantised first.

    Returns:
        A model in the plain transformers layout.

    Raises:
        ZooError: The method adds virtual tokens, or layers that the model's configuration does not know.
    """
    from peft import PeftModel

    if isinstance(model, PeftModel):
        if uses_virtual_tokens(model):
            kind = model.active_peft_config.peft_type.value.lower().replace("_", " ")
            raise ZooError(f"{kind} adds virtual tokens", "a method whose update can be merged", _USE_RUN)
        model = _dequantised(model).merge_and_unload()
    _must_fit(model)
    return model


_USE_RUN = "use the run itself (--model RUN); its model/ holds the delta alone"


def _dequantised(model: Any) -> Any:
    """Put the adapter on a dequantised base: merging into quantised weights would round the update away."""
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict

    if not is_quantised(model):
        return model
    state, config = get_peft_model_state_dict(model), model.active_peft_config
    base = model.unload().dequantize()
    dequantised = get_peft_model(base, config)
    set_peft_model_state_dict(dequantised, state)
    return dequantised.eval()


def is_quantised(model: Any) -> bool:
    """Whether the base weights are quantised."""
    return getattr(unwrap_peft(model).config, "quantization_config", None) is not None


def _must_fit(model: Any) -> None:
    """Raise ZooError if a model built from the configuration alone, as other programs do, has other parameters."""
    import torch

    with torch.device("meta"):
        model_of_config = type(model)(model.config)
    if differing := sorted(model.state_dict().keys() ^ model_of_config.state_dict().keys()):
        raise ZooError(
            f"{differing[0]} has no place in a plain {model.config.model_type}", "a method that merges", _USE_RUN
        )


def save(model: Any, folder: Path) -> None:
    """Write the trained parameters: all weights (`full`), peft's adapter, or the file `DELTA`.

    Args:
        model: Tuned model, as `apply` returned it.
        folder: Folder to write to; it is created if it does not exist.
    """
    from peft import PeftModel
    from safetensors.torch import save_file

    if isinstance(model, PeftModel) or all(p.requires_grad for p in model.parameters()):
        model.save_pretrained(str(folder))
    else:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: p.detach().cpu().contiguous() for name, p in trainable_parameters(model)}, folder / DELTA)


def reload(model: Any, method: Method, folder: Path) -> Any:
    """Load the trained parameters of `save` onto their backbone, for inference.

    Args:
        model: The backbone without the tuning method; it is changed in place.
        method: Settings of the method that the parameters were trained with.
        folder: Folder of `save`.

    Returns:
        The model itself, or peft's wrapper of it.

    Raises:
        ValueError: The folder has no safetensors.
        ZooError: They are not exactly the parameters of the method: names or shapes differ.
    """
    from safetensors.torch import load_file

    if (folder / "adapter_config.json").is_file():
        return _reload_peft(model, folder)
    tuned, saved = apply(model, method), load_file(folder / DELTA)
    check_shapes(folder, f"method {method.name}", dict(trainable_parameters(tuned)), saved)
    tuned.load_state_dict(saved, strict=False)
    return tuned


def _reload_peft(model: Any, folder: Path) -> Any:
    """Load an adapter of peft, which by itself would leave weights that the folder lacks as they were drawn."""
    from peft import PeftConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file

    if not (folder / "adapter_model.safetensors").is_file():  # peft would open a pickle instead
        raise ValueError("no adapter_model.safetensors")
    config = PeftConfig.from_pretrained(str(folder))
    config.base_model_name_or_path = model.name_or_path  # peft would warn of a base that another machine has elsewhere
    saved = load_file(folder / "adapter_model.safetensors")
    tuned = get_peft_model(model, config)
    check_shapes(folder, f"its {config.peft_type.value} adapter", get_peft_model_state_dict(tuned), saved)
    set_peft_model_state_dict(tuned, saved)
    return tuned.eval()
