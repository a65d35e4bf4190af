"""What a teacher is, and the settings that teachers are asked with.

A teacher is anything that answers prompts: in Python, any object with `identity` and `answer`. open.py opens the kinds
that the command line names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import Field

from instructzoo.core import settings as core


class Settings(core.Settings):
    """How a teacher is prompted. The defaults of temperature to max_tokens are InstructPix2Pix's (arXiv:2211.09800)."""

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
    """Anything that answers prompts."""

    @property
    def identity(self) -> str:
        """All that decides an answer besides the prompt (model, temperature, ...), and no secret."""
        ...

    def answer(self, prompts: Sequence[str]) -> list[str]:
        """Answer prompts.

        Args:
            prompts: Texts, each complete in itself.

        Returns:
            One answer for each prompt, in order.
        """
        ...
