"""Raw parts -> clean parts: what is dropped is counted, and no evaluation row is left in training data.

Order: rows without text or target, exact duplicates, near-duplicates (train only: a published evaluation part keeps its
rows), split by item where the source has no such part, contamination (train against validation and test, then
validation against test), sample.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from instructzoo.core.data import contamination, dedup, split
from instructzoo.core.data.ngrams import words
from instructzoo.core.data.tables import codes, complete
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Data
from instructzoo.core.record import item_key

Mask = npt.NDArray[np.bool_]


@dataclass
class Clean:
    """Parts under way, and the account of what became of their rows."""

    tables: dict[str, pa.Table]
    dropped: list[dict[str, Any]] = field(default_factory=list)
    splits: dict[str, str] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def keep(self, part: str, mask: Mask, reason: str) -> None:
        """Drop the rows of a part where mask is False, and say so."""
        if rows := int((~mask).sum()):
            self.dropped.append({"part": part, "reason": reason, "rows": rows})
            self.tables[part] = self.tables[part].filter(pa.array(mask))


def clean(raw: Mapping[str, pa.Table], settings: Data, seed: int, targets: bool = True) -> Clean:
    """Clean parts of raw ones. targets: a training row needs an `output` (off where the target is an image).

    Raises ZooError for an unknown part, for a column that is missing or no text, and for a part that ends up empty.
    """
    if unknown := set(raw) - set(split.PARTS):
        raise ZooError(
            f"part {', '.join(sorted(unknown))}", f"some of {', '.join(split.PARTS)}", "rename it in sources.py"
        )
    state = Clean({part: complete(raw[part], part) for part in split.PARTS if part in raw})
    for part in state.tables:
        _drop_blank(state, part, targets and part == "train")
        state.keep(part, _first_of(codes(state.tables[part].column("id"))), "duplicate (same id)")
    if "train" in state.tables and settings.near_duplicates is not None:
        _drop_near(state, settings.near_duplicates)
    _split(state, settings, seed)
    _decontaminate(state, settings)
    for part, rows in state.tables.items():
        before = rows.num_rows
        state.tables[part] = split.sample(rows, settings.limit, seed, part)
        if before > state.tables[part].num_rows:
            left_out = before - state.tables[part].num_rows
            state.dropped.append({"part": part, "reason": f"beyond data.limit={settings.limit}", "rows": left_out})
        if not state.tables[part].num_rows:
            raise _empty(part, state.dropped)
    return state


def _drop_blank(state: Clean, part: str, targets: bool) -> None:
    rows = state.tables[part]
    present = [~_blank(rows.column(name)) for name in ("instruction", "input")]
    state.keep(part, present[0] | present[1], "no text (instruction and input are empty)")
    if targets:
        state.keep(part, ~_blank(state.tables[part].column("output")), "no output to learn")


def _blank(column: pa.ChunkedArray) -> Mask:
    return pc.equal(pc.utf8_trim_whitespace(column), "").to_numpy().astype(bool)


def _first_of(numbers: npt.NDArray[np.int64]) -> Mask:
    _, first = np.unique(numbers, return_index=True)
    mask = np.zeros(len(numbers), bool)
    mask[first] = True
    return mask


def _drop_near(state: Clean, threshold: float) -> None:
    rows = state.tables["train"]
    explicit, items = declared(rows), codes(rows.column("item"))
    chosen = np.flatnonzero(~explicit | (np.bincount(items)[items] > 1)) if len(items) else items
    repeats = dedup.near_duplicates(_compared(rows, chosen, explicit, items), threshold)
    mask = np.ones(rows.num_rows, bool)
    mask[chosen[list(repeats)]] = False
    state.keep("train", mask, f"near-duplicate (Jaccard of word 3-grams at least {threshold:g})")


def _compared(
    rows: pa.Table, chosen: npt.NDArray[np.int64], explicit: Mask, items: npt.NDArray[np.int64]
) -> Iterator[tuple[Hashable, str]]:
    """(block, text) of the chosen rows: only texts of one block are compared.

    Rows of a declared item are compared within it. Others are compared where their instructions are the same, so that
    two tasks on one input stay two rows and a long shared instruction makes nothing similar.
    """
    texts = rows.select(["instruction", "input", "output"]).take(pa.array(chosen))
    for place, (instruction, input, output) in zip(chosen.tolist(), _tuples(texts), strict=True):
        if explicit[place]:
            yield int(items[place]), f"{instruction} {input} {output}"
        elif input.strip():
            yield ("instruction", *words(instruction)), f"{input} {output}"
        else:
            yield "instruction", f"{instruction} {output}"


def _tuples(rows: pa.Table, chunk: int = 10_000) -> Iterator[tuple[Any, ...]]:
    for batch in rows.to_batches(chunk):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def declared(rows: pa.Table) -> Mask:
    """Which rows name their item themselves, rather than by their text. Shape [rows]."""
    texts = rows.select(["instruction", "input", "item"])
    return np.array([item != item_key(a, b) for a, b, item in _tuples(texts)], bool)


def _split(state: Clean, settings: Data, seed: int) -> None:
    if "train" not in state.tables:
        state.splits = dict.fromkeys(state.tables, "by the source (evaluation only)")
        return
    wanted = {"validation": settings.validation, "test": settings.test}
    shares = {part: share for part, share in wanted.items() if part not in state.tables}
    state.splits = dict.fromkeys(state.tables, "by the source")
    if shares:
        made = split.by_item(state.tables["train"], shares, seed)
        state.tables = {part: made.get(part, state.tables.get(part)) for part in split.PARTS}
        state.splits["train"] = "what the other parts leave"
        state.splits |= {part: f"{share:g} of train's items, by hash of the item" for part, share in shares.items()}


def _decontaminate(state: Clean, settings: Data) -> None:
    """Drop from train what stands in validation or test, then from validation what stands in test."""
    for part, against in (("train", ("validation", "test")), ("validation", ("test",))):
        parts = {name: list(contents(state.tables[name])) for name in against if name in state.tables}
        if part not in state.tables or not parts:
            continue
        mask = np.ones(state.tables[part].num_rows, bool)
        found = contamination.check(contents(state.tables[part]), parts, settings.ngram, settings.overlap)
        for finding in found:
            state.findings.append({"checked": part} | finding.as_dict())
            fresh = mask.copy()
            for places, how in ((finding.exact_places, "the same item"), (finding.ngram_places, "shared n-grams")):
                fresh[places] = False
                if new := int((mask & ~fresh).sum()):
                    state.dropped.append({"part": part, "reason": f"contaminates {finding.part} ({how})", "rows": new})
                mask &= fresh
        state.tables[part] = state.tables[part].filter(pa.array(mask))


def contents(rows: pa.Table) -> Iterator[contamination.Content]:
    """The columns that the contamination check compares, row by row."""
    for id, instruction, input, item in _tuples(rows.select(["id", "instruction", "input", "item"])):
        explicit = item != item_key(instruction, input)
        yield contamination.Content(id, item, instruction, input, explicit)


def _empty(part: str, dropped: list[dict[str, Any]]) -> ZooError:
    why = "; ".join(f"{drop['rows']} dropped: {drop['reason']}" for drop in dropped if drop["part"] == part)
    found = f"part {part} is empty" + (f" ({why})" if why else "")
    fix = f"raise data.{part} or give more rows" if part != "train" else "give more rows"
    return ZooError(found, "at least one row in each part", fix)
