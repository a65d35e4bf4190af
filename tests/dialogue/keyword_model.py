"""A predictor that answers by keywords: for tests of the demo, which need no trained model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.testing import Scripted
from instructzoo.dialogue.data.field_format import split_fields
from instructzoo.dialogue.data.row_fields import options_of

VALUES = {
    "people": r"two|three|four", "city": r"lagos|oslo", "time": r"half past \w+|noon", "food": r"thai|italian",
    "room": r"attic|kitchen", "device": r"fan|lamp",
}  # fmt: skip
RESPONSES = {"food": "sure, what kind of food?", "city": "in which city?", "time": "at what time?"}


class KeywordModel(Scripted):
    """Chooses the option that shares a word with the text, and copies the values of slots that it knows."""

    def __init__(self, overrides: Sequence[str] = ()) -> None:
        super().__init__(domains.get("dialogue"))
        self.recipe = recipes.load("dialogue/tiny", list(overrides))

    def answer(self, rows: list[Any]) -> list[str]:
        return [self._answer(row) for row in rows]

    def _answer(self, row: Any) -> str:
        text = split_fields(row["input"])[-1][1].lower()
        if row["task"] in ("slot_filling", "belief_state_generation"):
            found = {slot: re.findall(VALUES[slot], text) for slot in options_of(row) if slot in VALUES}
            return "; ".join(f"{slot}: {values[-1]}" for slot, values in found.items() if values) or "none"
        if row["task"] == "response_generation":
            missing = [slot for slot, pattern in VALUES.items() if not re.search(pattern, text)]
            return next((RESPONSES[slot] for slot in missing if slot in RESPONSES), "all booked.")
        if row["task"] == "summarization":
            return "The user wants a table."
        options = options_of(row)
        shared = (option for option in options if set(option.split()) & set(re.findall(r"\w+", text)))
        return next(shared, options[-1]) if options else "none"
