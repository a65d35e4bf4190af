"""Batched generation, sorted by length; answers come back in the order of the prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from transformers import LogitsProcessorList

from instructzoo.core.infer.constrained_decoding import AnswerConstraints, ConstraintLogitsProcessor
from instructzoo.core.infer.continuous_batching import Decoder, is_supported, longest_first, max_rows
from instructzoo.core.infer.finite_logits import FiniteLogitsProcessor
from instructzoo.core.models import adapters
from instructzoo.core.models.backbone_checks import check_prompts
from instructzoo.core.models.load import ModelBundle
from instructzoo.core.recipe import Decode


def generate(
    bundle: ModelBundle, prompts: Sequence[Sequence[int]], decode: Decode, seed: int = 0, stop: int | None = None
) -> list[str]:
    """Generate an answer to every prompt.

    Args:
        bundle: The model with its tokenizer.
        prompts: Token ids of each prompt, such as `Encoder.prompt` returns.
        decode: The recipe's settings: max_new_tokens, temperature, top_p and batch_tokens.
        seed: Seed of sampling; it has no effect at temperature 0.
        stop: A token id that ends an answer besides the end of sequence, such as `Encoder.stop`.

    Returns:
        The answers as text, in the order of the prompts, without special tokens.

    Example:
        >>> generate(bundle, [encoder.prompt(row) for row in rows], Decode(max_new_tokens=32), stop=encoder.stop)
    """
    return decode_texts(bundle, generate_ids(bundle, prompts, decode, seed, stop))


def decode_texts(bundle: ModelBundle, answers: Sequence[Sequence[int]]) -> list[str]:
    """Turn token ids of answers into texts.

    Args:
        bundle: The model's bundle, whose tokenizer is used.
        answers: Token ids of each answer, as `generate_ids` returns them.

    Returns:
        The texts in the same order, without special tokens.
    """
    if not answers:
        return []
    texts: list[str] = bundle.tokenizer.batch_decode(answers, skip_special_tokens=True)
    return texts


def count_truncated(answers: Sequence[Sequence[int]], decode: Decode) -> int:
    """Count the answers that decode.max_new_tokens has cut off before they ended by themselves.

    Args:
        answers: Token ids of each answer, as `generate_ids` returns them.
        decode: The settings that they were generated with.
    """
    return sum(len(token_ids) >= decode.max_new_tokens for token_ids in answers)


def generate_ids(
    bundle: ModelBundle,
    prompts: Sequence[Sequence[int]],
    decode: Decode,
    seed: int = 0,
    stop: int | None = None,
    first: int = 0,
    constraints: AnswerConstraints | None = None,
    on_answered: Callable[[int], None] | None = None,
) -> list[list[int]]:
    """Generate the token ids of an answer to every prompt.

    Decoding is greedy at temperature 0; otherwise it is nucleus sampling. An answer ends at the end of sequence, at
    `stop` or at decode.max_new_tokens.

    Args:
        bundle: The model with its tokenizer.
        prompts: Token ids of each prompt.
        decode: The recipe's settings of decoding.
        seed: Seed of sampling.
        stop: A token id that ends an answer besides the end of sequence: a chat template may have one of its own.
        first: The number of the first prompt, where the prompts are a block of many. A sampled answer depends on the
            seed and its own number, and not on where the block begins.
        constraints: The grammars of the answers; None: decoding is not constrained.
        on_answered: Called with the number of prompts that are answered, whenever it has grown.

    Returns:
        Token ids of each answer, in the order of the prompts, without the token that ended it.

    Raises:
        ZooError: The model has no embedding for a token, no positions for a prompt and its answer, or its logits are
            not finite.
    """
    if not prompts:
        return []
    check_prompts(bundle.model, bundle.kind, prompts, decode.max_new_tokens)
    tokenizer, model = bundle.tokenizer, adapters.unwrap_peft(bundle.model)
    stop_ids = sorted({tokenizer.eos_token_id, tokenizer.eos_token_id if stop is None else stop})
    if constraints:
        constraints.stop_ids = stop_ids
    # peft's own generate gives padding on the left the positions of tokens (0.21): causal prompts are not padded there
    has_virtual_tokens = adapters.uses_virtual_tokens(bundle.model)
    if bundle.kind == "causal" and not has_virtual_tokens and is_supported(model):
        pad_id = tokenizer.pad_token_id
        return Decoder(model, prompts, decode, stop_ids, pad_id, seed, first, constraints, on_answered).run()
    answers: list[list[int]] = [[]] * len(prompts)
    n_answered = 0
    if decode.temperature:  # one by one, because torch draws random numbers for a batch as a whole
        batches = [[row] for row in range(len(prompts))]
    else:
        batches = list(plan_batches(prompts, decode, padded=bundle.kind == "seq2seq" or not has_virtual_tokens))
    for rows in batches:
        batch_seed = _row_seed(seed, first + rows[0]) if decode.temperature else seed
        processors = _logits_processors(bundle, constraints, rows, decode)
        batch_prompts = [prompts[row] for row in rows]
        batch_answers = _generate_batch(bundle, batch_prompts, decode, batch_seed, stop_ids, processors)
        for row, token_ids in zip(rows, batch_answers, strict=True):
            answers[row] = token_ids
        n_answered += len(rows)
        if on_answered:
            on_answered(n_answered)
    return answers


def _row_seed(seed: int, row: int) -> int:
    """One seed for each pair of seed and row number."""
    return int(np.random.SeedSequence([seed, row]).generate_state(1)[0])


def plan_batches(prompts: Sequence[Sequence[int]], decode: Decode, padded: bool = True) -> Iterator[list[int]]:
    """Divide prompts into batches within the token budget.

    Args:
        prompts: Token ids of each prompt.
        decode: Its batch_tokens and max_new_tokens limit a batch.
        padded: Whether prompts of different lengths may share a batch.

    Yields:
        Row indices of each batch: longest prompts first, so that the largest batch fails first if memory is short.
    """
    batch: list[int] = []
    for row in longest_first(prompts):
        longest = len(prompts[batch[0]]) if batch else 0
        if batch and (len(batch) == max_rows(longest, decode) or not (padded or len(prompts[row]) == longest)):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


@torch.no_grad()
def _generate_batch(
    bundle: ModelBundle,
    prompts: Sequence[Sequence[int]],
    decode: Decode,
    seed: int,
    stop_ids: list[int],
    processors: list[FiniteLogitsProcessor | ConstraintLogitsProcessor],
) -> list[list[int]]:
    """Token ids that the model's own `generate` writes, up to the end of each answer."""
    model, tokenizer = bundle.model, bundle.tokenizer
    device = next(model.parameters()).device
    pad_left = bundle.kind == "causal"  # new tokens must follow the prompt directly; an encoder is padded on the right
    width = max(len(prompt) for prompt in prompts)
    input_ids = torch.full((len(prompts), width), tokenizer.pad_token_id, dtype=torch.long)  # [b, s]
    mask = torch.zeros_like(input_ids)
    for row, prompt in enumerate(prompts):
        columns = slice(width - len(prompt), width) if pad_left else slice(0, len(prompt))
        input_ids[row, columns], mask[row, columns] = torch.tensor(prompt), 1
    # transformers' top_k is 50 unless it is set
    sampling = {"temperature": decode.temperature, "top_p": decode.top_p, "top_k": 0} if decode.temperature else {}
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        output_ids = model.generate(
            input_ids=input_ids.to(device),
            attention_mask=mask.to(device),
            max_new_tokens=decode.max_new_tokens,
            do_sample=bool(sampling),
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=stop_ids,
            use_cache=True,
            logits_processor=LogitsProcessorList(processors),
            **sampling,
        )
    for processor in processors:
        processor.finish()
    return [_until_stop(token_ids, stop_ids) for token_ids in output_ids[:, width if pad_left else 1 :].tolist()]


def _logits_processors(
    bundle: ModelBundle, constraints: AnswerConstraints | None, rows: Sequence[int], decode: Decode
) -> list[FiniteLogitsProcessor | ConstraintLogitsProcessor]:
    processors: list[FiniteLogitsProcessor | ConstraintLogitsProcessor] = [FiniteLogitsProcessor(bundle.model)]
    if constraints:
        processors.append(ConstraintLogitsProcessor(constraints, rows, greedy=not decode.temperature))
    return processors


def _until_stop(token_ids: list[int], stop_ids: Sequence[int]) -> list[int]:
    """The token ids before the first stop token."""
    return next((token_ids[:i] for i, token_id in enumerate(token_ids) if token_id in stop_ids), token_ids)
