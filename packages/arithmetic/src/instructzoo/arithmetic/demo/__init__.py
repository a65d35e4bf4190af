"""The demo: ask a sum, read the steps, and see what Python's integers say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

import gradio as gr

from instructzoo.arithmetic import world
from instructzoo.arithmetic.demo import checker
from instructzoo.arithmetic.demo.checker import Problem, Step, Verdict
from instructzoo.arithmetic.world.digit_pairs import Cell
from instructzoo.arithmetic.world.phrasing import SIGNS
from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe, validate_part
from instructzoo.core.record import Row

TITLE = "Arithmetic"
SUMMARY = (
    "A small language model that adds, subtracts, multiplies and divides whole numbers. Python checks every answer."
)
HINT = "Type a question, such as 345 + 678."
EXAMPLES = (
    "345 + 678",
    "What is 90210 - 1234?",
    "47 × 86",
    "8914 ÷ 7",
    "the sum of 12 and 99",
    "7 + 8",
    "58 - 93",
    "8914 / 64",
    "12345678 + 87654321",
)
NOUNS = {"add": "sums", "subtract": "differences", "multiply": "products", "divide": "quotients"}
SHOWN = 4
"""Digit pairs that one line names."""

LINES = "345 + 678\n58 - 93\n47 x 86\n8914 ÷ 7"
HEADER = ("Question", "Model", "Check")

EMPTY = ui.note("The answer, its steps and the check appear here.")


class Answers(Protocol):
    """What the demo needs of a predictor (instructzoo.core.infer.Predictor is one)."""

    recipe: Recipe
    scores: dict[str, Any] | None

    def answer(self, rows: Sequence[Row]) -> list[str]: ...


def build(predictor: Any) -> gr.Blocks:
    """The page: one question, many questions, the model's card. Input that cannot be answered gets one line."""
    trained = trained_cells(predictor.recipe)
    with ui.page(f"instructzoo · {TITLE}") as page:
        gr.HTML(ui.head(TITLE, SUMMARY))
        with gr.Tab("One question"):
            with gr.Row(elem_classes="zoo-ask"):
                box = gr.Textbox(
                    label="Question",
                    placeholder="345 + 678",
                    max_length=ui.MAX_CHARACTERS,
                    max_lines=1,
                    container=False,
                    autofocus=True,
                    scale=5,
                    elem_id="question",
                )
                ask = gr.Button("Answer", variant="primary", scale=1, min_width=120, elem_id="ask")
            shown = gr.HTML(EMPTY, elem_id="answer")
            gr.Examples([[e] for e in fitting(EXAMPLES, trained)[:5]], [box], label="Examples")
            for event in (box.submit, ask.click):
                event(lambda text: one(predictor, text, trained), box, shown, api_visibility="private")
        with gr.Tab("Many questions"):
            lines = gr.Textbox(
                LINES,
                label=f"One question a line, at most {ui.MAX_LINES}",
                lines=6,
                max_lines=14,
                max_length=ui.MAX_LINES * ui.MAX_CHARACTERS,
                elem_id="lines",
            )
            run = gr.Button("Answer all", variant="primary", elem_id="ask-all")
            table = gr.HTML(elem_id="table")
            run.click(lambda text: many(predictor, text), lines, table, api_visibility="private")
        with gr.Accordion("About this model", open=False, elem_id="card"):
            gr.HTML(ui.card(predictor.recipe, predictor.scores, limits(predictor.recipe, trained)))
    return page


def one(predictor: Answers, text: str, trained: frozenset[Cell] = frozenset()) -> str:
    """HTML of the answer to one typed question; never an exception for what a person may type."""
    question = checker.normalise(text or "")
    if fault := unanswerable(question):
        return ui.note(f"{fault} {HINT}")
    problem = checker.read(question)
    try:
        (written,) = predictor.answer([checker.row(question)])
    except ZooError as error:
        return ui.note(f"This cannot be answered: {error}")
    verdict = checker.judge(written, problem)
    parts = [
        f'<p class="label">{escape(question)}</p>',
        f'<p class="zoo-big">{escape(verdict.answer or "no answer")}</p>',
        ui.badge(verdict.kind, verdict.line),
    ]
    if isinstance(problem, Problem) and trained and problem.cell not in trained:
        parts.append(f'<p class="zoo-hint">{escape(untrained(problem, trained))}</p>')
    return f'<div class="zoo-card">{"".join(parts)}{steps(written)}</div>'


def many(predictor: Answers, text: str) -> str:
    """HTML of a pasted batch: the count of verdicts, and a table where a bad line is a line like any other."""
    lines = [checker.normalise(line) for line in (text or "").splitlines() if line.strip()]
    if not lines:
        return ui.note("Paste one question a line, such as 345 + 678.")
    if len(lines) > ui.MAX_LINES:
        return ui.note(f"{len(lines)} lines; this page takes {ui.MAX_LINES} at a time.")
    faults = {place: fault for place, line in enumerate(lines) if (fault := unanswerable(line))}
    asked = [line for place, line in enumerate(lines) if place not in faults]
    try:
        written = iter(predictor.answer([checker.row(line) for line in asked]) if asked else [])
    except ZooError as error:
        return ui.note(f"These cannot be answered: {error}")
    found: Counter[str] = Counter()
    rows = []
    for place, line in enumerate(lines):
        if place in faults:
            verdict, kind = Verdict("unknown", "", f"Not asked. {faults[place]}"), "skipped"
        else:
            verdict = checker.judge(next(written), checker.read(line))
            kind = verdict.kind
        found[kind] += 1
        rows.append(((line, "mono"), (verdict.answer, "mono"), (verdict.line, f"zoo-{verdict.kind}")))
    return f'<div class="zoo-card">{counted(found, len(lines))}{ui.table(HEADER, rows)}</div>'


def counted(found: Counter[str], lines: int) -> str:
    """HTML: 3 right, 1 wrong, 1 not asked; of 5 lines."""
    parts = [ui.badge("right", f"✓ {found['right']} right"), ui.badge("wrong", f"✗ {found['wrong']} wrong")]
    rest = (("unknown", "not checked"), ("skipped", "not asked"))
    parts += [ui.badge("unknown", f"{found[kind]} {name}") for kind, name in rest if found[kind]]
    of = f"of {lines} line{'' if lines == 1 else 's'}"
    return f'<p class="zoo-hint" style="margin: 0 0 .8rem">{" ".join(parts)} {of}</p>'


def unanswerable(question: str) -> str:
    """Why no model should be asked this, in one friendly sentence; empty for a question."""
    if not question:
        return "There is nothing to answer yet."
    if len(question) > ui.MAX_CHARACTERS:
        return f"A question has at most {ui.MAX_CHARACTERS} characters, this one has {len(question)}."
    if not any(c in "0123456789" for c in question):
        return f'There is no number in "{question}".'
    return ""


def steps(written: str) -> str:
    """HTML of the model's text, a line of it or (where it wrote but one) an expression a line, each with its mark."""
    lines = checker.trace(written)
    wrong = sum(step.right is False for line in lines for step in line)
    if len(lines) == 1:
        lines = [[step] for step in lines[0]]
    rows = []
    for line in lines:
        parts = (f'<span class="{"zoo-wrong" if s.right is False else ""}">{escape(s.text)}</span>' for s in line)
        kind, mark = _mark(line)
        rows.append(f'<tr><td class="mono">{" ".join(parts)}</td><td class="{kind}">{mark}</td></tr>')
    label = "What the model wrote" + (f"; {wrong} step{'s do' if wrong > 1 else ' does'} not follow" if wrong else "")
    body = f'<div class="zoo-scroll"><table class="zoo-table">{"".join(rows)}</table></div>'
    return f'<p class="label" style="margin-top: 1.1rem">{escape(label)}</p>{body}' if rows else ""


def _mark(line: Sequence[Step]) -> tuple[str, str]:
    """The class and the sign of a line: wrong if one expression is, right if any is and none wrong, else nothing."""
    if any(step.right is False for step in line):
        return "zoo-wrong", "✗"
    return ("zoo-right", "✓") if any(step.right for step in line) else ("", "")


def trained_cells(recipe: Recipe) -> frozenset[Cell]:
    """The digit pairs that the model saw; empty where a corpus was among its rows, whose range no recipe says."""
    if set(recipe.data.sources) != {"world"}:
        return frozenset()
    return frozenset(validate_part(world.Settings, recipe.data.world, "data.world").shares())


def fitting(examples: Sequence[str], trained: frozenset[Cell]) -> list[str]:
    """The examples that the model was trained for; all of them where that is not known."""
    problems = [(example, checker.read(checker.normalise(example))) for example in examples]
    kept = [example for example, p in problems if isinstance(p, Problem) and (not trained or p.cell in trained)]
    return kept or list(examples)


def untrained(problem: Problem, trained: frozenset[Cell]) -> str:
    """That a problem is outside of what the model was trained for, and what is inside."""
    inside = span(problem.operation, trained)
    return f"The model was not trained for {problem.cell.name}" + (f", but for {inside}." if inside else ".")


def limits(recipe: Recipe, trained: frozenset[Cell]) -> list[tuple[str, str]]:
    """Lines of the card: what the model was trained for, and what it was not."""
    if not trained:
        return [("Trained for", f"the rows of {', '.join(recipe.data.sources)}")]
    spans = "; ".join(found for name in SIGNS if (found := span(name, trained)))
    rest = "two whole numbers from 0 up; no decimals, no brackets, no negative operands"
    return [("Trained for", f"{spans} (D: digits)"), ("Limits", rest)]


def span(operation: str, trained: frozenset[Cell]) -> str:
    """ "sums to 5D+5D": the largest digit pairs of an operation, none of which holds another."""
    pairs = [c for c in trained if c.operation == operation]
    largest = [c for c in pairs if not any(c != o and c.left <= o.left and c.right <= o.right for o in pairs)]
    names = [c.name for c in sorted(largest, key=lambda c: -c.left)]
    shown = names if len(names) <= SHOWN else [*names[: SHOWN - 1], "...", names[-1]]
    return f"{NOUNS[operation]} to {', '.join(shown)}" if shown else ""
