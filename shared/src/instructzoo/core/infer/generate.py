"""Batched generation, sorted by length; answers come back in the order of the questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from transformers import LogitsProcessorList

from instructzoo.core.infer.constrained_decoding import AnswerConstraints, ConstraintLogitsProcessor
from instructzoo.core.infer.continuous_batching import Decoder, is_supported, longest_first, slots
from instructzoo.core.models import adapters
from instructzoo.core.models.load import ModelBundle
from instructzoo.core.recipe import Decode


def generate(
    loaded: ModelBundle, prompts: Sequence[Sequence[int]], decode: Decode, seed: int = 0, stop: int | None = None
) -> list[str]:
    """Texts that the model writes after `prompts` (ids); see `generate_ids`."""
    return texts(loaded, generate_ids(loaded, prompts, decode, seed, stop))


def texts(loaded: ModelBundle, written: Sequence[Sequence[int]]) -> list[str]:
    """What `generate_ids` has written, as text."""
    if not written:
        return []
    found: list[str] = loaded.tokenizer.batch_decode(written, skip_special_tokens=True)
    return found


def count_truncated(written: Sequence[Sequence[int]], decode: Decode) -> int:
    """How many answers were stopped by decode.max_new_tokens and not by their own end."""
    return sum(len(ids) >= decode.max_new_tokens for ids in written)


def generate_ids(
    loaded: ModelBundle,
    prompts: Sequence[Sequence[int]],
    decode: Decode,
    seed: int = 0,
    stop: int | None = None,
    first: int = 0,
    guide: AnswerConstraints | None = None,
) -> list[list[int]]:
    """Ids that the model writes after `prompts` (ids). Greedy at temperature 0, else nucleus sampling from `seed`.

    An answer ends at the end of sequence, at `stop` (an id; a chat template's may be another: `Encoder.stop`), or at
    the limit. first: the number of the first prompt, where these are a block of many; a sampled answer depends on the
    seed and its own number, and not on where the block began. guide: holds the answers to grammars.
    """
    if not prompts:
        return []
    tokenizer, model = loaded.tokenizer, adapters.unwrap_peft(loaded.model)
    ends = sorted({tokenizer.eos_token_id, tokenizer.eos_token_id if stop is None else stop})
    if guide:
        guide.stops = ends
    # peft's own generate gives padding on the left the positions of tokens (0.21): causal prompts are not padded there
    prompted = adapters.uses_virtual_tokens(loaded.model)
    if loaded.kind == "causal" and not prompted and is_supported(model):
        return Decoder(model, prompts, decode, ends, tokenizer.pad_token_id, seed, first, guide).run()
    if decode.temperature:  # one by one: torch draws for a batch as a whole
        return [
            _batch(loaded, [prompt], decode, _mixed(seed, first + n), ends, _held(guide, [n], decode))[0]
            for n, prompt in enumerate(prompts)
        ]
    written: list[list[int]] = [[]] * len(prompts)
    for rows in plan(prompts, decode, padded=loaded.kind == "seq2seq" or not prompted):
        answers = _batch(loaded, [prompts[r] for r in rows], decode, seed, ends, _held(guide, rows, decode))
        for row, ids in zip(rows, answers, strict=True):
            written[row] = ids
    return written


def _mixed(seed: int, number: int) -> int:
    """One seed of two numbers."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def plan(prompts: Sequence[Sequence[int]], decode: Decode, padded: bool = True) -> Iterator[list[int]]:
    """Row numbers of every batch: longest prompts first, so that the largest batch fails first if memory is short.

    padded: whether prompts of different lengths may share a batch.
    """
    batch: list[int] = []
    for row in longest_first(prompts):
        longest = len(prompts[batch[0]]) if batch else 0
        if batch and (len(batch) == slots(longest, decode) or not (padded or len(prompts[row]) == longest)):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


@torch.no_grad()
def _batch(
    loaded: ModelBundle,
    prompts: Sequence[Sequence[int]],
    decode: Decode,
    seed: int,
    ends: list[int],
    held: list[ConstraintLogitsProcessor],
) -> list[list[int]]:
    """Ids that the model's own `generate` writes, up to the end of each answer."""
    model, tokenizer = loaded.model, loaded.tokenizer
    device = next(model.parameters()).device
    left = loaded.kind == "causal"  # new tokens must follow the prompt directly; an encoder reads from the left
    width = max(len(p) for p in prompts)
    ids = torch.full((len(prompts), width), tokenizer.pad_token_id, dtype=torch.long)  # [b, s]
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        spot = slice(width - len(prompt), width) if left else slice(0, len(prompt))
        ids[row, spot], mask[row, spot] = torch.tensor(prompt), 1
    # top_k is 50 where nobody sets it
    sampling = {"temperature": decode.temperature, "top_p": decode.top_p, "top_k": 0} if decode.temperature else {}
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        written = model.generate(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            max_new_tokens=decode.max_new_tokens,
            do_sample=bool(sampling),
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=ends,
            num_beams=1,  # a backbone may bring decoding settings of its own; the recipe decides
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            min_length=0,
            use_cache=True,
            logits_processor=LogitsProcessorList(held),
            **sampling,
        )
    for one in held:
        one.end()
    return [_ended(row, ends) for row in written[:, width if left else 1 :].tolist()]


def _held(guide: AnswerConstraints | None, rows: Sequence[int], decode: Decode) -> list[ConstraintLogitsProcessor]:
    return [ConstraintLogitsProcessor(guide, rows, greedy=not decode.temperature)] if guide else []


def _ended(ids: list[int], ends: Sequence[int]) -> list[int]:
    """`ids` up to the first that ends an answer."""
    return next((ids[:i] for i, token in enumerate(ids) if token in ends), ids)
