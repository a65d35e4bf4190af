"""Recipes and their errors of one line; validation of records; domains found by entry point."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core import settings, settings_aliases
from instructzoo.core.domain import BrokenDomain, Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Record, item_key, row_id

GOOD = """\
domain: arithmetic
model:
  backbone: scratch:llama-1x32
  tokenizer: digits
train:
  lr: 1e-4
  batch: 8
"""


def written(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def error_of(folder: Path, text: str = GOOD, overrides: tuple[str, ...] = ()) -> str:
    """The error of a recipe, which is one line."""
    with pytest.raises(ZooError) as caught:
        recipes.load(written(folder, text), overrides)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_an_unknown_key_is_an_error_with_its_line_and_a_suggestion(tmp_path: Path) -> None:
    line = error_of(tmp_path, GOOD.replace("batch: 8", "bacth: 8"))
    assert line.startswith(f"{tmp_path}/mine.yaml:7: ")
    assert 'unknown setting "train.bacth"' in line
    assert 'did you mean "batch"?' in line
    assert "expected did you mean" not in line
    assert 'unknown setting "trian"' in error_of(tmp_path, GOOD.replace("train:", "trian:"))


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ("batch: 8", "batch: 0", 7, r"train\.batch = 0; expected greater than or equal to 1"),
        ("batch: 8", "batch: many", 7, r'train\.batch = "many"; expected a valid integer'),
        ("batch: 8", "lr: .inf", None, "set twice"),
        ("lr: 1e-4", "lr: .inf", 6, r"train\.lr .* finite"),
        ("lr: 1e-4", "betas: [0.9, 1.0]", 6, r"train\.betas\.1 = 1\.0; expected less than 1"),
        ("lr: 1e-4", "epochs: .nan", 6, r"train\.epochs"),
        ("batch: 8", "precision: half", 7, r"train\.precision = \"half\"; expected 'auto', 'float32'"),
        ("  tokenizer: digits\n", "", 2, "scratch backbone needs a tokenizer; expected digits or bpe"),
        ("  backbone: scratch:llama-1x32\n", "", 2, r'no setting "model\.backbone"'),
        ("domain: arithmetic\n", "", None, r'no setting "domain"'),
        ("train:\n", "method: {targets: q}\ntrain:\n", 5, r"method\.targets = \"q\"; expected 'all-linear' or a list"),
        ("train:\n", "train: 3\nother:\n", 5, r"train = 3; expected a valid dictionary"),
    ],
)
def test_a_bad_value_is_an_error_with_its_line(
    tmp_path: Path, old: str, new: str, line: int | None, expected: str
) -> None:
    assert old in GOOD
    message = error_of(tmp_path, GOOD.replace(old, new))
    assert re.search(expected, message), message
    if line:
        assert f"mine.yaml:{line}: " in message, message


def test_a_key_that_is_set_twice_is_an_error(tmp_path: Path) -> None:
    assert 'mine.yaml:8: "lr" is set twice' in error_of(tmp_path, GOOD + "  lr: 2e-4\n")
    assert error_of(tmp_path, GOOD + "train: {}\n").startswith(f'{tmp_path}/mine.yaml:8: "train" is set twice')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train: [1, 2\nseed: 3", r"mine\.yaml:2: .*expected YAML"),
        ("a: b: c", r"mine\.yaml:1: "),
        ("when: 2024-13-45", "expected YAML"),
        ("? [a, b]\n: 1", "expected YAML"),
        ("", "found NoneType; expected a mapping"),
        ("- 1", "found list; expected a mapping"),
    ],
)
def test_a_file_that_is_no_mapping_is_a_clear_error(tmp_path: Path, text: str, expected: str) -> None:
    assert re.search(expected, error_of(tmp_path, text))


def test_an_unreadable_or_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"title: caf\xe9\n")
    with pytest.raises(ZooError, match="cannot read"):
        recipes.load(str(tmp_path / "latin.yaml"))
    with pytest.raises(ZooError, match=r"no file .*other\.yaml"):
        recipes.load(str(tmp_path / "other.yaml"))


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.lr", "expected dotted.key=value"),
        ("=3", "expected dotted.key=value"),
        ("train..lr=3", "expected dotted.key=value"),
        ("train.lr=[1", "expected YAML"),
        ("train.lr=fast", 'override "train.lr=fast": train.lr = "fast"; expected a valid number'),
        ("train.rl=1e-4", 'override "train.rl=1e-4": unknown setting "train.rl"; did you mean "lr"?'),
        ("train.lr.peak=1", '"lr" holds one value'),
        ("train={rl: 3}", 'override "train={rl: 3}": unknown setting "train.rl"'),
        ("model.tokenizer=null", "a scratch backbone needs a tokenizer"),
        ("data.fold=6/5", '"6/5" is no fold; expected k/n with 1 <= k <= n and n >= 2, such as 1/5'),
        ("data.fold=0/5", '"0/5" is no fold'),
        ("data.fold=1/1", '"1/1" is no fold'),
    ],
)
def test_a_bad_override_is_a_clear_error(tmp_path: Path, override: str, expected: str) -> None:
    line = error_of(tmp_path, overrides=("train.steps=3", override))
    assert expected in line
    assert "mine.yaml" not in line or override == "model.tokenizer=null"


def test_a_number_with_an_exponent_is_read_as_a_number(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + "data: {world: {growth: 1e-1, name: 1e}}\n")
    recipe = recipes.load(path, ["train.lr=1e-4", "train.steps=1e3", "data.world.rates=[1e2, -2.5E+1, .5e1, 3]"])
    assert (recipe.train.lr, recipe.train.steps) == (1e-4, 1000)
    assert recipe.data.world == {"growth": 0.1, "name": "1e", "rates": [100.0, -25.0, 5.0, 3]}
    assert recipes.load(path).train.lr == 1e-4


def test_later_overrides_win_and_null_means_none(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    recipe = recipes.load(path, ["train.lr=1", "train.lr=2", "train.clip=null", "decode.max_new_tokens=7", "seed=4"])
    assert (recipe.train.lr, recipe.train.clip, recipe.decode.max_new_tokens, recipe.seed) == (2, None, 7, 4)
    assert (recipe.train.batch, recipe.name) == (8, "mine")


@pytest.mark.parametrize("text", ["1e4", "1e-3", "yes", "null", "~", "2024-01-01", "0x10", "a: b", "#", " x ", "é\n-"])
def test_a_stored_recipe_reads_back_as_the_one_that_ran(tmp_path: Path, text: str) -> None:
    overrides = ["train.betas=[0.9, 0.95]", "train.lr=3e-5", "data.world={growth: 1e-7}", "method.targets=[q_proj]"]
    recipe = recipes.load(written(tmp_path, GOOD), overrides).model_copy(update={"title": text, "notes": text})
    again = recipes.load(written(tmp_path, recipe.resolved()))
    assert again == recipe
    assert again.fingerprint() == recipe.fingerprint()


def test_the_fingerprint_covers_settings_but_not_title_notes_or_paper(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    base = recipes.load(path).fingerprint()
    assert re.fullmatch("[0-9a-f]{8}", base)
    for change in ("seed=1", "train.lr=2e-4", "data.world={sums: 3}", "model.max_tokens=99", "method.name=lora"):
        assert recipes.load(path, [change]).fingerprint() != base, change
    for words in ("title=other", "notes=other", "paper=other"):
        assert recipes.load(path, [words]).fingerprint() == base, words


def test_settings_are_frozen_and_loads_share_no_state(tmp_path: Path) -> None:
    recipe = recipes.load(written(tmp_path, GOOD))
    with pytest.raises(ValidationError):
        recipe.seed = 3  # type: ignore[misc]
    with pytest.raises(ValidationError):
        recipe.train.lr = 3.0  # type: ignore[misc]
    recipe.data.world["sums"] = 9
    assert recipes.load(written(tmp_path, GOOD)).data.world == {}


def setting_names(model: type[settings.Settings], prefix: str = "") -> list[str]:
    """The dotted names of all settings; each has a description."""
    names: list[str] = []
    for name, info in model.model_fields.items():
        assert info.description, f"{prefix}{name} has no meaning"
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, settings.Settings):
            names += setting_names(annotation, f"{prefix}{name}.")
        else:
            names.append(f"{prefix}{name}")
    return names


def test_every_alias_names_a_setting_that_exists() -> None:
    names = setting_names(Recipe)
    for alias, target in settings_aliases.ALIASES.items():
        assert not target.setting or target.setting in names, alias
        assert target.note and "\n" not in str(target), alias
        assert alias not in Recipe.model_fields or alias == "seed", f"{alias} is a setting of ours"
        for dotted in re.findall(r"\b(?:data|model|method|train|decode)\.[a-z_.]+[a-z]", target.note):
            assert dotted in names, f"{alias}: {dotted}"


@pytest.mark.parametrize("alias", settings_aliases.ALIASES)
@pytest.mark.parametrize("group", ["", "train.", "model.", "method."])
def test_a_typed_alias_is_one_line_with_the_setting_to_use(tmp_path: Path, alias: str, group: str) -> None:
    if f"{group}{alias}" in setting_names(Recipe):
        return
    line = error_of(tmp_path, overrides=(f"{group}{alias}=1",))
    assert f'override "{group}{alias}=1": unknown setting "{group}{alias}"; expected ' in line
    assert str(settings_aliases.ALIASES[alias]) in line


EARLIER = """\
domain: arithmetic
title: the second stage of the carried model, mostly on what the first still gets
  wrong
paper: arXiv:2305.14201
notes: 'Goes on from arithmetic/carried-base with other rows.'
data:
  sources:
  - world
  path: null
  world:
    cells:
      1D+1D: 0.03
      5D-5D: 3
      2D*2D: 4
      4D/1D: 0.8
  sizes:
    train: 600000
    validation: 1000
    test: 6000
  limit: null
  validation: 0.02
  test: 0.02
  near_duplicates: 0.9
  ngram: 8
  overlap: 0.8
model:
  backbone: runs/arithmetic/carried-base/base/model
  tokenizer: null
  vocabulary: 512
  max_tokens: 160
  template: plain
  weights: float32
  quantisation: none
  dropout: 0.0
method:
  name: full
  rank: 16
  alpha: 32.0
  dropout: 0.0
  dora: false
  rslora: false
  tokens: 20
  width: 64
  targets: null
  pattern: null
train:
  steps: 10000
  epochs: 1.0
  batch: 64
  micro_batch: null
  micro_tokens: 65536
  lr: 0.001
  schedule: cosine
  warmup: 0.03
  final_lr: 0.0
  optimizer: adamw
  weight_decay: 0.01
  betas:
  - 0.9
  - 0.98
  clip: 1.0
  precision: auto
  packing: false
  activation_checkpointing: false
  sharding: false
  offload: false
  compile: true
  evaluate_every: 400
  patience: null
  checkpoint_minutes: 3.0
  checkpoint_every: null
  log_every: 10
decode:
  max_new_tokens: 120
  batch_tokens: 16384
  temperature: 0.0
  top_p: 1.0
evaluate:
  scorer: strict
  limit: null
  baselines: true
seed: 3
name: carried
"""
"""The recipe.yaml of a run from November 2026, with fewer entries in cells."""


def test_a_recipe_file_of_an_earlier_run_still_opens(tmp_path: Path) -> None:
    recipe = recipes.load(written(tmp_path, EARLIER))
    assert (recipe.name, recipe.train.batch, recipe.train.betas) == ("carried", 64, (0.9, 0.98))
    world = domains.get("arithmetic").module("world").Settings
    assert recipes.validate_settings(world, recipe.data.world, "data.world").cells["5D-5D"] == 3


def test_every_setting_is_on_the_reference_page() -> None:
    page = recipes.reference()
    names = setting_names(Recipe)
    assert len(names) > 40
    for name in names:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        cells = line.strip("|").split(" | ")
        assert len(cells) == 4, line
        assert "Annotated" not in line and "typing" not in line and "class" not in line, line
    assert "| `train.clip` | float or none | `1.0` |" in page
    assert "| `model.backbone` | str | required |" in page
    assert "| `data.path` | str or none | none |" in page


def test_settings_of_a_domain_get_the_same_clear_errors() -> None:
    class World(settings.Settings):
        sums: int = Field(2, ge=1)

    assert recipes.validate_settings(World, {"sums": 3}, "data.world") == World(sums=3)
    with pytest.raises(ZooError, match=r'data\.world: unknown setting "sum"; did you mean "sums"\?'):
        recipes.validate_settings(World, {"sum": 3}, "data.world")
    with pytest.raises(ZooError, match=r"data\.world: sums = 0; expected greater"):
        recipes.validate_settings(World, {"sums": 0}, "data.world")


# Domains


class Entry:
    """An installed entry point, as importlib.metadata gives it."""

    def __init__(self, name: str, content: object) -> None:
        self.name, self.value, self.content = name, f"instructzoo.{name}:domain", content

    def load(self) -> object:
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


def a_domain(name: str) -> Domain:
    return Domain(name, name.title(), "what it does", "arXiv:0000.00000")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Three domains: one good with recipes in tmp_path, one that does not import, one that declares another's name."""
    entries = [
        Entry("toy", a_domain("toy")),
        Entry("bad", ImportError("no module named nothing")),
        Entry("odd", a_domain("toy")),
    ]
    monkeypatch.setattr(metadata, "entry_points", lambda group: entries if group == domains.GROUP else [])
    files = {"tiny": tmp_path / "tiny.yaml", "small": tmp_path / "small.yaml"}
    for path in files.values():
        path.write_text(GOOD.replace("arithmetic", "toy"), encoding="utf-8")
    monkeypatch.setattr(Domain, "recipes", lambda self: files)
    return tmp_path


@pytest.mark.usefixtures("installed")
def test_a_broken_domain_leaves_the_others_usable() -> None:
    discovered = domains.discover()
    assert list(discovered) == ["bad", "odd", "toy"]
    assert discovered["toy"] == a_domain("toy")
    assert discovered["bad"] == BrokenDomain("bad", "ImportError: no module named nothing")
    assert isinstance(discovered["odd"], BrokenDomain)
    assert domains.get("toy") == a_domain("toy")
    with pytest.raises(ZooError, match='ImportError: no module named nothing: domain "bad" is broken'):
        domains.get("bad")
    with pytest.raises(ZooError, match='no domain "toi" is installed; did you mean "toy"'):
        domains.get("toi")


def test_a_recipe_is_found_by_path_and_by_name(installed: Path) -> None:
    by_path, by_name = recipes.load(str(installed / "tiny.yaml")), recipes.load("toy/tiny")
    assert by_path == by_name
    assert by_name.name == "tiny"
    for wrong, near in (
        ("toy/tinny", 'did you mean "toy/tiny"'),
        ("toy/qqqqqq", "known: toy/small, toy/tiny"),
    ):
        with pytest.raises(ZooError, match=near):
            recipes.load(wrong)


def test_a_module_whose_import_fails_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "instructzoo" / "faulty"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in ("world", "sources", "prompts", "metrics", "answers"):
        (package / f"{name}.py").write_text("import a_package_that_is_not_there\n")
    import instructzoo

    monkeypatch.setattr(instructzoo, "__path__", [*instructzoo.__path__, str(tmp_path / "instructzoo")])
    domain = a_domain("faulty")
    assert domains.missing_modules(domain) == ["demo"]
    with pytest.raises(ModuleNotFoundError, match="a_package_that_is_not_there"):
        domain.module("world")
    with pytest.raises(ZooError, match="is no module of a domain"):
        domain.module("weights")


# Records


def test_a_malformed_row_is_an_error_with_file_and_line() -> None:
    for row, expected in (
        ([1], "found list"),
        ({"input": "2"}, 'no "instruction" among: input'),
        ({"instruction": None}, '"instruction" is NoneType'),
        ({"instruction": "add", "output": 5}, '"output" is int; expected text'),
        ({"instruction": " ", "input": ""}, "both empty"),
    ):
        with pytest.raises(ZooError, match=r"^f\.jsonl:3: ") as caught:
            Record.from_row(row, "f.jsonl:3")  # type: ignore[arg-type]
        assert expected in str(caught.value)


def test_a_record_round_trip_keeps_every_column() -> None:
    row = Record("Add", "1 + 2", "3", "world", "MIT", extra={"answer": "3", "digits": "1D+1D"}).row()
    assert Record.from_row(row).row() == row
    assert row["id"] == row_id("Add", "1 + 2", "3")
    assert row["item"] == item_key("Add", "1 + 2")
    assert Record.from_row({"instruction": "Add", "input": None}).input == ""


def test_one_item_in_other_case_or_spacing_counts_as_one() -> None:
    assert item_key("Add  TWO", "1 +  2 ") == item_key("add two", "1 + 2")
    assert item_key("add two", "13") != item_key("add two", "1 3")
    assert row_id("a", "b", "c") != row_id("ab", "", "c")
