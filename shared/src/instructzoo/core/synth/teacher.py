"""Teacher: anything that answers prompts. One name opens each kind.

    openai:MODEL@URL    a chat endpoint of the form that OpenAI made common (endpoint.py); URL such as https://host/v1
    local:BACKBONE      a language model in this process: a name of `zoo fetch --list`, a folder or a hub id (local.py)
    script:FILE         answers written down before, JSON Lines of {"prompt", "answer"}; a journal is such a file

In Python, any object with `identity` and `answer` is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from pydantic import Field

from instructzoo.core import settings as core
from instructzoo.core.errors import ZooError

KINDS = "openai:MODEL@URL, local:BACKBONE or script:FILE"


class Settings(core.Settings):
    """How a teacher is asked. Temperature to max_tokens default to those of InstructPix2Pix (arXiv:2211.09800)."""

    temperature: float = Field(0.7, ge=0, le=2, description="sampling temperature; 0: greedy")
    top_p: float = Field(1.0, gt=0, le=1, description="nucleus of sampling, as a probability")
    frequency_penalty: float = Field(0.1, ge=-2, le=2, description="as endpoints define it; a local model has none")
    max_tokens: int = Field(256, ge=1, description="tokens of an answer at most")
    stop: tuple[str, ...] = Field((), max_length=4, description="texts at which an answer ends; they are left out")
    template: Literal["chat", "plain"] | None = Field(
        None, description="of a local model; none: chat where its tokenizer has a chat template"
    )
    batch: int = Field(16, ge=1, description="prompts that a local model or a Python object is asked at once")
    workers: int = Field(8, ge=1, description="requests to an endpoint under way at once")
    timeout: float = Field(120.0, gt=0, description="seconds to wait for an endpoint's answer")
    retries: int = Field(5, ge=0, description="further requests after one that an endpoint could not serve")
    backoff: float = Field(1.0, ge=0, description="seconds before the first of them; the wait doubles each time")


class Teacher(Protocol):
    """identity: all that decides an answer besides the prompt (model, temperature, ...), and no secret."""

    @property
    def identity(self) -> str: ...

    def answer(self, prompts: Sequence[str]) -> list[str]:
        """One answer for each prompt, in order."""
        ...


def open(spec: str, settings: Settings = Settings()) -> Teacher:  # noqa: B008 - frozen
    """The teacher that `spec` names. Raises ZooError for one of no known kind, or that cannot be had."""
    kind, _, rest = spec.partition(":")
    if kind == "openai" and rest:
        from instructzoo.core.synth.endpoint import Endpoint

        return Endpoint.open(rest, settings)
    if kind == "local" and rest:
        from instructzoo.core.synth.local import Local

        return Local.open(rest, settings)
    if kind == "script" and rest:
        from instructzoo.core.synth.replay import Replay

        return Replay.open(Path(rest))
    raise ZooError(f'no teacher "{spec}"', KINDS, where="--teacher")
