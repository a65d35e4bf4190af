"""Reads files of published formats and own files as dialogues: detects a file's format and calls its reader.

| format | used by |
| --- | --- |
| joint-bert | seq.in, seq.out and label beside each other: SNIPS, ATIS, HWU64, few-shot splits |
| snips | SNIPS' own JSON |
| banking77 | BANKING77's CSV: text,category |
| clinc150 | CLINC150's JSON, one file with all parts and what is out of scope |
| span-extraction | JSON of Restaurant8k and DSTC8 |
| woz2 | WOZ 2.0's JSON, with states |
| dialogstudio | the common form of DialogStudio's data sets |
| parlai | ParlAI's text files: ConvAI2, PersonaChat |
| dailydialog | dialogues_text.txt, with acts, emotions and topics in files beside |
| summaries | SAMSum and DialogSum |
| threads | OASST, ShareGPT, chat messages |
| rasa | Rasa's training data for understanding, in YAML |
| own | own utterances and dialogues, as JSON Lines, a JSON list, CSV or TSV |

A format is a module with `read(path)`, which yields dialogues, and `matches(beginning)`, which says whether a file
begins as its files do. The first format that matches is taken: special ones stand before general ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from instructzoo.core.errors import ZooError, suggest
from instructzoo.dialogue.data.readers import (
    banking77,
    clinc150,
    dailydialog,
    dialogstudio,
    joint_bert,
    own,
    parlai,
    rasa,
    snips,
    span_extraction,
    summaries,
    threads,
    woz2,
)
from instructzoo.dialogue.data.readers.base import Beginning, beginning_of
from instructzoo.dialogue.schema import Dialogue


class Reader(NamedTuple):
    """A format: how its files begin, and how they are read."""

    matches: Callable[[Beginning], bool]
    read: Callable[[Path], Iterator[Dialogue]]


READERS: Mapping[str, Reader] = {
    "joint-bert": Reader(joint_bert.matches, joint_bert.read),
    "snips": Reader(snips.matches, snips.read),
    "clinc150": Reader(clinc150.matches, clinc150.read),
    "span-extraction": Reader(span_extraction.matches, span_extraction.read),
    "woz2": Reader(woz2.matches, woz2.read),
    "dialogstudio": Reader(dialogstudio.matches, dialogstudio.read),
    "banking77": Reader(banking77.matches, banking77.read),
    "rasa": Reader(rasa.matches, rasa.read),
    "own": Reader(own.matches, own.read),
    "parlai": Reader(parlai.matches, parlai.read),
    "dailydialog": Reader(dailydialog.matches, dailydialog.read),
    "summaries": Reader(summaries.matches, summaries.read),
    "threads": Reader(threads.matches, threads.read),
}


_BESIDE = re.compile(r"seq\.out|label|(?:intent|slot)_label\.txt|dialogues_(?:act|emotion|topic)(?:_\w+)?\.txt")


def stands_beside(path: Path) -> bool:
    """Whether a file is read with another one: the tags and intents of seq.in, the acts of DailyDialog's texts."""
    return bool(_BESIDE.fullmatch(path.name))


def format_of(path: Path) -> str | None:
    """Detect the format of a file from its name and its beginning.

    Args:
        path: The file; for joint-bert also the folder.

    Returns:
        A key of READERS; None for a file in no known format, such as rows of the zoo.
    """
    beginning = beginning_of(path)
    return next((name for name, reader in READERS.items() if reader.matches(beginning)), None)


def read_file(path: Path, format: str = "") -> Iterator[Dialogue]:
    """Read the dialogues of a file.

    Args:
        path: The file; for joint-bert also the folder.
        format: A key of READERS; "" detects the format.

    Returns:
        The dialogues, read as they are consumed.

    Raises:
        ZooError: For an unknown format, a file in no known format, and with file:line for whatever a reader rejects.
    """
    name = format or format_of(path)
    if name is None:
        formats = f"one of {', '.join(READERS)}"
        raise ZooError("a file in no known format", formats, "the package's README describes them", str(path))
    if name not in READERS:
        raise ZooError(f'the format "{name}"', suggest(name, READERS), where=str(path))
    return READERS[name].read(path)
