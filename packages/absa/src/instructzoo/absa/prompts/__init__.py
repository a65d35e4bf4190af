"""The prompt that the model reads, and the parser of its answer.

    List each aspect term with the words of opinion on it, its category and its sentiment.
    Review: The pizza was tasty but the waiter ignored us .
    Answer: pizza is tasty means food quality is great [SSEP] waiter is implied means service in general is bad

    ae     pizza
    aesc   pizza is great
    tasd   pizza is great means food quality is great
    aste   pizza is tasty means restaurant is great
    asqp   pizza is tasty means food quality is great

The answer format is the paper's (arXiv:2210.06629); the instructions are written for this package (templates.py). An
implicit aspect is "it", an implicit opinion "implied", a text without opinions "nothing". A span that would break the
template is quoted (answer_format.py), so that `parse` returns exactly the tuples that were rendered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from instructzoo.absa.prompts import answer_format, constraints, label_set
from instructzoo.absa.prompts.answer_format import NOTHING, SEPARATOR, quoting_reason
from instructzoo.absa.prompts.answer_parser import AnswerParser
from instructzoo.absa.prompts.templates import NAMED_ONLY, QUESTIONS
from instructzoo.absa.schema import SENTIMENTS, TASK_ELEMENTS, Quad, check_task, project, to_json
from instructzoo.core.data.ngrams import words
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.infer.grammar import Constraint
from instructzoo.core.record import Invalid, Row, Segment, item_key, row_id

__all__ = [
    "NAMED_ONLY",
    "Answer",
    "constraint",
    "format_answer",
    "labels",
    "make_row",
    "parse",
    "question",
    "quoting_reason",
    "render",
    "task_of",
]

DEFAULT_TASK = "asqp"
"""The task of a row that names none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The tuples of an answer in their order; empty where the answer is "nothing"."""

    quads: tuple[Quad, ...] = ()


def make_row(
    sentence: str,
    quads: Sequence[Quad],
    task: str,
    seed: int,
    domain: str = "restaurant",
    source: str = "",
    licence: str = "",
    where: str = "",
    named_only: bool = False,
    turn: int = 0,
) -> Row:
    """Build the complete row of one task from a sentence and its quadruples.

    Args:
        sentence: the review text.
        quads: its quadruples; they are reduced to the elements that the task asks for.
        task: one of TASKS.
        seed: chooses the wording of the instruction, together with the sentence.
        domain: what is reviewed, a word such as restaurant or laptop.
        source: the data set that the sentence comes from.
        licence: the licence of that data set.
        where: file and line, for error messages.
        named_only: whether the instruction says that opinions on what the text does not name are left out.
        turn: number of the row among those of one sentence and task; each has another wording, up to six.

    Raises:
        ZooError: for an unknown task, a quadruple that lacks an element of the task, and text that cannot be encoded as
            UTF-8 (half a surrogate pair).
    """
    if not is_encodable(sentence):
        raise ZooError("half a surrogate pair in the text", "Unicode characters", "correct the row", where)
    projected = project(quads, check_task(task, where))
    instruction, output = question(sentence, task, seed, turn), format_answer(projected, task, domain, where)
    if named_only:
        instruction = f"{instruction} {NAMED_ONLY}"
    return {
        "id": row_id(instruction, sentence, output),
        "instruction": instruction,
        "input": sentence,
        "output": output,
        "source": source,
        "licence": licence,
        "item": item_of(sentence),
        "task": task,
        "domain": domain,
        "gold": to_json(projected, task),
    }


def item_of(sentence: str) -> str:
    """The split key of a sentence: its words without case, spacing and punctuation. Equal keys share a split."""
    return " ".join(words(sentence)) or item_key("", sentence)


def is_encodable(text: str) -> bool:
    """Whether a text can be encoded as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def question(sentence: str, task: str, seed: int, turn: int = 0) -> str:
    """One wording of the task's instruction, chosen by a hash of seed, task and sentence; `turn` is the next one."""
    key = f"{seed}\x1f{task}\x1f{sentence}".encode(errors="surrogatepass")
    number = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest())
    wordings = QUESTIONS[check_task(task)]
    return wordings[(number + turn) % len(wordings)]


def task_of(row: Mapping[str, Any]) -> str:
    """The task of a row: the one it names, else that of its instruction's wording, else asqp."""
    return str(row.get("task") or _task_by_wording().get(row.get("instruction") or "", DEFAULT_TASK))


@cache
def _task_by_wording() -> dict[str, str]:
    tasks = {wording: task for task, wordings in QUESTIONS.items() for wording in wordings}
    return tasks | {f"{wording} {NAMED_ONLY}": task for wording, task in tasks.items()}


def render(row: Mapping[str, Any], seed: int = 0) -> list[Segment]:
    """The prompt (not supervised) and the target (supervised) of a row.

    The target begins with a space: most tokenizers encode a word alike at the start and inside of a text only then, and
    a word copied from the review keeps its token.

    Args:
        row: needs `input`; a row without `instruction` gets the question of its task (asqp by default).
        seed: chooses the wording where the row has no instruction.

    Raises:
        ZooError: for `options` that are no list of categories.
    """
    label_set.categories_of(row)  # malformed options are an error before a model answers
    sentence = row.get("input") or ""
    instruction = row.get("instruction") or question(sentence, task_of(row), seed)
    target = f" {row['output']}" if row.get("output") else ""
    return [Segment(f"{instruction}\nReview: {sentence}\nAnswer:", False), Segment(target, True)]


def constraint(row: Mapping[str, Any]) -> Constraint:
    """The grammar of the row's answers: spans of the review and categories on offer in the form of the task."""
    task = task_of(row)
    categories, domains = label_set.require_categories(row, task), label_set.domains_of(row)
    return constraints.answer_grammar(str(row.get("input") or ""), task, domains, categories)


def labels(rows: Iterable[Row]) -> dict[str, set[str]]:
    """What a model remembers of its training rows: their categories and their domains.

    Args:
        rows: training rows, with `gold` and `domain`.
    """
    return label_set.labels_of(rows)


def format_answer(quads: Sequence[Quad], task: str, domain: str = "restaurant", where: str = "") -> str:
    """Write projected quads as the target text.

    Args:
        quads: the quads, projected to the task.
        task: one of TASKS.
        domain: the row's domain, which aste answers contain.
        where: the row, for error messages.

    Raises:
        ZooError: where a quad lacks an element that cannot be implicit, and for a domain that would break the template.
    """
    if domain != domain.strip() or quoting_reason(domain):
        raise ZooError(f'domain "{domain}"', "a word such as restaurant or laptop", "rename it", where)
    return SEPARATOR.join(_format_tuple(quad, task, domain, where) for quad in quads) or NOTHING


def _format_tuple(quad: Quad, task: str, domain: str, where: str) -> str:
    elements = TASK_ELEMENTS[check_task(task, where)]
    if empty := [element for element in ("aspect", "opinion") if getattr(quad, element) == ""]:
        raise ZooError(f"an empty {empty[0]}", "text, or null for an implicit one", "correct the row", where)
    aspect, opinion = answer_format.write_span(quad.aspect, "aspect"), answer_format.write_span(quad.opinion, "opinion")
    if task == "ae":
        return aspect
    if quad.sentiment not in SENTIMENTS:
        raise ZooError(f'no sentiment "{quad.sentiment}"', suggest(str(quad.sentiment), SENTIMENTS), where=where)
    word = answer_format.SENTIMENT_WORDS[quad.sentiment]
    if task == "aesc":
        return f"{aspect} is {word}"
    if "category" in elements and not quad.category:
        raise ZooError("no category", f"one, for {task}", "correct the row, or ask for ae, aesc or aste", where)
    meaning = (
        answer_format.write_category(quad.category) if quad.category and "category" in elements else f"{domain} is"
    )
    return f"{aspect} is {opinion if 'opinion' in elements else word} means {meaning} {word}"


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """The tuples of an answer in the form of the row's task.

    Returns:
        The answer, or Invalid with the reason where any part of the text does not have that form, or a category is
        none of those on offer (label_set.py).
    """
    text, task = text.strip(), task_of(row)
    if not text:
        return Invalid("no text")
    if task not in TASK_ELEMENTS:
        return Invalid(f'no task "{task}"')
    if text == NOTHING:
        return Answer()
    try:
        quads = AnswerParser(text, task, label_set.domains_of(row)).quads()
    except ValueError as error:
        return Invalid(str(error))
    if unknown := label_set.unknown_category(quads, row):
        return Invalid(f'{label_set.OUT_OF_SCHEMA}: category "{unknown[:60]}"')
    return Answer(quads)
