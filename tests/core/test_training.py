"""zoo train around the loop: what it refuses before it begins, and what a run remembers of its beginning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LORA, kit, recipe

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


def written(folder: Path, made: Recipe) -> str:
    path = folder / "tried.yaml"
    path.write_text(settings.dump(made.model_dump(mode="json", exclude={"name"})))
    return str(path)


def test_a_mistyped_scorer_is_an_error_before_training(root: Path) -> None:
    with pytest.raises(ZooError, match=r'no scorer "strct".*strict'):
        api.train(written(root, recipe(**SMALL)), ["evaluate.scorer=strct"], quiet=True)
    assert not list((root / "runs").rglob("checkpoints"))


def test_validation_rows_limits_the_validation_split(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []

    def stop(recipe: Recipe, run: Any, model: Any, objective: Any, parts: tune.EncodedSplits, quiet: bool) -> None:
        looked_at.append(len(parts.validation))
        raise RuntimeError("enough")

    monkeypatch.setattr(tune, "fit", stop)
    for rows in (7, 20, 1000, None):
        made = recipe(**SMALL | {"train": {"steps": 4, "validation_rows": rows}})
        with pytest.raises(RuntimeError, match="enough"):
            api.train(written(root, made), quiet=True)
    assert looked_at == [7, 20, 20, 20]


def test_a_run_with_changed_rows_is_neither_resumed_nor_evaluated(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = root / "goat.json"
    rows = [{"instruction": f"{a} + {a}", "input": f"{a} + {a}", "output": f"{a} + {a} = {2 * a}", "answer": str(2 * a)}
            for a in range(100, 200)]  # fmt: skip
    corpus.write_text(json.dumps(rows))
    data = {"sources": ["goat"], "path": str(corpus), "validation": 0.1, "test": 0.1}
    path = written(root, recipe(data=data, train=SMALL["train"]))

    def die(*_: Any) -> None:
        raise RuntimeError("power")

    with monkeypatch.context() as patch:
        patch.setattr(loop, "validation_loss", die)
        with pytest.raises(RuntimeError, match="power"):
            api.train(path, quiet=True)
    corpus.write_text(json.dumps(rows[:80]))
    with pytest.raises(ZooError, match="began with rows"):
        api.train(path, quiet=True)
    corpus.write_text(json.dumps(rows))
    run = runs.find(api.train(path, quiet=True)["run"])
    assert [line["hardware"]["processes"] for line in run.manifest()["resumed"]] == [1]
    corpus.write_text(json.dumps(rows[::-1]))
    with pytest.raises(ZooError, match="was trained beside rows"):
        api.eval("arithmetic", str(run.folder))


def test_a_second_training_in_one_process_may_use_another_precision(root: Path) -> None:
    path = written(root, recipe(**SMALL))
    api.train(path, quiet=True)
    api.train(path, ["train.precision=bfloat16"], quiet=True)


@pytest.mark.parametrize("method", [{"name": "norms"}, {"name": "subset", "pattern": ".*"}, {"name": "bitfit"}])
def test_training_bfloat16_or_quantised_base_weights_is_an_error(method: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="round small updates"):
        recipe(method=method, model={"weights": "bfloat16"})
    with pytest.raises(ValueError, match="quantised base"):
        recipe(method={"name": "subset", "pattern": ".*"}, model={"quantisation": "nf4"})


def folder_of(made: Any, place: Path) -> Path:
    models.save_plain(made.loaded.model, made.loaded.tokenizer, place)
    return place


def test_pickled_weights_and_adapters_are_refused(root: Path) -> None:
    made = kit(recipe())
    place = folder_of(made, root / "base")
    weights = place / "model.safetensors"
    torch.save(made.loaded.model.state_dict(), place / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(ZooError, match="cannot load"):
        models.load(recipe(str(place)).model, 0, list)
    tuned = adapters.apply(made.loaded.model, recipe(method=LORA).method)
    tuned.save_pretrained(str(root / "adapter"))
    (root / "adapter" / "adapter_model.safetensors").rename(root / "adapter" / "adapter_model.bin")
    with pytest.raises(ValueError, match=r"no adapter_model.safetensors"):
        adapters.reload(kit(recipe()).loaded.model, recipe(method=LORA).method, root / "adapter")


def test_an_adapter_on_another_base_is_refused(root: Path) -> None:
    place = folder_of(kit(recipe(seed=1)), root / "base")
    settings = recipe(str(place), method=LORA)
    made = kit(settings)
    models.save(made.tuned, made.loaded.tokenizer, settings, root / "model")
    models.open_saved(root / "model")
    folder_of(kit(recipe(seed=2)), place)
    with pytest.raises(ZooError, match="was trained on"):
        models.open_saved(root / "model")


def test_a_model_is_scored_without_the_untuned_baseline_if_its_backbone_is_gone(root: Path) -> None:
    place = folder_of(kit(recipe(seed=1)), root / "base")
    path = written(root, recipe(str(place), evaluate={"baselines": True, "limit": 4}, **SMALL))
    run = api.train(path, quiet=True)["run"]
    found = api.eval("arithmetic", run)
    assert "untuned" in found["systems"] and not found["left_out"]
    place.rename(root / "moved")
    found = api.eval("arithmetic", run)
    assert "untuned" not in found["systems"] and "no folder" in found["left_out"]["untuned"]
    assert {"copy", "nearest"} < found["systems"].keys()
    assert "The baseline untuned was left out: " in results_table(found)
    assert not found["recorded"]
    assert "untuned" in runs.read_json(Path(run) / "scores.json")["systems"]


@pytest.mark.parametrize("fast", [True, False])
def test_a_plan_times_bfloat16_only_where_it_is_fast(fast: bool, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "speed", lambda: {"bf16_fast": fast})
    found = api.plan(written(root, recipe(**SMALL)))
    assert ("seconds_per_step_bfloat16" in found) == fast
    assert "seconds_per_step_bfloat16" not in api.plan(str(root / "tried.yaml"), ["train.precision=float32"])
