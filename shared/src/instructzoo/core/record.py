"""Record and Turn: one instruction instance, its source and its licence.

    {"instruction": "What is 2 + 3?", "input": "2 + 3", "output": "2 + 3 = 5", "source": "world", "licence": "MIT"}

Inside the project a row is a plain dict (`Row`), so that a million rows stay cheap and `datasets` takes them without
conversion. `Record` is the validated form for rows that come from outside: files of a user, and tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from instructzoo.core.errors import ZooError

Row = dict[str, Any]
"""One instruction instance. Every row has `id`, `instruction`, `input`, `output`, `source` and `licence`. `item` names
the problem itself, whatever its wording: two rows of one item are never in different splits. All other columns belong
to the domain."""

TEXT_COLUMNS = ("instruction", "input", "output", "source", "licence")


class Segment(NamedTuple):
    """A piece of a rendered row, and whether its tokens are supervised (part of the target)."""

    text: str
    supervised: bool


class Turn(NamedTuple):
    """One message of a dialogue history."""

    role: str
    text: str


class Invalid(NamedTuple):
    """What `prompts.parse` returns for an answer that cannot be parsed, with the reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """A validated row.

    Args:
        instruction: What to do, in words.
        input: What to do it with; empty where the instruction says all.
        output: The target text; empty where it is not known.
        source: The data set that the row comes from.
        licence: The licence of that data set.
        item: The identity of the problem, whatever its wording; empty: `item_key` of instruction and input.
        extra: The domain's own columns.

    Example:
        >>> Record("What is 2 + 3?", "2 + 3", "2 + 3 = 5", "world", "MIT").row()["item"]
        'what is 2 + 3? 2 + 3'
    """

    instruction: str
    input: str = ""
    output: str = ""
    source: str = ""
    licence: str = ""
    item: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_row(cls, row: Mapping[str, Any], where: str = "") -> Record:
        """Validate one row.

        Args:
            row: The row as it was read; `None` in a text column other than `instruction` counts as empty.
            where: Its place for error messages, as `file:line`.

        Returns:
            The record. A column `id` is dropped: `row` computes it anew.

        Raises:
            ZooError: The row is no mapping, a column is missing or of a wrong type, or there is no text to answer.
        """
        if not isinstance(row, Mapping):
            raise ZooError(f"found {type(row).__name__}", "an object with instruction, input, output", where=where)
        columns = {f.name for f in fields(cls)} - {"extra"}
        if "instruction" not in row:
            keys = ", ".join(map(str, row)) or "no keys"
            raise ZooError(f'no "instruction" among: {keys}', 'the keys "instruction", "input", "output"', where=where)
        values = {}
        for name in sorted(columns & set(row)):
            value = row[name]
            if value is None and name != "instruction":
                value = ""
            if not isinstance(value, str):
                raise ZooError(f'"{name}" is {type(value).__name__}', "text", "quote the value", where)
            values[name] = value
        if not (values["instruction"].strip() or values.get("input", "").strip()):
            raise ZooError("instruction and input are both empty", "a text to answer", where=where)
        extra = {key: value for key, value in row.items() if key not in columns and key != "id"}
        return cls(**values, extra=extra)

    def row(self) -> Row:
        """The plain dict form, with `id` and `item` filled in."""
        row: Row = {"instruction": self.instruction, "input": self.input, "output": self.output}
        row |= {"source": self.source, "licence": self.licence, **self.extra}
        row["id"] = row_id(self.instruction, self.input, self.output)
        row["item"] = self.item or item_key(self.instruction, self.input)
        return row


def row_id(instruction: str, input: str, output: str) -> str:
    """16 hex digits of the content: equal rows have equal ids on every machine.

    Args:
        instruction: The row's instruction.
        input: The row's input.
        output: The row's output.

    Returns:
        The 64-bit BLAKE2b hash of the three texts.
    """
    joined = f"{instruction}\x1f{input}\x1f{output}".encode()
    return hashlib.blake2b(joined, digest_size=8).hexdigest()


def item_key(instruction: str, input: str) -> str:
    """The default identity of a problem: its text, lower-cased, with single spaces.

    Args:
        instruction: The row's instruction.
        input: The row's input.

    Returns:
        The key. Rows that share it stay in one split.
    """
    return " ".join(f"{instruction} {input}".casefold().split())
