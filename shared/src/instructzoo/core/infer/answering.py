"""How a predictor answers rows: the likeliest of a row's choices, or a generated text, constrained to its grammar."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from instructzoo.core.infer import trained_labels
from instructzoo.core.infer.choice_scoring import choose_each, score_each
from instructzoo.core.infer.constrained_decoding import AnswerConstraints
from instructzoo.core.infer.generate import count_truncated, decode_texts, generate_ids
from instructzoo.core.record import Row

if TYPE_CHECKING:
    from instructzoo.core.infer.predictor import Predictor

TRUNCATED = "cut at max_new_tokens"
"""Key of the count of answers that were truncated at decode.max_new_tokens (stored in scores.json)."""

DEAD_END = "ended where no token fits the grammar"
"""Key of the count of constrained answers that no token of the vocabulary could continue (stored in scores.json)."""


def answer_prompts(
    predictor: Predictor,
    rows: Sequence[Row],
    prompts: Sequence[list[int]],
    first: int = 0,
    on_answered: Callable[[int], None] | None = None,
) -> tuple[list[str], dict[str, int]]:
    """Answer rows whose prompts are rendered.

    Args:
        predictor: The model with its recipe.
        rows: The rows.
        prompts: Token ids of each row's prompt.
        first: The number of the first row, on which sampled answers depend.
        on_answered: Called with the number of rows that are answered, whenever it has grown.

    Returns:
        The texts in the order of the rows, and the counts of `Predictor.answer_counted`.

    Raises:
        ZooError: A row is malformed, or the logits of the model are not finite.
    """
    texts: dict[int, str] = {}
    choices = _choices(predictor, rows)
    if choices:
        chosen = choose_each(
            predictor.loaded,
            [prompts[i] for i in choices],
            list(choices.values()),
            predictor.encoder().stop,
            predictor.recipe.decode.batch_tokens,
            on_answered,
        )
        texts |= {i: options[best] for (i, options), best in zip(choices.items(), chosen, strict=True)}
    written = [i for i in range(len(rows)) if i not in texts]
    constraints = _constraints(predictor, [rows[i] for i in written])
    answers = generate_ids(
        predictor.loaded,
        [prompts[i] for i in written],
        predictor.recipe.decode,
        predictor.recipe.seed,
        predictor.encoder().stop,
        first,
        constraints,
        on_answered and (lambda n: on_answered(len(choices) + n)),
    )
    texts |= dict(zip(written, decode_texts(predictor.loaded, answers), strict=True))
    counts = {TRUNCATED: count_truncated(answers, predictor.recipe.decode)}
    if constraints:
        counts[DEAD_END] = constraints.dead_ends
    return [texts[i] for i in range(len(rows))], counts


def option_probabilities(predictor: Predictor, rows: Sequence[Row]) -> list[dict[str, float]]:
    """How likely the model finds each option of rows that are answered with one of several.

    Args:
        predictor: The model with its recipe.
        rows: The rows.

    Returns:
        For each row the probability of each option among its options, which add up to 1; empty for a row that is not
        answered so.

    Raises:
        ZooError: As for `answer_prompts`, and for a row that is longer than the model can read.
    """
    choices, encoder = _choices(predictor, rows), predictor.encoder()
    prompts = [encoder.prompt({"input": "", "output": "", **rows[i]}) for i in choices]
    batch_tokens = predictor.recipe.decode.batch_tokens
    scores = score_each(predictor.loaded, prompts, list(choices.values()), encoder.stop, batch_tokens)
    probabilities: list[dict[str, float]] = [{} for _ in rows]
    for (row_index, options), of_row in zip(choices.items(), scores, strict=True):
        weights = [math.exp(score - max(of_row)) for score in of_row]
        probabilities[row_index] = {
            option: weight / sum(weights) for option, weight in zip(options, weights, strict=True)
        }
    return probabilities


def _choices(predictor: Predictor, rows: Sequence[Row]) -> dict[int, tuple[str, ...]]:
    """By row index, the options among which the answer is chosen; rows without any are left out.

    Sampled answers are written, since a choice would always be the same.
    """
    if not (predictor.domain.choices and predictor.constrained) or predictor.recipe.decode.temperature:
        return {}
    options = {i: predictor.prompts.choices(row) for i, row in enumerate(rows)}
    return {i: tuple(of_row) for i, of_row in options.items() if of_row}


def _constraints(predictor: Predictor, rows: Sequence[Row]) -> AnswerConstraints | None:
    if not predictor.constrained:
        return None
    prompts, labelled = predictor.prompts, trained_labels.add(rows, predictor.labels)
    return AnswerConstraints(predictor.token_spellings, lambda index: prompts.constraint(labelled[index]))
