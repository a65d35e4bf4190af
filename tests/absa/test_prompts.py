"""Prompts and answers of absa: every rendered tuple parses back, and malformed answers are invalid."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from instructzoo.absa import prompts, world
from instructzoo.absa.prompts import Answer, answer_format, templates
from instructzoo.absa.schema import TASK_ELEMENTS, TASKS, Quad, from_json, project, to_json
from instructzoo.core.errors import ZooError
from instructzoo.core.infer.grammar import permits
from instructzoo.core.record import Invalid, Segment

REVIEW = "The pizza was tasty but the waiter ignored us ."
QUADS = [
    Quad("pizza", "FOOD#QUALITY", "tasty", "positive"),
    Quad("waiter", "SERVICE#GENERAL", None, "negative"),
    Quad(None, "RESTAURANT#GENERAL", None, "neutral"),
]
SPANS = (
    "is", "means", "it", "implied", "nothing", "a is b", "keyboard layout is", "is n't", "x means y", "[SSEP]",
    "a [SSEP] b", '14" screen', '"', '""', "\\", '\\"', "pricey ", " pricey", "a  b", "a\tb", "a\nb", "\u00a0",
    "a\u2028b", "\x00", "\x7f", "пицца", "بيتزا", "\u202eabc\u202c", "🍕", "👩‍🍳", "great", "It", "IT", "is great",
    "Food Quality",
    "x" * 5000,
)  # fmt: skip
CATEGORIES = (
    "FOOD#QUALITY", "FOOD#STYLE_OPTIONS", "RESTAURANT#MISCELLANEOUS", "FANS&COOLING#OPERATION_PERFORMANCE", "A#GENERAL",
    "HARD_DISC#PRICE", "Out_Of_Scope#GENERAL", "food", "anecdotes/miscellaneous", "IS#GENERAL", "MEANS#QUALITY", "A#B",
    "A#QUALITY#PRICE", "#", "A_#GENERAL", "A__B#GENERAL", 'say "so"', "a is b", "ÉTAGE#GENERAL",
    "STYLE_OPTIONS#GENERAL", "FOOD_IN#GENERAL", "X_IN_GENERAL#QUALITY", "A&B_C#USABILITY", "[SSEP]", " means ",
    "НОВОЕ#КАЧЕСТВО",
    "food quality",
)  # fmt: skip


def row(quads: list[Quad], task: str, sentence: str = REVIEW, domain: str = "restaurant") -> dict[str, Any]:
    return prompts.make_row(sentence, quads, task, 0, domain, "here", "none")


def read(text: str, task: str, domain: str = "restaurant") -> list[Quad] | None:
    answer = prompts.parse(text, {"task": task, "domain": domain})
    return None if isinstance(answer, Invalid) else list(answer.quads)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("span", SPANS)
def test_targets_with_unusual_spans_parse_back_to_the_same_tuples(task: str, span: str) -> None:
    quads = [
        Quad(span, "FOOD#QUALITY", span, "positive"),
        Quad(None, "FOOD#PRICES", span, "negative"),
        Quad(span, "SERVICE#GENERAL", None, "neutral"),
    ]
    rendered = row(quads, task)
    assert read(rendered["output"], task) == project(quads, task) == from_json(rendered["gold"])


@pytest.mark.parametrize("task", ["tasd", "asqp"])
def test_every_category_parses_back_and_has_its_own_phrase(task: str) -> None:
    for category in CATEGORIES:
        quads = [Quad("food", category, "fine", "positive"), Quad("rice", category, "dry", "negative")]
        assert read(row(quads, task)["output"], task) == project(quads, task), category
    phrases = {answer_format.write_category(category) for category in CATEGORIES}
    assert len(phrases) == len(CATEGORIES)


def test_targets_with_random_spans_parse_back_to_the_same_tuples() -> None:
    rng = random.Random(5)
    pieces = ["is", "means", "[SSEP]", "it", " ", " ", '"', "\\", "food", "great", "quality", "n", ",", "\n", "é", "🍕"]
    for _ in range(3000):
        spans = ["".join(rng.choices(pieces, k=rng.randint(1, 6))) for _ in range(4)]
        task = rng.choice(TASKS)
        quads = [Quad(spans[i], "FOOD#QUALITY", spans[i + 1], rng.choice(["positive", "negative"])) for i in (0, 2)]
        assert read(row(quads, task)["output"], task) == project(quads, task), (task, quads)


def test_targets_have_the_form_of_the_paper() -> None:
    food = "pizza is tasty means food quality is great"
    service = "waiter is implied means service in general is bad"
    assert (
        row(QUADS, "asqp")["output"]
        == f"{food} [SSEP] {service} [SSEP] it is implied means restaurant in general is ok"
    )
    assert row(QUADS[:1], "ae")["output"] == "pizza"
    assert row(QUADS[:1], "aesc")["output"] == "pizza is great"
    assert row(QUADS[:1], "tasd")["output"] == "pizza is great means food quality is great"
    assert row(QUADS[:1], "aste")["output"] == "pizza is tasty means restaurant is great"
    assert row(QUADS[:1], "aste", domain="laptop")["output"] == "pizza is tasty means laptop is great"
    assert row([], "asqp")["output"] == "nothing"
    assert answer_format.write_category("FOOD#STYLE_OPTIONS") == "food style options are"


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("", "asqp"),
        ("None", "asqp"),
        ("pizza", "asqp"),
        ("pizza is tasty", "asqp"),
        ("pizza is tasty means food quality is great [SSEP]", "asqp"),
        ("pizza is tasty means food quality is great [SSEP] ", "asqp"),
        ("pizza is tasty means food quality is great [SSEP] nothing", "asqp"),
        ("pizza is tasty means food quality is great. And more", "asqp"),
        ("pizza is tasty means food quality is superb", "asqp"),
        ("pizza is tasty means food quality are great", "asqp"),
        ("pizza is tasty means FOOD#QUALITY is great", "asqp"),
        ("pizza is tasty means restaurant is great", "asqp"),
        ("pizza is tasty means laptop is great", "aste"),
        ("pizza is great means food quality is bad", "tasd"),
        ("pizza is it means food quality is great means food quality is great", "asqp"),
        ("a is b is tasty means food quality is great", "asqp"),
        ('"pizza is tasty means food quality is great', "asqp"),
        ('"" is tasty means food quality is great', "asqp"),
        ('"pizza" and is tasty means food quality is great', "asqp"),
        ('"\\ud800" is tasty means food quality is great', "asqp"),
        ('"\\x" is tasty means food quality is great', "asqp"),
        ("pizza [SSEP] ", "ae"),
        ("pizza [SSEP] nothing", "ae"),
        ("pizza  pie", "ae"),
        ("pizza is fine", "aesc"),
    ],
)
def test_malformed_answers_are_invalid(text: str, task: str) -> None:
    assert read(text, task) is None


def test_unneeded_quotes_and_outer_whitespace_are_accepted() -> None:
    assert read('"pizza" is "tasty" means "FOOD#QUALITY" is great', "asqp") == QUADS[:1]
    assert read("\n pizza is tasty means food quality is great \n", "asqp") == QUADS[:1]


def test_long_answers_are_parsed_fast_and_without_error() -> None:
    pieces = (
        "pizza ",
        "[SSEP] ",
        " is ",
        " means ",
        '"',
        "\\",
        '"a" is ',
        "it is it means ",
        "a is great [SSEP] ",
        "\x00",
    )
    started = time.perf_counter()
    for piece in pieces:
        for task in TASKS:
            prompts.parse(piece * (50_000 // len(piece)), {"task": task, "domain": "restaurant"})
            prompts.parse('"' + piece * (50_000 // len(piece)) + '"', {"task": task})
    assert time.perf_counter() - started < 5
    long_answer = " [SSEP] ".join(["pizza is tasty means food quality is great"] * 1200)
    assert read(long_answer, "asqp") == QUADS[:1] * 1200


def test_the_task_of_a_user_row_is_inferred_from_its_instruction() -> None:
    bare = {"instruction": "", "input": REVIEW}
    prompt, target = prompts.render(bare)
    assert prompt.text.splitlines()[0] in templates.QUESTIONS["asqp"] and not target.text
    assert prompt == prompts.render(bare)[0]
    own = {"instruction": "What do they say?", "input": REVIEW}
    assert prompts.render(own)[0] == Segment(f"What do they say?\nReview: {REVIEW}\nAnswer:", False)
    for task, questions in templates.QUESTIONS.items():
        assert all(prompts.task_of({"instruction": question, "input": REVIEW}) == task for question in questions)
    assert isinstance(prompts.parse("pizza is tasty means food quality is great", own), Answer)
    aste = {"instruction": templates.QUESTIONS["aste"][0], "input": REVIEW}  # names no domain
    assert prompts.parse("pizza is tasty means laptop is great", aste) == Answer(tuple(project(QUADS[:1], "aste")))


def test_wordings_vary_by_sentence_and_seed_and_are_reproducible() -> None:
    for task, questions in templates.QUESTIONS.items():
        chosen = [prompts.question(f"review {n}", task, 3) for n in range(400)]
        assert set(chosen) == set(questions)
        assert chosen == [prompts.question(f"review {n}", task, 3) for n in range(400)]
        assert chosen != [prompts.question(f"review {n}", task, 4) for n in range(400)]
    all_questions = [question for questions in templates.QUESTIONS.values() for question in questions]
    assert len(set(all_questions)) == len(all_questions)


def test_inference_prompts_equal_training_prompts() -> None:
    for generated in world.generate(200, 2, "train"):
        prompt, target = prompts.render(generated)
        assert target == Segment(f" {generated['output']}", True)
        bare = {"instruction": generated["instruction"], "input": generated["input"]}
        assert prompts.render(bare)[0] == prompt


def test_all_tasks_and_spellings_of_one_sentence_share_one_item() -> None:
    rows = [row(QUADS, task) for task in TASKS]
    rows += [
        row(QUADS, "ae", sentence) for sentence in ("the pizza was tasty, but the waiter ignored us", REVIEW.upper())
    ]
    assert len({r["item"] for r in rows}) == 1
    assert row([], "ae", "!!!")["item"] == "!!!"


def test_projection_merges_only_tuples_that_become_equal() -> None:
    two = [Quad("pizza", "FOOD#QUALITY", "tasty", "positive"), Quad("pizza", "FOOD#PRICES", "cheap", "positive")]
    assert project(two, "aesc") == [Quad("pizza", sentiment="positive")]
    assert project(two, "tasd") == [Quad("pizza", q.category, None, "positive") for q in two]
    assert project([two[0], two[0]], "asqp") == [two[0], two[0]]
    for task, elements in TASK_ELEMENTS.items():
        assert set(from_json(to_json(project(two, task), task))) == set(project(two, task))
        assert to_json([Quad()], task).count("null") == len(elements)


@pytest.mark.parametrize(
    ("quad", "task", "message"),
    [
        (Quad("pizza", None, "tasty", "positive"), "asqp", "no category"),
        (Quad("pizza", "FOOD#QUALITY", "tasty", "conflict"), "asqp", 'no sentiment "conflict"'),
        (Quad("pizza", "FOOD#QUALITY", "tasty"), "aesc", 'no sentiment "None"'),
        (Quad("", "FOOD#QUALITY", "tasty", "positive"), "ae", "an empty aspect"),
        (Quad("pizza", "FOOD#QUALITY", "", "positive"), "aste", "an empty opinion"),
        (Quad("pizza"), "asqb", 'did you mean "asqp"'),
    ],
)
def test_an_invalid_tuple_is_an_error_with_its_location(quad: Quad, task: str, message: str) -> None:
    with pytest.raises(ZooError, match=message) as error:
        prompts.make_row(REVIEW, [quad], task, 0, where="mine.csv:3")
    assert "mine.csv:3" in str(error.value)


def test_an_unwritable_domain_or_text_is_an_error() -> None:
    with pytest.raises(ZooError, match='domain "a is b"'):
        row(QUADS[:1], "aste", domain="a is b")
    with pytest.raises(ZooError, match="half a surrogate pair"):
        row(QUADS[:1], "aste", sentence="\ud800")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no JSON"),
        ("{}", "found dict"),
        ("[1]", "found int"),
        ('[{"aspekt": "x"}]', 'did you mean "aspect"'),
        ('[{"aspect": 3}]', '"aspect" is int'),
        ('[{"sentiment": "positiv"}]', 'did you mean "positive"'),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_an_invalid_gold_column_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ZooError, match=message):
        from_json(text, "rows.jsonl:2")


def test_a_quoting_reason_is_given_exactly_for_spans_that_the_bare_template_misreads() -> None:
    """Written bare, a span without a quoting reason is read back, and one with a reason is not."""
    for span in SPANS:
        bare = f"{span} is {span} means food quality is great"
        survives = read(bare, "asqp") == [Quad(span, "FOOD#QUALITY", span, "positive")]
        assert survives == (not prompts.quoting_reason(span)), span


@pytest.mark.parametrize("task", ["ae", "aesc", "tasd", "aste", "asqp"])
def test_gold_answers_satisfy_the_grammar(task: str) -> None:
    awkward = 'The "it" bar is\tnice , and the  café means trouble 🍕 [SSEP] .'
    quads = [
        Quad('"it" bar', "RESTAURANT#GENERAL", "is\tnice", "positive"),
        Quad(None, "Out_Of#Scope", None, "neutral"),
        Quad("café", "FOOD#STYLE_OPTIONS", "means trouble", "negative"),
        Quad("🍕 [SSEP]", "DRINKS#PRICES", "trouble", "negative"),
    ]
    row = prompts.make_row(awkward, quads, task, 0)
    assert permits(prompts.constraint(row), row["output"])
    assert permits(prompts.constraint(row | {"domain": ""}), f" {row['output']}")


@pytest.mark.parametrize(
    "text",
    [
        "soup is tasty means food quality is great",  # no word of the review
        "pizz is tasty means food quality is great",  # half a word
        "pizza is tasty means food quality is fine",
        "pizza is tasty means food quality great",
        "pizza is tasty means food quality is great [SSEP] ",
        "nothing [SSEP] pizza is tasty means food quality is great",
        "",
    ],
)
def test_the_grammar_rejects_answers_foreign_to_the_review(text: str) -> None:
    row = prompts.make_row("The pizza was tasty .", [], "asqp", 0)
    assert not permits(prompts.constraint(row), text)
    assert permits(prompts.constraint(row), "pizza is tasty means food quality is great")


def test_the_grammar_of_an_empty_review_permits_implicit_answers() -> None:
    row = {"input": "", "task": "asqp"}
    assert permits(prompts.constraint(row), "nothing")
    assert permits(prompts.constraint(row), "it is implied means food quality is bad")
