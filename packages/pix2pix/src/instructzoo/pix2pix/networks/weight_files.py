"""Which files hold the weights of a part of a pipeline, and whether they fit its network.

diffusion_pytorch_model.safetensors             opened
diffusion_pytorch_model.fp16.safetensors        opened where it is the only one, as the variant "fp16"
diffusion_pytorch_model.bin                     a pickle, never opened
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructzoo.core.errors import ZooError

if TYPE_CHECKING:
    from torch import Tensor

CONVERT = "from diffusers import DiffusionPipeline as P; P.from_pretrained({!r}).save_pretrained('NEW_FOLDER')"
CONVERT_FILE = (
    "from diffusers import StableDiffusionPipeline as P; P.from_single_file({!r}).save_pretrained('NEW_FOLDER')"
)
"""Programs that convert other forms; with python -c."""

_WEIGHTS = re.compile(
    r"(?:model|diffusion_pytorch_model)(?:\.(?P<variant>\w+))?(?:-\d+-of-\d+)?(?:\.(?P<last>\w+))?\.safetensors"
)
_PICKLES = (".bin", ".ckpt", ".pt", ".pth")
_NAMED_KEYS = 3

HARMLESS_KEYS = re.compile(r"(?:.*\.)?position_ids|text_projection\.weight")
"""Stored by older versions or by a CLIP of two towers, and used by no editor."""


def find_variant(part: Path) -> str | None:
    """The variant of the weights in a part's folder.

    Args:
        part: The folder, such as unet/.

    Returns:
        None where the plain file exists or nothing can be said, else the variant's name, such as "fp16".

    Raises:
        ZooError: There are only pickles, or no weights at all.
    """
    if not part.is_dir():
        raise ZooError(f"no folder {part.name}/", f"{part.name}/ with its configuration and weights", where=str(part))
    names = sorted(path.name for path in part.iterdir())
    matches = [match for name in names if (match := _WEIGHTS.fullmatch(name))]
    variants = [match["variant"] or match["last"] for match in matches]
    if None in variants:
        return None
    if variants:
        return "fp16" if "fp16" in variants else min(variants)
    if pickles := [name for name in names if name.endswith(_PICKLES)]:
        fix = f'if you trust it, convert it: python -c "{CONVERT.format(str(part.parent))}"'
        raise ZooError(f"only {pickles[0]}, a pickle", "safetensors: pickles are not opened", fix, str(part))
    raise ZooError(f"no weights among: {', '.join(names) or 'nothing'}", "a safetensors file", where=str(part))


def check_single_file(name: str) -> None:
    """Raise an error for a checkpoint in one file, or a folder of nothing else, in place of a pipeline's folder.

    Args:
        name: The backbone's name; anything but such a path passes.

    Raises:
        ZooError: It is one, with the command that converts it.
    """
    path = Path(name).expanduser()
    files = [path] if path.is_file() else sorted(path.glob("*")) if path.is_dir() else []
    if (path / "model_index.json").is_file() or (path / "config.json").is_file():
        return
    checkpoints = [file for file in files if file.suffix.lower() in (".safetensors", *_PICKLES)]
    if checkpoints:
        problem = f"{checkpoints[0].name} is a checkpoint in one file"
        fix = f'convert it: python -c "{CONVERT_FILE.format(str(checkpoints[0]))}"'
        raise ZooError(problem, "a folder in diffusers' layout", fix, "model.backbone")


def check_loaded_keys(part: str, info: Mapping[str, Iterable[Any]], source: str) -> None:
    """Check that the stored weights are exactly those of the network.

    Args:
        part: The part's name, such as "unet".
        info: What from_pretrained returns with `output_loading_info`.
        source: The pipeline's folder or hub id, for the error message.

    Raises:
        ZooError: Weights are missing, which would stay random, or left over, or have another shape; it names them.
    """
    for kind in ("missing", "unexpected", "mismatched"):
        keys = sorted(str(key[0] if isinstance(key, tuple) else key) for key in info.get(f"{kind}_keys") or ())
        keys = [key for key in keys if not (kind == "unexpected" and HARMLESS_KEYS.fullmatch(key))]
        if keys:
            more = f" and {len(keys) - _NAMED_KEYS:,} more" if len(keys) > _NAMED_KEYS else ""
            found = {"missing": "no weights for", "unexpected": "weights that the network has not:"}.get(
                kind, "weights of another shape:"
            )
            problem = f"{part}: {found} {', '.join(keys[:_NAMED_KEYS])}{more}"
            raise ZooError(problem, "the weights of its config.json, all of them", "save or download it again", source)


def load_exactly(path: Path, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights that this package wrote.

    Args:
        path: A safetensors file.
        expected: Tensors of the names and shapes that it must hold.

    Raises:
        ZooError: The file is damaged, or names or shapes are others.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        saved: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ZooError(
            f"cannot read it ({reason[:120]})", "whole weights", "copy or train it again", str(path)
        ) from error
    other = sorted({name for name in saved.keys() & expected.keys() if saved[name].shape != expected[name].shape})
    other = sorted(saved.keys() ^ expected.keys()) or other
    if other:
        problem = f"other weights than its recipe's model has: {', '.join(other[:_NAMED_KEYS])}"
        raise ZooError(problem, "those of its recipe's method", "train again", str(path))
    return saved
