"""Answering the items of a file block by block: progress and faults, with memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from instructzoo.core.errors import ZooError

Item = TypeVar("Item")
Answer = TypeVar("Answer")

NAMED_FAULTS = 5
"""Faults that a summary names; the others are counted."""


@dataclass
class Faults:
    """The items that could not be answered: how many, and the first NAMED_FAULTS with the reason.

    first: (what names the item, such as its line number; the reason) of each.
    """

    count: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, reason: str) -> None:
        """Count a fault, and keep it if it is among the first.

        Args:
            name: What is at fault, such as a line or a file.
            reason: Why it cannot be used.
        """
        self.count += 1
        if len(self.first) < NAMED_FAULTS:
            self.first.append((name, reason))


def blocks(
    items: Iterable[Item], most_items: int, size: Callable[[Item], int] = lambda item: 1, most_size: int | None = None
) -> Iterator[list[Item]]:
    """Items in blocks, for one call of the model each.

    Args:
        items: A stream; one block of it is in memory at a time.
        most_items: Items of a block.
        size: What an item weighs, such as its characters or its questions.
        most_size: A block ends with the item that brings its weight to this; none: weights do not count.

    Yields:
        The blocks in order; none is empty.
    """
    block: list[Item] = []
    weight = 0
    for item in items:
        block.append(item)
        weight += size(item)
        if len(block) >= most_items or (most_size is not None and weight >= most_size):
            yield block
            block, weight = [], 0
    if block:
        yield block


def answer_or_reason(
    items: Sequence[Item], answer: Callable[[Sequence[Item]], Sequence[Answer]]
) -> list[Answer | ZooError]:
    """The answer to every item, or the error that says why there is none.

    Where the items cannot be answered together, each is answered alone, so that one bad item spoils no other.

    Args:
        items: The items.
        answer: Gives one answer per item, in order. It may raise ZooError.

    Returns:
        One answer or error per item, in order.
    """
    if not items:
        return []
    try:
        return list(answer(items))
    except ZooError:
        return [_alone(item, answer) for item in items]


def _alone(item: Item, answer: Callable[[Sequence[Item]], Sequence[Answer]]) -> Answer | ZooError:
    try:
        (only,) = answer([item])
    except ZooError as error:
        return error
    return only
