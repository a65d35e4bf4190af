"""The demo: ask a question, read the steps, and see whether Python's integers agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from instructzoo.arithmetic import checker, domain, world
from instructzoo.arithmetic.checker import Step, Verdict
from instructzoo.arithmetic.problem import OPERATIONS, DigitPair, Problem
from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe, validate_settings
from instructzoo.core.ui.model_choice import ModelBar, ModelChoice, about_box, model_bar
from instructzoo.core.ui.questions import AnswersRows, answered, question_row

SUMMARY = "A language model calculates with whole numbers and shows its steps. Python checks every answer."
HINT = "Type a question, such as 345 + 678."
EXAMPLES = (
    "47 × 86",
    "8914 ÷ 7",
    "What is 90210 - 1234?",
    "the sum of 12 and 99",
    "345 + 678",
    "7 + 8",
    "58 - 93",
    "8914 / 64",
    "12345678 + 87654321",
)
MAX_EXAMPLES = 5

NOUNS = {"add": "sums", "subtract": "differences", "multiply": "products", "divide": "quotients"}
MAX_PAIR_NAMES = 4
"""Digit pairs that one line names."""

BATCH = "345 + 678\n58 - 93\n47 x 86\n8914 ÷ 7"
BATCH_HEADER = ("Question", "Model", "Check")


def build(predictor: Any) -> gr.Blocks:
    """The page: one question, many questions, the model's card. Input that cannot be answered gets a one-line message.

    Args:
        predictor: The model, with `recipe`, `scores` and `answer(rows)`, as instructzoo.core.infer.Predictor has them.
    """
    with ui.page(f"instructzoo · {domain.title}") as page:
        gr.HTML(ui.head(domain.title, SUMMARY))
        bar = model_bar(ModelChoice(predictor))
        with gr.Tab("One question"):
            examples = within_training(EXAMPLES, trained_pairs(predictor.recipe))[:MAX_EXAMPLES]
            question_row(bar, answer_html, examples, EXAMPLES[0], HINT)
        with gr.Tab("Many questions"):
            _many_questions_tab(bar)
        about_box(bar, lambda chosen: limits(chosen.recipe))
    return page


def _many_questions_tab(bar: ModelBar) -> None:
    """The second tab: one question a line, and a table of the answers."""
    lines = gr.Textbox(
        BATCH,
        label=f"One question a line, at most {ui.MAX_LINES}",
        lines=6,
        max_lines=14,
        max_length=ui.MAX_LINES * ui.MAX_CHARACTERS,
        elem_id="lines",
    )
    button = gr.Button("Answer all", variant="primary", elem_id="ask-all")
    table = gr.HTML(elem_id="table")

    def answer(text: str, model: str) -> str:
        try:
            return answer_lines(bar.models.get(model), text)
        except ZooError as error:
            return ui.note(str(error))

    button.click(answer, [lines, bar.name], table, api_visibility="private")


def answer_question(predictor: AnswersRows, text: str) -> str:
    """HTML of the answer to one typed text, or of one friendly line where it cannot be answered; never an exception."""
    return answered(lambda question: answer_html(predictor, question), text, HINT)


def answer_html(predictor: AnswersRows, question: str) -> str:
    """HTML of the answer to one question, with its steps and the check; raises ZooError where the predictor does.

    Args:
        predictor: The model.
        question: The question as it was typed.
    """
    question = checker.normalise(question)
    if reason := checker.why_unanswerable(question, ui.MAX_CHARACTERS):
        return ui.note(f"{reason} {HINT}")
    problem, trained = checker.parse_question(question), trained_pairs(predictor.recipe)
    (text,) = predictor.answer([checker.to_row(question)])
    verdict = checker.check_answer(text, problem)
    paragraphs = [
        f'<p class="label">{escape(question)}</p>',
        f'<p class="zoo-big">{escape(verdict.answer or "no answer")}</p>',
        ui.badge(verdict.kind, verdict.message),
    ]
    if isinstance(problem, Problem) and trained and problem.digit_pair not in trained:
        paragraphs.append(f'<p class="zoo-hint">{escape(not_trained_note(problem, trained))}</p>')
    return f'<div class="zoo-card">{"".join(paragraphs)}{steps_html(text)}</div>'


def answer_lines(predictor: AnswersRows, text: str) -> str:
    """HTML of the answers to pasted lines: counts of verdicts, and a table in which bad lines stay in their place."""
    lines = [checker.normalise(line) for line in (text or "").splitlines() if line.strip()]
    if not lines:
        return ui.note("Paste one question a line, such as 345 + 678.")
    if len(lines) > ui.MAX_LINES:
        return ui.note(f"{len(lines)} lines; this page takes {ui.MAX_LINES} at a time.")
    reasons = [checker.why_unanswerable(line, ui.MAX_CHARACTERS) for line in lines]
    questions = [line for line, reason in zip(lines, reasons, strict=True) if not reason]
    try:
        answers = iter(predictor.answer([checker.to_row(question) for question in questions]) if questions else [])
    except ZooError as error:
        return ui.note(f"These cannot be answered: {error}")
    counts: Counter[str] = Counter()
    rows = []
    for line, reason in zip(lines, reasons, strict=True):
        if reason:
            verdict = Verdict("unknown", "", f"Not asked. {reason}")
        else:
            verdict = checker.check_answer(next(answers), checker.parse_question(line))
        counts["skipped" if reason else verdict.kind] += 1
        rows.append(((line, "mono"), (verdict.answer, "mono"), (verdict.message, f"zoo-{verdict.kind}")))
    return f'<div class="zoo-card">{counts_html(counts, len(lines))}{ui.table(BATCH_HEADER, rows)}</div>'


def counts_html(counts: Counter[str], lines: int) -> str:
    """HTML such as "3 right, 1 wrong, 1 not asked of 5 lines"; counts by right, wrong, unknown and skipped."""
    badges = [ui.badge("right", f"✓ {counts['right']} right"), ui.badge("wrong", f"✗ {counts['wrong']} wrong")]
    if_any = (("unknown", "not checked"), ("skipped", "not asked"))
    badges += [ui.badge("unknown", f"{counts[kind]} {name}") for kind, name in if_any if counts[kind]]
    total = f"of {lines} line{'' if lines == 1 else 's'}"
    return f'<p class="zoo-hint" style="margin: 0 0 .8rem">{" ".join(badges)} {total}</p>'


def steps_html(text: str) -> str:
    """HTML of the model's text with a check mark for each line, or for each expression where it is a single line."""
    lines = checker.check_steps(text)
    wrong = sum(step.is_right is False for line in lines for step in line)
    if len(lines) == 1:
        lines = [[step] for step in lines[0]]
    rows = []
    for line in lines:
        spans = (
            f'<span class="{"zoo-wrong" if step.is_right is False else ""}">{escape(step.text)}</span>' for step in line
        )
        css_class, mark = _mark(line)
        rows.append(f'<tr><td class="mono">{" ".join(spans)}</td><td class="{css_class}">{mark}</td></tr>')
    label = "What the model wrote" + (f"; {wrong} step{'s do' if wrong > 1 else ' does'} not follow" if wrong else "")
    table = f'<div class="zoo-scroll"><table class="zoo-table">{"".join(rows)}</table></div>'
    return f'<p class="label" style="margin-top: 1.1rem">{escape(label)}</p>{table}' if rows else ""


def _mark(line: Sequence[Step]) -> tuple[str, str]:
    """CSS class and mark of a line: wrong if any step is, right if any is and none is wrong, else nothing."""
    if any(step.is_right is False for step in line):
        return "zoo-wrong", "✗"
    return ("zoo-right", "✓") if any(step.is_right for step in line) else ("", "")


def trained_pairs(recipe: Recipe) -> frozenset[DigitPair]:
    """The digit pairs that a model of this recipe was trained on.

    Empty where rows came from another source than the world, since no recipe says what those contain.
    """
    if set(recipe.data.sources) != {"world"}:
        return frozenset()
    return frozenset(validate_settings(world.Settings, recipe.data.world, "data.world").digit_pairs())


def within_training(examples: Sequence[str], trained: frozenset[DigitPair]) -> list[str]:
    """The examples that the model was trained for; all of them where that is not known."""
    problems = [(example, checker.parse_question(checker.normalise(example))) for example in examples]
    chosen = [
        example
        for example, problem in problems
        if isinstance(problem, Problem) and (not trained or problem.digit_pair in trained)
    ]
    return chosen or list(examples)


def not_trained_note(problem: Problem, trained: frozenset[DigitPair]) -> str:
    """Says that the model was not trained for a problem, and what it was trained for."""
    range_ = trained_range(problem.operation, trained)
    return f"The model was not trained for {problem.digit_pair.name}" + (f", but for {range_}." if range_ else ".")


def limits(recipe: Recipe) -> list[tuple[str, str]]:
    """Lines of the model's card: what it was trained for, and what it was not."""
    trained = trained_pairs(recipe)
    if not trained:
        return [("Trained for", f"the rows of {', '.join(recipe.data.sources)}")]
    ranges = "; ".join(text for operation in OPERATIONS if (text := trained_range(operation, trained)))
    beyond = "two whole numbers from 0 up; no decimals, no brackets, no negative operands"
    return [("Trained for", f"{ranges} (D: digits)"), ("Limits", beyond)]


def trained_range(operation: str, trained: frozenset[DigitPair]) -> str:
    """The largest digit pairs of an operation, those that no other pair covers: "sums to 5D+5D"."""
    pairs = [pair for pair in trained if pair.operation == operation]
    largest = [
        pair
        for pair in pairs
        if not any(pair != other and pair.left <= other.left and pair.right <= other.right for other in pairs)
    ]
    names = [pair.name for pair in sorted(largest, key=lambda pair: -pair.left)]
    shown = names if len(names) <= MAX_PAIR_NAMES else [*names[: MAX_PAIR_NAMES - 1], "...", names[-1]]
    return f"{NOUNS[operation]} to {', '.join(shown)}" if shown else ""
