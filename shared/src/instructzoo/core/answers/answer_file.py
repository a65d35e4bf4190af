"""Answers every input of a file into a file of typed answers: what `zoo predict` does with texts."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from instructzoo.core.answers.inputs import Item
from instructzoo.core.answers.model import Answered, answer_requests, requests
from instructzoo.core.answers.output_files import OutputFile, object_of
from instructzoo.core.answers.questions import Options
from instructzoo.core.errors import ZooError
from instructzoo.core.terminal.progress import Counter


class _Stream:
    """The items of a file with a running hash of them; the first error ends them and is kept."""

    def __init__(self, items: Iterator[Item]) -> None:
        self.items, self.digest = items, hashlib.sha256()
        self.taken: list[Item] = []
        self.error: ZooError | None = None

    def inputs(self) -> Iterator[tuple[Any, str]]:
        """Each input with its place."""
        try:
            for item in self.items:
                self.taken.append(item)
                yield item.input, item.where
        except ZooError as error:
            self.error = error

    def take(self, count: int) -> list[Item]:
        """The next items of those that were read, which the hash then covers."""
        block, self.taken = self.taken[:count], self.taken[count:]
        for item in block:
            self.digest.update(fingerprint(item))
        return block


def fingerprint(item: Item) -> bytes:
    """A hash of an input and of its other fields."""
    content = json.dumps([item.number, item.input, item.fields], ensure_ascii=False, default=str)
    return hashlib.sha256(content.encode("utf-8", errors="surrogatepass")).digest()


def answer_blocks(
    predictor: Any, items: Iterator[Item], options: Options, digest: Any = None
) -> Iterator[tuple[list[tuple[Item, Answered]], str]]:
    """Answer the items of a file block by block.

    Args:
        predictor: The model.
        items: The items.
        options: The options of the call.
        digest: A hash of the items before them.

    Yields:
        A block of items with their answers, and the hash of all items up to its end.

    Raises:
        ZooError: An item is malformed; those before it are answered first.
    """
    module, stream = predictor.domain.module("answers"), _Stream(items)
    stream.digest = digest or stream.digest
    for block in requests(module, stream.inputs(), options):
        answered = answer_requests(module, predictor, block, options)
        yield list(zip(stream.take(len(block)), answered, strict=True)), stream.digest.hexdigest()
    if stream.error:
        raise stream.error


def answer_to_file(
    predictor: Any, items: Iterator[Item], output: OutputFile, options: Options, counter: Counter
) -> dict[str, int]:
    """Answer the items of a file that the output does not answer yet.

    Args:
        predictor: The model.
        items: All items of the file.
        output: The output, opened.
        options: The options of the call.
        counter: Shows how many items are answered.

    Returns:
        {"answered": by this call, "failed": how many of them have an error}.

    Raises:
        ZooError: An item is malformed, or the output answers other items.
    """
    digest = hashlib.sha256()
    for item in islice(items, output.done):
        digest.update(fingerprint(item))
    if output.done and digest.hexdigest() != output.inputs:
        raise ZooError(f"{output.path} answers other rows", "the rows that it began with", "choose another -o")
    first = list(islice(items, 1))
    if first and output.complete and output.suffix == ".parquet":
        raise ZooError(f"{output.path} is complete, and there are more rows now", "a new file", "choose another -o")
    answered, failed = 0, 0
    for block, inputs in answer_blocks(predictor, chain(first, items), options, digest):
        output.append(block, inputs)
        answered += len(block)
        failed += sum(bool(one.answer.error) for _, one in block)
        counter.update(output.done)
    output.close()
    return {"answered": answered, "failed": failed}


def answer_to_stdout(predictor: Any, items: Iterator[Item], options: Options, raw: bool) -> dict[str, int]:
    """Write the answers to the items to standard output, as JSON Lines; returns the counts of `answer_to_file`."""
    answered, failed = 0, 0
    for block, _ in answer_blocks(predictor, items, options):
        for item, one in block:
            sys.stdout.write(json.dumps(object_of(item, one, raw), ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()
        answered += len(block)
        failed += sum(bool(one.answer.error) for _, one in block)
    return {"answered": answered, "failed": failed}
