"""Dialogues as callers give them, and the questions of a task type on them.

"Wake me at seven"                                               one user turn
["A table for two", "Where?", "In Oslo"]                         turns of user and system by turns
[{"role": "user", "text": "A table for two"}, ...]               the same with roles
{"turns": [...], "persona": "I like jazz."}                      with fields that some task types need
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from instructzoo.core.answers.questions import check_text
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Row
from instructzoo.dialogue.data.caps import Caps, capped_turns
from instructzoo.dialogue.data.field_format import FIELD_TOKENS, join_fields, join_turns
from instructzoo.dialogue.data.readers.own import ROLES
from instructzoo.dialogue.schema import Dialogue, Turn
from instructzoo.dialogue.tasks import ALL_CORRECT, TaskType

Input = str | Sequence[str | Mapping[str, Any]] | Mapping[str, Any]

MAX_TURNS = 1_000
"""Turns of one dialogue at most."""

CAPS = Caps()
"""How much of a dialogue is read: what the training data of InstructDial has."""

MAY_LACK_FIELDS = ("slots", "selection", "evaluation")
"""Groups of task types whose questions may have turns alone; others need the document, the persona, ... beside them."""


def read_dialogue(input: Input, max_characters: int) -> Dialogue:
    """Read a dialogue as a caller gives it.

    Args:
        input: A message, a list of turns, or an object with the key "turns".
        max_characters: Characters of all turns at most.

    Returns:
        The dialogue. Its last turn may be of either role.

    Raises:
        ZooError: There is no turn, a turn is malformed, a role is unknown, two turns of one role follow each other, or
            the dialogue is too long.
    """
    if isinstance(input, str):
        return Dialogue((Turn("user", _checked(input, max_characters)),))
    given = input.get("turns") if isinstance(input, Mapping) else input
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise ZooError(f"found {type(given).__name__}", 'a message, or turns such as ["Hello", "How can I help?"]')
    if not given:
        raise ZooError("a dialogue without turns", "at least one turn")
    if len(given) > MAX_TURNS:
        raise ZooError(f"{len(given):,} turns", f"at most {MAX_TURNS:,}", "give the part that matters")
    turns = tuple(_turn(turn, number, max_characters) for number, turn in enumerate(given, 1))
    for number, (previous, turn) in enumerate(pairwise(turns), 2):
        if previous.role == turn.role and turn.role in ROLES:
            fix = "join what one speaker says at a time"
            raise ZooError(
                f"turns {number - 1} and {number} are both of the {turn.role}", "user and system by turns", fix
            )
    if (length := sum(len(turn.text) for turn in turns)) > max_characters:
        raise ZooError(f"a dialogue of {length:,} characters", f"at most {max_characters:,}", "give its last part")
    return Dialogue(turns, _fields(input) if isinstance(input, Mapping) else {})


def _turn(turn: object, number: int, max_characters: int) -> Turn:
    place = f"turn {number}"
    if isinstance(turn, str):
        return Turn("user" if number % 2 else "system", _checked(turn, max_characters, place))
    if not isinstance(turn, Mapping):
        raise ZooError(f"found {type(turn).__name__}", 'a text, or {"role": "user", "text": "..."}', where=place)
    name = turn.get("speaker")
    role = name if isinstance(name, str) and name.strip() else ROLES.get(str(turn.get("role")), "")
    if not role:
        raise ZooError(f'the role "{turn.get("role")}"', suggest(str(turn.get("role")), ROLES), where=place)
    return Turn(role, _checked(turn.get("text"), max_characters, place))


def _checked(text: object, max_characters: int, place: str = "") -> str:
    try:
        return check_text(text, max_characters)
    except ZooError as error:
        raise ZooError(error.found, error.expected, error.fix, place) from error


def _fields(given: Mapping[str, Any]) -> dict[str, str]:
    """The texts beside the turns, by field token in small letters; other keys are the caller's own."""
    fields = {}
    for token in FIELD_TOKENS:
        name = token.lower()
        if name in given and token not in ("CONTEXT", "RESPONSE"):
            if not isinstance(given[name], str):
                raise ZooError(f'"{name}" is {type(given[name]).__name__}', "a text")
            fields[name] = given[name]
    return fields


def asked_turn(dialogue: Dialogue, task: TaskType) -> int:
    """The index of the turn that a question of the task type is about: the user's last one, or the last of all.

    Raises:
        ZooError: The task type is about what the user says, and there is no turn of the user.
    """
    if not (task.group in ("slots", "state") or task.name.startswith("intent_")):
        return len(dialogue.turns) - 1
    of_user = [index for index, turn in enumerate(dialogue.turns) if turn.role == "user"]
    if not of_user:
        raise ZooError("no turn of the user", f"one, for the task {task.name}")
    return of_user[-1]


def question(
    dialogue: Dialogue,
    task: TaskType,
    options: Sequence[str] = (),
    values: Mapping[str, Sequence[str]] = MappingProxyType({}),
    names: Mapping[str, str] = MappingProxyType({}),
) -> Row:
    """The question of a task type on a dialogue, with the first wording of its instruction.

    Args:
        dialogue: The dialogue.
        task: The task type.
        options: Answers on offer, or names of slots.
        values: By slot, values that an answer may have although the dialogue does not contain them.
        names: What the instruction names, such as {"slot": "city"}.

    Returns:
        A row of the domain.

    Raises:
        ZooError: The dialogue lacks what the task type needs.
    """
    turns, _ = _context(dialogue, task)
    is_numbered = task.name.startswith("find_")  # such as find_missing_utterance, which is answered with an index
    own = {"CONTEXT": join_turns(turns, is_numbered), "RESPONSE": dialogue.turns[asked_turn(dialogue, task)].text}
    texts = {token: own.get(token, dialogue.fields.get(token.lower())) for token in task.fields}
    if task.options == "turns":
        options = (*map(str, range(len(turns))), ALL_CORRECT)
    beside = [token.lower() for token in task.fields if token not in own]
    if beside and task.group not in MAY_LACK_FIELDS and not any(name in dialogue.fields for name in beside):
        found = f"nothing that the task {task.name} rests on"
        raise ZooError(found, f"a text for {' or '.join(beside)}", f'give {{"turns": [...], "{beside[0]}": "..."}}')
    return {
        "instruction": "",
        "input": join_fields((token, text) for token, text in texts.items() if text is not None),
        "output": "",
        "task": task.name,
        "options": list(options),
        "values": {slot: list(of_slot) for slot, of_slot in values.items()},
        "names": dict(names),
    }


def _context(dialogue: Dialogue, task: TaskType) -> tuple[list[str], int]:
    """The turns of the context, capped as in training, and how many were left out or shortened."""
    end = asked_turn(dialogue, task) + ("RESPONSE" not in task.fields)  # else the turn has a field of its own
    return capped_turns([turn.text for turn in dialogue.turns[:end]], CAPS)


def unread_turns(dialogue: Dialogue, task: TaskType) -> int:
    """How many turns a question of the task type leaves out or shortens: it shows the end of the dialogue."""
    return _context(dialogue, task)[1]
