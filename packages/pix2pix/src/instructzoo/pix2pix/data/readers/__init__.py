"""Edits of all sources -> rows of the house: pictures looked at, prompts gathered, items named.

An item is what may not stand on two sides of a split. Two edits are of one item where they share their prompt (caption
before and instruction) or any picture, before or after: of a picture with two instructions, or of one that is edited
step by step, nothing is ever on another side. Edits whose author names an item are of that one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.pix2pix.data.readers.base import DAMAGED, UNEQUAL, Edit, Tally, look, same_size

UNCHANGED = "pairs whose two pictures are the same file"
REPEATED = "pairs that stand twice, taken once"
GATHERED = "pairs gathered with others of their prompt, as further ones of its row"
LEFT_OUT = "prompts left out: none of their pairs could be read"


@dataclass(frozen=True)
class Batch:
    """Edits of one part of one source, and what is counted of them."""

    part: str
    edits: Iterable[Edit]
    tally: Tally


@dataclass(frozen=True, slots=True)
class _Seen:
    """An edit whose pictures were looked at. digests: of its pairs, before and after; keys: what ties it to an item."""

    edit: Edit
    digests: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]


def rows(batches: Sequence[Batch]) -> list[list[Row]]:
    """Rows of every batch. In train, pairs of one prompt are one row, its further pairs in `variants`.

    Raises ZooError naming row and file for a picture that is missing, damaged or not as large as its partner; where
    the batch's tally skips, such pairs are counted.
    """
    seen = [[found for edit in batch.edits if (found := _seen(edit, batch.tally))] for batch in batches]
    gathered = [
        _gathered(found, batch.tally) if batch.part == "train" else found
        for batch, found in zip(batches, seen, strict=True)
    ]
    items = _items(one.keys for found in gathered for one in found)
    return [[_row(one, items[one.keys[0]]) for one in found] for found in gathered]


def _seen(edit: Edit, tally: Tally) -> _Seen | None:
    """An edit with those of its pairs that can be read; None where there is none."""
    kept, digests = [], []
    for pair in edit.pairs:
        remark = DAMAGED
        try:
            before, after = (look(reference, edit.where) for reference in pair)
            remark = UNEQUAL
            same_size(before, after, pair, edit.where)
        except ZooError as error:
            tally.drop(error, remark)
            continue
        kept.append(pair)
        digests.append((before.digest, after.digest))
        tally.counts[UNCHANGED] += before.digest == after.digest
    if not kept:
        tally.counts[LEFT_OUT] += len(edit.pairs) > 1
        return None
    keys = [f"picture {digest}" for pair in digests for digest in pair]
    if edit.input:
        keys.insert(0, f"prompt {' '.join(f'{edit.input} | {edit.instruction}'.casefold().split())}")
    if edit.item:
        keys = [edit.item]
    return _Seen(replace(edit, pairs=tuple(kept)), tuple(digests), tuple(keys))


def _gathered(found: Sequence[_Seen], tally: Tally) -> list[_Seen]:
    """One for every prompt: instruction and captions; without captions also the picture before."""
    held: dict[tuple[str, ...], _Seen] = {}
    for one in found:
        edit = one.edit
        prompt = (edit.instruction, edit.input, edit.output, edit.kind, edit.source, edit.licence, edit.item)
        key = prompt if edit.input else (*prompt, one.digests[0][0])
        if key not in held:
            held[key] = one
            continue
        first = held[key]
        new = [place for place, pair in enumerate(one.digests) if pair not in first.digests]
        tally.counts[GATHERED] += len(new)
        tally.counts[REPEATED] += len(one.digests) - len(new)
        held[key] = _Seen(
            replace(first.edit, pairs=(*first.edit.pairs, *(edit.pairs[place] for place in new))),
            (*first.digests, *(one.digests[place] for place in new)),
            (*first.keys, *one.keys),
        )
    return list(held.values())


def _items(edits: Iterable[tuple[str, ...]]) -> Mapping[str, str]:
    """The item of every key: of all keys that edits tie to it, over any number of steps, the last by text."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for keys in edits:
        tops = sorted({root(key) for key in keys}, reverse=True)  # "prompt ..." stays before "picture ..."
        for top in tops:
            parent[top] = tops[0]
    return {key: root(key) for key in parent}


def _row(one: _Seen, item: str) -> Row:
    edit = one.edit
    content = "\x1f".join((edit.instruction, edit.input, edit.output, *one.digests[0]))
    further = json.dumps(edit.pairs[1:]) if len(edit.pairs) > 1 else ""
    return {
        "id": edit.id or hashlib.blake2b(content.encode(), digest_size=8).hexdigest(),
        "instruction": edit.instruction,
        "input": edit.input,
        "output": edit.output,
        "source": edit.source,
        "licence": edit.licence,
        "item": item,
        "image": edit.pairs[0][0],
        "edited": edit.pairs[0][1],
        "kind": edit.kind,
        "variants": further,
    }
