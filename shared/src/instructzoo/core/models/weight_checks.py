"""Whether files hold exactly the weights of a model.

Libraries draw at random what a file lacks and drop what a model has no place for; here both are errors, and so is a
weight of another shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from instructzoo.core.errors import ZooError

NAMES_SHOWN = 3
"""Names of weights that an error lists of each kind."""

UNUSED_TENSORS = re.compile(
    r"rotary_emb\.inv_freq$|(^|\.)position_ids$|embed_positions\.weights$|(^|\.)(encoder|decoder)\.version$"
    r"|\.(attn|attention|crossattention|self_attention)\.((masked_)?bias|causal_mask)$|(^|\.)pooler\.|^cls\.seq_relationship\."
)
"""Tensors of older files that no model computes its answers with: tables of positions and causal masks, which are
built anew, versions, and the pooler and the sentence-pair head of pretrained encoders."""


def check_backbone(source: object, model: Any, loading_info: Mapping[str, Any]) -> None:
    """Check that every weight of a model came from its files, and that no weight of the files was left over.

    Args:
        source: Folder, file or hub id of the files, for the error.
        model: The transformers model.
        loading_info: What `from_pretrained(..., output_loading_info=True, ignore_mismatched_sizes=True)` returned.
            transformers leaves out what the model's class ignores on purpose, and weights that are tied to others.

    Raises:
        ZooError: Weights are missing, left over or of another shape; the message names them.
    """
    missing = [name for name in loading_info["missing_keys"] if not _is_computed(model, name)]
    unexpected = [name for name in loading_info["unexpected_keys"] if not UNUSED_TENSORS.search(name)]
    check(source, type(model).__name__, missing, unexpected, loading_info["mismatched_keys"])


def _is_computed(model: Any, name: str) -> bool:
    """Whether a weight is a table of sines, which older files leave out and transformers computes."""
    return "Sinusoidal" in type(model.get_submodule(name.rpartition(".")[0])).__name__


def check_shapes(source: object, owner: str, expected: Mapping[str, Any], saved: Mapping[str, Any]) -> None:
    """Check that saved tensors have the names and the shapes of those that they are to replace.

    Args:
        source: Folder or file of the saved tensors, for the error.
        owner: What the tensors belong to, for the error.
        expected: Tensors by name.
        saved: Tensors of the file by name.

    Raises:
        ZooError: Names or shapes differ; the message names them.
    """
    shared = expected.keys() & saved.keys()
    mismatched = [
        (name, tuple(saved[name].shape), tuple(expected[name].shape))
        for name in shared
        if saved[name].shape != expected[name].shape
    ]
    check(source, owner, expected.keys() - shared, saved.keys() - shared, mismatched)


def check(
    source: object,
    owner: str,
    missing: Iterable[str],
    unexpected: Iterable[str],
    mismatched: Iterable[Sequence[Any]],
) -> None:
    """Raise a ZooError that names weights which are missing, left over or of another shape, if there are any.

    Args:
        source: Folder, file or hub id, for the error.
        owner: What the weights belong to, for the error.
        missing: Names of weights that the files lack.
        unexpected: Names of tensors that the model has no place for.
        mismatched: Names of weights of another shape, each with the shape in the file and that in the model.
    """
    shapes = [f"{name} {list(saved)}, not {list(expected)}" for name, saved, expected in mismatched]
    faults = [
        _listed("lack", missing),
        _listed("hold in another shape", shapes),
        _listed("hold besides", unexpected),
    ]
    if any(faults):
        raise ZooError(
            f"cannot load {source}: of the weights of {owner}, its files {', and '.join(filter(None, faults))}",
            "all of them and no others: what is missing would be drawn at random",
            "save the whole model again, unwrapped and with its head, with save_pretrained",
        )


def _listed(what: str, names: Iterable[str]) -> str:
    """`what` followed by the first names in order and the number of the others; nothing if there are no names."""
    ordered = sorted(names)
    rest = f" and {len(ordered) - NAMES_SHOWN} more" if len(ordered) > NAMES_SHOWN else ""
    return f"{what} {', '.join(ordered[:NAMES_SHOWN])}{rest}" if ordered else ""
