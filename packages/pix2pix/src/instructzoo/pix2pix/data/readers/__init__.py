"""Turns the examples of all sources into rows: inspects pictures, groups pairs by prompt and assigns items.

An item is what must not be spread over two splits. Two examples belong to one item if they share their prompt (caption
before and instruction) or any picture, before or after. A picture with two instructions, or one that is edited step by
step, is therefore never divided between splits. Examples whose author names an item belong to that one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.pix2pix.data.readers.base import DAMAGED, UNEQUAL, EditExample, Tally, check_same_size, inspect_picture

UNCHANGED = "pairs whose two pictures are the same file"
REPEATED = "pairs that stand twice, taken once"
GROUPED = "pairs gathered with others of their prompt, as further ones of its row"
UNREADABLE = "prompts left out: none of their pairs could be read"


@dataclass(frozen=True)
class SplitExamples:
    """Examples of one split of one source, and the counts of what was left out."""

    split: str
    examples: Iterable[EditExample]
    tally: Tally


@dataclass(frozen=True, slots=True)
class _CheckedExample:
    """An example with readable pictures. digests: of each pair, before and after; keys: what ties it to an item."""

    example: EditExample
    digests: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]


def build_rows(batches: Sequence[SplitExamples]) -> list[list[Row]]:
    """Turn examples into rows.

    Args:
        batches: Splits of sources. In train, all pairs of one prompt become one row, the further pairs in `variants`.

    Returns:
        The rows of every batch, in order.

    Raises:
        ZooError: A picture is missing, damaged or of another size than its partner, unless the batch's tally skips
            errors; the message names row and file.
    """
    checked_splits = [
        [checked for example in batch.examples if (checked := _check(example, batch.tally))] for batch in batches
    ]
    grouped_splits = [
        _group_by_prompt(checked, batch.tally) if batch.split == "train" else checked
        for batch, checked in zip(batches, checked_splits, strict=True)
    ]
    items = _assign_items(checked.keys for split in grouped_splits for checked in split)
    return [[_make_row(checked, items[checked.keys[0]]) for checked in split] for split in grouped_splits]


def _check(example: EditExample, tally: Tally) -> _CheckedExample | None:
    """The example with those of its pairs that can be read; None if there is none."""
    readable_pairs, digests = [], []
    for pair in example.pairs:
        reason = DAMAGED
        try:
            before, after = (inspect_picture(reference, example.where) for reference in pair)
            reason = UNEQUAL
            check_same_size(before, after, pair, example.where)
        except ZooError as error:
            tally.skip_or_raise(error, reason)
            continue
        readable_pairs.append(pair)
        digests.append((before.digest, after.digest))
        tally.counts[UNCHANGED] += before.digest == after.digest
        tally.counts.update(info.remark for info in (before, after) if info.remark)
    if not readable_pairs:
        tally.counts[UNREADABLE] += len(example.pairs) > 1
        return None
    keys = [f"picture {digest}" for pair in digests for digest in pair]
    if example.input:
        keys.insert(0, f"prompt {' '.join(f'{example.input} | {example.instruction}'.casefold().split())}")
    if example.item:
        keys = [example.item]
    return _CheckedExample(replace(example, pairs=tuple(readable_pairs)), tuple(digests), tuple(keys))


def _group_by_prompt(examples: Sequence[_CheckedExample], tally: Tally) -> list[_CheckedExample]:
    """One example per prompt: instruction and captions; without captions also the picture before."""
    by_prompt: dict[tuple[str, ...], _CheckedExample] = {}
    for checked in examples:
        example = checked.example
        prompt = (
            example.instruction,
            example.input,
            example.output,
            example.kind,
            example.source,
            example.licence,
            example.item,
        )
        key = prompt if example.input else (*prompt, checked.digests[0][0])
        if key not in by_prompt:
            by_prompt[key] = checked
            continue
        first = by_prompt[key]
        new_indices = [index for index, pair in enumerate(checked.digests) if pair not in first.digests]
        tally.counts[GROUPED] += len(new_indices)
        tally.counts[REPEATED] += len(checked.digests) - len(new_indices)
        by_prompt[key] = _CheckedExample(
            replace(first.example, pairs=(*first.example.pairs, *(example.pairs[index] for index in new_indices))),
            (*first.digests, *(checked.digests[index] for index in new_indices)),
            (*first.keys, *checked.keys),
        )
    return list(by_prompt.values())


def _assign_items(keys_of_examples: Iterable[tuple[str, ...]]) -> Mapping[str, str]:
    """The item of every key: the last by text of all keys that examples tie to it, over any number of steps."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for keys in keys_of_examples:
        roots = sorted({root(key) for key in keys}, reverse=True)  # "prompt ..." stays before "picture ..."
        for key_root in roots:
            parent[key_root] = roots[0]
    return {key: root(key) for key in parent}


def _make_row(checked: _CheckedExample, item: str) -> Row:
    """The row of an example."""
    example = checked.example
    content = "\x1f".join((example.instruction, example.input, example.output, *checked.digests[0]))
    variants = json.dumps(example.pairs[1:]) if len(example.pairs) > 1 else ""
    return {
        "id": example.id or hashlib.blake2b(content.encode(), digest_size=8).hexdigest(),
        "instruction": example.instruction,
        "input": example.input,
        "output": example.output,
        "source": example.source,
        "licence": example.licence,
        "item": item,
        "image": example.pairs[0][0],
        "edited": example.pairs[0][1],
        "kind": example.kind,
        "variants": variants,
    }
