"""A model answers with the categories of its training rows, or with those that a row lists, and with no others."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from instructzoo.absa import demo, metrics, prompts, world
from instructzoo.absa.extraction import analyse
from instructzoo.absa.prompts import label_set
from instructzoo.absa.schema import Quad
from instructzoo.core import api, infer, runs
from instructzoo.core import domain as domains
from instructzoo.core.commands.eval import evaluate
from instructzoo.core.commands.predict import identity
from instructzoo.core.errors import ZooError
from instructzoo.core.infer import trained_labels
from instructzoo.core.infer.grammar import permits
from instructzoo.core.record import Invalid
from instructzoo.core.testing import Scripted

REVIEW = "The rooms were tiny , it means war ."
LABELS = {"categories": ["ROOMS#GENERAL", "STAFF#SERVICE"], "domains": ["hotel"]}
GOOD = 'rooms is tiny means "STAFF#SERVICE" is bad'
FOREIGN = "rooms is tiny means food quality is bad"


def row(**columns: object) -> dict[str, object]:
    return {"input": REVIEW, "task": "asqp", "instruction": "", **columns}


@pytest.mark.parametrize(
    "known",
    [
        {"trained_labels": LABELS},
        {"options": LABELS["categories"]},
        {"options": json.dumps(LABELS["categories"])},
        {"options": ["rooms general", "STAFF#SERVICE"], "trained_labels": {"categories": ["X#Y"], "domains": []}},
    ],
)
def test_a_category_that_is_not_on_offer_is_neither_generated_nor_read(known: dict[str, object]) -> None:
    grammar = prompts.constraint(row(**known))
    for text, allowed in [
        (GOOD, True),
        ("rooms is tiny means rooms in general is bad", True),
        (FOREIGN, False),
        ('rooms is tiny means "ROOMS#ROOMS#ROOMS" is bad', False),
        ("rooms is tiny means is out of this world means rooms in general is bad", False),
    ]:
        assert permits(grammar, text) == allowed, text
        assert isinstance(prompts.parse(text, row(**known)), Invalid) == (not allowed), text
    answer = prompts.parse(FOREIGN, row(**known))
    assert answer == Invalid('out-of-schema label: category "FOOD#QUALITY"')


@pytest.mark.parametrize("task", ["asqp", "tasd"])
def test_the_words_of_the_template_are_no_part_of_a_category_in_any_form(task: str) -> None:
    start = "rooms is tiny means" if task == "asqp" else "rooms is bad means"
    grammar = prompts.constraint(row(task=task))
    for entity in ("is out of this world means food", "food means", "is", "means x"):
        text = f"{start} {entity} quality is bad"
        assert not permits(grammar, text), text
        assert isinstance(prompts.parse(text, row(task=task)), Invalid), text
    for entity in ("food", "i", "iss", "isle", "mean", "meanst", "m&ms", "this world", "fans&cooling"):
        text = f"{start} {entity} quality is bad"
        assert permits(grammar, text), text
        assert not isinstance(prompts.parse(text, row(task=task)), Invalid), text


def test_a_bare_span_never_contains_a_word_of_the_template() -> None:
    """Else the parser would end the span there, and read its rest as the next element."""
    grammar = prompts.constraint(row())
    for text in (
        "rooms is it means war means rooms in general is bad",
        "rooms is means war means rooms in general is bad",
        "it means war is tiny means rooms in general is bad",
    ):
        assert not permits(grammar, text), text
    assert permits(grammar, 'rooms is "it means war" means rooms in general is bad')


def test_a_category_whose_name_has_a_word_of_the_template_is_quoted_and_kept() -> None:
    for category in ("IS#QUALITY", "WHAT_IS#GENERAL", "MEANS#PRICE", "IT#QUALITY"):
        quads = [Quad("rooms", category, "tiny", "negative")]
        asked = row(options=[category])
        answer = prompts.format_answer(quads, "asqp", "hotel")
        assert permits(prompts.constraint(asked), answer)
        assert prompts.parse(answer, asked) == prompts.Answer(tuple(quads))


def test_an_aste_answer_names_a_domain_of_the_training_rows() -> None:
    asked = row(task="aste", trained_labels=LABELS)
    for domain, allowed in [("hotel", True), ("restaurant", False)]:
        text = f"rooms is tiny means {domain} is bad"
        assert permits(prompts.constraint(asked), text) == allowed
        assert isinstance(prompts.parse(text, asked), Invalid) == (not allowed)


def test_a_model_without_categories_is_not_asked_for_them() -> None:
    without = {"categories": [], "domains": ["hotel"]}
    with pytest.raises(ZooError, match="asks a model for categories whose training rows have none"):
        prompts.constraint(row(trained_labels=without))
    assert permits(prompts.constraint(row(task="aste", trained_labels=without)), "rooms is tiny means hotel is bad")
    assert permits(prompts.constraint(row(options=["A#B"], trained_labels=without)), 'rooms is tiny means "A#B" is bad')


@pytest.mark.parametrize("options", ["[", "{}", 3, [3], [""], '"FOOD#QUALITY"'])
def test_options_that_are_no_list_of_categories_are_an_error(options: object) -> None:
    with pytest.raises(ZooError, match="a list of categories"):
        prompts.constraint(row(options=options))
    with pytest.raises(ZooError, match="a list of categories"):
        prompts.render(row(options=options))


def test_out_of_schema_answers_and_true_tuples_are_counted() -> None:
    gold = [Quad("rooms", "FOOD#QUALITY", "tiny", "negative")]
    asked = prompts.make_row(REVIEW, gold, "asqp", 0) | {"trained_labels": LABELS}
    counts = metrics.score([asked, asked], [FOREIGN, "no form"], "strict").counts
    assert (counts[metrics.OUT_OF_SCHEMA], counts[metrics.UNPARSEABLE], counts[metrics.UNREACHABLE]) == (1, 2, 2)


def test_the_page_lists_the_categories_of_its_model() -> None:
    limits = dict(demo.model_limits(LABELS))
    assert limits["Categories"] == "rooms, general; staff, service"
    assert "Categories" not in dict(demo.model_limits(None))


def test_a_review_whose_answer_is_out_of_schema_shows_no_judgement() -> None:
    predictor = Scripted(domains.get("absa"))
    predictor.answer = lambda rows: [FOREIGN] * len(rows)  # type: ignore[method-assign]
    predictor.labels = LABELS
    (analysis,) = analyse(predictor, ["The rooms were tiny."], 1000)
    assert not analysis.quads
    assert analysis.unparseable[0].startswith('out-of-schema label: category "FOOD#QUALITY"')


def test_a_run_keeps_the_labels_of_its_training_rows_and_answers_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two steps of training: an untrained model would write anything that it may."""
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "runs"))
    lines = [
        {
            "text": f"Number {n}: the {thing} on floor {n * 7} was fine",
            "quads": [{"aspect": thing, "category": category, "opinion": "fine", "sentiment": "positive"}],
            "domain": "hotel",
        }
        for n, (thing, category) in enumerate([("rooms", "ROOMS#GENERAL"), ("staff", "STAFF#SERVICE")] * 30)
    ]
    data = tmp_path / "data"
    data.mkdir()
    for name, part in (("train", lines[:50]), ("test", lines[50:])):
        (data / f"{name}.jsonl").write_text("\n".join(map(json.dumps, part)), encoding="utf-8")
    overrides = ["data.sources=[own]", f"data.path={data}", "data.world={}", "data.validation=0.2"]
    overrides += ["train.steps=2", "train.batch=2", "model.backbone=scratch:t5-1x32", "model.vocabulary=300"]
    outcome = api.train("absa/tiny", [*overrides, "decode.max_new_tokens=40", "data.near_duplicates=null"], quiet=True)
    domain, run = domains.get("absa"), Path(outcome["run"])
    assert runs.read_json(run / "model" / trained_labels.FILE) == LABELS
    predictor = infer.load(domain, run)
    exported = predictor.exported(tmp_path / "exported", half=False)
    assert exported.labels == predictor.labels == LABELS
    (tmp_path / "exported" / "recipe.yaml").write_text(predictor.recipe.resolved(), encoding="utf-8")
    assert infer.load(domain, tmp_path / "exported").labels == LABELS
    counts = evaluate(domain, run, baselines=False)[0]["systems"]["model"]["counts"]
    assert counts[metrics.OUT_OF_SCHEMA] == counts[metrics.UNREACHABLE] == 0
    questions, answers = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    asked = [{"instruction": "", "input": line["text"], "task": "ae"} for line in lines[50:]]
    questions.write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    outcome = api.predict("absa", str(questions), str(answers), str(run), quiet=True)
    predictions = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    assert [{**line, "prediction": ""} for line in predictions] == [{**row, "prediction": ""} for row in asked]
    wrong = [isinstance(prompts.parse(line["prediction"], line), Invalid) for line in predictions]
    assert outcome["unparseable"] == sum(wrong)
    copied = shutil.copytree(run / "model", tmp_path / "copied")
    same = replace(predictor, folder=copied)
    assert identity(same) == identity(predictor)
    runs.write_json(copied / trained_labels.FILE, LABELS | {"categories": ["A#B"]})
    assert identity(same) != identity(predictor)


@pytest.mark.parametrize(
    "content",
    [
        "[3]",
        "{",
        "{}",
        '{"categories": []}',
        '{"categories": 3, "domains": []}',
        '{"categories": [3], "domains": []}',
    ],
)
def test_damaged_labels_are_an_error_that_names_the_file(tmp_path: Path, content: str) -> None:
    (tmp_path / trained_labels.FILE).write_text(content, encoding="utf-8")
    with pytest.raises(ZooError, match=r"labels\.json"):
        trained_labels.read(domains.get("absa"), tmp_path)


@pytest.mark.parametrize("value", ["mine", 3, ["a"], {"categories": 3}, {"categories": [3], "domains": "x"}])
def test_a_column_of_a_users_that_is_no_set_of_labels_is_an_error(value: object) -> None:
    asked = row(task="asqp", trained_labels=value)
    for read in (label_set.categories_of, label_set.domains_of, lambda asked: prompts.render(asked, 0)):
        with pytest.raises(ZooError, match='a column "trained_labels"; expected none of this name'):
            read(asked)
    assert label_set.categories_of(trained_labels.add([asked], LABELS)[0]) == tuple(LABELS["categories"])


def test_the_bundled_model_knows_the_categories_of_its_world() -> None:
    labels = trained_labels.read(domains.get("absa"), domains.get("absa").bundled_model())
    assert labels is not None
    settings = world.Settings(weights={"asqp": 3})
    generated = prompts.labels(world.generate(4000, 1, "train", settings))
    assert generated["domains"] == set(labels["domains"])
    assert generated["categories"] <= set(labels["categories"])
    assert len(set(labels["categories"]) - generated["categories"]) <= 2
    assert label_set.categories_of({"trained_labels": labels}) == tuple(labels["categories"])
