"""What the model reads, and what its answer means.

    List each aspect term with the words of opinion on it, its category and its sentiment.
    Review: The pizza was tasty but the waiter ignored us .
    Answer: pizza is tasty means food quality is great [SSEP] waiter is implied means service in general is bad

    ae     pizza
    aesc   pizza is great
    tasd   pizza is great means food quality is great
    aste   pizza is tasty means restaurant is great
    asqp   pizza is tasty means food quality is great

The shape is the paper's (arXiv:2210.06629); the questions are written anew (wordings.py). An implicit aspect is "it",
an implicit opinion "implied", a text without opinions "nothing"; a span that would break the template stands in quotes
(phrases.py), so that parse returns exactly what was rendered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from instructzoo.absa.prompts import answer_format, constraints
from instructzoo.absa.prompts.answer_format import NOTHING, SEPARATOR, breaks
from instructzoo.absa.prompts.templates import QUESTIONS
from instructzoo.absa.schema import ELEMENTS, SENTIMENTS, Quad, known, project, to_json
from instructzoo.core.data.ngrams import words
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.infer.grammar import Constraint
from instructzoo.core.record import Invalid, Row, Segment, item_key, row_id

__all__ = ["Answer", "answer", "breaks", "constraint", "parse", "question", "render", "task_of", "write"]

DEFAULT = "asqp"
"""The task of a row that names none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The tuples of an answer in their order; none where it says that there are none."""

    quads: tuple[Quad, ...] = ()


def write(
    sentence: str,
    quads: Sequence[Quad],
    task: str,
    seed: int,
    domain: str = "restaurant",
    source: str = "",
    licence: str = "",
    where: str = "",
) -> Row:
    """A whole row of one task from a sentence and its quadruples.

    domain: a word such as restaurant or laptop. Raises ZooError naming `where` for an unknown task, and for a quadruple
    that lacks what the task asks for, and for half a surrogate pair, which no file can hold.
    """
    if not writable(sentence):
        raise ZooError("half a surrogate pair in the text", "Unicode characters", "mend the row", where)
    asked = project(quads, known(task, where))
    instruction, output = question(sentence, task, seed), answer(asked, task, domain, where)
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
        "gold": to_json(asked, task),
    }


def item_of(sentence: str) -> str:
    """What makes two sentences one item: their words, without case, spacing and punctuation."""
    return " ".join(words(sentence)) or item_key("", sentence)


def writable(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def question(sentence: str, task: str, seed: int) -> str:
    """One wording of the task's question, by seed and sentence."""
    key = f"{seed}\x1f{task}\x1f{sentence}".encode(errors="surrogatepass")
    number = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest())
    wordings = QUESTIONS[known(task)]
    return wordings[number % len(wordings)]


def task_of(row: Mapping[str, Any]) -> str:
    """The task of a row: its own, or that of its wording, or asqp."""
    return str(row.get("task") or _tasks().get(row.get("instruction") or "", DEFAULT))


@cache
def _tasks() -> dict[str, str]:
    return {wording: task for task, wordings in QUESTIONS.items() for wording in wordings}


def render(row: Mapping[str, Any], seed: int = 0) -> list[Segment]:
    """The prompt and the target. A row without instruction asks its task, asqp by default, in a wording by seed.

    The target begins with a blank: most tokenizers write a word alike within and at the start of a text only then, and
    a word that is copied from the review stays the token that it was.
    """
    sentence = row.get("input") or ""
    asked = row.get("instruction") or question(sentence, task_of(row), seed)
    output = f" {row['output']}" if row.get("output") else ""
    return [Segment(f"{asked}\nReview: {sentence}\nAnswer:", False), Segment(output, True)]


def constraint(row: Mapping[str, Any]) -> Constraint:
    """What an answer to the row may be: spans from the review, in the task's form (grammar.py)."""
    return constraints.answers_to(str(row.get("input") or ""), task_of(row), str(row.get("domain") or ""))


def answer(quads: Sequence[Quad], task: str, domain: str = "restaurant", where: str = "") -> str:
    """The target of projected quads. Raises ZooError where one lacks an element that has no word for absence."""
    if domain != domain.strip() or breaks(domain):
        raise ZooError(f'domain "{domain}"', "a word such as restaurant or laptop", "rename it", where)
    return SEPARATOR.join(_write(quad, task, domain, where) for quad in quads) or NOTHING


def _write(quad: Quad, task: str, domain: str, where: str) -> str:
    asked = ELEMENTS[known(task, where)]
    if empty := [part for part in ("aspect", "opinion") if getattr(quad, part) == ""]:
        raise ZooError(f"an empty {empty[0]}", "text, or null for an implicit one", "mend the row", where)
    aspect, opinion = answer_format.write_span(quad.aspect, "aspect"), answer_format.write_span(quad.opinion, "opinion")
    if task == "ae":
        return aspect
    if quad.sentiment not in SENTIMENTS:
        raise ZooError(f'no sentiment "{quad.sentiment}"', suggest(str(quad.sentiment), SENTIMENTS), where=where)
    word = answer_format.SENTIMENT_WORDS[quad.sentiment]
    if task == "aesc":
        return f"{aspect} is {word}"
    if "category" in asked and not quad.category:
        raise ZooError("no category", f"one, for {task}", "mend the row, or ask for ae, aesc or aste", where)
    meaning = answer_format.write_category(quad.category) if quad.category and "category" in asked else f"{domain} is"
    return f"{aspect} is {opinion if 'opinion' in asked else word} means {meaning} {word}"


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """The tuples that a text says, by the row's task; Invalid with the reason where it is not wholly of that form."""
    text, task = text.strip(), task_of(row)
    if not text:
        return Invalid("no text")
    if task not in ELEMENTS:
        return Invalid(f'no task "{task}"')
    if text == NOTHING:
        return Answer()
    reader, quads = _Reader(text, task, row.get("domain") or ""), []
    try:
        while True:
            quads.append(reader.quad())
            if reader.place == len(text):
                return Answer(tuple(quads))
            reader.skip(SEPARATOR)
    except ValueError as error:
        return Invalid(str(error))


@dataclass
class _Reader:
    """A place in a text; every method reads on from there, in time linear in what it reads, or raises ValueError."""

    text: str
    task: str
    domain: str
    place: int = field(default=0)

    def quad(self) -> Quad:
        if self.task == "ae":
            return Quad(self.span("aspect", SEPARATOR, last=True))
        aspect = self.span("aspect", " is ")
        if self.task == "aesc":
            return Quad(aspect, sentiment=self.sentiment(SEPARATOR, last=True))
        if self.task == "tasd":
            said = self.sentiment(" means ")
            named, sentiment = self.category(), self.sentiment(SEPARATOR, last=True)
            if said != sentiment:
                raise ValueError(f"one tuple says both {said} and {sentiment}")
            return Quad(aspect, named, None, sentiment)
        opinion = self.span("opinion", " means ")
        category = self.category() if self.task == "asqp" else None
        if self.task == "aste":
            self.whole()
        return Quad(aspect, category, opinion, self.sentiment(SEPARATOR, last=True))

    def skip(self, mark: str) -> None:
        if not self.text.startswith(mark, self.place):
            raise ValueError(f'no "{mark.strip()}" at "{self.text[self.place : self.place + 40]}"')
        self.place += len(mark)

    def until(self, mark: str, last: bool = False) -> str:
        """The text up to the mark, which is passed over; last: up to a mark that stays, or to the end."""
        begin, end = self.place, self.text.find(mark, self.place)
        if end < 0 and not last:
            raise ValueError(f'no "{mark.strip()}" after "{self.text[begin : begin + 40]}"')
        end = len(self.text) if end < 0 else end
        self.place = end if last else end + len(mark)
        return self.text[begin:end]

    def span(self, part: str, mark: str, last: bool = False) -> str | None:
        if not self.text.startswith('"', self.place):
            return answer_format.read_span(self.until(mark, last), part)
        span, self.place = answer_format.read_quoted(self.text, self.place)
        if not last:
            self.skip(mark)
        return span

    def sentiment(self, mark: str, last: bool = False) -> str:
        word = self.until(mark, last)
        if word not in answer_format.SENTIMENT_OF:
            raise ValueError(f'no sentiment "{word[:40]}"')
        return answer_format.SENTIMENT_OF[word]

    def category(self) -> str:
        if self.text.startswith('"', self.place):
            category, self.place = answer_format.read_quoted(self.text, self.place)
            self.skip(" is ")
            return category
        phrase = self.phrase()
        category_of = answer_format.read_category(phrase)
        if category_of is None:
            raise ValueError(f'no category "{phrase[:60]}"')
        return category_of

    def whole(self) -> None:
        """The fixed phrase of aste: the row's domain, or any where the row names none."""
        phrase = self.phrase()
        if self.domain and phrase != f"{self.domain} is":
            raise ValueError(f'no "{self.domain} is" but "{phrase[:40]}"')

    def phrase(self) -> str:
        """The text up to the word before the tuple's end: a phrase with its verb, without the blank after it."""
        begin, end = self.place, self.text.find(SEPARATOR, self.place)
        blank = self.text.rfind(" ", begin, len(self.text) if end < 0 else end)
        if blank < 0:
            raise ValueError(f'no sentiment after "{self.text[begin : begin + 40]}"')
        self.place = blank + 1
        return self.text[begin:blank]
