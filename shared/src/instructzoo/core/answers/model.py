"""A model that gives typed answers: `load("absa")` opens one, a call answers a list of inputs.

The functions of the domain's module `answers` (questions.py says which) make questions of the inputs and typed answers
of the outputs. The demos, `zoo predict` and Python all answer through `answer_inputs`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple, get_args, get_origin

from instructzoo.core import domain as domains
from instructzoo.core.answers.blocks import answer_or_reason, blocks
from instructzoo.core.answers.questions import Options, Question
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.infer import trained_labels
from instructzoo.core.infer.own_format import in_own_format
from instructzoo.core.recipe import validate_settings
from instructzoo.core.terminal.progress import Progress

BLOCK_INPUTS, BLOCK_QUESTIONS = 128, 256
"""A block that the model answers at once has at most this many inputs, and ends at this many questions."""


class Answered(NamedTuple):
    """The typed answer to one input, and the texts of the model that it was made of."""

    answer: Any
    outputs: list[str]


class Request(NamedTuple):
    """One input with its questions, or the reason why it has none."""

    input: Any
    questions: list[Question]
    reason: str = ""


class Model:
    """A model of one domain. `load` opens it.

    Attributes:
        predictor: The model behind it, which answers single rows.
        domain: Its domain.
    """

    def __init__(self, predictor: Any) -> None:
        self.predictor = predictor
        self.domain: Domain = predictor.domain

    @property
    def knows(self) -> str:
        """What the model was trained on, in a sentence; empty for a run, a folder and a hub id."""
        return self.predictor.model.knows if self.predictor.model else ""

    def __call__(self, inputs: Sequence[Any], *, progress: bool = False, **options: Any) -> list[Any]:
        """Answer a list of inputs, in batches.

        Args:
            inputs: What is to be answered, such as texts of any length. Rows in the domain's own format, with an
                `instruction`, are answered too.
            progress: Whether to show progress and time left on standard error.
            **options: The options of the domain.

        Returns:
            A typed answer for each input, in order. An input that cannot be answered has one whose `error` says why.

        Raises:
            ZooError: `inputs` is a single text, or an option is unknown or malformed.
        """
        if isinstance(inputs, str):
            raise ZooError("a single text", "a list of texts", 'write model(["..."])')
        counter = Progress("answered", len(inputs), quiet=not progress)
        answers = []
        with counter:
            for answer in self.stream(inputs, **options):
                answers.append(answer)
                counter.update(len(answers))
        return answers

    def stream(self, inputs: Iterable[Any], **options: Any) -> Iterator[Any]:
        """Answer a stream of inputs, of any length, in constant memory.

        Args:
            inputs: As of a call.
            **options: The options of the domain.

        Yields:
            The typed answers in order.

        Raises:
            ZooError: An option is unknown or malformed.
        """
        module = self.domain.module("answers")
        checked = options_for(module, self.predictor, options)
        for block in requests(module, ((input, "") for input in inputs), checked):
            yield from (answered.answer for answered in answer_requests(module, self.predictor, block, checked))

    def option_probabilities(self, inputs: Sequence[Any], **options: Any) -> list[dict[str, float]]:
        """How likely each option is, for inputs that are answered with one of several.

        Args:
            inputs: As of a call.
            **options: The options of the domain.

        Returns:
            For each input the probability of each of its options; empty where it is not answered so.

        Raises:
            ZooError: As for a call, and for an input that cannot be answered.
        """
        from instructzoo.core.infer.answering import option_probabilities

        module = self.domain.module("answers")
        checked = options_for(module, self.predictor, options)
        rows = [[question.row for question in module.rows(input, checked, "")] for input in inputs]
        found = iter(option_probabilities(self.predictor, [row for of_input in rows for row in of_input]))
        return [next(filter(None, [next(found) for _ in of_input]), {}) for of_input in rows]


def load(domain: str, model: str | None = None, *, fetch: bool = False) -> Any:
    """Open a model that gives typed answers.

    Args:
        domain: The name of an installed domain, such as "absa".
        model: A name that `zoo models` lists, a run directory, a folder or a hub id. None: small where the domain has
            one and its base is on this machine, else tiny, which answers its made-up world only; a warning says so.
        fetch: Whether the base of the default model may be downloaded now. A model that is named is fetched anyway.

    Returns:
        The model: call it with a list of inputs. `help(model)` shows what it takes and gives in this domain, and
        `model.knows` what it was trained on.

    Raises:
        ZooError: There is no such domain or model, or it cannot be fetched.

    Example:
        >>> from instructzoo.core import load
        >>> model = load("absa")
        >>> for answer in model(["Great wine, slow service"]):
        ...     print(answer.to_rows())
    """
    from instructzoo.core import infer

    found = domains.get(domain)
    predictor = infer.open_model(found, model, (lambda missing: True) if fetch else None)
    if predictor.notice:
        warnings.warn(predictor.notice, stacklevel=2)
    return typed_model(found)(predictor)


def typed_model(domain: Domain) -> type[Model]:
    """`Model` for one domain: its help shows the options and answers of the domain.

    Args:
        domain: The domain, whose module `answers` describes itself.

    Returns:
        A subclass with the same methods.
    """
    module = domain.module("answers")
    described = f"{inspect.getdoc(module)}\n\nOptions of a call:\n\n{describe_options(module.Options)}"

    def call(self: Model, inputs: Sequence[Any], *, progress: bool = False, **options: Any) -> list[Any]:
        return Model.__call__(self, inputs, progress=progress, **options)

    fields = module.Options.model_fields.items()
    keywords = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=field.default) for name, field in fields
    ]
    *fixed, _ = inspect.signature(Model.__call__).parameters.values()
    call.__signature__ = inspect.Signature([*fixed, *keywords])  # type: ignore[attr-defined]
    call.__doc__ = Model.__call__.__doc__
    call.__name__, call.__qualname__ = "__call__", "Model.__call__"
    return type("Model", (Model,), {"__doc__": described, "__call__": call, "__module__": module.__name__})


def describe_options(options: type[Options]) -> str:
    """A line for each option: name, default and meaning, and its values where they are few."""
    lines = []
    for name, field in options.model_fields.items():
        values = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        choices = f" (one of {', '.join(map(str, values))})" if values else ""
        lines.append(f"    {name} = {field.default!r}: {field.description}{choices}")
    return "\n".join(lines)


def check_options(module: Any, options: Mapping[str, Any]) -> Any:
    """The options of a call as the domain's class of options.

    Args:
        module: The domain's module `answers`.
        options: What the caller gave.

    Raises:
        ZooError: An option is unknown (with a suggestion) or malformed.
    """
    known = module.Options.model_fields
    if unknown := next((name for name in options if name not in known), None):
        raise ZooError(f'no option "{unknown}"', suggest(unknown, known), "help(model) describes them")
    return validate_settings(module.Options, dict(options), "options")


def options_for(module: Any, predictor: Any, options: Mapping[str, Any]) -> Any:
    """The options of a call to a model: what the caller gave, else what the model's dialect answers, else the defaults.

    Args:
        module: The domain's module `answers`.
        predictor: The model. One in a dialect may answer one task alone, which `OPTIONS` of its prompts names.
        options: What the caller gave.

    Raises:
        ZooError: As for `check_options`.
    """
    answered = predictor.prompts.OPTIONS if predictor.recipe.model.dialect else {}
    return check_options(module, {**answered, **options})


def requests(module: Any, inputs: Iterable[tuple[Any, str]], options: Options) -> Iterator[list[Request]]:
    """The questions on a stream of inputs, in blocks for one call of the model each.

    Args:
        module: The domain's module `answers`.
        inputs: Each input, and where it comes from (file:line) or "".
        options: The options of the call.

    Yields:
        Blocks of inputs with their questions.
    """
    made = (_request(module, input, where, options) for input, where in inputs)
    return blocks(made, BLOCK_INPUTS, lambda request: len(request.questions), BLOCK_QUESTIONS)


def _request(module: Any, input: Any, where: str, options: Options) -> Request:
    try:
        return Request(input, module.rows(input, options, where))
    except ZooError as error:
        return Request(input, [], _sentence(error))


def _sentence(error: ZooError) -> str:
    return f"{str(error).rstrip('.')}."


def answer_requests(module: Any, predictor: Any, block: Sequence[Request], options: Options) -> list[Answered]:
    """Answer a block of inputs with one call of the model; where that fails, each alone.

    Args:
        module: The domain's module `answers`.
        predictor: The model.
        block: The inputs with their questions.
        options: The options of the call.

    Returns:
        One answer for each input, in order.
    """
    valid = [request for request in block if not request.reason]
    labelled = [
        trained_labels.add([question.row for question in request.questions], predictor.labels) for request in valid
    ]

    def outputs_of(rows_by_input: Sequence[Sequence[Any]]) -> list[list[str]]:
        rows = [row for rows in rows_by_input for row in rows]
        outputs = iter(in_own_format(predictor, rows, predictor.answer(rows)) if rows else [])
        return [list(islice(outputs, len(rows))) for rows in rows_by_input]

    outputs, rows_of_valid = iter(answer_or_reason(labelled, outputs_of)), iter(labelled)
    answered = []
    for request in block:
        if request.reason:
            answered.append(Answered(module.failed(request.input, request.reason, options), []))
            continue
        result, rows = next(outputs), next(rows_of_valid)
        if isinstance(result, ZooError):
            answered.append(Answered(module.failed(request.input, _sentence(result), options), []))
            continue
        questions = [Question(asked.start, row) for asked, row in zip(request.questions, rows, strict=True)]
        answered.append(Answered(module.answer(request.input, questions, result, options), result))
    return answered


def answer_inputs(module: Any, predictor: Any, inputs: Iterable[Any], options: Options) -> list[Any]:
    """Typed answers to one block of inputs, for a demo.

    Args:
        module: The domain's module `answers`.
        predictor: The model.
        inputs: The inputs.
        options: The options of the call, of the domain's class.

    Returns:
        One answer for each input, in order.
    """
    block = [_request(module, input, "", options) for input in inputs]
    return [answered.answer for answered in answer_requests(module, predictor, block, options)]
