"""What libraries raise for a model that is missing or damaged, as one clear line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from instructzoo.core.errors import ZooError

MAX_REASON = 300
"""Characters that are shown of a library's message: for an unknown architecture, transformers lists a thousand."""


@contextlib.contextmanager
def load_errors(source: Path | str) -> Iterator[None]:
    """Turn what transformers, safetensors and the hub raise for a missing or damaged model into a ZooError.

    Args:
        source: Folder or hub id of the model, for the error.
    """
    try:
        yield
    except ZooError:
        raise
    except Exception as error:  # for malformed files libraries raise errors of every type
        reason = next((line for line in str(error).splitlines() if line.strip()), "")
        if not isinstance(error, OSError | ValueError | RuntimeError | ImportError):  # KeyError: 'weight_map'
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        expected, fix = _expected_and_fix(reason, isinstance(error, OSError))
        shown = reason if len(reason) <= MAX_REASON else f"{reason[:MAX_REASON]}..."
        raise ZooError(f"cannot load {source}: {shown}", expected, fix) from error


def _expected_and_fix(reason: str, from_files: bool) -> tuple[str, str]:
    """What an error of loading expects and what can be done about it, by the text that a library gives as its reason.

    Args:
        reason: First line of the library's message.
        from_files: Whether files are missing or unreadable.
    """
    if "custom code" in reason:
        return "an architecture that transformers has", "code that comes with a model is never run"
    if "Unrecognized model identifier" in reason:
        return "an architecture that transformers has", "check model_type in its config.json"
    if "Unrecognized configuration class" in reason:
        return "a causal language model or an encoder-decoder for text", "choose another model.backbone"
    if "safetensors" in reason and from_files:
        return "all its weights in safetensors", "pickled weights are not opened: save it again as safetensors"
    if "conversion of the weights" in reason:  # transformers joins the experts of a layer into one tensor
        return "all weights: some that belong together are missing or differ in shape", "save the whole model again"
    if "memory" in reason:
        return "memory for all its weights", "choose model.weights=bfloat16, model.quantisation or a smaller model"
    return "a model folder or a reachable hub id", "zoo fetch --list names the known ones"
