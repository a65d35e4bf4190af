"""Cleans the raw rows of a source: dropped rows are counted, and no evaluation row is left in training data.

The steps in their order: rows without text or target, exact duplicates, near-duplicates (train only: a published
evaluation split keeps its rows), split by item where the source has no such split, contamination (train against
validation and test, then validation against test), sample. With data.fold, the source's own test split is first
compared with the others, then left out: a part of train takes its place.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from instructzoo.core.data import contamination, dedup, mapped_tables
from instructzoo.core.data import split as splits
from instructzoo.core.data.mapped_tables import filter_rows
from instructzoo.core.data.ngrams import words
from instructzoo.core.data.tables import codes, complete_columns, hashes
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Data
from instructzoo.core.record import item_key

Mask = npt.NDArray[np.bool_]


@dataclass
class CleanedData:
    """The tables of all splits during and after cleaning, and the account of their rows.

    Attributes:
        tables: The rows by split.
        dropped: For each split and reason the number of dropped rows.
        split_origins: How each split was made, by split.
        findings: What the contamination checks found.
    """

    tables: dict[str, pa.Table]
    dropped: list[dict[str, Any]] = field(default_factory=list)
    split_origins: dict[str, str] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def keep_rows(self, split: str, mask: Mask, reason: str) -> None:
        """Drop the rows of a split where `mask` is False, and record how many."""
        if row_count := int((~mask).sum()):
            self.record_dropped(split, reason, row_count)
            self.tables[split] = filter_rows(self.tables[split], mask)

    def record_dropped(self, split: str, reason: str, row_count: int) -> None:
        """Add an entry to the account of dropped rows."""
        self.dropped.append({"part": split, "reason": reason, "rows": row_count})


def clean(raw: Mapping[str, pa.Table], settings: Data, seed: int, targets: bool = True) -> CleanedData:
    """Clean the rows of all splits.

    Args:
        raw: Tables of some of the splits, as a source gives them.
        settings: The recipe's `data` settings.
        seed: Seed of the split by item and of the sample.
        targets: Whether a training row needs an `output` (False if the target is an image).

    Returns:
        The clean tables with the account of their rows.

    Raises:
        ZooError: A split is unknown or ends up empty, or a column is missing or no text.
    """
    if unknown := set(raw) - set(splits.SPLITS):
        found = f"split {', '.join(sorted(unknown))}"
        raise ZooError(found, f"some of {', '.join(splits.SPLITS)}", "rename it in sources.py")
    data = CleanedData({split: complete_columns(raw[split], split) for split in splits.SPLITS if split in raw})
    for split in data.tables:
        _drop_blank(data, split, targets and split == "train")
        data.keep_rows(split, _first_occurrences(data.tables[split].column("id")), "duplicate (same id)")
    if "train" in data.tables and settings.near_duplicates is not None:
        _drop_near_duplicates(data, settings.near_duplicates)
    if fold := settings.fold_numbers():
        _take_fold(data, settings, *fold)
    _split(data, settings, seed)
    _decontaminate(data, settings)
    if settings.train_items and "train" in data.tables:
        chosen = splits.first_items(data.tables["train"], settings.train_items, seed)
        data.keep_rows("train", chosen, f"beyond data.train_items={settings.train_items}")
    for split, table in data.tables.items():
        sample = splits.sample(table, settings.limit, seed, split)
        data.tables[split] = sample
        if table.num_rows > sample.num_rows:
            data.record_dropped(split, f"beyond data.limit={settings.limit}", table.num_rows - sample.num_rows)
        if not sample.num_rows:
            raise _empty(split, data.dropped, settings.fold)
    return data


def _drop_blank(data: CleanedData, split: str, targets: bool) -> None:
    table = data.tables[split]
    has_text = [~_is_blank(table.column(name)) for name in ("instruction", "input")]
    data.keep_rows(split, has_text[0] | has_text[1], "no text (instruction and input are empty)")
    if targets:
        data.keep_rows(split, ~_is_blank(data.tables[split].column("output")), "no output to learn")


def _is_blank(column: pa.ChunkedArray) -> Mask:
    return pc.equal(pc.utf8_trim_whitespace(column), "").to_numpy().astype(bool)


def _first_occurrences(column: pa.ChunkedArray) -> Mask:
    _, first_indices = np.unique(hashes(column), return_index=True)
    mask = np.zeros(len(column), bool)
    mask[first_indices] = True
    return mask


def _drop_near_duplicates(data: CleanedData, threshold: float) -> None:
    table = data.tables["train"]
    explicit, items = has_declared_item(table), codes(table.column("item"))
    # a row that is alone with its declared item has nothing to be compared with
    candidates = np.flatnonzero(~explicit | (np.bincount(items)[items] > 1)) if len(items) else items
    duplicates = dedup.near_duplicates(_comparable_texts(table, candidates, explicit, items), threshold)
    mask = np.ones(table.num_rows, bool)
    mask[candidates[list(duplicates)]] = False
    data.keep_rows("train", mask, f"near-duplicate (Jaccard of word 3-grams at least {threshold:g})")


def _comparable_texts(
    table: pa.Table, indices: npt.NDArray[np.int64], explicit: Mask, items: npt.NDArray[np.int64]
) -> Iterator[tuple[Hashable, str]]:
    """(block, text) of some rows: only texts of one block are compared.

    Rows of a declared item are compared within it. Others are compared if their instructions are the same, so that two
    tasks on one input stay two rows and a long shared instruction makes nothing similar.
    """
    chosen = np.zeros(table.num_rows, bool)
    chosen[indices] = True
    texts = _tuples(table.select(["instruction", "input", "output"]))
    for index, (instruction, input, output) in enumerate(texts):
        if not chosen[index]:
            continue
        if explicit[index]:
            yield int(items[index]), f"{instruction} {input} {output}"
        elif input.strip():
            yield ("instruction", *words(instruction)), f"{input} {output}"
        else:
            yield "instruction", f"{instruction} {output}"


def _tuples(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    for block in mapped_tables.blocks(table):
        yield from zip(*(column.to_pylist() for column in block.columns), strict=True)


def has_declared_item(table: pa.Table) -> Mask:
    """Which rows declare their item, rather than having it derived from their text. Shape [rows]."""
    texts = table.select(["instruction", "input", "item"])
    declared = (item != item_key(instruction, input) for instruction, input, item in _tuples(texts))
    return np.fromiter(declared, bool, table.num_rows)


def _take_fold(data: CleanedData, settings: Data, number: int, count: int) -> None:
    """Make one of `count` parts of train's items the test split. The source's own test split is not used.

    What of train occurs in the source's validation or test is dropped before train is cut, so that all folds cut the
    same rows and nothing is chosen by test rows, however they came into train.
    """
    if "train" not in data.tables:
        fix = "add a source with training rows, or leave data.fold out"
        raise ZooError("data.fold of sources without training rows", "a train split to cut", fix)
    _decontaminate(data, settings)
    for finding in data.findings:
        finding["against"] = f"the source's {finding['against']}"
    if "test" in data.tables:
        data.record_dropped("test", "the source's test split, which data.fold leaves out", data.tables["test"].num_rows)
    train = data.tables["train"]
    chosen = splits.in_fold(train, number, count)
    tables = data.tables | {"train": filter_rows(train, ~chosen), "test": filter_rows(train, chosen)}
    data.tables = {split: tables[split] for split in splits.SPLITS if split in tables}


def _split(data: CleanedData, settings: Data, seed: int) -> None:
    """Take the held-out splits that the source does not have out of train."""
    if "train" not in data.tables:
        data.split_origins = dict.fromkeys(data.tables, "by the source (evaluation only)")
        return
    held_out = {"validation": settings.validation, "test": settings.test}
    fractions = {split: fraction for split, fraction in held_out.items() if split not in data.tables}
    data.split_origins = dict.fromkeys(data.tables, "by the source")
    if settings.fold:
        data.split_origins["train"] = "the items that the other splits leave"
        data.split_origins["test"] = f"fold {settings.fold} of train's items, by hash of the item"
    if fractions:
        tables = splits.by_item(data.tables["train"], fractions, seed)
        data.tables = {split: tables.get(split, data.tables.get(split)) for split in splits.SPLITS}
        data.split_origins["train"] = "the items that the other splits leave"
        for split, fraction in fractions.items():
            data.split_origins[split] = f"{fraction:g} of train's items, by hash of the item"


def _decontaminate(data: CleanedData, settings: Data) -> None:
    """Drop from train what occurs in validation or test, then from validation what occurs in test."""
    for split, evaluation_splits in (("train", ("validation", "test")), ("validation", ("test",))):
        against = {name: list(contents(data.tables[name])) for name in evaluation_splits if name in data.tables}
        if split not in data.tables or not against:
            continue
        mask = np.ones(data.tables[split].num_rows, bool)
        findings = contamination.check(contents(data.tables[split]), against, settings.ngram, settings.overlap)
        for finding in findings:
            data.findings.append({"checked": split} | finding.as_dict())
            for indices, how in ((finding.train_exact, "the same item"), (finding.train_ngram, "shared n-grams")):
                remaining = mask.copy()
                remaining[indices] = False
                if dropped := int((mask & ~remaining).sum()):
                    data.record_dropped(split, f"contaminates {finding.split} ({how})", dropped)
                mask = remaining
        if not mask.all():
            data.tables[split] = filter_rows(data.tables[split], mask)


def contents(table: pa.Table) -> Iterator[contamination.Content]:
    """The columns that the contamination check compares, row by row."""
    for id, instruction, input, item in _tuples(table.select(["id", "instruction", "input", "item"])):
        explicit = item != item_key(instruction, input)
        yield contamination.Content(id, item, instruction, input, explicit)


def _empty(split: str, dropped: list[dict[str, Any]], fold: str) -> ZooError:
    reasons = "; ".join(f"{entry['rows']} dropped: {entry['reason']}" for entry in dropped if entry["part"] == split)
    found = f"split {split} is empty" + (f" ({reasons})" if reasons else "")
    fix = f"raise data.{split} or give more rows" if split != "train" else "give more rows"
    if fold and split == "test":
        fix = "bring more rows, or fewer folds"
    return ZooError(found, "at least one row in each split", fix)
