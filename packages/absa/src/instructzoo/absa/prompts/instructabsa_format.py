"""What the dialects of InstructABSA's checkpoints share: six examples in the prompt, and answers of unquoted terms.

    Definition: The output will be the aspects ... and the aspects sentiment polarity. ...
    Positive example 1-
    input: I charge it at night and skip taking the cord with me because of the good battery life.
    output: battery life:positive,
    ...
    Now complete the following example-
    input: The pizza was tasty but the waiter ignored us .
    output: pizza:positive, waiter:negative

The definitions and the examples are those that the authors' notebook shows these checkpoints for a review of any kind:
Notebooks/inference_notebook.ipynb in kevinscaria/InstructABSA at 26f76216 (MIT, Copyright (c) 2024 The instruct-absa
developers), and instructions.py at c38e3702. Runs of white space are one
space to the checkpoints' tokenizer. A text without aspect terms is answered by "noaspectterm"; the authors' data leave
out opinions on no term, and so do the targets here.

A comma separates two terms, unless what stands before it is no tuple by itself: "rare:positive" in a joint answer ends
the term "Steak, rare".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from instructzoo.absa.prompts import Answer, parse, task_of
from instructzoo.absa.schema import CONFLICT, SENTIMENTS, Quad
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Segment

NO_TERM = "noaspectterm"
MOST_JOINED = 4
"""Pieces between commas that are tried as one term: more would make reading quadratic."""

ReadElement = Callable[[str], Quad | None]
"""Reads one tuple; None where the text is none."""

EXAMPLES = (
    (
        "Positive example 1",
        "I charge it at night and skip taking the cord with me because of the good battery life.",
        "battery life:positive",
    ),
    (
        "Positive example 2",
        "I even got my teenage son one, because of the features that it offers, like, iChat, Photobooth, garage band "
        "and more!.",
        "features:positive, iChat:positive, Photobooth:positive, garage band:positive",
    ),
    ("Negative example 1", "Speaking of the browser, it too has problems.", "browser:negative"),
    ("Negative example 2", "The keyboard is too slick.", "keyboard:negative"),
    (
        "Neutral example 1",
        "I took it back for an Asus and same thing- blue screen which required me to remove the battery to reset.",
        "battery:neutral",
    ),
    ("Neutral example 2", "Nightly my computer defrags itself and runs a virus scan.", "virus scan:neutral"),
)
"""Heading, review and joint answer of each example in a prompt."""


def segments(row: Mapping[str, Any], task: str, definition: str, write: Callable[[Quad], str]) -> list[Segment]:
    """A row as one of the checkpoints reads it.

    Args:
        row: A question, with or without `output`, which is in the domain's own format.
        task: The only task that the checkpoint answers.
        definition: How its prompt begins.
        write: Writes one tuple; a tuple without a term is left out.

    Returns:
        The prompt, which is not supervised, and the target, which is.

    Raises:
        ZooError: The row asks for another task, or its output is no answer.
    """
    check_task(row, task)
    lines = [definition]
    for number, (heading, review, joint) in enumerate(EXAMPLES):
        written = ", ".join(write(_quad(element)) for element in joint.split(", "))
        comma = ", " if number == 0 and ":" in written else ""  # their first joint example ends in one
        lines += [f"{heading}-", f"input: {review}", f"output: {written}{comma}"]
    prompt = "\n".join([*lines, "Now complete the following example-", f"input: {row.get('input') or ''} ", "output:"])
    if not row.get("output"):
        return [Segment(prompt, False), Segment("", True)]
    answer = parse(str(row["output"]), {**row, "task": task})
    if isinstance(answer, Invalid):
        found = f'the output "{str(row["output"])[:60]}" ({answer.reason})'
        raise ZooError(found, f"an answer to {task} in the domain's own format", "correct the row")
    written_terms = [write(quad) for quad in answer.quads if quad.aspect is not None]
    return [Segment(prompt, False), Segment(f" {', '.join(written_terms) or write(Quad(NO_TERM))}", True)]


def check_task(row: Mapping[str, Any], task: str) -> None:
    """Raise a ZooError for a row that asks for another task than the only one of a checkpoint."""
    if (row.get("task") or row.get("instruction")) and (row_task := task_of(row)) != task:
        raise ZooError(
            f"a question of the task {row_task}", f"{task}, the only one of this model", f'set "task" to {task}'
        )


def _quad(element: str) -> Quad:
    term, _, polarity = element.rpartition(":")
    return Quad(term, sentiment=polarity)


def read(text: str, row: Mapping[str, Any], read_element: ReadElement) -> Answer | Invalid:
    """The tuples of a checkpoint's answer.

    Args:
        text: What it wrote.
        row: The question, whose review says which terms hold a comma.
        read_element: Reads one tuple; None where the text is none.

    Returns:
        The answer without tuples of the polarity conflict, which no task asks for; Invalid where a part is no tuple.
    """
    text = text.strip()
    if not text:
        return Invalid("no text")
    if text.partition(":")[0].strip() == NO_TERM and "," not in text:
        return Answer()
    quads = _tuples(text.split(","), str(row.get("input") or ""), read_element)
    if isinstance(quads, Invalid):
        return quads
    return Answer(tuple(quad for quad in quads if quad.sentiment != CONFLICT))


def _tuples(pieces: Sequence[str], review: str, read_element: ReadElement) -> list[Quad] | Invalid:
    """The tuples between commas: from each place on, the fewest pieces that name one term of the review.

    A piece that names none is taken alone, if it is a tuple at all.
    """
    while pieces and not pieces[-1].strip():  # a comma at the end
        pieces = pieces[:-1]
    quads, start = list[Quad](), 0
    while start < len(pieces):
        for size in (*range(1, min(MOST_JOINED, len(pieces) - start) + 1), 0):
            quad = read_element(",".join(pieces[start : start + (size or 1)]).strip())
            if quad and (not size or str(quad.aspect) in review):
                break
        else:
            return Invalid(f'no term of the answer: "{pieces[start].strip()[:40]}"')
        quads.append(quad)
        start += size or 1
    return quads


def joint_element(text: str) -> Quad | None:
    """`term:polarity` as a tuple."""
    term, colon, polarity = (part.strip() for part in text.rpartition(":"))
    if not (term and colon and polarity in (*SENTIMENTS, CONFLICT)):
        return None
    return Quad(term, sentiment=polarity)
