"""The response cache of a teacher: every answer is stored under a hash of its content, so that none is paid for twice.

    {"key": "9f2c...", "teacher": "openai:...", "attempt": 0, "prompt": "...", "answer": "..."}

Complete lines are appended and flushed to disk before the next batch is sent. A last line without its line feed was cut
off by a kill: it is skipped on reading and removed before the next line is written. Processes of several machines may
share one cache; each writes under a lock and reads what the others have written since.
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
from instructzoo.core.errors import ZooError, location
from instructzoo.core.synth.endpoint import Endpoint
from instructzoo.core.synth.teacher import Settings, Teacher

TAIL_BYTES = 1 << 16
"""Bytes read at once in search of the last line feed."""


class ResponseCache:
    """Answers by key, in a file that many processes append to.

    Args:
        path: The file, JSON Lines; its folder is created if it does not exist, and what the file holds is read.

    Raises:
        ZooError: A line is malformed, or the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: dict[str, str] = {}
        self._bytes_read, self._lines_read = 0, 0
        with runs.disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.parent / f".{path.name}.lock")
        self.refresh()

    def refresh(self) -> None:
        """Read the complete lines that were appended since the last call. Raises ZooError for a malformed line."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            file.seek(self._bytes_read)
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                self._bytes_read, self._lines_read = self._bytes_read + len(raw), self._lines_read + 1
                self._add_line(raw)

    def _add_line(self, raw: bytes) -> None:
        try:
            line = json.loads(raw)
            key, answer = line["key"], line["answer"]
        except (ValueError, LookupError, TypeError) as error:
            where = location(self.path, self._lines_read)
            raise ZooError("a malformed line", "an entry of a response cache", "remove the line", where) from error
        self.answers.setdefault(key, answer)

    def append(self, entries: Sequence[Mapping[str, object]]) -> None:
        """Append entries, one line each, and flush them to disk.

        Args:
            entries: JSON objects with `key` and `answer`. An incomplete line that a killed process left is removed
                first.
        """
        content = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries).encode()
        with runs.disk_errors(self.path), self._lock, self.path.open("ab") as file:
            file.truncate(_complete_bytes(self.path))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


class CachedTeacher:
    """A teacher whose answers are cached: only prompts that the cache does not contain are sent to it.

    Args:
        teacher: The teacher behind the cache.
        path: The file of the cache; it is created if it does not exist.
        batch: Prompts in a call of the teacher.
        workers: Concurrent calls, each in a thread.

    Attributes:
        requested_count: Prompts that the teacher has answered through this object.
        cached_count: Prompts that the cache has answered, repetitions within a call included.
    """

    def __init__(self, teacher: Teacher, path: Path, batch: int = 1, workers: int = 1) -> None:
        self.teacher, self.batch, self.workers = teacher, batch, workers
        self.cache = ResponseCache(path)
        self.requested_count = self.cached_count = 0
        self._lock = threading.Lock()

    @property
    def identity(self) -> str:
        """The identity of the teacher behind the cache."""
        return self.teacher.identity

    def answer(self, prompts: Sequence[str], attempt: int = 0) -> list[str]:
        """Answer prompts from the cache, and from the teacher where the cache has no answer.

        What was answered before an error, or before Ctrl-C, is in the cache; so are the calls that were running then.

        Args:
            prompts: Texts; a repeated prompt is sent once.
            attempt: Another number requests another answer to the same prompt.

        Returns:
            One answer for each prompt, in order.

        Raises:
            ZooError: The teacher fails, or gives fewer or more answers than prompts.
        """
        self.cache.refresh()
        keys = {prompt: self._key(prompt, attempt) for prompt in prompts}
        missing = [prompt for prompt, key in keys.items() if key not in self.cache.answers]
        self.cached_count += len(prompts) - len(missing)
        batches = [missing[i : i + self.batch] for i in range(0, len(missing), self.batch)]
        if self.workers == 1:
            for batch in batches:
                self._request(batch, attempt)
        else:
            self._request_concurrently(batches, attempt)
        return [self.cache.answers[keys[prompt]] for prompt in prompts]

    def _request_concurrently(self, batches: Sequence[Sequence[str]], attempt: int) -> None:
        """Call the teacher in threads. The first error is raised after the calls that are running then have ended."""
        pool = ThreadPoolExecutor(self.workers)
        try:
            for _ in pool.map(self._request, batches, [attempt] * len(batches)):
                pass
        finally:
            pool.shutdown(cancel_futures=True)

    def _request(self, prompts: Sequence[str], attempt: int) -> None:
        answers = self.teacher.answer(prompts)
        if len(answers) != len(prompts):
            raise ZooError(f"{len(answers)} answers to {len(prompts)} prompts", "one each", where=self.identity)
        origin = {"teacher": self.identity, "attempt": attempt}
        keys = [self._key(prompt, attempt) for prompt in prompts]
        entries = [
            {"key": key, **origin, "prompt": prompt, "answer": answer}
            for key, prompt, answer in zip(keys, prompts, answers, strict=True)
        ]
        with self._lock:
            self.cache.append(entries)
            self.cache.refresh()
            self.requested_count += len(prompts)

    def _key(self, prompt: str, attempt: int) -> str:
        return hashlib.sha256(json.dumps([self.identity, prompt, attempt]).encode()).hexdigest()


def with_cache(teacher: Teacher, path: Path, settings: Settings) -> CachedTeacher:
    """Put a cache in front of a teacher.

    Args:
        teacher: The teacher.
        path: The file of the cache.
        settings: `workers` is the number of concurrent requests to an endpoint; any other teacher gets one batch of
            `batch` prompts after another.

    Returns:
        The teacher with its cache.
    """
    if isinstance(teacher, Endpoint):
        return CachedTeacher(teacher, path, workers=settings.workers)
    return CachedTeacher(teacher, path, settings.batch)


def _complete_bytes(path: Path) -> int:
    """The number of bytes of a file up to its last line feed, which is included."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - TAIL_BYTES)
            file.seek(start)
            if (offset := file.read(end - start).rfind(b"\n")) >= 0:
                return start + offset + 1
            end = start
    return 0
