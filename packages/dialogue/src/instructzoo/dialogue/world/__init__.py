"""The microworld of dialogue: made-up conversations with a program's bookings, weather, music and smart homes.

    {"task": "intent_classification", "input": "[CONTEXT] [RESPONSE] play some jazz", "output": "play music", ...}

A problem belongs to one split, whatever the seed and the wording.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from instructzoo.core import recipe
from instructzoo.core.data.microworld import draw_split
from instructzoo.core.record import Row
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Example

_REQUESTS = {
    "play music": ("play some {}", ("jazz", "rock", "blues", "techno", "opera", "folk", "soul", "funk")),
    "get weather": ("how is the weather in {}", ("oslo", "rome", "lima", "cairo", "delhi", "paris", "quito", "tunis")),
    "set alarm": ("wake me at {}", ("five", "six", "seven", "eight", "nine", "ten", "noon", "midnight")),
}


class Settings(recipe.Settings):
    """What is drawn; a recipe sets it under data.world."""

    options: int = Field(3, ge=2, le=3, description="intents on offer")


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    """Rows of a split, equal for equal arguments.

    Args:
        n: Number of rows.
        seed: Another seed draws other rows.
        split: "train", "validation" or "test".
        settings: What is drawn.

    Raises:
        ZooError: For an unknown split.
    """
    rng = Random(f"{seed} {split}")
    return draw_split(n, split, lambda: _row(rng, settings))


def _row(rng: Random, settings: Settings) -> Row:
    intent = rng.choice(sorted(_REQUESTS))
    template, values = _REQUESTS[intent]
    text = template.format(rng.choice(values))
    fields = (("CONTEXT", ""), ("RESPONSE", text))
    options = tuple(rng.sample(sorted(_REQUESTS), settings.options))
    options = options if intent in options else (*options[1:], intent)
    return make_row(
        Example("intent_classification", fields, intent, options, item=text), "world", "world", "Apache-2.0"
    )
