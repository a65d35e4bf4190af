"""A teacher that reads its answers from a file: for tests, replays, and answers that were obtained by other means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from instructzoo.core.data import read_jsonl
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError


@dataclass(frozen=True)
class Replay:
    """Recorded answers by prompt."""

    answers: Mapping[str, str]

    @classmethod
    def open(cls, path: Path) -> Replay:
        """Read recorded answers.

        Args:
            path: JSON Lines of {"prompt", "answer"}; other keys are ignored.

        Returns:
            The teacher.

        Raises:
            ZooError: A line lacks one of the texts, or a prompt has two different answers.
        """
        answers: dict[str, str] = {}
        for where, line in read_jsonl(path):
            prompt, answer = line.get("prompt"), line.get("answer")
            if not isinstance(prompt, str) or not isinstance(answer, str):
                raise ZooError("a line without both texts", 'the keys "prompt" and "answer"', where=where)
            if answers.setdefault(prompt, answer) != answer:
                raise ZooError(f"a second answer to {shorten(prompt)!r}", "one for each prompt", "remove one", where)
        return cls(answers)

    @cached_property
    def identity(self) -> str:
        """A hash of all prompts and answers, so that another file counts as another teacher."""
        content = json.dumps(sorted(self.answers.items()))
        return f"script:{hashlib.sha256(content.encode()).hexdigest()[:16]}"

    def answer(self, prompts: Sequence[str]) -> list[str]:
        """Look up the answer to each prompt. Raises ZooError for a prompt that the file does not contain."""
        if missing := [prompt for prompt in prompts if prompt not in self.answers]:
            found = f"no answer to {shorten(missing[0][-60:])!r} among {len(self.answers)}"
            raise ZooError(found, "one for each prompt", "use the settings that the file was written with")
        return [self.answers[prompt] for prompt in prompts]
