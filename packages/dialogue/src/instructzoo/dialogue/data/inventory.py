"""The labels of a data set: what its questions can offer.

inventory = Inventory.of(dialogues, "snips")
inventory.options("intent")                        # ("add to playlist", "book restaurant", ...)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from instructzoo.dialogue.data.label_names import labels_in_words
from instructzoo.dialogue.data.leave_one_out import IntentExamples, by_intent
from instructzoo.dialogue.schema import Dialogue, Slot

LABELS = ("emotion", "strategy", "nli", "verdict", "relation")
"""Kinds of other labels that questions offer."""

RATING = "rating "
"""How the kinds of labels begin that rate a turn by a criterion."""

REQUESTED = "requested slots"
"""The label of a turn that names the slots that the system has requested before it."""


@dataclass(frozen=True)
class Inventory:
    """All labels of one data set.

    Attributes:
        labels: By kind ("intent", "act", "slot", "state", LABELS and ratings) the words of each label.
        values: For each slot of the state, in words, the values of the training part that some dialogue does not
            contain as they are written.
        responses: Turns of the training part, from which wrong candidates are drawn.
        utterances: Utterances of the training part by intent, for questions that ask for another one.
        out_of_scope: Whether some turns have an intent that is none of the options.
    """

    labels: Mapping[str, Mapping[str, str]]
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    responses: Sequence[str] = ()
    out_of_scope: bool = False
    utterances: Mapping[str, IntentExamples] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        dialogues: Sequence[Dialogue],
        where: str,
        training: Sequence[Dialogue] | None = None,
        state_slots: Sequence[str] = (),
    ) -> Inventory:
        """Collect the labels of dialogues, each kind in alphabetical order.

        Args:
            dialogues: All dialogues of the data set.
            where: Named in error messages.
            training: Its training part, from which values and wrong candidates are taken; None: all dialogues.
            state_slots: The slots of the state, as the files write them; empty: all that occur.

        Returns:
            The labels.

        Raises:
            ZooError: Two labels of a kind become the same words.
        """
        found: dict[str, set[str]] = {}
        for dialogue in dialogues:
            for kind, label in _labels(dialogue):
                if kind != "state" or not state_slots or label in state_slots:
                    found.setdefault(kind, set()).add(label)
        labels = {kind: labels_in_words(sorted(names), f"{where}, {kind}") for kind, names in sorted(found.items())}
        training = dialogues if training is None else training
        responses = tuple(dict.fromkeys(t.text for d in training for t in d.turns[1:] if t.text))
        out_of_scope = any(turn.intent == "" for dialogue in dialogues for turn in dialogue.turns)
        utterances = by_intent(turn for dialogue in training for turn in dialogue.turns)
        values = _unwritten_values(training, labels.get("state", {}))
        return cls(labels, values, responses, out_of_scope, utterances)

    def options(self, kind: str) -> tuple[str, ...]:
        """All labels of a kind, in words; empty where the data set has none."""
        return tuple(self.labels.get(kind, {}).values())

    def word(self, kind: str, label: str) -> str:
        """A label in words."""
        return self.labels[kind][label]

    def slots(self, kind: str, slots: Iterable[Slot]) -> tuple[Slot, ...]:
        """Slots with their names in words; those that are not labels of the kind are left out."""
        words = self.labels.get(kind, {})
        return tuple(Slot(words[slot.name], slot.value, slot.start, slot.end) for slot in slots if slot.name in words)


def contains(text: str, value: str) -> bool:
    """Whether a text contains a value as whole words, written in the same way."""
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None


def _labels(dialogue: Dialogue) -> Iterator[tuple[str, str]]:
    """Kind and label of everything that a dialogue is annotated with."""
    yield from ((kind, label) for kind, label in dialogue.labels.items() if _is_offered(kind))
    for turn in dialogue.turns:
        yield from ((kind, label) for kind, label in turn.labels.items() if _is_offered(kind))
        if turn.intent:
            yield "intent", turn.intent
        yield from (("act", act) for act in turn.acts or ())
        yield from (("slot", slot.name) for slot in turn.slots or ())
        yield from (("state", slot.name) for slot in turn.state or ())


def _is_offered(kind: str) -> bool:
    return kind in LABELS or kind.startswith(RATING)


def _unwritten_values(dialogues: Iterable[Dialogue], words: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """By slot of the state, in words, the values that the dialogue so far does not contain, in alphabetical order."""
    values: dict[str, set[str]] = {name: set() for name in words.values()}
    for dialogue in dialogues:
        text = ""
        for turn in dialogue.turns:
            text += f"{turn.text}\n"
            for slot in turn.state or ():
                if slot.name in words and slot.value not in values[words[slot.name]] and not contains(text, slot.value):
                    values[words[slot.name]].add(slot.value)
    return {name: tuple(sorted(found)) for name, found in values.items() if found}
