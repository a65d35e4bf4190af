"""zoo train outside the loop: errors before training, and what a run records of its rows and its base model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LORA, Kit, kit, recipe

from instructzoo.core import api, models, runs, settings, tune
from instructzoo.core.commands import plan
from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Recipe
from instructzoo.core.report import results_table
from instructzoo.core.tune import loop

SMALL: dict[str, Any] = {
    "data": {"world": {"operations": ["add"], "sums": 2}, "sizes": {"train": 48, "validation": 20, "test": 20}},
    "train": {"steps": 4},
}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "runs"))
    return tmp_path


def write_recipe(folder: Path, values: Recipe) -> str:
    """Write a recipe file; return its path."""
    path = folder / "tried.yaml"
    path.write_text(settings.dump(values.model_dump(mode="json", exclude={"name"})))
    return str(path)


def test_a_mistyped_scorer_is_an_error_before_training(root: Path) -> None:
    with pytest.raises(ZooError, match=r'no scorer "strct".*strict'):
        api.train(write_recipe(root, recipe(**SMALL)), ["evaluate.scorer=strct"], quiet=True)
    assert not list((root / "runs").rglob("checkpoints"))


def test_validation_rows_limits_the_validation_split(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    validation_sizes: list[int] = []

    def stop(recipe: Recipe, run: Any, model: Any, objective: Any, splits: tune.EncodedSplits, quiet: bool) -> None:
        validation_sizes.append(len(splits.validation))
        raise RuntimeError("enough")

    monkeypatch.setattr(tune, "fit", stop)
    for rows in (7, 20, 1000, None):
        limited = recipe(**SMALL | {"train": {"steps": 4, "validation_rows": rows}})
        with pytest.raises(RuntimeError, match="enough"):
            api.train(write_recipe(root, limited), quiet=True)
    assert validation_sizes == [7, 20, 20, 20]


def test_a_run_with_changed_rows_is_neither_resumed_nor_evaluated(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = root / "goat.json"
    rows = [{"instruction": f"{a} + {a}", "input": f"{a} + {a}", "output": f"{a} + {a} = {2 * a}", "answer": str(2 * a)}
            for a in range(100, 200)]  # fmt: skip
    corpus.write_text(json.dumps(rows))
    data = {"sources": ["goat"], "path": str(corpus), "validation": 0.1, "test": 0.1}
    path = write_recipe(root, recipe(data=data, train=SMALL["train"]))

    def power_failure(*_: Any) -> None:
        raise RuntimeError("power")

    with monkeypatch.context() as patch:
        patch.setattr(loop, "validation_loss", power_failure)
        with pytest.raises(RuntimeError, match="power"):
            api.train(path, quiet=True)
    corpus.write_text(json.dumps(rows[:80]))
    with pytest.raises(ZooError, match="began with rows"):
        api.train(path, quiet=True)
    corpus.write_text(json.dumps(rows))
    run = runs.find(api.train(path, quiet=True)["run"])
    assert [line["hardware"]["processes"] for line in run.manifest()["resumed"]] == [1]
    corpus.write_text(json.dumps(rows[::-1]))
    with pytest.raises(ZooError, match="was trained on data"):
        api.eval("arithmetic", str(run.folder))


def test_a_second_training_in_one_process_may_use_another_precision(root: Path) -> None:
    path = write_recipe(root, recipe(**SMALL))
    api.train(path, quiet=True)
    api.train(path, ["train.precision=bfloat16"], quiet=True)


@pytest.mark.parametrize("method", [{"name": "norms"}, {"name": "subset", "pattern": ".*"}, {"name": "bitfit"}])
def test_training_bfloat16_or_quantised_base_weights_is_an_error(method: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="round small updates"):
        recipe(method=method, model={"weights": "bfloat16"})
    with pytest.raises(ValueError, match="quantised base"):
        recipe(method={"name": "subset", "pattern": ".*"}, model={"quantisation": "nf4"})


def save_backbone(setup: Kit, folder: Path) -> Path:
    """Save the untuned model as a backbone; return its folder."""
    models.save_plain(setup.bundle.model, setup.bundle.tokenizer, folder)
    return folder


def test_pickled_weights_and_adapters_are_refused(root: Path) -> None:
    setup = kit(recipe())
    base = save_backbone(setup, root / "base")
    weights = base / "model.safetensors"
    torch.save(setup.bundle.model.state_dict(), base / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(ZooError, match="cannot load"):
        models.load(recipe(str(base)).model, 0, list)
    tuned = adapters.apply(setup.bundle.model, recipe(method=LORA).method)
    tuned.save_pretrained(str(root / "adapter"))
    (root / "adapter" / "adapter_model.safetensors").rename(root / "adapter" / "adapter_model.bin")
    with pytest.raises(ValueError, match=r"no adapter_model.safetensors"):
        adapters.reload(kit(recipe()).bundle.model, recipe(method=LORA).method, root / "adapter")


def test_an_adapter_on_another_base_is_refused(root: Path) -> None:
    base = save_backbone(kit(recipe(seed=1)), root / "base")
    settings = recipe(str(base), method=LORA)
    setup = kit(settings)
    models.save(setup.model, setup.bundle.tokenizer, settings, root / "model")
    models.open_saved(root / "model")
    save_backbone(kit(recipe(seed=2)), base)
    with pytest.raises(ZooError, match="was trained on"):
        models.open_saved(root / "model")


def test_a_model_is_scored_without_the_untuned_baseline_if_its_backbone_is_gone(root: Path) -> None:
    base = save_backbone(kit(recipe(seed=1)), root / "base")
    path = write_recipe(root, recipe(str(base), evaluate={"baselines": True, "limit": 4}, **SMALL))
    run = api.train(path, quiet=True)["run"]
    scores = api.eval("arithmetic", run)
    assert "untuned" in scores["systems"] and not scores["left_out"]
    base.rename(root / "moved")
    scores = api.eval("arithmetic", run)
    assert "untuned" not in scores["systems"] and "no folder" in scores["left_out"]["untuned"]
    assert {"copy", "nearest"} < scores["systems"].keys()
    assert "The baseline untuned was left out: " in results_table(scores)
    assert not scores["recorded"]
    assert "untuned" in runs.read_json(Path(run) / "scores.json")["systems"]


@pytest.mark.parametrize("fast", [True, False])
def test_a_plan_times_bfloat16_only_where_it_is_fast(fast: bool, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "speed", lambda: {"bf16_fast": fast})
    planned = api.plan(write_recipe(root, recipe(**SMALL)))
    assert ("seconds_per_step_bfloat16" in planned) == fast
    assert "seconds_per_step_bfloat16" not in api.plan(str(root / "tried.yaml"), ["train.precision=float32"])
