"""Labelled utterances for an intent from a few examples: asks a model, checks its answers, and counts what it rejects.

generated = generate_utterances(predictor.answer, "GetWeather", examples, {"city": ["Oslo", "Rome"]}, 20)
generated = generate_utterances(teacher_answers(teacher), "GetWeather", examples, {}, 20)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Row
from instructzoo.core.synth import CachedTeacher, Teacher
from instructzoo.dialogue import prompts
from instructzoo.dialogue.data.leave_one_out import TASK, PromptRules
from instructzoo.dialogue.prompts.linguist_format import Request
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import UNKNOWN, Example, Turn
from instructzoo.dialogue.synthesis.filters import Checks, language_code
from instructzoo.dialogue.synthesis.requests import request_for, slot_values

TEACHER_TASK = (
    "You write training data for an assistant that understands short requests. Below are an intent, the slots that an "
    "utterance of it can have, each with a number, and examples. A slot's words stand in brackets behind its number: "
    "[1 words ]. Write one new utterance of the intent, in the language that is named, as a person would say it, and "
    "unlike the examples. It must name every slot after [INCLUDE], with exactly the words that stand there; where * "
    "stands, choose the words. Mark all slots, and write nothing but the utterance, in one line."
)


class AnswerRows(Protocol):
    """Answers questions in order: `answer` of a predictor, or `teacher_answers` of a teacher."""

    def __call__(self, rows: Sequence[Row], /) -> Sequence[str]: ...


@dataclass
class Generated:
    """What a model wrote.

    Attributes:
        utterances: The utterances that passed all checks, with their intent and slots.
        rejected: Numbers of answers that did not, by reason.
        requests: Answers that the model was asked for.
    """

    utterances: list[Turn] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    requests: int = 0


def generate_utterances(
    answer: AnswerRows,
    intent: str,
    examples: Sequence[Turn],
    slots: Mapping[str, Sequence[str]],
    n: int,
    language: str = "English",
    rules: PromptRules = PromptRules(),  # noqa: B008 - frozen
    checks: Checks | None = None,
    most_requests: int = 0,
    on_progress: Callable[[int], None] = lambda kept: None,
) -> Generated:
    """Generate labelled utterances for an intent.

    Args:
        answer: Answers questions; `predictor.answer` or `teacher_answers(teacher)`.
        intent: The name of the intent.
        examples: Some utterances of it, with their slots.
        slots: Words that slots may have, besides those of the examples; a slot of the examples may be left out.
        n: Number of utterances.
        language: The language of the utterances, one of filters.LANGUAGES.
        rules: How requests vary.
        checks: Which utterances are kept; None: those of `Checks()`.
        most_requests: Requests at most; 0: three for each utterance.
        on_progress: Called with the number of utterances so far.

    Returns:
        The utterances: fewer than n where most_requests did not give more.

    Raises:
        ZooError: There is no example, an example is malformed, or the language is unknown.
    """
    language_code(language)
    own = [replace(with_places(example), intent=intent) for example in examples]
    checks = checks or Checks()
    values = slot_values(own)
    for slot, texts in slots.items():
        values[slot] = list(dict.fromkeys([*values.get(slot, []), *texts]))
    results, most = Generated(), most_requests or 3 * n
    while len(results.utterances) < n and results.requests < most:
        count = min(n - len(results.utterances), most - results.requests)
        requests = [request_for(own, values, rules, language, results.requests + i) for i in range(count)]
        answers = answer([request_row(request) for request in requests])
        if len(answers) != count:
            raise ZooError(f"{len(answers)} answers to {count} questions", "one each")
        results.requests += count
        for request, text in zip(requests, answers, strict=True):
            utterance = checks.read(text, request)
            if isinstance(utterance, Invalid):
                results.rejected[utterance.reason] += 1
            else:
                results.utterances.append(utterance)
        on_progress(len(results.utterances))
    return results


def request_row(request: Request, output: str = "") -> Row:
    """The question of a request, as a row of the domain."""
    return make_row(Example(TASK, request.fields(), output), "own", "own", "")


def teacher_answers(teacher: Teacher) -> AnswerRows:
    """Lets a teacher answer questions: each prompt is TEACHER_TASK and the question as the domain's models read it."""

    def answer(rows: Sequence[Row], /) -> list[str]:
        return teacher.answer([teacher_prompt(row) for row in rows])

    return answer


def cached_answers(teacher: CachedTeacher) -> AnswerRows:
    """As `teacher_answers`, from the cache where it has the answer; a prompt asked again gets another answer."""
    times_asked = Counter[str]()

    def answer(rows: Sequence[Row], /) -> list[str]:
        by_attempt: dict[int, dict[int, str]] = {}
        for index, row in enumerate(rows):
            prompt = teacher_prompt(row)
            by_attempt.setdefault(times_asked[prompt], {})[index] = prompt
            times_asked[prompt] += 1
        answers: dict[int, str] = {}
        for attempt, prompts_by_index in by_attempt.items():
            texts = teacher.answer(list(prompts_by_index.values()), attempt)
            answers |= dict(zip(prompts_by_index, texts, strict=True))
        return [answers[index] for index in range(len(rows))]

    return answer


def teacher_prompt(row: Row) -> str:
    """What a teacher reads of a question."""
    return f"{TEACHER_TASK}\n\n{prompts.render(row)[0].text}"


def utterance_line(utterance: Turn) -> dict[str, Any]:
    """An utterance as a line of own data (data/readers/own.py): text, intent, and slots with their places."""
    slots = [
        {"name": slot.name, "value": slot.value, "start": slot.start, "end": slot.end} for slot in utterance.slots or ()
    ]
    return {"text": utterance.text, "intent": utterance.intent, "slots": slots}


def with_places(utterance: Turn) -> Turn:
    """An utterance whose slots all have their places: a value without one is looked up in the text.

    Args:
        utterance: The utterance.

    Returns:
        The utterance; slots that are not annotated become none.

    Raises:
        ZooError: The text does not contain a value exactly once.
    """
    slots = []
    for slot in utterance.slots or ():
        if slot.start == UNKNOWN:
            if utterance.text.count(slot.value) != 1:
                found = f'"{slot.value}" {utterance.text.count(slot.value)} times in "{utterance.text[:60]}"'
                raise ZooError(found, f'the value of "{slot.name}" once', "give its start and end")
            start = utterance.text.index(slot.value)
            slot = replace(slot, start=start, end=start + len(slot.value))
        slots.append(slot)
    return replace(utterance, slots=tuple(slots))
