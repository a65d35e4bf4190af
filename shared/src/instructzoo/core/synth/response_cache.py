"""The journal of a teacher: every answer is kept under a hash of its content, so that none is paid for twice.

    {"key": "9f2c...", "teacher": "openai:...", "attempt": 0, "prompt": "...", "answer": "..."}

Lines are appended whole and flushed to disk before the next batch is asked. A last line without its line feed was cut
by a kill: it is passed over on reading and removed before the next line is written. Processes of several machines may
share one journal; each writes under a lock and reads what the others have written since.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock

from instructzoo.core import runs
from instructzoo.core.errors import ZooError, place
from instructzoo.core.synth.endpoint import Endpoint
from instructzoo.core.synth.teacher import Settings, Teacher

TAIL = 1 << 16
"""Bytes read at once in search of the last line feed."""


class ResponseCache:
    """Answers by key, in a file that many processes append to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: dict[str, str] = {}
        self._read, self._lines = 0, 0
        with runs.disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.parent / f".{path.name}.lock")
        self.refresh()

    def refresh(self) -> None:
        """Take in the whole lines that were appended since the last time. Raises ZooError for a malformed one."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                self._read, self._lines = self._read + len(raw), self._lines + 1
                self._take(raw)

    def _take(self, raw: bytes) -> None:
        try:
            line = json.loads(raw)
            key, answer = line["key"], line["answer"]
        except (ValueError, LookupError, TypeError) as error:
            where = place(self.path, self._lines)
            raise ZooError("a malformed line", "an answer as a journal holds it", "remove the line", where) from error
        self.answers.setdefault(key, answer)

    def append(self, entries: Sequence[Mapping[str, object]]) -> None:
        """Write entries to disk, each a whole line; a torn end that a killed process left is cut off before."""
        content = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries).encode()
        with runs.disk_errors(self.path), self._lock, self.path.open("ab") as file:
            file.truncate(_whole(self.path))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


class CachedTeacher:
    """A teacher that is asked only what its journal does not hold.

    batch: prompts in a call; workers: calls under way at once, each in a thread. asked: prompts that the teacher has
    answered through this object; found: those that the journal answered, repetitions within a call included.
    """

    def __init__(self, teacher: Teacher, path: Path, batch: int = 1, workers: int = 1) -> None:
        self.teacher, self.batch, self.workers = teacher, batch, workers
        self.journal = ResponseCache(path)
        self.asked = self.found = 0
        self._alone = threading.Lock()

    @property
    def identity(self) -> str:
        return self.teacher.identity

    def answer(self, prompts: Sequence[str], attempt: int = 0) -> list[str]:
        """One answer for each prompt, in order. attempt: another number asks for another answer to the same prompt.

        What was answered before an error, or before Ctrl-C, is in the journal; so is what was under way then.
        """
        self.journal.refresh()
        keys = {prompt: self._key(prompt, attempt) for prompt in prompts}
        missing = [prompt for prompt, key in keys.items() if key not in self.journal.answers]
        self.found += len(prompts) - len(missing)
        batches = [missing[i : i + self.batch] for i in range(0, len(missing), self.batch)]
        if self.workers == 1:
            for batch in batches:
                self._ask(batch, attempt)
        else:
            self._ask_at_once(batches, attempt)
        return [self.journal.answers[keys[prompt]] for prompt in prompts]

    def _ask_at_once(self, batches: Sequence[Sequence[str]], attempt: int) -> None:
        """The first error is raised once the calls that were under way then have ended."""
        pool = ThreadPoolExecutor(self.workers)
        try:
            for _ in pool.map(self._ask, batches, [attempt] * len(batches)):
                pass
        finally:
            pool.shutdown(cancel_futures=True)

    def _ask(self, prompts: Sequence[str], attempt: int) -> None:
        answers = self.teacher.answer(prompts)
        if len(answers) != len(prompts):
            raise ZooError(f"{len(answers)} answers to {len(prompts)} prompts", "one each", where=self.identity)
        head = {"teacher": self.identity, "attempt": attempt}
        keys = [self._key(prompt, attempt) for prompt in prompts]
        entries = [
            {"key": key, **head, "prompt": prompt, "answer": answer}
            for key, prompt, answer in zip(keys, prompts, answers, strict=True)
        ]
        with self._alone:
            self.journal.append(entries)
            self.journal.refresh()
            self.asked += len(prompts)

    def _key(self, prompt: str, attempt: int) -> str:
        return hashlib.sha256(json.dumps([self.identity, prompt, attempt]).encode()).hexdigest()


def with_cache(teacher: Teacher, path: Path, settings: Settings) -> CachedTeacher:
    """A teacher with a journal: an endpoint is asked in many requests at once, any other in one batch after another."""
    if isinstance(teacher, Endpoint):
        return CachedTeacher(teacher, path, workers=settings.workers)
    return CachedTeacher(teacher, path, settings.batch)


def _whole(path: Path) -> int:
    """Bytes of a file up to and with its last line feed."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - TAIL)
            file.seek(begin)
            if (at := file.read(end - begin).rfind(b"\n")) >= 0:
                return begin + at + 1
            end = begin
    return 0
