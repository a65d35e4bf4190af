"""A teacher that reads its answers out of a file: for tests, for replays, and for answers had by other means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from instructzoo.core.data import read_jsonl
from instructzoo.core.data.readers import cut
from instructzoo.core.errors import ZooError


@dataclass(frozen=True)
class Replay:
    """Answers by prompt."""

    answers: Mapping[str, str]

    @classmethod
    def open(cls, path: Path) -> Replay:
        """JSON Lines of {"prompt", "answer"}; other keys are left alone. A prompt may stand twice with one answer."""
        answers: dict[str, str] = {}
        for where, values in read_jsonl(path):
            prompt, answer = values.get("prompt"), values.get("answer")
            if not isinstance(prompt, str) or not isinstance(answer, str):
                raise ZooError("a line without both texts", 'the keys "prompt" and "answer"', where=where)
            if answers.setdefault(prompt, answer) != answer:
                raise ZooError(f"a second answer to {cut(prompt)!r}", "one for each prompt", "remove one", where)
        return cls(answers)

    @cached_property
    def identity(self) -> str:
        content = json.dumps(sorted(self.answers.items()))
        return f"script:{hashlib.sha256(content.encode()).hexdigest()[:16]}"

    def answer(self, prompts: Sequence[str]) -> list[str]:
        """Raises ZooError for a prompt that the file does not hold."""
        if missing := [prompt for prompt in prompts if prompt not in self.answers]:
            found = f"no answer to {cut(missing[0][-60:])!r} among {len(self.answers)}"
            raise ZooError(found, "one for each prompt", "the settings must be those that the file was made with")
        return [self.answers[prompt] for prompt in prompts]
