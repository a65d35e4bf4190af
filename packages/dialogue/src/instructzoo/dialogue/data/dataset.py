"""A data set between its files and its rows: dialogues by split, split by content, no item in two splits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from instructzoo.core.data.split import SPLITS, by_item
from instructzoo.dialogue.data.builders.base import item_of, item_of_dialogue
from instructzoo.dialogue.data.field_format import END_OF_TURN
from instructzoo.dialogue.data.readers.instructdial import RenderedQuestion
from instructzoo.dialogue.schema import Dialogue

Entry = Dialogue | RenderedQuestion
"""A dialogue, of which questions are made, or a question that a file has ready."""


@dataclass
class Dataset:
    """One data set.

    Attributes:
        name: The name under which scores are reported.
        source: Its source, as data.sources names it.
        licence: The licence of the data.
        tasks: The task types that it feeds; empty: those that its annotation allows.
        entries: Its dialogues by split.
        state_slots: The slots that count as state; empty: all.
        notes: Notes for the data card by split.
    """

    name: str
    source: str
    licence: str
    tasks: tuple[str, ...]
    entries: dict[str, list[Entry]]
    state_slots: tuple[str, ...] = ()
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, split: str, text: str) -> None:
        """Add a note for the data card."""
        self.notes.setdefault(split, []).append(text)

    def dialogues(self, splits: Sequence[str] = SPLITS) -> list[Dialogue]:
        """The dialogues of some splits."""
        return [e for split in splits for e in self.entries.get(split, ()) if isinstance(e, Dialogue)]

    def keep_test(self) -> None:
        """Keep the test split only, or what stands for it where there is none."""
        split = next(split for split in reversed(SPLITS) if split in self.entries)
        self.entries = {"test": self.entries[split]}
        self.note("test", "held out: none of it is used for training")
        if split != "test":
            self.note("test", f"its {split} split, since it has no test split")

    def drop_copies(self, names: Collection[str]) -> None:
        """Drop what stands under these names of data sets, and count it: copies of one that is held out."""
        kept: dict[str, list[Entry]] = {}
        for split, entries in self.entries.items():
            own_name = self.name.rpartition("/")[2]
            kept[split] = [e for e in entries if (own_name if isinstance(e, Dialogue) else e.dataset) not in names]
            if dropped := len(entries) - len(kept[split]):
                self.note(split, f"{dropped:,} left out, copies of a data set that is held out")
        self.entries = {split: entries for split, entries in kept.items() if entries}

    def train_on_development(self) -> None:
        """Make the validation split, where there is one, a part of train; train must not be missing."""
        if "train" in self.entries and (added := self.entries.pop("validation", None)):
            self.entries["train"] = [*self.entries["train"], *added]
            self.note("train", f"with the {len(added):,} of its development split")

    def cut_missing(self, fractions: Mapping[str, float], seed: int) -> None:
        """Cut the splits that are missing out of train, by item.

        Args:
            fractions: The fraction of the items by split.
            seed: Decides the items.
        """
        import pyarrow as pa

        missing = {split: part for split, part in fractions.items() if split not in self.entries and part}
        train = self.entries.get("train", [])
        if not missing or not train:
            return
        table = pa.table({"item": [item_of_entry(entry) for entry in train], "index": range(len(train))})
        for split, part in by_item(table, missing, seed).items():
            self.entries[split] = [train[index] for index in part["index"].to_pylist()]
            if split != "train":
                self.note(split, f"{missing[split]:.0%} of its train split by content, since it has no {split} split")

    def leave_out_intents(self, intents: Collection[str]) -> None:
        """Drop the dialogues with an intent from all splits but test, and count them.

        Args:
            intents: The intents, as the files write them.
        """
        for split in ("train", "validation"):
            entries = self.entries.get(split, [])
            kept = [
                e for e in entries if not (isinstance(e, Dialogue) and {turn.intent for turn in e.turns} & {*intents})
            ]
            if len(kept) < len(entries):
                self.entries[split] = kept
                self.note(split, f"{len(entries) - len(kept):,} left out for their intents: {', '.join(intents)}")

    def drop(self, splits: Sequence[str], items: set[str], standing: str) -> None:
        """Drop the entries of splits whose item stands in another split of any data set, and count them.

        Args:
            splits: The splits that lose entries.
            items: The items of the other split.
            standing: The name of the other split.
        """
        for split in splits:
            entries = self.entries.get(split, [])
            kept = [entry for entry in entries if item_of_entry(entry) not in items]
            if len(kept) < len(entries):
                self.entries[split] = kept
                self.note(split, f"{len(entries) - len(kept):,} left out that stand in a {standing} split")


def item_of_entry(entry: Entry) -> str:
    """What decides the split of an entry: the words of its dialogue."""
    if isinstance(entry, Dialogue):
        return item_of_dialogue(entry)
    fields = entry.example.fields
    texts = [text for token, text in fields if token in ("CONTEXT", "RESPONSE")] or [text for _, text in fields]
    return item_of(" ".join(texts).replace(END_OF_TURN, " "))


def without_shared_items(sets: Sequence[Dataset]) -> None:
    """Drop entries so that no item of any data set is in two splits: test keeps it, then validation."""
    for number, split in enumerate(SPLITS[:0:-1], 1):
        items = {item_of_entry(entry) for one in sets for entry in one.entries.get(split, ())}
        for one in sets:
            one.drop(SPLITS[:-number], items, split)


def card_notes(sets: Sequence[Dataset], split: str) -> list[str]:
    """The notes of a split, each with its data set; one line for all data sets of a source that share it."""
    names: dict[tuple[str, str], list[str]] = {}
    for one in sets:
        for text in one.notes.get(split, ()):
            names.setdefault((one.source, text), []).append(one.name)
    return [
        f"{named[0] if len(named) == 1 else f'{source} ({len(named)} data sets)'}, {split}: {text}"
        for (source, text), named in names.items()
    ]
