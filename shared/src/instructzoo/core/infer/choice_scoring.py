"""Choice scoring: which of the given options the model finds most likely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import log_softmax

from instructzoo.core.errors import ZooError
from instructzoo.core.models.load import ModelBundle
from instructzoo.core.text import IGNORE_INDEX, Encoded
from instructzoo.core.tune.objectives import Causal, Seq2Seq


@torch.no_grad()
def log_likelihoods(
    loaded: ModelBundle, prompt: Sequence[int], options: Sequence[str], batch: int = 32, stop: int | None = None
) -> list[float]:
    """Summed log-probability of every option (in nats) after `prompt` (ids), with the token that ends it: `stop`
    (`Encoder.stop`), or the end of sequence."""
    if not options or not all(options):
        raise ZooError("an empty option", "at least one option, each a text")
    if not prompt:
        raise ZooError("an empty prompt", "at least one token to read")  # else the first token would go unscored
    tokenizer = loaded.tokenizer
    end = tokenizer.eos_token_id if stop is None else stop
    targets = [[*tokenizer.encode(o, add_special_tokens=False), end] for o in options]
    found: list[float] = []
    for start in range(0, len(targets), batch):
        found += _batch(loaded, prompt, targets[start : start + batch])
    return found


def choose(
    loaded: ModelBundle, prompt: Sequence[int], options: Sequence[str], per_token: bool = False, stop: int | None = None
) -> int:
    """The number of the likeliest option; `per_token` divides by length, so that long options are not at a loss."""
    scores = log_likelihoods(loaded, prompt, options, stop=stop)
    if per_token:
        encode = loaded.tokenizer.encode
        scores = [s / (len(encode(o, add_special_tokens=False)) + 1) for s, o in zip(scores, options, strict=True)]
    return max(range(len(options)), key=scores.__getitem__)


def _batch(loaded: ModelBundle, prompt: Sequence[int], targets: Sequence[list[int]]) -> list[float]:
    device = next(loaded.model.parameters()).device
    pad = loaded.tokenizer.pad_token_id
    if loaded.kind == "causal":
        rows = [Encoded([*prompt, *t], [IGNORE_INDEX] * len(prompt) + t) for t in targets]
        batch = {k: v.to(device) for k, v in Causal(pad).collate(rows).items()}
        labels = batch["labels"][:, 1:]  # [b, s-1]
        logits: Any = loaded.model(input_ids=batch["ids"], use_cache=False).logits[:, :-1]
    else:
        rows = [Encoded(list(prompt), t) for t in targets]
        batch = {k: v.to(device) for k, v in Seq2Seq(pad).collate(rows).items()}
        labels = batch["labels"]  # [b, t]
        logits = loaded.model(
            input_ids=batch["ids"], attention_mask=batch["mask"], labels=labels, use_cache=False
        ).logits
    keep = labels != IGNORE_INDEX
    each = log_softmax(logits.float(), -1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]  # [b, s]
    return (each * keep).sum(-1).tolist()
