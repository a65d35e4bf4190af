"""Paper recipes say what their authors' own code does, what is done here, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import recipe as recipes
from instructzoo.core.recipe import Train
from instructzoo.core.report.authors import PLACE, authors_table, update_page
from instructzoo.core.tune import optimizers

ROOT = Path(__file__).resolve().parents[2]
PAPERS = [f"{path.parent.name}/paper" for path in sorted(ROOT.glob("recipes/*/paper.yaml"))]
TOPICS = ("optimizer", "lr", "schedule", "warmup_steps", "batch", "precision", "clip", "weight_decay")


def table(name: str) -> dict[str, tuple[str, ...]]:
    """The rows of a recipe's table by their first cell."""
    return {row[0]: row[1:] for row in authors_table(recipes.load(name).model_dump(mode="json")).rows}


@pytest.mark.parametrize("name", PAPERS)
def test_every_paper_recipe_compares_its_optimisation_with_the_authors_code(name: str) -> None:
    rows = table(name)
    assert {f"train.{topic}" for topic in TOPICS} <= set(rows)
    assert {"train.epochs", "train.steps"} & set(rows)


@pytest.mark.parametrize("name", PAPERS)
def test_every_deviation_from_the_authors_code_has_a_reason(name: str) -> None:
    recipe = recipes.load(name).model_dump(mode="json")
    for setting, (theirs, here, why, where) in table(name).items():
        assert where, setting
        assert (theirs == here) == (why == "same"), setting
        assert why != "set for this run", setting
        if recipe["authors"][setting]["here"] is None:  # then the row is named after a setting of the recipe
            value: Any = recipe
            for key in setting.split("."):
                assert key in value, setting
                value = value[key]


@pytest.mark.parametrize("name", PAPERS)
def test_the_table_of_a_paper_recipe_is_in_its_readme_as_generated(name: str, tmp_path: Path) -> None:
    text = (ROOT / "packages" / name.partition("/")[0] / "README.md").read_text(encoding="utf-8")
    assert name in {match["name"] for match in PLACE.finditer(text)}
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert not update_page(tmp_path / "page.md"), "python -m instructzoo.core.report.authors packages/*/README.md"


def test_a_setting_that_was_changed_for_one_run_is_marked_in_its_table() -> None:
    recipe = recipes.load("arithmetic/paper", ["train.batch=64"]).model_dump(mode="json")
    rows = {row[0]: row[1:4] for row in authors_table(recipe).rows}
    assert rows["train.batch"] == ("128", "64", "set for this run")


def rates(steps: int, **settings: Any) -> list[float]:
    train = Train(lr=1.0, **settings)
    return [optimizers.lr_at(step, steps, train) for step in range(steps)]


def test_the_linear_schedule_is_that_of_transformers() -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = transformers.get_linear_schedule_with_warmup(optimizer, num_warmup_steps=10, num_training_steps=50)
    expected = [theirs.lr_lambdas[0](step) for step in range(50)]
    ours = rates(50, schedule="linear", warmup_steps=10)
    assert ours[10:] == pytest.approx(expected[10:])
    assert ours[:10] == pytest.approx(expected[1:11]), "theirs wastes its first update on a rate of 0"
    assert rates(50, schedule="linear", warmup_steps=0, final_lr=0.5)[25] == pytest.approx(0.75)


def test_the_inverse_square_root_schedule_is_that_of_transformers() -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    for warmup in (10, 0):
        theirs = transformers.get_inverse_sqrt_schedule(optimizer, num_warmup_steps=warmup)
        expected = [theirs.lr_lambdas[0](step) for step in range(warmup, 50)]
        assert rates(50, schedule="inverse-sqrt", warmup_steps=warmup)[warmup:] == pytest.approx(expected)


def test_wsd_stays_at_its_peak_and_falls_linearly_over_its_last_updates() -> None:
    ours = rates(100, schedule="wsd", warmup_steps=10, decay=0.2, final_lr=0.1)
    assert ours[9:80] == [1.0] * 71
    assert ours[90] == pytest.approx(0.55)
    assert ours[80:] == sorted(ours[80:], reverse=True)
    assert 0.1 < ours[-1] < 0.15


def test_warm_up_in_updates_takes_the_place_of_a_share() -> None:
    assert rates(1000, warmup=0.5, warmup_steps=4, schedule="constant")[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert rates(10, warmup=0.4, schedule="constant")[:4] == [0.25, 0.5, 0.75, 1.0]


def test_epsilon_reaches_the_optimiser() -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(2, 2)
    assert optimizers.make_optimizer(model, Train(eps=1e-6)).param_groups[0]["eps"] == 1e-6
    assert optimizers.make_optimizer(model, Train()).param_groups[0]["eps"] == 1e-8
