"""The model shelf: models by name, what --model takes, adapters in a package, and which model answers by default."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LORA
from safetensors.torch import load_file

from instructzoo.core import api, infer, models, runs
from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters, downloads, hub, model_choice, scratch, tokenizers
from instructzoo.core.models.backbones import BACKBONES, Backbone, Pinned
from instructzoo.core.recipe import Recipe
from instructzoo.core.shelf import LARGEST, ONLY_MADE_UP, ShelfModel, TrainingData
from instructzoo.core.terminal import model_option, model_printers

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path("packages") / "absa" / "src" / "instructzoo" / "absa"
REVIEW = {"instruction": "", "input": "Great wine, slow service", "task": "asqp", "domain": "restaurant"}
BASE = Backbone(
    "smollm2-135m", "causal", "zoo-tiny-base==1.0", "Apache-2.0", (Pinned("zoo/base.gguf", "0" * 64),), "made up",
    megabytes=98,
)  # fmt: skip
"""A pinned asset in place of the real base, of 30,000 weights."""


def write_base() -> Path:
    """The converted base in the cache, as a fetch leaves it."""
    folder = downloads.folder(BASE.name)
    tokenizer = tokenizers.train_tokenizer("bpe", [row["input"] for row in world_rows("absa", 200)], 512)
    model = scratch.build_model("scratch:llama-1x32", tokenizer, 512, 0.0, seed=1)
    models.save_plain(model, tokenizer, folder)
    downloads._write_manifest(BASE, folder)
    return folder


def world_rows(name: str, n: int) -> list[Any]:
    return list(domains.get(name).module("world").generate(n, 0, "test"))


def enter_checkout(root: Path, patch: pytest.MonkeyPatch) -> None:
    """Let absa be used from a checkout in a folder, with a cache of its own and the small base in the table."""
    patch.setenv("INSTRUCTZOO_CACHE", str(root / "cache"))
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setitem(BACKBONES, BASE.name, BASE)
    patch.setattr(Domain, "folder", lambda self: root / PACKAGE)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with absa's tiny model and an adapter that is bundled as small, and the adapter as trained."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(domains.get("absa").bundled_model(), root / PACKAGE / "weights" / "tiny")
    (root / "recipes").symlink_to(ROOT / "recipes")
    with pytest.MonkeyPatch.context() as patch:
        enter_checkout(root, patch)
        write_base()
        write_adapter(root / "trained", root / PACKAGE / "weights" / "tiny")
        api.bundle("absa", str(root / "trained"), name="small")
    return root


def write_adapter(folder: Path, beside: Path) -> None:
    """A LoRA adapter on the base, as a run saves it, with the labels and scores of another model."""
    recipe = Recipe.model_validate(
        {
            "domain": "absa", "name": "small", "method": LORA, "model": {"backbone": BASE.name, "max_tokens": 256},
            "data": {"sources": ["asqp/rest16"], "path": "/home/maker/data"}, "decode": {"max_new_tokens": 24},
        }
    )  # fmt: skip
    bundle = models.load(recipe.model, 0, list)
    tuned = adapters.apply(bundle.model, recipe.method)
    torch.manual_seed(0)
    for name, parameter in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    models.save(tuned, bundle.tokenizer, recipe, folder)
    for name in ("labels.json", "scores.json"):
        shutil.copyfile(beside / name, folder / name)


@pytest.fixture
def small(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of small, in a copy of the checkout."""
    shutil.copytree(prepared, tmp_path / "checkout", symlinks=True)
    enter_checkout(tmp_path / "checkout", monkeypatch)
    return tmp_path / "checkout" / PACKAGE / "weights" / "small"


@pytest.fixture
def absa(small: Path) -> Domain:
    """absa with the two models."""
    return domains.get("absa")


@pytest.fixture
def trained(small: Path, tmp_path: Path) -> Path:
    """The folder of the adapter as it was trained."""
    return tmp_path / "checkout" / "trained"


@pytest.fixture
def without_base(small: Path) -> None:
    """The base is not in the cache."""
    shutil.rmtree(downloads.folder(BASE.name))


def test_a_model_whose_weights_are_not_bundled_is_not_on_the_shelf(absa: Domain, small: Path) -> None:
    shutil.rmtree(small)
    assert {"tiny", "small"} <= {model.name for model in absa.models}
    assert "small" not in absa.shelf()
    assert not any(entry["name"] == "small" for entry in api.models("absa")["models"])
    with pytest.raises(ZooError, match='no model "small"'):
        infer.open_model(absa, "small")


@pytest.mark.parametrize("name", ["absa", "dialogue", "pix2pix", "uie"])
def test_a_model_of_the_microworld_says_that_it_answers_it_only(name: str) -> None:
    assert domains.get(name).shelf()["tiny"].knows.startswith(ONLY_MADE_UP)


def test_the_list_has_base_size_data_licence_and_score_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    listed = api.models()
    assert {entry["domain"] for entry in listed["models"]} >= {"absa", "arithmetic", "dialogue", "pix2pix", "uie"}
    tiny = next(entry for entry in listed["models"] if (entry["domain"], entry["name"]) == ("uie", "tiny"))
    recorded = runs.read_json(domains.get("uie").bundled_model() / "scores.json")["systems"]["model"]["figures"][0]
    assert tiny["score"]["n"] == recorded["n"] and tiny["score"]["value"] == recorded["value"]
    assert 0 < tiny["megabytes"] < 3 and tiny["fetch"] is None
    model_printers.models(listed)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    for text in ("uie/tiny", "ready", "n = 2,000", "Apache-2.0", "from scratch"):
        assert any(text in line for line in lines), text


@pytest.mark.usefixtures("without_base")
def test_data_for_research_only_and_a_base_to_fetch_are_said(
    absa: Domain, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = next(entry for entry in api.models("absa")["models"] if entry["name"] == "small")
    assert entry["research_only"] and entry["fetch"] == {"name": BASE.name, "megabytes": 98}
    model_printers.models({"models": [entry]})
    printed = capsys.readouterr().out
    assert "research only" in printed and "fetch 98 MB: zoo fetch absa/small" in printed


def test_a_bundled_adapter_holds_what_it_needs_and_nothing_of_its_maker(trained: Path, small: Path) -> None:
    assert {path.name for path in small.iterdir()} == {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "base.json", "hashes.json", "labels.json",
        "recipe.yaml", "scores.json",
    }  # fmt: skip
    weights = load_file(small / "adapter_model.safetensors")
    assert {values.dtype for values in weights.values()} == {torch.float16}
    assert json.loads((small / "base.json").read_text()) == {"zoo/base.gguf": "0" * 64}
    texts = "".join(path.read_text() for path in small.iterdir() if path.suffix != ".safetensors")
    assert "/home/maker" not in texts and str(trained.parent) not in texts
    card = (small / "README.md").read_text()
    assert "ACOS (no licence file, research only)" in card and "For research only" in card


def test_a_bundled_adapter_is_merged_when_opened_and_answers_as_its_run(
    absa: Domain, trained: Path, small: Path
) -> None:
    rows = world_rows("absa", 12)
    opened, as_trained = infer.open_model(absa, "small"), infer.load(absa, trained)
    assert opened.model is absa.shelf()["small"] and not opened.notice
    assert not any("lora" in name for name, _ in opened.loaded.model.named_parameters())
    answers = opened.answer(rows)
    assert sum(a != b for a, b in zip(answers, as_trained.answer(rows), strict=True)) <= 1
    assert len(set(answers)) > 1
    assert answers != opened.untuned().answer(rows)
    assert opened.labels == as_trained.labels


def test_an_adapter_on_another_release_of_its_base_is_refused(absa: Domain, small: Path) -> None:
    runs.write_json(small / "base.json", {"zoo/base.gguf": "1" * 64})
    (small / "hashes.json").unlink()
    with pytest.raises(ZooError, match="was trained on"):
        infer.open_model(absa, "small")


def test_a_model_that_is_opened_only_if_it_is_ready_fetches_no_base(
    absa: Domain, small: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert infer.open_ready(absa, "small").answer([REVIEW])
    monkeypatch.setenv("INSTRUCTZOO_CACHE", str(tmp_path / "empty"))
    with pytest.raises(ZooError, match=r"is not on this machine; .*zoo fetch absa/small"):
        infer.open_ready(absa, "small")


def test_an_adapter_of_an_earlier_version_names_the_converted_files_of_its_base(trained: Path, absa: Domain) -> None:
    weights = downloads.folder(BASE.name) / "model.safetensors"
    runs.write_json(trained / "base.json", {weights.name: runs.sha256(weights)})
    assert infer.load(absa, trained).answer([REVIEW])
    runs.write_json(trained / "base.json", {weights.name: "0" * 64})
    with pytest.raises(ZooError, match="was trained on"):
        infer.load(absa, trained)


def test_an_adapter_that_is_too_large_or_whole_models_are_not_bundled_as_small(
    absa: Domain, small: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(small)
    monkeypatch.setitem(LARGEST, "small", 1000)
    with pytest.raises(ZooError, match=r"MB of weights; expected at most"):
        api.bundle("absa", str(trained), name="small")
    with pytest.raises(ZooError, match="holds no adapter"):
        api.bundle("absa", "tiny", name="small")
    with pytest.raises(ZooError, match=r'no "smal"; did you mean "small"'):
        api.bundle("absa", str(trained), name="smal")
    assert not absa.has_bundled_model("small")


def test_small_answers_by_default_where_its_base_is_at_hand(absa: Domain, small: Path) -> None:
    def refuse(missing: model_choice.Missing) -> bool:
        raise AssertionError("nobody is asked")

    chosen = model_choice.choose_default(absa, refuse)
    assert (chosen.folder, chosen.notice) == (small, "")


@pytest.mark.usefixtures("without_base")
def test_tiny_answers_and_says_why_where_the_base_is_not_at_hand(absa: Domain, small: Path) -> None:
    questions: list[str] = []
    for may_fetch in (None, lambda missing: bool(questions.append(str(missing)))):
        predictor = infer.open_model(absa, None, may_fetch)
        assert predictor.model is absa.shelf()["tiny"]
        assert "smollm2-135m (98 MB), is not on this machine; zoo fetch absa/small" in predictor.notice
        assert predictor.notice.endswith(predictor.model.knows)
    assert questions == ["smollm2-135m (98 MB)"]


@pytest.mark.usefixtures("without_base")
def test_tiny_answers_where_the_base_cannot_be_fetched(absa: Domain, small: Path) -> None:
    chosen = model_choice.choose_default(absa, lambda missing: True)  # pip finds nothing: PIP_NO_INDEX
    assert chosen.model is absa.shelf()["tiny"]
    assert "cannot be fetched" in chosen.notice and "cannot be downloaded" in chosen.notice


@pytest.mark.usefixtures("without_base")
def test_a_yes_fetches_the_base_and_small_answers(absa: Domain, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "fetch", lambda name: write_base())
    assert model_option.for_answers(absa, None, yes=True).folder == small


@pytest.mark.usefixtures("without_base")
@pytest.mark.parametrize(("typed", "name"), [("y\n", "small"), ("\n", "tiny"), ("no\n", "tiny"), ("", "tiny")])
def test_on_a_terminal_the_user_is_asked_once_in_one_line(
    typed: str,
    name: str,
    absa: Domain,
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(downloads, "fetch", lambda name: write_base())
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: typed, raising=False)
    assert model_option.for_answers(absa, None, yes=False).folder.name == name
    asked, _, rest = capsys.readouterr().err.partition("[y/N] ")
    assert asked.endswith("needs smollm2-135m (98 MB), fetched once. Fetch now? ") and "\n" not in asked
    assert ("tiny answers, not small" in rest) == (name == "tiny")


@pytest.mark.usefixtures("without_base")
def test_without_a_terminal_nobody_is_asked(absa: Domain, small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert model_option.for_answers(absa, None, yes=False).folder.name == "tiny"
    printed = capsys.readouterr().err
    assert "[y/N]" not in printed and printed.count("\n") == 1


def test_scores_and_exports_take_tiny_by_default_whatever_was_fetched(absa: Domain, small: Path) -> None:
    assert model_option.for_files(absa, None).folder.name == "tiny"


def test_fetching_a_model_gets_what_it_lacks(absa: Domain, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(downloads, "fetch", lambda name: fetched.append(name) or Path())
    assert api.fetch("absa/small") == {"name": "absa/small", "path": str(small)}
    assert api.fetch("absa/tiny")["path"].endswith("weights/tiny")
    assert fetched == [BASE.name]
    with pytest.raises(ZooError, match=r'no model "smal"; did you mean "small"'):
        api.fetch("absa/smal")


def test_a_folder_of_another_program_is_asked_in_the_domains_prompts(absa: Domain, small: Path) -> None:
    base = shutil.copytree(downloads.folder(BASE.name), small.parent / "base", ignore=lambda *_: ["manifest.json"])
    predictor = infer.open_model(absa, str(base))
    assert predictor.model is None and predictor.recipe.model.backbone == str(base)
    assert predictor.recipe.model.max_tokens == recipes.load("absa/small").model.max_tokens
    assert len(predictor.answer([REVIEW])) == 1
    with pytest.raises(ZooError, match="not tuned here"):
        predictor.untuned()


def test_an_adapter_of_another_program_is_opened_on_the_base_that_it_names(absa: Domain, small: Path) -> None:
    folder = small.parent.parent / "plain"
    folder.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(small / name, folder / name)
    predictor = infer.open_model(absa, str(folder))
    assert predictor.recipe.model.backbone == BASE.name
    assert len(predictor.answer([REVIEW])) == 1


def test_small_is_exported_whole_and_answers_from_its_folder(absa: Domain, small: Path, tmp_path: Path) -> None:
    exported = api.export("absa", str(tmp_path / "plain"), "small")
    assert exported["checked"] == 32
    assert (tmp_path / "plain" / "config.json").is_file()
    rows = world_rows("absa", 4)
    assert infer.open_model(absa, str(tmp_path / "plain")).answer(rows) == infer.open_model(absa, "small").answer(rows)


def test_small_is_scored_on_rows_of_a_file_since_its_corpora_are_no_part_of_the_package(
    absa: Domain, small: Path, tmp_path: Path
) -> None:
    with pytest.raises(ZooError, match=r"--rows: the corpora that small is scored on are no part of the package"):
        api.eval("absa", "small", quiet=True)
    lines = "".join(json.dumps(row) + "\n" for row in world_rows("absa", 8))
    (tmp_path / "rows.jsonl").write_text(lines)
    scores = api.eval("absa", "small", quiet=True, rows=str(tmp_path / "rows.jsonl"))
    assert (scores["n"], scores["model"], scores["knows"]) == (8, "absa/small", absa.shelf()["small"].knows)


def test_a_published_model_is_opened_from_the_hubs_cache_in_its_dialect(
    absa: Domain, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = ShelfModel(
        "elsewhere", "published", "smollm2-135m", "Knows what its paper says.", (TrainingData("a corpus", "MIT"),),
        "MIT", repository="owner/name", dialect="instructabsa_ate", source="https://example.org", megabytes=1234,
    )  # fmt: skip
    domain = replace(absa, models=(*absa.models, published))
    missing = model_choice.missing(published)
    assert missing is not None and str(missing) == "owner/name (1,234 MB)"
    (downloads.folder(BASE.name) / "manifest.json").unlink()
    monkeypatch.setattr(hub, "snapshot", lambda repository, revision="", offline=False: downloads.folder(BASE.name))
    assert model_choice.missing(published) is None
    predictor = infer.open_model(domain, "elsewhere")
    assert predictor.model is published
    assert predictor.recipe.model.dialect == "instructabsa_ate" and predictor.recipe.model.template == "plain"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("tinny", r'no model "tinny"; did you mean "tiny"'),
        ("absa/tinny", r'no model "absa/tinny"; did you mean "tiny"'),
        ("somewhere/else/entirely", "no run in somewhere/else/entirely"),
        ("owner/name", "cannot fetch owner/name"),
    ],
)
def test_what_is_no_model_is_said_in_one_line(model: str, message: str, absa: Domain) -> None:
    with pytest.raises(ZooError, match=message):
        infer.open_model(absa, model)


def test_a_model_is_also_named_with_its_domain(absa: Domain) -> None:
    assert model_choice.choose(absa, "absa/tiny").model is absa.shelf()["tiny"]


@pytest.mark.parametrize("command", ["eval", "predict", "demo", "export"])
def test_the_option_of_earlier_versions_names_the_new_one(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from instructzoo.core import cli

    for option in (["--run", "x"], ["--run=x"]):
        monkeypatch.setattr(sys, "argv", ["zoo", command, "absa", *option])
        with pytest.raises(SystemExit, match="2"):
            cli.main()
        assert capsys.readouterr().err == "zoo: no option --run; --model MODEL names the model, a run directory too\n"
