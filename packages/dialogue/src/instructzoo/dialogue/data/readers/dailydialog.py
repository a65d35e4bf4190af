"""DailyDialog: a dialogue a line, with acts, emotions and topics in files beside.

    dialogues_text.txt       Good morning . __eou__ Hello ! How are you ? __eou__
    dialogues_act.txt        1 2                                                    a number for each turn
    dialogues_emotion.txt    0 4
    dialogues_topic.txt      1                                                      a number for each dialogue

Its parts are named dialogues_train.txt, dialogues_act_train.txt and so on. The two speakers, who take turns, are A and
B; acts are those of the turn, the emotion is labels["emotion"] of the turn, the topic labels["topic"] of the dialogue.
What has no file beside is not annotated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from instructzoo.core.data.line_files import lines, malformed
from instructzoo.core.errors import ZooError, location
from instructzoo.dialogue.data.readers.base import Beginning
from instructzoo.dialogue.data.readers.checks import checked_dialogue, checked_text
from instructzoo.dialogue.schema import Dialogue, Turn

END = "__eou__"
SPEAKERS = ("A", "B")
ACTS = ("inform", "question", "directive", "commissive")
EMOTIONS = ("no emotion", "anger", "disgust", "fear", "happiness", "sadness", "surprise")
TOPICS = (
    "ordinary life", "school life", "culture and education", "attitude and emotion", "relationship", "tourism",
    "health", "work", "politics", "finance",
)  # fmt: skip


def matches(beginning: Beginning) -> bool:
    """Whether the first line of the file has turns that end with __eou__."""
    return beginning.path.suffix == ".txt" and END in beginning.text.partition("\n")[0]


def read(path: Path) -> Iterator[Dialogue]:
    """Read the dialogues of a file.

    Args:
        path: The file with the texts.

    Yields:
        The dialogues.

    Raises:
        ZooError: With file:line for turns without text, and for numbers beside that are unknown or not one for each
            turn; for files beside with another number of lines.
    """
    texts = _lines(path)
    acts, emotions, topics = (_beside(path, kind, len(texts)) for kind in ("act", "emotion", "topic"))
    for index, line in enumerate(texts):
        where = location(path, index + 1)
        said = [checked_text(text, where) for text in line.strip().removesuffix(END).split(END)]
        turn_acts = _names(acts, index, ACTS, 1, len(said))
        turn_emotions = _names(emotions, index, EMOTIONS, 0, len(said))
        turns = [
            Turn(
                SPEAKERS[number % 2],
                text,
                acts=(turn_acts[number],) if turn_acts else None,
                labels={"emotion": turn_emotions[number]} if turn_emotions else {},
            )
            for number, text in enumerate(said)
        ]
        topic = _names(topics, index, TOPICS, 1, 1)
        yield checked_dialogue(turns, where, labels={"topic": topic[0]} if topic else {})


def _lines(path: Path) -> list[str]:
    """The lines of a file without blank ones at its end."""
    texts = [line for _, line in lines(path)]
    while not texts[-1].strip():
        texts.pop()
    return texts


def _beside(path: Path, kind: str, count: int) -> tuple[Path, list[str]] | None:
    """The file of a kind of annotation beside the texts, with its lines; None where there is none."""
    name = path.name.replace("dialogues_text", "dialogues", 1).replace("dialogues", f"dialogues_{kind}", 1)
    file = path.with_name(name)
    if file == path or not file.is_file():
        return None
    found = _lines(file)
    if len(found) != count:
        raise ZooError(f"{len(found):,} lines", f"{count:,}, as in {path.name}", "a line for each dialogue", str(file))
    return file, found


def _names(
    beside: tuple[Path, list[str]] | None, index: int, names: Sequence[str], first: int, count: int
) -> list[str]:
    """The names of the numbers in a line; none where there is no such file. first: the number of the first name."""
    if beside is None:
        return []
    file, found = beside
    where, numbers = location(file, index + 1), found[index].split()
    if len(numbers) != count:
        expected = f"{count}, one for each turn" if count > 1 else "one"
        raise ZooError(f"{len(numbers)} numbers", expected, "correct the line", where)
    by_number = {str(number): name for number, name in enumerate(names, first)}
    if unknown := [number for number in numbers if number not in by_number]:
        raise malformed(unknown[0], f"numbers from {first} to {first + len(names) - 1}", where)
    return [by_number[number] for number in numbers]
