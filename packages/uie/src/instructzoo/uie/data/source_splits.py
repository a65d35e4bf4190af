"""The splits of a data set: missing ones are taken from others, and a development split may be used for training."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from instructzoo.core.data.split import by_item
from instructzoo.uie.data import examples
from instructzoo.uie.data.examples import LabelInventory
from instructzoo.uie.data.readers.base import Sentence

SentencesBySplit = dict[str, list[Sentence]]


@dataclass
class Dataset:
    """One data set: its format, its sentences by split, its labels, and notes for the data card by split."""

    name: str
    format: str
    sentences: SentencesBySplit
    inventory: LabelInventory
    licence: str
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, split: str, text: str) -> None:
        """Add a note for the data card."""
        self.notes.setdefault(split, []).append(f"{self.name}, {split}: {text}")


def keep_test_split(source: Dataset) -> None:
    """Keep only the test split of a held-out set, or what stands for it where it has none."""
    split = next(split for split in ("test", "validation", "train") if split in source.sentences)
    source.sentences = {"test": source.sentences[split]}
    source.note("test", "held out: none of it is used for training")
    if split != "test":
        source.note("test", f"its {split} split, since its test split is missing")


def use_development_split(
    source: Dataset,
    missing_test: Literal["cut", "development", "halve"],
    development: Literal["validation", "train"],
    seed: int,
) -> None:
    """Take a missing test split from the development split, and use what is left of it as the recipe says.

    Args:
        source: The data set, which is changed.
        missing_test: The setting of this name: what becomes the test split of a set without one.
        development: The setting of this name: "train" adds the development split to the training split.
        seed: Decides the halves.
    """
    sentences = source.sentences
    if missing_test != "cut" and "test" not in sentences and "validation" in sentences:
        development_split = sentences.pop("validation")
        if missing_test == "development":
            sentences["test"] = development_split
        else:
            halves = _split_by_item(development_split, {"test": 0.5}, seed)
            sentences |= {
                split: halves[half] for split, half in (("validation", "train"), ("test", "test")) if half in halves
            }
        fraction = "" if missing_test == "development" else "half of "
        source.note("test", f"{fraction}its development split, since its test split is missing")
    if development == "train" and (added := sentences.pop("validation", None)):
        sentences["train"] = [*sentences.get("train", ()), *added]
        source.note("train", f"with {len(added):,} sentences of its development split")


def cut_missing_splits(source: Dataset, fractions: Mapping[str, float], held_out: bool, seed: int) -> None:
    """Cut missing splits from train, by item; nothing is cut from a held-out set.

    Args:
        source: The data set, which is changed.
        fractions: The fraction of the items by split.
        held_out: Whether only its test split is used.
        seed: Decides the items.
    """
    if "train" not in source.sentences:
        if not held_out:
            split = "test" if "test" in source.sentences else "validation"
            source.note(split, "it has no train split")
        return
    missing = {split: fraction for split, fraction in fractions.items() if split not in source.sentences and fraction}
    if not missing:
        return
    for split, sentences in _split_by_item(source.sentences["train"], missing, seed).items():
        source.sentences[split] = sentences
        if split != "train":
            source.note(split, f"cut from its train split ({missing[split]:g} of the items), since it has none")


def drop_items(source: Dataset, tested: Collection[str]) -> None:
    """Drop training sentences that any data set tests on, also where only a sample of these is scored.

    Args:
        source: The data set, which is changed.
        tested: The items of all test splits.
    """
    sentences = source.sentences.get("train", [])
    kept = [sentence for sentence in sentences if examples.item_of(sentence.text) not in tested]
    if dropped := len(sentences) - len(kept):
        source.sentences["train"] = kept
        source.note("train", f"{dropped:,} sentences left out that stand in a test split")


def _split_by_item(sentences: list[Sentence], fractions: Mapping[str, float], seed: int) -> SentencesBySplit:
    """Split sentences into these fractions of the items and "train", the rest; empty splits are left out."""
    import pyarrow as pa

    table = pa.table({"item": [examples.item_of(s.text) for s in sentences], "index": range(len(sentences))})
    return {
        split: [sentences[index] for index in rows.column("index").to_pylist()]
        for split, rows in by_item(table, fractions, seed).items()
        if len(rows)
    }
