"""DomainContract: the tests that every domain inherits.

from instructzoo.core.testing import DomainContract

class TestArithmetic(DomainContract):
    name = "arithmetic"

It has two stages. CodeContract tests the code and passes from the first day. ReleaseContract tests the bundled model
and the README's tables, and skips with the reason until there is a model.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.answers.model import typed_model
from instructzoo.core.data.split import SPLITS
from instructzoo.core.domain import MODULES, Domain, PublishedResult
from instructzoo.core.recipe import Recipe, Settings
from instructzoo.core.record import Invalid, Record, Row, Segment
from instructzoo.core.testing.release import ReleaseContract
from instructzoo.core.testing.scripted import Scripted as Scripted
from instructzoo.core.testing.shared_fixtures import ROWS, Contract

SIGNATURES: dict[str, dict[str, tuple[str, ...]]] = {
    "world": {"generate": ("n", "seed", "split")},
    "sources": {"build": ("recipe", "splits"), "gold": ("path", "task")},
    "prompts": {"render": ("row", "seed"), "parse": ("text", "row")},
    "metrics": {"score": ("rows", "answers", "scorer"), "correct": ("rows", "answers", "scorer")},
    "answers": {
        "rows": ("input", "options", "where"),
        "answer": ("input", "questions", "outputs", "options"),
        "failed": ("input", "reason", "options"),
    },
    "demo": {"build": ("predictor",)},
}
"""The public functions of every domain's modules, and the names of their first parameters."""

SHRUNK = (
    "data.sources=[world]",
    "data.path=null",
    "data.options={}",
    "data.sizes={train: 64, validation: 8, test: 8}",
    "model.quantisation=none",
    "model.vocabulary=512",
    "model.max_tokens=1024",
    "method.targets=all-linear",
    "train.steps=2",
    "train.batch=4",
    "train.log_every=1",
    "train.micro_batch=null",
    "train.compile=false",
    "evaluate.limit=4",
    "decode.max_new_tokens=8",
)
"""Overrides that let any recipe take two steps on a scratch model within seconds."""


class CodeContract(Contract):
    """Tests of a domain's code: they need no trained model."""

    def test_every_module_is_there(self, domain: Domain) -> None:
        assert domains.missing_modules(domain) == []

    def test_public_functions_have_the_agreed_arguments_and_types(self, domain: Domain) -> None:
        assert set(SIGNATURES) == set(MODULES)
        for module, functions in SIGNATURES.items():
            for function, names in functions.items():
                signature = inspect.signature(getattr(domain.module(module), function), eval_str=False)
                assert tuple(signature.parameters)[: len(names)] == names, f"{module}.{function}"
                assert all(p.annotation is not p.empty for p in signature.parameters.values()), f"{module}.{function}"
                assert signature.return_annotation is not signature.empty, f"{module}.{function}"

    def test_equal_seeds_give_equal_rows_and_other_seeds_other_rows(self, domain: Domain, rows: list[Row]) -> None:
        assert list(domain.module("world").generate(ROWS, 0, "train")) == rows
        assert list(domain.module("world").generate(ROWS, 1, "train")) != rows

    def test_rows_of_the_world_are_well_formed(self, domain: Domain, rows: list[Row]) -> None:
        assert len(rows) == ROWS
        for row in rows:
            record = Record.from_row(row)
            assert record.output and record.source and record.licence and record.item
            assert row["id"]
            missing = sorted(set(domain.columns) - set(row))
            assert not missing, f"rows lack columns that the domain declares: {missing}; see Record(extra=...)"

    def test_no_item_is_in_two_splits(self, domain: Domain) -> None:
        items = {split: {row["item"] for row in domain.module("world").generate(ROWS, 7, split)} for split in SPLITS}
        assert all(items.values())
        assert not items["train"] & items["test"]
        assert not items["train"] & items["validation"]
        assert not items["validation"] & items["test"]

    def test_every_prompt_has_a_target_and_does_not_begin_with_it(self, domain: Domain, rows: list[Row]) -> None:
        for row in rows:
            segments = domain.module("prompts").render(row, 0)
            assert all(isinstance(segment, Segment) for segment in segments)
            assert any(segment.supervised and segment.text for segment in segments)
            assert not segments[0].supervised

    def test_gold_answers_are_parsed(self, domain: Domain, rows: list[Row]) -> None:
        for row in rows:
            answer = domain.module("prompts").parse(_target(domain, row), row)
            assert not isinstance(answer, Invalid), (row, answer)

    def test_gold_answers_fit_the_grammar_of_their_rows(self, domain: Domain, rows: list[Row]) -> None:
        if not domain.constrained:
            pytest.skip(f"{domain.name} declares no grammar of its answers")
        from instructzoo.core.infer.grammar import permits

        rows_with_grammar = 0
        for row in rows:
            constraint = domain.module("prompts").constraint(row)
            if constraint is not None:
                target = _target(domain, row)
                assert permits(constraint, target), (row, target)
                assert not permits(constraint, f"{target}\x00"), row
                rows_with_grammar += 1
        assert rows_with_grammar

    def test_gold_answers_are_among_the_choices_of_their_rows(self, domain: Domain, rows: list[Row]) -> None:
        if not domain.choices:
            pytest.skip(f"{domain.name} declares no choices")
        options = [domain.module("prompts").choices(row) for row in rows]
        assert any(options)
        for row, of_row in zip(rows, options, strict=True):
            assert of_row is None or _target(domain, row) in of_row, row

    def test_gold_answers_fit_the_labels_of_their_rows(self, domain: Domain, rows: list[Row]) -> None:
        if not domain.labels:
            pytest.skip(f"{domain.name} declares no labels that a model remembers")
        from instructzoo.core.infer import trained_labels
        from instructzoo.core.infer.grammar import permits

        prompts = domain.module("prompts")
        labels = {kind: sorted(names) for kind, names in prompts.labels(rows).items()}
        assert labels.keys() == set(domain.labels)
        for row in trained_labels.add(rows, labels):
            target = _target(domain, row)
            assert not isinstance(prompts.parse(target, row), Invalid), (row, target)
            assert permits(prompts.constraint(row), target), (row, target)

    def test_gold_scores_perfectly_and_silence_scores_zero(self, domain: Domain, rows: list[Row]) -> None:
        metrics = domain.module("metrics")
        gold = [_target(domain, row) for row in rows]
        for scorer in metrics.SCORERS:
            perfect = metrics.score(rows, gold, scorer)
            assert perfect.scorer == scorer
            headline = perfect.headline_value()
            assert headline.n == len(rows)
            assert headline.low <= headline.value <= headline.high
            assert all(metrics.correct(rows, gold, scorer))
            for empty in ("", "None", "e"):
                silent = metrics.score(rows, [empty] * len(rows), scorer)
                assert silent.headline_value().value == 0, (scorer, empty)

    def test_sound_scorers_come_first_and_faulty_ones_apart(self, domain: Domain) -> None:
        metrics = domain.module("metrics")
        assert metrics.SCORERS[0] == "strict"
        assert not set(metrics.SCORERS) & set(metrics.LEGACY)

    def test_baselines_give_one_text_per_row(self, domain: Domain, rows: list[Row]) -> None:
        test = list(domain.module("world").generate(20, 0, "test"))
        for name, baseline in domain.module("metrics").BASELINES.items():
            answers = list(baseline(rows, test))
            assert len(answers) == len(test), name
            assert all(isinstance(answer, str) for answer in answers), name

    def test_sources_have_typed_settings(self, domain: Domain) -> None:
        assert issubclass(domain.module("sources").Settings, Settings)

    def test_published_results_name_their_system_and_source(self, domain: Domain) -> None:
        """A domain without a paper has none: PAPER is empty then."""
        results = domain.module("metrics").PAPER
        assert isinstance(results, tuple)
        assert all(isinstance(result, PublishedResult) and result.source and result.system for result in results)
        assert domain.paper or not results

    def test_the_table_of_models_is_complete_and_honest(self, domain: Domain) -> None:
        names = [model.name for model in domain.models]
        assert len(names) == len(set(names)), f"a name twice: {names}"
        for model in domain.models:
            assert model.knows.endswith("."), f"{model.name}: knows is a sentence"
            assert model.licence and model.base and model.data, model.name
            assert all(data.name and data.licence for data in model.data), model.name
            assert model.bundled == (not model.repository), f"{model.name}: a hub id is for published models"
            if model.bundled:
                assert model.name == model.kind, f"{model.name}: a bundled model is called by its kind"
            else:
                assert model.source.startswith("https://"), f"{model.name}: where was {model.repository} confirmed?"

    def test_every_bundled_model_is_in_the_table(self, domain: Domain) -> None:
        folders = {path.name for path in (domain.folder() / "weights").glob("*") if path.name[0] not in "._"}
        assert folders <= {model.name for model in domain.models}, "add it to models in __init__.py"

    def test_every_recipe_takes_two_steps_on_a_scratch_model(self, domain: Domain) -> None:
        from instructzoo.core import api

        assert "tiny" in domain.recipes()
        for stem in domain.recipes():
            overrides = self._overrides(recipes.load(f"{self.name}/{stem}"))
            outcome = api.train(f"{self.name}/{stem}", overrides, run_id=stem, quiet=True)
            assert outcome["steps"] == 2, stem
            assert outcome["parameters"]["trained"] > 0

    def test_every_input_gets_a_typed_answer(self, domain: Domain, rows: list[Row]) -> None:
        module, model = domain.module("answers"), typed_model(domain)(self.scripted(domain))
        model.predictor.answer = lambda asked: [_target(domain, row) for row in rows[: len(asked) - 1]] + ["\x00"]
        *right, nothing = model(rows[:20])
        failed = module.failed(rows[0], "It cannot be answered.", module.Options())
        assert [answer.error for answer in (*right, failed)] == [""] * len(right) + ["It cannot be answered."]
        for answer in (*right, nothing, failed):
            json.dumps(answer.to_dict())
            assert {tuple(row) for row in answer.to_rows()} == {tuple(failed.to_rows()[0])}
            assert answer.__dataclass_params__.frozen

    def test_the_demo_builds(self, domain: Domain) -> None:
        pytest.importorskip("gradio")
        assert domain.module("demo").build(self.scripted(domain)).blocks

    def scripted(self, domain: Domain) -> Any:
        """A predictor without a model, for the demo."""
        return Scripted(domain)

    def _overrides(self, recipe: Recipe) -> list[str]:
        scratch = recipe.model.backbone.startswith("scratch:")
        model = [] if scratch else [f"model.backbone={self.backbone}", f"model.tokenizer={self.tokenizer}"]
        return [*model, *SHRUNK, *self.shrunk]


class DomainContract(CodeContract, ReleaseContract):
    """Subclass it with the domain's name; every test here then speaks of that domain."""


def _target(domain: Domain, row: Row) -> str:
    """The text that a row's prompt teaches."""
    return "".join(segment.text for segment in domain.module("prompts").render(row, 0) if segment.supervised)
