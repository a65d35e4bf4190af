"""Tuning methods: which parameters of a backbone are trained. One thin table over peft, and the deltas it lacks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.models import extra_adapters
from instructzoo.core.recipe import Method

DELTA = "delta.safetensors"
"""What a method that is not peft's trained, beside the tokenizer and the recipe."""


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
    """The model with `method` on it: only what the method trains requires gradients. New weights come from `seed`.

    Raises ZooError for an unknown method, or for targets that match no module.
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
    """The transformers model inside, adapters in place: what has the decoder and the output embeddings."""
    from peft import PeftModel

    return model.get_base_model() if isinstance(model, PeftModel) else model


def uses_virtual_tokens(model: Any) -> bool:
    """Whether what was tuned is a prompt: then only the whole wrapper, and not `unwrap_peft`, holds it."""
    from peft import PeftModel

    return isinstance(model, PeftModel) and bool(model.active_peft_config.is_prompt_learning)


def trainable_parameters(model: Any) -> Iterator[tuple[str, Any]]:
    """Names and parameters that the method trains."""
    return ((name, p) for name, p in model.named_parameters() if p.requires_grad)


def summary(model: Any) -> dict[str, int]:
    """What the method trains: number of parameters by name, the layers of one name together."""
    found: Counter[str] = Counter()
    for name, parameter in trainable_parameters(model):
        found[re.sub(r"\.\d+\.", ".*.", name)] += parameter.numel()
    return dict(found)


def merged(model: Any) -> Any:
    """One plain model, the adapter's update added to the base weights; a quantised base is dequantised before.

    Raises ZooError for what no plain model can hold: virtual tokens, and layers that its configuration does not know.
    """
    from peft import PeftModel

    if isinstance(model, PeftModel):
        if uses_virtual_tokens(model):
            kind = model.active_peft_config.peft_type.value.lower().replace("_", " ")
            raise ZooError(f"{kind} adds virtual tokens", "a method whose update can be merged", _USE_RUN)
        model = _dequantised(model).merge_and_unload()
    _must_fit(model)
    return model


_USE_RUN = "use the run itself (--run); its model/ holds the delta alone"


def _dequantised(model: Any) -> Any:
    """The same adapter on a base without quantisation: merging into quantised weights would round the update away."""
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict

    if not is_quantised(model):
        return model
    state, config = get_peft_model_state_dict(model), model.active_peft_config
    base = model.unload().dequantize()
    again = get_peft_model(base, config)
    set_peft_model_state_dict(again, state)
    return again.eval()


def is_quantised(model: Any) -> bool:
    return getattr(unwrap_peft(model).config, "quantization_config", None) is not None


def _must_fit(model: Any) -> None:
    """Raises ZooError where the plain layout would lose parameters: others open it by its configuration alone."""
    import torch

    with torch.device("meta"):
        bare = type(model)(model.config)
    if odd := sorted(model.state_dict().keys() ^ bare.state_dict().keys()):
        raise ZooError(f"{odd[0]} has no place in a plain {model.config.model_type}", "a method that merges", _USE_RUN)


def save(model: Any, folder: Path) -> None:
    """Write what the method trained: all weights (`full`), peft's adapter, or the delta."""
    from peft import PeftModel
    from safetensors.torch import save_file

    if isinstance(model, PeftModel) or all(p.requires_grad for p in model.parameters()):
        model.save_pretrained(str(folder))
    else:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: p.detach().cpu().contiguous() for name, p in trainable_parameters(model)}, folder / DELTA)


def reload(model: Any, method: Method, folder: Path) -> Any:
    """Put a saved adapter or delta back on its backbone, for inference."""
    from peft import PeftModel
    from safetensors.torch import load_file

    if (folder / "adapter_config.json").is_file():
        if not (folder / "adapter_model.safetensors").is_file():  # peft would open a pickle instead
            raise ValueError("no adapter_model.safetensors")
        return PeftModel.from_pretrained(model, str(folder))
    tuned, saved = apply(model, method), load_file(folder / DELTA)
    own = dict(trainable_parameters(tuned))
    if saved.keys() != own.keys():
        raise ValueError(f"{DELTA} holds other parameters than those of method {method.name}")
    tuned.load_state_dict(saved, strict=False)
    return tuned
