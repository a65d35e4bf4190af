"""AppContract: the tests that every domain inherits.

from instructzoo.core.testing import DomainContract

class TestArithmetic(DomainContract):
    name = "arithmetic"
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.domain import MODULES, Domain, PublishedResult
from instructzoo.core.recipe import Recipe, Settings
from instructzoo.core.record import Invalid, Record, Row, Segment

ROWS = 200
SPLITS = ("train", "validation", "test")
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


class DomainContract:
    """Subclass it with the domain's name; every test here then speaks of that domain."""

    name: str
    tokenizer = "bpe"
    backbone = "scratch:llama-1x32"
    shrunk: tuple[str, ...] = ()
    """Overrides of the domain's own, after SHRUNK."""

    @pytest.fixture(scope="class")
    def domain(self) -> Domain:
        return domains.get(self.name)

    @pytest.fixture(scope="class")
    def rows(self, domain: Domain) -> list[Row]:
        return list(domain.module("world").generate(ROWS, 0, "train"))

    @pytest.fixture(autouse=True)
    def _own_folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "runs"))

    def test_a_module_is_missing(self, domain: Domain) -> None:
        assert domains.missing_modules(domain) == []

    def test_a_public_function_lost_its_types(self, domain: Domain) -> None:
        wanted: dict[str, dict[str, tuple[str, ...]]] = {
            "world": {"generate": ("n", "seed", "split")},
            "sources": {"build": ("recipe", "parts"), "gold": ("path", "task")},
            "prompts": {"render": ("row", "seed"), "parse": ("text", "row")},
            "metrics": {"score": ("rows", "answers", "scorer"), "correct": ("rows", "answers", "scorer")},
            "demo": {"build": ("predictor",)},
        }
        assert set(wanted) == set(MODULES)
        for module, functions in wanted.items():
            for function, names in functions.items():
                signature = inspect.signature(getattr(domain.module(module), function))
                assert tuple(signature.parameters)[: len(names)] == names, f"{module}.{function}"
                assert all(p.annotation is not p.empty for p in signature.parameters.values()), f"{module}.{function}"
                assert signature.return_annotation is not signature.empty, f"{module}.{function}"

    def test_the_same_seed_gives_other_rows(self, domain: Domain, rows: list[Row]) -> None:
        assert list(domain.module("world").generate(ROWS, 0, "train")) == rows
        assert list(domain.module("world").generate(ROWS, 1, "train")) != rows

    def test_a_row_of_the_world_is_malformed(self, domain: Domain, rows: list[Row]) -> None:
        assert len(rows) == ROWS
        for row in rows:
            checked = Record.from_row(row)
            assert checked.output and checked.source and checked.licence and checked.item
            assert row["id"]
            assert set(domain.columns) <= set(row)

    def test_an_item_stands_in_two_splits(self, domain: Domain) -> None:
        items = {split: {r["item"] for r in domain.module("world").generate(ROWS, 7, split)} for split in SPLITS}
        assert all(items.values())
        assert not items["train"] & items["test"]
        assert not items["train"] & items["validation"]
        assert not items["validation"] & items["test"]

    def test_a_prompt_has_nothing_to_learn(self, domain: Domain, rows: list[Row]) -> None:
        for row in rows:
            segments = domain.module("prompts").render(row, 0)
            assert all(isinstance(s, Segment) for s in segments)
            assert any(s.supervised and s.text for s in segments)
            assert not segments[0].supervised

    def test_the_gold_answer_is_not_understood(self, domain: Domain, rows: list[Row]) -> None:
        for row in rows:
            answer = domain.module("prompts").parse(self._target(domain, row), row)
            assert not isinstance(answer, Invalid), (row, answer)

    def test_the_gold_answer_is_against_the_grammar(self, domain: Domain, rows: list[Row]) -> None:
        if not domain.constrained:
            pytest.skip(f"{domain.name} declares no grammar of its answers")
        from instructzoo.core.infer.grammar import permits

        held = 0
        for row in rows:
            constraint = domain.module("prompts").constraint(row)
            if constraint is not None:
                target = self._target(domain, row)
                assert permits(constraint, target), (row, target)
                assert not permits(constraint, f"{target}\x00"), row
                held += 1
        assert held

    def test_gold_scores_below_perfect_or_silence_scores(self, domain: Domain, rows: list[Row]) -> None:
        metrics = domain.module("metrics")
        gold = [self._target(domain, row) for row in rows]
        for scorer in metrics.SCORERS:
            perfect = metrics.score(rows, gold, scorer)
            assert perfect.scorer == scorer
            lead = perfect.headline_value()
            assert lead.n == len(rows)
            assert lead.low <= lead.value <= lead.high
            assert all(metrics.correct(rows, gold, scorer))
            for empty in ("", "None", "e"):
                silent = metrics.score(rows, [empty] * len(rows), scorer)
                assert silent.headline_value().value == 0, (scorer, empty)

    def test_a_faulty_scorer_stands_among_the_sound_ones(self, domain: Domain) -> None:
        metrics = domain.module("metrics")
        assert metrics.SCORERS[0] == "strict"
        assert not set(metrics.SCORERS) & set(metrics.LEGACY)

    def test_a_baseline_answers_other_rows_than_it_was_asked(self, domain: Domain, rows: list[Row]) -> None:
        test = list(domain.module("world").generate(20, 0, "test"))
        for name, baseline in domain.module("metrics").BASELINES.items():
            answers = list(baseline(rows, test))
            assert len(answers) == len(test), name
            assert all(isinstance(answer, str) for answer in answers), name

    def test_a_setting_of_the_sources_is_not_known(self, domain: Domain) -> None:
        assert issubclass(domain.module("sources").Settings, Settings)

    def test_a_published_figure_names_no_source(self, domain: Domain) -> None:
        figures = domain.module("metrics").PAPER
        assert figures
        assert all(isinstance(f, PublishedResult) and f.source and f.system for f in figures)

    def test_a_recipe_does_not_run(self, domain: Domain) -> None:
        """Every recipe is parsed and takes two steps on a scratch model (law 6)."""
        from instructzoo.core import api

        for stem in domain.recipes():
            overrides = self._overrides(recipes.load(f"{self.name}/{stem}"))
            outcome = api.train(f"{self.name}/{stem}", overrides, run_id=stem, quiet=True)
            assert outcome["steps"] == 2, stem
            assert outcome["parameters"]["trained"] > 0

    def test_the_demo_does_not_build(self, domain: Domain) -> None:
        pytest.importorskip("gradio")
        assert domain.module("demo").build(self.scripted(domain)).blocks

    def test_the_carried_model_does_not_answer(self, domain: Domain) -> None:
        from instructzoo.core import infer

        folder = domain.bundled_model()
        assert sum(path.stat().st_size for path in folder.rglob("*.safetensors")) <= 3 * 2**20
        assert (folder / "scores.json").is_file()
        predictor = infer.load(domain, folder)
        settings = predictor.recipe.data.world
        world = domain.module("world")
        test = list(world.generate(40, 0, "test", world.Settings(**settings)))
        correct = domain.module("metrics").correct(test, predictor.answer(test), "strict")
        assert sum(correct) >= 0.8 * len(test)

    def scripted(self, domain: Domain) -> Any:
        """A predictor without a model, for the demo."""
        return Scripted(domain)

    def _overrides(self, recipe: Recipe) -> list[str]:
        scratch = recipe.model.backbone.startswith("scratch:")
        kind = [] if scratch else [f"model.backbone={self.backbone}", f"model.tokenizer={self.tokenizer}"]
        return [*kind, *SHRUNK, *self.shrunk]

    @staticmethod
    def _target(domain: Domain, row: Row) -> str:
        return "".join(s.text for s in domain.module("prompts").render(row, 0) if s.supervised)


class Scripted:
    """A predictor that answers by the book: for demos under test."""

    def __init__(self, domain: Domain, answers: dict[str, str] | None = None) -> None:
        self.domain, self.answers = domain, answers or {}
        self.recipe = Recipe.model_validate({"domain": domain.name, "model": {"backbone": "scripted"}})
        self.scores: dict[str, Any] | None = None
        self.folder = Path()
        self.constrained = False

    def with_constraints(self, constrained: bool) -> Scripted:
        """The same answers: they come from a book."""
        return self

    def answer(self, rows: list[Row]) -> list[str]:
        return [self.answers.get(row["instruction"], "") for row in rows]
