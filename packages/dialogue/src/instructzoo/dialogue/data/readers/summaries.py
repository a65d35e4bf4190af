"""SAMSum and DialogSum: dialogues as one text, with their summary.

    [{"id": "1", "dialogue": "Ann: Are you in?\\r\\nBo: Soon!", "summary": "Bo will be in soon."}]        SAMSum
    {"fname": "train_0", "dialogue": "#Person1#: Are you in?\\n#Person2#: Soon!", "summary": "...",
     "topic": "meeting"}                                                                              DialogSum, a line

The roles are the names of the speakers. A line without a name goes on with the turn before it. Of several summaries
(summary1, summary2, ...) the first is read, which is counted; so is a dialogue without words, which is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from instructzoo.core.data.json_objects import objects
from instructzoo.core.data.line_files import LeftOut, malformed
from instructzoo.dialogue.data.readers.base import Beginning
from instructzoo.dialogue.data.readers.checks import checked_dialogue, text_of, with_words
from instructzoo.dialogue.schema import Dialogue, Turn

NO_WORDS = "dialogues without words, left out"
SEVERAL_SUMMARIES = "dialogues with several summaries, read with the first"

_NAMED = re.compile(r"#?([^:#]{1,60}?)#?\s*:(?:\s+(.*)|$)", re.DOTALL)


def matches(beginning: Beginning) -> bool:
    """Whether the file begins with a dialogue as one text, and its summary."""
    values = beginning.object
    return isinstance(values.get("dialogue"), str) and bool({"summary", "summary1"} & set(values))


def read(path: Path) -> Iterator[Dialogue]:
    """Read the dialogues of a file.

    Args:
        path: A JSON list, or JSON Lines.

    Returns:
        The dialogues, read as they are consumed.

    Raises:
        ZooError: With file:line for objects without dialogue or summary, and dialogues that begin without a name; where
            no dialogue has words.
    """
    return with_words((_dialogue(values, where) for where, values in objects(path)), path)


def _dialogue(values: Mapping[str, Any], where: str) -> Dialogue | LeftOut:
    text = text_of(values, "dialogue", where)
    if not text.strip():
        return LeftOut(where, NO_WORDS)
    key = "summary" if "summary" in values else "summary1"
    fields = {"summary": text_of(values, key, where)}
    topic = values.get("topic", values.get("topic1"))
    labels = {"topic": topic.strip()} if isinstance(topic, str) and topic.strip() else {}
    dialogue = checked_dialogue(named_turns(text, where), where, fields, labels)
    return replace(dialogue, remarks=(SEVERAL_SUMMARIES,)) if "summary2" in values else dialogue


def named_turns(text: str, where: str) -> list[Turn]:
    """The turns of a text with a name before each.

    Args:
        text: Lines such as "Ann: Hi"; one without a name goes on with the turn before it.
        where: The place in the file, for error messages.

    Returns:
        The turns; a line in which nothing is said is none.

    Raises:
        ZooError: The first line has no name.
    """
    said: list[tuple[str, list[str]]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _NAMED.fullmatch(line)
        if match:
            said.append((match[1].strip(), [match[2] or ""]))
        elif said:
            said[-1][1].append(line)
        else:
            raise malformed(line, "a line that begins with the speaker's name and a colon", where)
    joined = ((name, " ".join(" ".join(parts).split())) for name, parts in said)
    return [Turn(name, words) for name, words in joined if words]
