"""The wordings of each task type's instruction, written for this package; one is drawn for each row by its seed.

Placeholders such as {slot} are what the instruction names (`TaskType.names`).
"""

from __future__ import annotations

from collections.abc import Mapping

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.prompts.instructions.generation import GENERATION
from instructzoo.dialogue.prompts.instructions.understanding import UNDERSTANDING
from instructzoo.dialogue.tasks import TASKS

INSTRUCTIONS: dict[str, tuple[str, ...]] = {**UNDERSTANDING, **GENERATION}


def filled(wording: str, task: str, names: Mapping[str, str]) -> str:
    """A wording with what it names.

    Args:
        wording: One of the task type's wordings.
        task: The task type.
        names: By placeholder, what stands there.

    Returns:
        The instruction.

    Raises:
        ZooError: A name that the task type's wordings need is missing.
    """
    if missing := set(TASKS[task].names) - set(names):
        found = f"no {' and no '.join(sorted(missing))} for the instruction of {task}"
        raise ZooError(found, f"names: {', '.join(TASKS[task].names)}", "name what the question is about")
    return wording.format_map(names)


def general(wording: str) -> str:
    """A wording that names nothing: "..." stands for what it would name."""
    return wording.format_map(_Dots())


class _Dots(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "..."
