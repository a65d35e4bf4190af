"""Text files of ParlAI, such as ConvAI2 and PersonaChat, in its two forms.

    1 your persona: i like jazz.                       numbered lines; number 1 begins a dialogue
    2 hello !<tab>hi , do you like music ?<tab><tab>candidate|candidate|hi , do you like music ?
    3 i do .<tab>me too .

    text:hello !<tab>labels:hi there<tab>episode_done:True         names and values; the last line says that it ends

A line is what the user says and what the system answers. "your persona" is the system's: fields["persona"];
"partner's persona" is fields["partner's persona"]. Of several answers the first is read, and the others are counted.
Candidates, which are answers of other dialogues, and rewards are not read. __SILENCE__ is no turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from instructzoo.core.data.line_files import lines, malformed
from instructzoo.core.errors import ZooError, location
from instructzoo.dialogue.data.readers.base import Beginning
from instructzoo.dialogue.data.readers.checks import checked_dialogue
from instructzoo.dialogue.schema import Dialogue, Turn

SEVERAL_ANSWERS = "turns with several answers, read with the first"
SILENCE = "__SILENCE__"

_BEGINNING = re.compile(r"1 (?:your|partner's) persona:|1 [^\t\n]+\t|text:[^\n]*\t(?:eval_)?labels:")
_NUMBERED = re.compile(r"(\d{1,6}) (.*)", re.DOTALL)
_PERSONA = re.compile(r"(your|partner's) persona:\s*(.*)")
_KEYS = ("text", "labels", "eval_labels", "reward", "label_candidates", "episode_done", "id")


@dataclass
class _Episode:
    """A dialogue while its lines are read."""

    where: str
    turns: list[Turn] = field(default_factory=list)
    personas: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(self, text: str, answers: list[str]) -> None:
        """Add what the user says, which personas may precede, and the system's answers to it."""
        said = []
        for line in filter(None, map(str.strip, text.replace("\\n", "\n").split("\n"))):
            if match := _PERSONA.fullmatch(line):
                name = "persona" if match[1] == "your" else "partner's persona"
                self.personas.setdefault(name, []).append(match[2].strip())
            elif line != SILENCE:
                said.append(line)
        self.turns += [Turn("user", " ".join(said))] if said else []
        self.turns += [Turn("system", answer) for answer in answers[:1]]
        self.remarks += [SEVERAL_ANSWERS] * (len(answers) > 1)

    def dialogue(self) -> Dialogue:
        """The dialogue. Raises ZooError where nobody says anything."""
        fields = {name: " ".join(sentences) for name, sentences in self.personas.items()}
        return replace(checked_dialogue(self.turns, self.where, fields), remarks=tuple(self.remarks))


def matches(beginning: Beginning) -> bool:
    """Whether the file begins with a line of one of the two forms."""
    return bool(_BEGINNING.match(beginning.text))


def read(path: Path) -> Iterator[Dialogue]:
    """Read the dialogues of a file.

    Args:
        path: The text file.

    Yields:
        The dialogues.

    Raises:
        ZooError: With file:line for lines that are malformed or out of order, and for dialogues in which nobody says
            anything.
    """
    episode: _Episode | None = None
    last = 0  # number of the line before in its dialogue, in the first form
    for line_number, line in lines(path):
        if not line.strip():
            continue
        where = location(path, line_number)
        is_named = line.startswith("text:")
        number, text, answers, ends = _named(line, where) if is_named else _numbered(line, where)
        if not is_named and number not in (1, last + 1):
            raise ZooError(f"the number {number}", f"{last + 1}, or 1 where a dialogue begins", "number it", where)
        if episode and number == 1:
            yield episode.dialogue()
            episode = None
        episode, last = episode or _Episode(where), number
        episode.add(text, answers)
        if ends:
            yield episode.dialogue()
            episode = None
    if episode:
        yield episode.dialogue()


def _numbered(line: str, where: str) -> tuple[int, str, list[str], bool]:
    """(number, text, answers, whether the dialogue ends) of a line of the first form."""
    match = _NUMBERED.fullmatch(line)
    if not match:
        raise malformed(line, "a number, a space, and tabs between text, answer, reward and candidates", where)
    text, *rest = match[2].split("\t")
    return int(match[1]), text, _split(rest[0] if rest else ""), False


def _named(line: str, where: str) -> tuple[int, str, list[str], bool]:
    """The same of a line of the second form, whose number is 0."""
    values: dict[str, str] = {}
    for part in line.split("\t"):
        key, colon, value = part.partition(":")
        if not colon or key in values:
            raise malformed(part, "a name once, a colon and its value", where)
        values[key] = value
    return 0, values["text"], _split(_labels(values)), values.get("episode_done", "").strip() == "True"


def _labels(values: Mapping[str, str]) -> str:
    return values.get("labels") or values.get("eval_labels") or ""


def _split(answers: str) -> list[str]:
    return [text for answer in answers.split("|") if (text := " ".join(answer.replace("\\n", " ").split()))]
