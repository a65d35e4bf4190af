"""Choice scoring: which of several options the model finds most likely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.functional import log_softmax

from instructzoo.core.errors import ZooError
from instructzoo.core.infer import shared_prefix
from instructzoo.core.infer.finite_logits import check_scores
from instructzoo.core.models import adapters
from instructzoo.core.models.load import ModelBundle
from instructzoo.core.text import IGNORE_INDEX, Encoded, TextTokenizer
from instructzoo.core.tune.objectives import Causal, Seq2Seq, shift_right


def log_likelihoods(
    bundle: ModelBundle, prompt: Sequence[int], options: Sequence[str], batch: int = 32, stop: int | None = None
) -> list[float]:
    """Score options by the probability that the model gives them after a prompt.

    Args:
        bundle: The model with its tokenizer.
        prompt: Token ids of the prompt; at least one.
        options: Texts of the options.
        batch: Options per forward pass.
        stop: The token id that ends an option, such as `Encoder.stop`; None: the end of sequence.

    Returns:
        The summed log-probability of every option with its end token, in nats.

    Raises:
        ZooError: There is no option, an option is empty, or the prompt is; or the model's logits are not finite.
    """
    return _score_targets(bundle, prompt, _targets(bundle, options, stop), batch)


def _targets(bundle: ModelBundle, options: Sequence[str], stop: int | None) -> list[list[int]]:
    """Token ids of every option with its end token."""
    if not options or not all(options):
        raise ZooError("an empty option", "at least one option, each a text")
    end_id = bundle.tokenizer.eos_token_id if stop is None else stop
    encoded = TextTokenizer(bundle.tokenizer).encode([[option] for option in options])
    return [[*token_ids, end_id] for token_ids in encoded]


@torch.no_grad()
def _score_targets(
    bundle: ModelBundle, prompt: Sequence[int], targets: Sequence[list[int]], batch: int = 32
) -> list[float]:
    """The summed log-probability of every target, in nats."""
    if not prompt:
        raise ZooError("an empty prompt", "at least one token to read")  # else the first token would go unscored
    scores: list[float] = []
    for start in range(0, len(targets), batch):
        scores += _score_batch(bundle, prompt, targets[start : start + batch])
    check_scores(bundle.model, scores)
    return scores


def choose(
    bundle: ModelBundle, prompt: Sequence[int], options: Sequence[str], per_token: bool = False, stop: int | None = None
) -> int:
    """Choose the likeliest option.

    Args:
        bundle: The model with its tokenizer.
        prompt: Token ids of the prompt.
        options: Texts of the options.
        per_token: Whether scores are divided by the number of tokens, so that long options are not at a disadvantage.
        stop: The token id that ends an option; None: the end of sequence.

    Returns:
        The index of the likeliest option.

    Raises:
        ZooError: As for `log_likelihoods`.

    Example:
        >>> choose(bundle, encoder.prompt(row), ["yes", "no"], stop=encoder.stop)
        0
    """
    targets = _targets(bundle, options, stop)
    scores = _score_targets(bundle, prompt, targets)
    if per_token:
        scores = [score / len(target) for score, target in zip(scores, targets, strict=True)]
    return max(range(len(options)), key=scores.__getitem__)


def choose_each(
    bundle: ModelBundle,
    prompts: Sequence[Sequence[int]],
    options: Sequence[Sequence[str]],
    stop: int | None = None,
    batch_tokens: int = 8192,
    on_chosen: Callable[[int], None] | None = None,
) -> list[int]:
    """Choose the likeliest option of many questions.

    What questions have in common is read once, and options that cannot be the likeliest are not read, where the model
    permits it (shared_prefix.py).

    Args:
        bundle: The model with its tokenizer.
        prompts: Token ids of each prompt.
        options: The options of each question.
        stop: The token id that ends an option; None: the end of sequence.
        batch_tokens: Most tokens of a forward pass.
        on_chosen: Called with the number of questions that are answered, whenever it has grown.

    Returns:
        For each question the index of its likeliest option.

    Raises:
        ZooError: As for `log_likelihoods`.
    """
    targets = _targets_of_each(bundle, prompts, options, stop)
    scorer = shared_prefix.for_model(bundle, batch_tokens)
    if scorer:
        return scorer.best(prompts, targets, on_chosen)
    chosen = []
    for prompt, of_row in zip(prompts, targets, strict=True):
        scores = _score_targets(bundle, prompt, of_row)
        chosen.append(max(range(len(scores)), key=scores.__getitem__))
        if on_chosen:
            on_chosen(len(chosen))
    return chosen


def score_each(
    bundle: ModelBundle,
    prompts: Sequence[Sequence[int]],
    options: Sequence[Sequence[str]],
    stop: int | None = None,
    batch_tokens: int = 8192,
) -> list[list[float]]:
    """Score all options of many questions, over what the questions have in common.

    Args:
        bundle: As for `choose_each`.
        prompts: As for `choose_each`.
        options: As for `choose_each`.
        stop: As for `choose_each`.
        batch_tokens: As for `choose_each`.

    Returns:
        For each question the scores of its options, as `log_likelihoods` gives them.

    Raises:
        ZooError: As for `log_likelihoods`.
    """
    targets = _targets_of_each(bundle, prompts, options, stop)
    scorer = shared_prefix.for_model(bundle, batch_tokens)
    if scorer:
        return scorer.scores(prompts, targets)
    return [_score_targets(bundle, prompt, of_row) for prompt, of_row in zip(prompts, targets, strict=True)]


def _targets_of_each(
    bundle: ModelBundle, prompts: Sequence[Sequence[int]], options: Sequence[Sequence[str]], stop: int | None
) -> list[list[list[int]]]:
    """Token ids of the options of each question; equal options are tokenized once."""
    if not all(prompts):
        raise ZooError("an empty prompt", "at least one token to read")
    known: dict[tuple[str, ...], list[list[int]]] = {}
    for of_row in map(tuple, options):
        if of_row not in known:
            known[of_row] = _targets(bundle, of_row, stop)
    return [known[tuple(of_row)] for of_row in options]


def _score_batch(bundle: ModelBundle, prompt: Sequence[int], targets: Sequence[list[int]]) -> list[float]:
    device = next(bundle.model.parameters()).device
    pad_id = bundle.tokenizer.pad_token_id
    if bundle.kind == "causal":
        rows = [Encoded([*prompt, *target], [IGNORE_INDEX] * len(prompt) + target) for target in targets]
        batch = {k: v.to(device) for k, v in Causal(pad_id).collate(rows).items()}
        labels = batch["labels"][:, 1:]  # [b, s-1]
        logits: Any = bundle.model(input_ids=batch["input_ids"], use_cache=False).logits[:, :-1]
    else:
        rows = [Encoded(list(prompt), target) for target in targets]
        batch = {k: v.to(device) for k, v in Seq2Seq(pad_id).collate(rows).items()}
        labels = batch["labels"]  # [b, t]
        start = adapters.unwrap_peft(bundle.model).config.decoder_start_token_id
        logits = bundle.model(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            decoder_input_ids=shift_right(labels, start, pad_id),
            use_cache=False,
        ).logits
    is_target = labels != IGNORE_INDEX
    token_scores = log_softmax(logits.float(), -1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]  # [b, s]
    return (token_scores * is_target).sum(-1).tolist()
