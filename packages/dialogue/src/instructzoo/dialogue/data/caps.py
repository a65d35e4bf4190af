"""Caps on the length of questions in training data, as InstructDial's settings.py has them. What is cut is counted.

    turns, cut = capped_turns(["Good morning", "Hello!", "Wake me at seven"], Caps(turns=2))
    # ["Hello!", "Wake me at seven"], 1

Answers to a user's dialogue, which is read in the same way, say in a note how many turns were not read.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from instructzoo.core import recipe as recipes


class Caps(recipes.Settings):
    """How long the parts of a question may be."""

    turns: int = Field(20, ge=1, description="turns of a dialogue, the last ones")
    dialogue_words: int = Field(400, ge=1, description="words of a dialogue, the last ones")
    knowledge_words: int = Field(250, ge=1, description="words of a document or another text beside, the first ones")


def capped_turns(turns: Sequence[str], caps: Caps) -> tuple[list[str], int]:
    """The end of a dialogue, as long as the caps allow.

    Args:
        turns: The texts of the turns, in order.
        caps: The caps. Words are what white space separates.

    Returns:
        The turns that are kept, the first of them possibly without its beginning, and how many turns were left out or
        shortened. The spaces of a turn that is kept whole are kept.
    """
    kept: list[str] = []
    words_left = caps.dialogue_words
    for turn in reversed(turns[-caps.turns :]):
        words = turn.split()
        if len(words) > words_left:
            kept += [" ".join(words[-words_left:])] if words_left else []
            break
        kept.append(turn)
        words_left -= len(words)
    kept.reverse()
    whole = len(kept) - (1 if kept and kept[0] != turns[-len(kept)] else 0)
    return kept, len(turns) - whole


def capped_text(text: str, words: int) -> tuple[str, int]:
    """The beginning of a text.

    Args:
        text: The text.
        words: How many words may be kept.

    Returns:
        The text, unchanged where it is short enough, and how many words were left out.
    """
    found = text.split()
    return (text, 0) if len(found) <= words else (" ".join(found[:words]), len(found) - words)
