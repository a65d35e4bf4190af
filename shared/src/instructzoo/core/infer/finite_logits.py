"""A prediction that was not computed from numbers is an error, as a loss that is none is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters


def without_numbers(logits: Tensor) -> Tensor:
    """Find the rows of logits that no token can be chosen from.

    Args:
        logits: Logits of the next token, [b, v]. Single ones may be minus infinity.

    Returns:
        Whether a row holds a NaN or plus infinity, or minus infinity alone, [b].
    """
    return ~logits.amax(-1).isfinite()  # a NaN is the largest value of its row


def check_scores(model: Any, scores: Sequence[float]) -> None:
    """Raise a ZooError if a log-probability that a model gave is no number."""
    if any(math.isnan(score) for score in scores):
        raise no_numbers(model)


def no_numbers(model: Any) -> ZooError:
    """The error of a model whose logits are not finite."""
    plain = adapters.unwrap_peft(model)
    name = plain.config.name_or_path or plain.config.model_type
    precision = str(next(plain.parameters()).dtype).removeprefix("torch.")
    return ZooError(
        f"the model {name} computes logits that are not numbers (NaN or infinite) in {precision}",
        "finite ones",
        "set model.weights to float32 or bfloat16; if they stay, its weights are damaged: train again, with a lower "
        "train.lr",
    )


class FiniteLogitsProcessor(LogitsProcessor):
    """Watches the logits inside transformers' own `generate`, without waiting for the device at every token.

    Args:
        model: The model that decodes, for the error.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.found: Tensor | None = None  # whether a row without numbers has occurred, a scalar on the device

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Return the logits with rows that hold no numbers set to zero, so that decoding goes on to its end.

        Args:
            input_ids: Not read; the signature is transformers'.
            scores: Logits of the next token, [b, v].
        """
        rows = without_numbers(scores)
        self.found = rows.any() if self.found is None else self.found | rows.any()
        return torch.where(rows[:, None], 0.0, scores)

    def finish(self) -> None:
        """Raise a ZooError if a row without numbers has occurred."""
        if self.found is not None and bool(self.found):
            raise no_numbers(self.model)
