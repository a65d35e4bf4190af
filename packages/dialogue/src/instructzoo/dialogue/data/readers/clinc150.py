"""CLINC150: one file with all parts, each a list of [text, intent]; what no intent fits stands in parts of its own.

{"train": [["play some jazz", "play_music"]], "oos_train": [["how tall is the moon", "oos"]], "val": ...}

The intent of an utterance out of scope is "": it is no intent that a question could offer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from instructzoo.core.data.json_objects import single_object
from instructzoo.core.data.line_files import malformed
from instructzoo.core.errors import ZooError, suggest
from instructzoo.dialogue.data.readers.base import Beginning, utterance
from instructzoo.dialogue.schema import Dialogue

OUT_OF_SCOPE = "oos"
PARTS = {
    f"{prefix}{part}": split
    for prefix in ("", "oos_")
    for part, split in (("train", "train"), ("val", "validation"), ("test", "test"))
}
"""The parts of a file, with the split that each belongs to."""

_BEGINNING = re.compile(r'\{\s*"(?:oos_)?(?:train|val|test)"\s*:\s*\[\s*\[')


def matches(beginning: Beginning) -> bool:
    """Whether the file begins with a part of CLINC150."""
    return bool(_BEGINNING.match(beginning.text))


def read(path: Path) -> Iterator[Dialogue]:
    """The utterances of a file, with the split that each part belongs to.

    Args:
        path: The JSON file.

    Yields:
        A dialogue of one turn for each utterance.

    Raises:
        ZooError: For an unknown part; with the part and number of the utterance for anything but [text, intent], and
            for an intent in a part that is out of scope.
    """
    for part, utterances in single_object(path).items():
        if part not in PARTS:
            raise ZooError(f'the part "{part[:40]}"', suggest(part[:40], PARTS), "rename or remove it", str(path))
        if not isinstance(utterances, list):
            raise malformed(utterances, "a list of [text, intent]", f"{path}, {part}")
        for number, values in enumerate(utterances, 1):
            where = f"{path}, {part} {number}"
            if not isinstance(values, list) or [type(value) for value in values] != [str, str] or not values[1].strip():
                raise malformed(values, "[text, intent]", where)
            text, intent = values[0], values[1].strip()
            if part.startswith(OUT_OF_SCOPE) and intent != OUT_OF_SCOPE:
                raise ZooError(f'the intent "{intent[:40]}"', f'"{OUT_OF_SCOPE}", as the part says', "move it", where)
            yield utterance(text, where, "" if intent == OUT_OF_SCOPE else intent, split=PARTS[part])
