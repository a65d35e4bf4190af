"""Opens teachers by the names that users type.

openai:MODEL@URL    a chat endpoint in OpenAI's format (endpoint.py); URL such as https://host/v1
local:BACKBONE      a language model in this process: a name of `zoo fetch --list`, a folder or a hub id (local.py)
script:FILE         recorded answers, JSON Lines of {"prompt", "answer"} (replay.py); a response cache is such a file
"""

from __future__ import annotations

from pathlib import Path

from instructzoo.core.errors import ZooError
from instructzoo.core.synth.teacher import Settings, Teacher

KINDS = "openai:MODEL@URL, local:BACKBONE or script:FILE"


def open_teacher(spec: str, settings: Settings = Settings()) -> Teacher:  # noqa: B008 - frozen
    """Open a teacher.

    Args:
        spec: One of the three forms above.
        settings: How the teacher is prompted; a script ignores them.

    Returns:
        The teacher.

    Raises:
        ZooError: The spec is of no known kind, or the teacher is not available.

    Example:
        >>> teacher = open_teacher("openai:llama@http://127.0.0.1:8000/v1", Settings(temperature=0.2))
        >>> teacher.answer(["Name a colour."])
    """
    # imported where used: a local model needs torch, an endpoint needs httpx
    kind, _, name = spec.partition(":")
    if kind == "openai" and name:
        from instructzoo.core.synth.endpoint import Endpoint

        return Endpoint.open(name, settings)
    if kind == "local" and name:
        from instructzoo.core.synth.local import Local

        return Local.open(name, settings)
    if kind == "script" and name:
        from instructzoo.core.synth.replay import Replay

        return Replay.open(Path(name))
    raise ZooError(f'no teacher "{spec}"', KINDS, where="--teacher")
